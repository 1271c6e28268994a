"""A script of activation holds what was computed when it was written, not what is true now.

`echo "export LD_LIBRARY_PATH=..." > activate.d/...` between double quotes is expanded once: the
environment's path, the folder of a Python, and the whole list as it was that day stand in the
script. Between single quotes the list may name a variable, CUDNN_PATH, that only the shell had in
which the guide was followed, and that no script sets.

Judged are scripts that somebody wrote, in the environment and in the project. The environment's own
path, written out, is information: it is right until the environment is renamed or packed. So is
`$(python -c ...)`, which is computed each time: it starts Python at each activation, and prints a
traceback when the package is gone. Silent on paths outside of environments, `/usr/local/cuda` for
one, on PYTHONPATH of elsewhere, and on what the shell that is looked at has set.

Why it matters
--------------
The script goes on to lead where the environment was, to a Python that was since replaced, or with
CUDNN_PATH empty to `/lib`. The list that was written down takes the place of the shell's own. What
was installed for it is there, and is not found.

Fix safety
----------
No fix is applied: the script is somebody's own. What to write is told.

References
----------
- tensorflow/tensorflow#60183: the recipe computed CUDNN_PATH once, and the script used it
- tensorflow/docs#2217: CUDNN_PATH is not set when the script of activate.d is sourced
- tensorflow/docs#2214: the recipe that was then taken asks Python at each activation
- talmolab/sleap#1496: a project hands the recipe on to its users

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.activation import Action, Literal, Reference
from reconciler.model.finding import Severity, cause_of
from reconciler.model.foreign_hook import LISTS, asks_python, text_of
from reconciler.model.kept_variables import is_kept
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.activation import Assignment, Part
    from reconciler.model.finding import Finding
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.world import World

RULE = Rule(
    code="HUK806",
    name="hook-computes-once",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.STATE, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
conda: []
env: {}
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$CUDNN_PATH/lib
"""

GOOD = """\
conda: []
env: {}
state:
  scripts:
    - path: etc/conda/activate.d/env_vars.sh
      text: |
        CUDNN_PATH=$CONDA_PREFIX/lib/python3.11/site-packages/nvidia/cudnn
        export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$CUDNN_PATH/lib
"""

#: An absolute path into an environment, as far as its text tells.
_IN_ENVIRONMENT = re.compile(
    r"(?P<prefix>/(?!usr/)[^:;\s]*?)(?:/lib/python(?P<minor>\d\.\d+)/site-packages\b|(?<=/envs/)[^/:;\s]+)"
)
_PYTHON = re.compile(r"/lib/python(\d\.\d+)(?=/|$)")


class _Trouble(NamedTuple):
    """What is wrong with a value, the worst first."""

    rank: int
    message: str
    shows_as: str
    remedy: str


def check(world: World) -> Iterator[Finding]:
    """Look at each value, and tell the worst of each script."""
    for hook in world.hook_audit.foreign:
        found = [
            (trouble, step)
            for step in (hook.changes if hook.is_entering else ())
            for trouble in _troubles(world, hook, step)
        ]
        if found:
            trouble, _ = worst = min(found, key=lambda one: (one[0].rank, one[1].line))
            yield _finding(world, hook, *worst, [s for t, s in found if t.rank == trouble.rank])


def _troubles(world: World, hook: ForeignHook, step: Assignment) -> Iterator[_Trouble]:
    for element in hook.elements(step):
        yield from _unset(world, hook, step, element)
        yield from _written_out(world, hook, step, element)
        yield from _of_another_python(world, hook, step, text_of(element))
    if any(asks_python(part) for part in hook.value(step)):
        yield _Trouble(
            2,
            f"{hook.path} starts Python at each activation to find the value of {step.variable}",
            "each activation takes as long as Python takes to start, and prints a traceback where"
            " the package that it asks for is gone",
            "write the folder below $CONDA_PREFIX, which a shell puts together by itself",
        )


def _unset(
    world: World, hook: ForeignHook, step: Assignment, element: tuple[Part, ...]
) -> Iterator[_Trouble]:
    """Tell of a path that begins with a variable that no script sets."""
    match element:
        case (Reference(variable=name, how=""), Literal(text=tail)) if tail.startswith("/"):
            is_told = is_kept(name) and not name.startswith("CONDA_") and name != step.variable
            if is_told and not _is_set(world, hook, name):
                yield _Trouble(
                    0,
                    f"{hook.path} puts `{text_of(element)}` on {step.variable}, and nothing that is"
                    f" sourced with it sets {name}",
                    f"in a new shell {name} is empty, and the entry is `{tail}`: what lies in the"
                    " environment is not found",
                    f"set {name} in the script, before that line, from $CONDA_PREFIX",
                )


def _is_set(world: World, hook: ForeignHook, name: str) -> bool:
    own = {s.variable for s in hook.script.assignments if s.action is not Action.UNSET}
    gone = {s.variable for s in hook.script.assignments if s.action is Action.ANYTHING}
    is_there = name in own or bool(gone) or name in world.snapshot.variables
    return is_there or name in world.hook_audit.set_before(hook)


def _written_out(
    world: World, hook: ForeignHook, step: Assignment, element: tuple[Part, ...]
) -> Iterator[_Trouble]:
    """Tell of a path into an environment that stands there in full."""
    text = element[0].text if element and isinstance(element[0], Literal) else ""
    text = text[text.find("/") :] if "=" in text else text
    prefix = world.snapshot.target.prefix if hook.in_prefix else None
    is_own = prefix is not None and f"{text}/".startswith(f"{prefix}/")
    # Modules of elsewhere are what PYTHONPATH is for, and PTH401's to judge.
    is_foreign = step.variable != "PYTHONPATH" and bool(_IN_ENVIRONMENT.match(text))
    if not is_own and not is_foreign:
        return
    better = text.replace(prefix, "$CONDA_PREFIX", 1) if is_own and prefix else ""
    if not is_own and hook.in_prefix:
        yield _Trouble(
            0,
            f"{hook.path} leads {step.variable} to `{text}`, which is not in this environment",
            "what another environment has is loaded here, or nothing where that one is gone",
            "write the folder of this environment, below $CONDA_PREFIX",
        )
    elif not is_own:
        yield _Trouble(
            1,
            f"{hook.path} leads {step.variable} to `{text}`, an environment of one machine",
            "on any other machine, and where the environment is called otherwise, nothing is found",
            "write it below $CONDA_PREFIX",
        )
    elif step.variable in LISTS and all(isinstance(p, Literal) for p in hook.value(step)):
        yield _Trouble(
            1,
            f"{hook.path} sets {step.variable} to the list that it was when the script was written",
            f"what the shell has in {step.variable} is not there after `conda activate`, and a"
            " renamed environment is not found",
            f"write `{better}` alone, and `${{{step.variable}:+:${step.variable}}}` behind it",
        )
    else:
        yield _Trouble(
            2,
            f"{hook.path} has the path of the environment written out, in `{text}`",
            "nothing while the environment lies there; renamed, cloned or packed, it is led to where"
            " it was",
            f"write `{better}`",
        )


def _of_another_python(
    world: World, hook: ForeignHook, step: Assignment, text: str
) -> Iterator[_Trouble]:
    """Tell of the folder of a Python that the environment has not."""
    python, found = world.snapshot.python, _PYTHON.search(text)
    minor = python.minor if python and hook.in_prefix else ""
    beginnings = ("$CONDA_PREFIX/", f"{world.snapshot.target.prefix}/")
    if found and minor and found[1] != minor and text.startswith(beginnings):
        better = text.replace(beginnings[1], beginnings[0], 1).replace(found[1], minor, 1)
        yield _Trouble(
            0,
            f"{hook.path} leads {step.variable} to `{text}`, and the environment's Python is {minor}",
            "the libraries of the packages that are installed now are not found",
            f"write `{better}`, if that is where they lie",
        )


def _finding(
    world: World, hook: ForeignHook, trouble: _Trouble, step: Assignment, steps: list[Assignment]
) -> Finding:
    return RULE.finding(
        trouble.message,
        at=hook.at(step.line),
        shows_as=trouble.shows_as,
        remedy=f"{trouble.remedy}{world.hook_audit.instead.instead_of(hook)}",
        severity=Severity.INFO if trouble.rank == _HARMLESS else None,
        evidence=tuple(dict.fromkeys(hook.shown(one.line, one.text) for one in steps))[:6],
        cause=cause_of(RULE.name, hook.path),
        explained_by=hook.explained_by(RULE.name),
    )


_HARMLESS = 2
