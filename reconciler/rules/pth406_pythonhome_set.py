"""PYTHONHOME leads the environment's Python to another standard library.

Silent where it names the environment itself, or the Python that a virtual environment is made of.

Why it matters
--------------
Python takes its standard library from there, and its site-packages as well. Where that folder has
none for this version, no Python of this environment starts: "Fatal Python error:
init_fs_encoding", "No module named 'encodings'". Where it has one, the environment's packages are
not seen. Module systems and some applications set it; every Python started under them inherits it.

Fix safety
----------
No fix is applied: the program that set it may need it.

References
----------
- bioconda/bioconda-utils#717: a cluster's Python module set PYTHONHOME, and no conda starts
- conda/conda#9230: "Fatal Python error: initfsencoding" with PYTHONHOME; conda leaves it alone

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import VariablePath
    from reconciler.world import World

RULE = Rule(
    code="PTH406",
    name="pythonhome-set",
    severity=Severity.WARNING,
    needs=frozenset({Fact.PYTHON, Fact.VARIABLE_PATHS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
variable_paths:
  - {variable: PYTHONHOME, path: /opt/apps/python/3.8.2}
"""

GOOD = """\
python: 3.11.7
variable_paths:
  - {variable: PYTHONHOME, path: /prefix, environment: /prefix}
"""


def check(world: World) -> Iterator[Finding]:
    """Look for a PYTHONHOME that is neither the prefix nor what it is made of."""
    python = world.snapshot.python
    if python is None:
        return
    for path in world.snapshot.variable_paths:
        if path.variable == "PYTHONHOME" and not _is_own(world, path, python.home):
            yield _finding(path, python.version)


def _is_own(world: World, path: VariablePath, home: str | None) -> bool:
    prefix = world.snapshot.target.prefix
    base = home.rstrip("/").removesuffix("/bin") if home else None
    return path.path.rstrip("/") in {prefix, base} or path.environment == prefix


def _finding(path: VariablePath, version: str) -> Finding:
    there = "" if path.exists else ", which does not exist"
    return RULE.finding(
        f"PYTHONHOME sends Python {version} of this environment to {path.path}{there} for its"
        " standard library",
        at=Location(subject="the variable PYTHONHOME"),
        shows_as="Python does not start (`No module named 'encodings'`), or starts with another's"
        " standard library and does not see this environment's packages",
        remedy="`unset PYTHONHOME` in this shell, and take it out of where it is set (a startup"
        " file, a module system); conda and virtual environments need none",
        cause=cause_of(RULE.name, path.path),
    )
