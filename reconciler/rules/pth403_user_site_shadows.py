"""A package is imported from the user site, ~/.local, in place of the environment's own.

Python puts `~/.local/lib/pythonX.Y/site-packages` before the site-packages of a conda environment
(PEP 370), and what `pip install --user` once put there is found first.

Silent in a virtual environment, which shuts the user site out, where PYTHONNOUSERSITE is set, in
the shell or by `conda env config vars`, and where what lies there is not also in the environment.

Why it matters
--------------
The folder is shared by every environment of that X.Y: one `pip install --user`, or a pip that fell
back to it because the environment was not writable, changes them all. pip counts what lies there as
installed ("Requirement already satisfied"), conda does not see it, and the program runs with it. A
torch there brings its own CUDA into an environment that conda made for another.

Fix safety
----------
A command is proposed, and never run: conda sets PYTHONNOUSERSITE for this environment alone. Where
another manager is at hand, a reversible hook of the activation does, unless something that is
installed requires what only the user site has. What lies
in the user site is left alone, since other environments may live on it.

References
----------
- conda/conda#448: packages of ~/.local are found before those of the environment
- conda/conda#7173: the same; conda keeps to PEP 370
- conda/conda#8770: the NumPy of ~/.local answers in place of the environment's
- conda-forge/python-feedstock#171: the user site comes before the environment's site-packages
- ContinuumIO/anaconda-issues#9688: ~/.local in front of an Anaconda installation

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.host import Shadow
    from reconciler.world import World

RULE = Rule(
    code="PTH403",
    name="user-site-shadows",
    severity=Severity.WARNING,
    needs=frozenset({Fact.PYTHON, Fact.DISTRIBUTIONS, Fact.IMPORT_PATHS, Fact.OUTSIDE}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - numpy==1.26.4: {installer: conda}
import_paths:
  - {path: /home/user/.local/lib/python3.11/site-packages, origin: user site}
  - {path: lib/python3.11/site-packages, origin: site-packages}
outside:
  - numpy==2.1.0: {location: /home/user/.local/lib/python3.11/site-packages}
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - numpy==1.26.4: {installer: conda}
import_paths:
  - {path: /home/user/.local/lib/python3.11/site-packages, origin: user site}
  - {path: lib/python3.11/site-packages, origin: site-packages}
outside:
  - black==24.8.0: {location: /home/user/.local/lib/python3.11/site-packages}
"""


def check(world: World) -> Iterator[Finding]:
    """Gather what the user site, and what its .pth files lead to, is taken for."""
    python = world.snapshot.python
    shadows = [shadow for shadow in world.shadows if shadow.root.origin == "user site"]
    if python and shadows:
        yield _finding(world, shadows, python.minor)


def _finding(world: World, shadows: list[Shadow], minor: str) -> Finding:
    first, path = shadows[0], shadows[0].root.path
    more = f", and {len(shadows) - 1} more" if len(shadows) > 1 else ""
    names = " ".join(shadow.name for shadow in shadows[:4]) + (" ..." if len(shadows) > 4 else "")
    return RULE.finding(
        f"{first.taken}{more} is imported from the user site, {path}, in place of"
        f" {first.instead_of} of this environment",
        at=Location(subject=f"the user site {path}", path=path),
        shows_as="the version that runs is not the one that conda lists, in every environment of"
        f" Python {minor}; pip says `Requirement already satisfied` of what lies there",
        remedy=f"{_switch_off(world)}; or remove what lies there with {_uninstall(names)}, if no"
        " other environment lives on it",
        evidence=tuple(str(shadow) for shadow in shadows),
        fix=_fix(world, path),
        cause=cause_of(RULE.name, path),
    )


def _fix(world: World, path: str) -> Fix | None:
    hook = world.hooking.imports.get("user site")
    if world.snapshot.target.kind != "conda":
        return hook
    why = f"this environment is to import nothing from {path}, which every Python of yours shares"
    return world.mending.set_variable("PYTHONNOUSERSITE", "1", why) or hook


def _switch_off(world: World) -> str:
    target = world.snapshot.target
    if target.kind != "conda":
        return "set PYTHONNOUSERSITE=1 where this environment is used"
    return (
        f"`conda env config vars set -p {target.prefix} PYTHONNOUSERSITE=1` and activate the"
        " environment again"
    )


def _uninstall(names: str) -> str:
    # Of two that are installed, pip uninstalls the one that Python would import.
    return f"`python -m pip uninstall {names}` (look at the paths that it shows before you agree)"
