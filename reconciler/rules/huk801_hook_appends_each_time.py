"""A script of activation makes a list longer each time that it is sourced.

`export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH`, with nothing that takes the directory
out again when the environment is deactivated, and no question before whether it is there already.

Judged are scripts that somebody wrote, in the environment's `etc/conda/activate.d` and in the
project. Silent on those of conda's packages, on a script whose twin in `deactivate.d` restores the
variable, and on one that asks first what the variable holds, or for a mark of its own.

Why it matters
--------------
Each activation of a terminal, a notebook or a job adds the same directories once more. The list
outlives the environment: what is started later, in another environment or in none, still looks
there first. In the end it is so long that nobody sees which entry answers, and every start of
every program goes through all of it.

Fix safety
----------
Where the loader's model proves what is needed, and the environment's scripts do nothing else,
envfix's own hook replaces them. It is unsafe: it leads to less than they did. `envfix undo` brings
them back. Other scripts are somebody's own, and what to write is told.

References
----------
- tensorflow/docs#2214: the guide's recipe adds to LD_LIBRARY_PATH in activate.d, and has no way back
- tensorflow/docs#2217: a line that could be written twice without harm is proposed, and not taken
- Netflix/metaflow#1540: LD_LIBRARY_PATH of an environment reaches what runs outside of it

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.foreign_hook import LISTS, WayBack
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.activation import Assignment
    from reconciler.model.finding import Finding
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.world import World

RULE = Rule(
    code="HUK801",
    name="hook-appends-each-time",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: export LD_LIBRARY_PATH=$CONDA_PREFIX/targets/x86_64-linux/lib:$LD_LIBRARY_PATH
"""

GOOD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: |
        case ":${LD_LIBRARY_PATH:-}:" in
          *":$CONDA_PREFIX/targets/x86_64-linux/lib:"*) ;;
          *) export LD_LIBRARY_PATH=$CONDA_PREFIX/targets/x86_64-linux/lib:$LD_LIBRARY_PATH ;;
        esac
"""


def check(world: World) -> Iterator[Finding]:
    """Look for lists that grow, once for each variable of a script."""
    for hook in world.hook_audit.foreign:
        grown: dict[str, Assignment] = {}
        for step in hook.changes if hook.is_entering else ():
            if _grows(hook, step):
                grown.setdefault(step.variable, step)
        for step in grown.values():
            yield _finding(world, hook, step)


def _grows(hook: ForeignHook, step: Assignment) -> bool:
    is_list = step.variable in LISTS or step.variable.endswith("_FLAGS")
    if not is_list or not hook.keeps_former(step) or hook.is_guarded(step):
        return False
    return hook.way_back(step) is WayBack.NONE


def _finding(world: World, hook: ForeignHook, step: Assignment) -> Finding:
    name = step.variable
    return RULE.finding(
        f"{hook.path} adds to {name} each time that the environment is activated, and nothing takes"
        " it out again",
        at=hook.at(step.line),
        shows_as=f"{name} has the same entries several times after a second activation, and keeps"
        " them after `conda deactivate`",
        remedy=_remedy(hook, name) + world.hook_audit.instead.instead_of(hook),
        # conda itself keeps PATH in order, but for what it did not put there.
        severity=Severity.INFO if name == "PATH" else None,
        evidence=(hook.shown(step.line, step.text),),
        fix=world.hook_audit.instead.fix_for(hook),
        cause=cause_of(RULE.name, hook.path, name),
        explained_by=(
            *hook.explained_by(RULE.name, name),
            cause_of("hook-without-deactivate", hook.path),
        ),
    )


def _remedy(hook: ForeignHook, name: str) -> str:
    asked = f"ask first whether the folder is in {name} already"
    if hook.ending == ".sh":
        asked += f' (`case ":${{{name}:-}}:" in *":folder:"*) ;; *) ... ;; esac`)'
    # conda writes PATH anew behind the scripts of deactivate.d.
    return asked if name == "PATH" else f"restore {name} in a script of deactivate.d, or {asked}"
