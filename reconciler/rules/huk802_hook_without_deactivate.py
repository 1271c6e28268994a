"""What a script of activation sets stays set when the environment is deactivated.

`etc/conda/activate.d` has a script, and `deactivate.d` none for the same shell that restores the
variables; or one that takes a list away whole, with what the shell had in it before.

Judged are scripts that somebody wrote, in the environment and in the project, and of what they set
the variables that have to do with loading libraries, CUDA, Python and its installers. Silent on
those of conda's packages. PATH is conda's own: what a script adds to it stays in any case, since
conda writes it anew after the scripts of deactivate.d, and is information.

Why it matters
--------------
The shell goes on with the libraries of an environment that is no longer active: programs of the
system, and the next environment, load them. `XLA_FLAGS` or `CUDA_HOME` of the one lead the other
to the wrong CUDA.

Fix safety
----------
Where the loader's model proves what is needed, and the environment's scripts do nothing else,
envfix's own hook replaces them. It is unsafe: it leads to less than they did. `envfix undo` brings
them back. Other scripts are somebody's own, and what to write is told.

References
----------
- Netflix/metaflow#1540: LD_LIBRARY_PATH leaks out of the environment, and its former value has to be kept
- ESSS/conda-devenv#37: variables that were not set before are not unset by deactivation
- conda/conda#14762: what deactivate.d does to PATH is lost
- tensorflow/docs#2214: the guide's recipe has no script of deactivate.d

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.activation import Literal, Reference
from reconciler.model.finding import Severity, cause_of
from reconciler.model.foreign_hook import WayBack
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.activation import Assignment
    from reconciler.model.finding import Finding
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.world import World

RULE = Rule(
    code="HUK802",
    name="hook-without-deactivate",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
state:
  scripts:
    - {path: etc/conda/activate.d/cuda.sh, text: "export CUDA_HOME=$CONDA_PREFIX"}
"""

GOOD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/cuda.sh
      text: |
        export _BEFORE_CUDA_HOME=${CUDA_HOME:-}
        export CUDA_HOME=$CONDA_PREFIX
    - path: etc/conda/deactivate.d/cuda.sh
      text: |
        export CUDA_HOME=$_BEFORE_CUDA_HOME
        unset _BEFORE_CUDA_HOME
"""


def check(world: World) -> Iterator[Finding]:
    """Hold what each script sets against what is sourced on the way out."""
    for hook in world.hook_audit.foreign:
        ways = {
            step.variable: (step, hook.way_back(step))
            for step in reversed(hook.changes)
            if hook.is_exported(step)
        }
        found = {
            name: ways[name] for name in reversed(ways) if ways[name][1] is not WayBack.RESTORED
        }
        if found and hook.is_entering:
            yield _finding(world, hook, found)


def _finding(
    world: World, hook: ForeignHook, found: Mapping[str, tuple[Assignment, WayBack]]
) -> Finding:
    kept = {name: step for name, (step, way) in found.items() if way is WayBack.NONE}
    dropped = {name: step for name, (step, way) in found.items() if way is WayBack.DROPPED}
    told = [f"leaves in {_list(kept)} what the script has set"] if kept else []
    told += [f"loses what the shell had in {_list(dropped)}"] if dropped else []
    step = next(iter((kept or dropped).values()))
    is_harmful = any(_leads_somewhere(one) for one in kept.values())
    return RULE.finding(
        f"{hook.path} has no way back: `conda deactivate` {' and '.join(told)}",
        at=hook.at(step.line),
        shows_as=_shown(kept, dropped),
        remedy=_remedy(hook, kept, dropped) + world.hook_audit.instead.instead_of(hook),
        severity=None if is_harmful else Severity.INFO,
        evidence=tuple(hook.shown(one.line, one.text) for one, _ in found.values())[:6],
        fix=world.hook_audit.instead.fix_for(hook),
        cause=cause_of(RULE.name, hook.path),
        explained_by=hook.explained_by(RULE.name),
    )


def _leads_somewhere(step: Assignment) -> bool:
    """Tell whether a value is a path, by which another environment comes to this one's files."""
    is_path = any(
        (isinstance(p, Literal) and "/" in p.text) or isinstance(p, Reference) for p in step.parts
    )
    return step.variable != "PATH" and (is_path or step.is_computed)


def _shown(kept: Mapping[str, Assignment], dropped: Mapping[str, Assignment]) -> str:
    if not kept:
        return (
            f"after `conda deactivate` {_list(dropped)} is gone, with what a module system or a"
            " startup file had put in it"
        )
    if set(kept) == {"PATH"}:
        return (
            "after `conda deactivate` commands of the environment's folders are still found first"
        )
    return (
        "what is started after `conda deactivate`, in another environment too, still loads or reads"
        " what is this environment's"
    )


def _remedy(
    hook: ForeignHook, kept: Mapping[str, Assignment], dropped: Mapping[str, Assignment]
) -> str:
    names = [name for name in (*kept, *dropped) if name != "PATH"]
    twin = hook.path.replace("activate.d/", "deactivate.d/")
    if not names:
        return (
            "take PATH out of the script, and link what is needed into the environment's bin: conda"
            " writes PATH anew after deactivate.d"
        )
    return (
        f"keep the former value in {hook.path} under another exported name, and restore"
        f" {' and '.join(names)} from it in {twin}"
    )


def _list(names: Mapping[str, Assignment]) -> str:
    return " and ".join(names)
