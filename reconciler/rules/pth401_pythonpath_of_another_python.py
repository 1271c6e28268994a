"""PYTHONPATH leads this environment's Python into another Python's packages.

An entry of PYTHONPATH lies in another prefix, or holds extension modules that were compiled for
another version of Python.

Silent where an entry is a folder of sources, does not exist, or is the environment's own.

Why it matters
--------------
PYTHONPATH comes before everything that the environment has installed, standard library included.
A NumPy or torch for another version is then found first and fails with "No module named
'numpy._core._multiarray_umath'" or "undefined symbol: _PyUnicode_Ready"; a pure Python package is
taken silently in another version. pip says "Requirement already satisfied" of what lies there, and
installs nothing. pip never looks for CUDA through it.

Fix safety
----------
A setup script, such as that of ROS, may need the variable elsewhere, so it is not to be unset blindly.
With --unsafe-fixes, a reversible hook unsets it while the environment is active, where packages of it
are imported in place of the environment's own, and nothing installed requires what only it has.

References
----------
- RoboStack/ros-noetic#54: the PYTHONPATH of a system's ROS in a conda environment
- udacity/RoboND-Python-StarterKit#1: the same with a setup script in .bashrc
- conda/conda#448: packages outside of the environment are found first

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import PathEntry
    from reconciler.world import World

RULE = Rule(
    code="PTH401",
    name="pythonpath-of-another-python",
    severity=Severity.ERROR,
    needs=frozenset({Fact.PYTHON, Fact.PYTHONPATH}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pythonpath:
  - path: /opt/ros/noetic/lib/python3.8/site-packages
    prefix: /opt/ros/noetic
"""

GOOD = """\
python: 3.11.7
pythonpath:
  - path: /home/user/project/src
"""


def check(world: World) -> Iterator[Finding]:
    """Hold each entry against the version and the prefix of the environment's Python."""
    python = world.snapshot.python
    if python is None:
        return
    for entry in world.snapshot.pythonpath:
        if entry.exists and (why := _why_another(world, entry, python.minor)):
            yield _finding(world, entry, python.version, why)


def _why_another(world: World, entry: PathEntry, minor: str) -> str:
    """Return why an entry belongs to another Python; "" where it does not."""
    if entry.extensions_for and minor not in entry.extensions_for:
        return f"which holds extension modules for Python {', '.join(entry.extensions_for)}"
    if entry.python_in_path and entry.python_in_path != minor:
        return f"a folder of Python {entry.python_in_path}"
    if entry.prefix and entry.prefix != world.snapshot.target.prefix:
        return f"which belongs to another environment, {entry.prefix}"
    return ""


def _finding(world: World, entry: PathEntry, version: str, why: str) -> Finding:
    held = ", ".join(entry.distributions[:4]) + (" ..." if len(entry.distributions) > 4 else "")
    return RULE.finding(
        f"PYTHONPATH leads Python {version} of this environment to {entry.path}, {why}",
        at=Location(subject=f"PYTHONPATH entry {entry.path}"),
        shows_as="what lies there is imported instead of the environment's own, and extension"
        " modules fail to load; pip says `Requirement already satisfied` and installs nothing",
        remedy="take the entry out of PYTHONPATH where it is set (a shell's startup file, a setup"
        " script, a module system), or start Python with `env -u PYTHONPATH`; packages that are"
        " needed from there belong in the environment",
        evidence=(f"distributions there: {held}",) if held else (),
        fix=world.hooking.imports.get("PYTHONPATH"),
        cause=cause_of(RULE.name, "PYTHONPATH", entry.path),
    )
