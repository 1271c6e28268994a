"""A .pth file of this environment leads into another Python's packages.

A line of a .pth file in site-packages, or in the user site, adds the site-packages or dist-packages
of another Python to sys.path, or a folder that packages were installed into.

Silent where the line leads to sources: those of an editable install, of `conda develop`, of the
project. Lines that Python would execute are not followed, and add no path here.

Why it matters
--------------
What lies there is importable, and is in no list of conda's. Where it was built for another Python
or another NumPy it fails as if this environment were broken; where the environment lacks a package
it is silently taken from there, so that the environment works on one machine only. pip counts it as
installed and may uninstall it there.

Fix safety
----------
No fix is applied: somebody wrote that line, perhaps for a package that only the system has.

References
----------
- ContinuumIO/anaconda-issues#473: .pth files of the user site lead to the system's Python modules
- conda/conda#1693: /usr/lib/python3/dist-packages on the sys.path of a Miniconda
- conda/conda#7173: packages outside of the environment are found first

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import ImportPath
    from reconciler.world import World

RULE = Rule(
    code="PTH405",
    name="pth-leads-outside",
    severity=Severity.WARNING,
    needs=frozenset({Fact.IMPORT_PATHS, Fact.OUTSIDE}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
import_paths:
  - {path: lib/python3.11/site-packages, origin: site-packages}
  - path: /usr/lib/python3/dist-packages
    origin: .pth
    via: lib/python3.11/site-packages/system.pth
outside: []
"""

GOOD = """\
python: 3.11.7
import_paths:
  - {path: lib/python3.11/site-packages, origin: site-packages}
  - path: /home/user/library/src
    origin: .pth
    via: lib/python3.11/site-packages/__editable__.library-1.0.pth
outside: []
"""

_OF_A_PYTHON = r"[\\/](?:site|dist)-packages(?:[\\/]|$)"
#: pipx keeps one pip for all the environments that it makes: pipx, shared_libs.py.
OF_TOOLS = frozenset({"pipx_shared.pth"})


def check(world: World) -> Iterator[Finding]:
    """Hold each path of a .pth file against the layout of another Python's packages."""
    target = world.snapshot.target
    for entry in world.snapshot.import_paths:
        if entry.origin != ".pth" or not entry.path.startswith("/") or entry.via is None:
            continue
        if entry.via.rpartition("/")[2] in OF_TOOLS or target.is_of_project(entry.path):
            continue
        if why := _why_installed(world, entry.path):
            yield _finding(entry, entry.via, why)


def _why_installed(world: World, path: str) -> str:
    """Return why a folder holds installed packages, not sources; "" where it does not."""
    if re.search(_OF_A_PYTHON, path):
        return "where another Python has its packages"
    # A source folder may hold the egg-info of what it is the source of.
    held = [d for d in world.snapshot.outside if d.location == path]
    if any(d.directory.endswith(".dist-info") for d in held):
        return f"which packages were installed into: {', '.join(str(d) for d in held[:3])}"
    return ""


def _finding(entry: ImportPath, via: str, why: str) -> Finding:
    return RULE.finding(
        f"{via} leads this environment's Python to {entry.path}, {why}",
        at=Location(subject=via, path=via, in_prefix=True),
        shows_as="packages of there are imported though conda lists none of them; those built for"
        " another Python fail to load, and pip says `Requirement already satisfied`",
        remedy=f"install what is needed from there into this environment, and take the line out of"
        f" {via}",
        evidence=(f"line: {entry.path}",),
        cause=cause_of(RULE.name, entry.path),
    )
