"""A script of activation puts the environment's whole `lib` on LD_LIBRARY_PATH.

Judged are scripts that somebody wrote, in the environment and in the project, for any shell; with
the path written out, too. Silent on those of conda's packages, and on narrower folders such as
`targets/x86_64-linux/lib` or `site-packages/nvidia/cudnn/lib`.

Why it matters
--------------
conda's `lib` has its own libstdc++, libcurl, OpenSSL, ncurses and hundreds more. With the variable,
every program of the system that is started in the shell loads these in the place of its own: git
and cmake say that no version information is available, ssh that OpenSSL does not fit, and others
stop. NVIDIA's wheels, which look where the variable leads before they look beside themselves, take
conda's CUDA libraries. conda's own programs need no such variable: they have an RPATH. So conda
does not set it, and its documentation advises against it.

Fix safety
----------
Where the loader's model proves what is needed, and the environment's scripts do nothing else,
envfix's own hook replaces them. It is unsafe: it leads to less than they did. `envfix undo` brings
them back. Other scripts are somebody's own, and what to write is told.

References
----------
- conda/conda#12800: asked to put `$CONDA_PREFIX/lib` on LD_LIBRARY_PATH, conda calls that discouraged
- conda/conda#14802: the same; conda's packages find their libraries by their RPATH
- tensorflow/docs#2214: the guide's recipe for activate.d has `$CONDA_PREFIX/lib/` on the list
- pytorch/pytorch#134929: LD_LIBRARY_PATH=/opt/conda/lib leads wheels to another libnvJitLink

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.foreign_hook import text_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.activation import Assignment, Part
    from reconciler.model.finding import Finding
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.world import World

RULE = Rule(
    code="HUK805",
    name="hook-exports-whole-lib",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: |
        export BEFORE="${LD_LIBRARY_PATH:-}"
        export LD_LIBRARY_PATH="$CONDA_PREFIX/lib/:$BEFORE"
    - path: etc/conda/deactivate.d/env_vars.sh
      text: export LD_LIBRARY_PATH="$BEFORE"
"""

GOOD = """\
conda: []
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: |
        export BEFORE="${LD_LIBRARY_PATH:-}"
        export LD_LIBRARY_PATH="$CONDA_PREFIX/targets/x86_64-linux/lib:$BEFORE"
    - path: etc/conda/deactivate.d/env_vars.sh
      text: export LD_LIBRARY_PATH="$BEFORE"
"""

VARIABLE = "LD_LIBRARY_PATH"
_OF_PREFIX = frozenset({"$CONDA_PREFIX", "${CONDA_PREFIX:-}", "${CONDA_PREFIX-}"})


def check(world: World) -> Iterator[Finding]:
    """Look at each entry of the list, once for each script."""
    prefix = world.snapshot.target.prefix
    for hook in world.hook_audit.foreign:
        steps = (s for s in hook.changes if hook.is_entering and s.variable == VARIABLE)
        found = (
            (step, text)
            for step in steps
            for text in map(_text, hook.elements(step))
            if _is_whole_lib(text, prefix if hook.in_prefix else None)
        )
        for step, text in list(found)[:1]:
            yield _finding(world, hook, step, text)


def _text(element: tuple[Part, ...]) -> str:
    return text_of(element).rstrip("/")


def _is_whole_lib(text: str, prefix: str | None) -> bool:
    head, _, tail = text.rpartition("/")
    if tail != "lib" or prefix is None:
        return tail == "lib" and head in _OF_PREFIX
    # $HOME/miniconda3/envs/x, written out.
    is_below_home = head.startswith("$HOME/") and prefix.endswith(head.removeprefix("$HOME"))
    return head in _OF_PREFIX or head == prefix or is_below_home


def _finding(world: World, hook: ForeignHook, step: Assignment, text: str) -> Finding:
    return RULE.finding(
        f"{hook.path} puts `{text}` on {VARIABLE}: all libraries of the environment, for every"
        " program that is started while it is active",
        at=hook.at(step.line),
        shows_as="programs of the system load conda's libstdc++, libcurl or OpenSSL (`no version"
        " information available`, `version GLIBCXX not found`), and wheels load conda's CUDA",
        remedy=f"take `{text}` out of the list, and name the folder that is needed, if one is"
        + world.hook_audit.instead.instead_of(hook),
        evidence=(hook.shown(step.line, step.text),),
        fix=world.hook_audit.instead.fix_for(hook),
        cause=cause_of(RULE.name, hook.path),
        explained_by=hook.explained_by(RULE.name),
    )
