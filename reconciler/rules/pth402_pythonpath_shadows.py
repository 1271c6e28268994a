"""A package is imported from PYTHONPATH in place of the environment's own.

An entry of PYTHONPATH holds a distribution that the environment has too, in another version or
another build; or a folder `torch` without any distribution, which hides the installed one.

Silent where the entry lies in the project, where the environment's own is installed in place
(`pip install -e`), and where both are of one version.

Why it matters
--------------
PYTHONPATH comes before site-packages. `pip list` and `conda list` show what the environment
installed, and the program runs with the other one: `numpy.__version__` is not what is pinned, a
compiled extension fails with "numpy.dtype size changed" or an undefined symbol, and `pip install
--upgrade` changes nothing that the program sees.

Fix safety
----------
A setup script or a module system may need the variable for other programs. With --unsafe-fixes, a
reversible hook unsets it while the environment is active, where nothing that is installed requires
what only PYTHONPATH has.

References
----------
- RoboStack/ros-noetic#54: the PYTHONPATH of a system's ROS in a conda environment
- udacity/RoboND-Python-StarterKit#1: the same with a setup script in .bashrc
- conda/conda#7173: packages outside of the environment are found first

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import Shadow
    from reconciler.world import World

RULE = Rule(
    code="PTH402",
    name="pythonpath-shadows",
    severity=Severity.WARNING,
    needs=frozenset({Fact.DISTRIBUTIONS, Fact.IMPORT_PATHS, Fact.OUTSIDE}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip: [numpy==1.26.4]
import_paths:
  - {path: /opt/tools/python, origin: PYTHONPATH}
  - {path: lib/python3.11/site-packages, origin: site-packages}
outside:
  - numpy==1.24.4: {location: /opt/tools/python}
"""

GOOD = """\
python: 3.11.7
pip: [numpy==1.26.4]
import_paths:
  - {path: /opt/tools/python, origin: PYTHONPATH}
  - {path: lib/python3.11/site-packages, origin: site-packages}
outside:
  - rospkg==1.5.0: {location: /opt/tools/python}
"""


def check(world: World) -> Iterator[Finding]:
    """Gather what each entry of PYTHONPATH, outside of the project, is taken for."""
    target = world.snapshot.target
    by_entry: dict[str, list[Shadow]] = {}
    for shadow in world.shadows:
        if shadow.root.origin == "PYTHONPATH" and not target.is_of_project(shadow.by.path):
            by_entry.setdefault(shadow.by.path, []).append(shadow)
    for path, shadows in by_entry.items():
        yield _finding(world, path, shadows)


def _finding(world: World, path: str, shadows: list[Shadow]) -> Finding:
    first = shadows[0]
    more = f", and {len(shadows) - 1} more" if len(shadows) > 1 else ""
    return RULE.finding(
        f"{first.taken}{more} is imported from PYTHONPATH ({path}) in place of"
        f" {first.instead_of} of this environment",
        at=Location(subject=f"PYTHONPATH entry {path}"),
        shows_as="the version that runs is not the one that pip and conda list; compiled extensions"
        " fail with `numpy.dtype size changed` or an undefined symbol, and installing another"
        " version into the environment changes nothing",
        remedy="take the entry out of PYTHONPATH where it is set (a shell's startup file, a setup"
        " script, a module system), or start Python with `env -u PYTHONPATH`",
        evidence=tuple(str(shadow) for shadow in shadows),
        fix=world.hooking.imports.get("PYTHONPATH"),
        cause=cause_of(RULE.name, path),
        explained_by=(cause_of("pythonpath-of-another-python", "PYTHONPATH", path),),
    )
