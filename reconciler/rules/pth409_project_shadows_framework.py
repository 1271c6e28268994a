"""A file or folder of the project hides an installed framework.

The project's folder holds `torch.py`, or a folder `torch` with an `__init__.py`, and the environment
has that package installed: `python -m`, `python -c` and a script that lies beside it import the
project's.

Silent where the project is the source of that package, as its pyproject.toml, setup.cfg or setup.py
says, and for a folder without `__init__.py`, which Python takes only where nothing else answers.

Why it matters
--------------
Python puts the working directory, or the script's folder, before everything else. The import gives
an almost empty module: "module 'torch' has no attribute 'Tensor'", "'tensorflow' is not a package",
"partially initialized module". It looks like a broken installation, and reinstalling does not help.

Fix safety
----------
No fix is applied: a file of the project is the user's to rename.

References
----------
- pytorch/pytorch#7575: a script named torch.py
- pytorch/pytorch#574: a folder named torch in the working directory
- tensorflow/tensorflow#2370: a script named tensorflow.py

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.distribution import normalize_name
from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import Shadow
    from reconciler.world import World

RULE = Rule(
    code="PTH409",
    name="project-shadows-framework",
    severity=Severity.WARNING,
    needs=frozenset({Fact.DISTRIBUTIONS, Fact.IMPORT_PATHS}),
    since="0.1.0",
)

BAD = """\
pip: [torch==2.5.1]
import_paths:
  - {path: /project, origin: working directory, modules: [torch.py]}
  - {path: lib/python3.11/site-packages, origin: site-packages}
"""

GOOD = """\
pip: [torch==2.5.1]
import_paths:
  - path: /project
    origin: working directory
    modules: [torch/__init__.py]
    source_of: torch
  - {path: lib/python3.11/site-packages, origin: site-packages}
"""


def check(world: World) -> Iterator[Finding]:
    """Look at what the working directory answers in place of the environment."""
    for shadow in world.shadows:
        if shadow.by.origin == "working directory" and not _is_source(world, shadow):
            yield _finding(shadow)


def _is_source(world: World, shadow: Shadow) -> bool:
    """Tell whether the project is what the installed package is built from."""
    source = shadow.by.source_of
    if not source:
        # A source that does not say its name may be any package's; a lone module hardly is one.
        return source is not None and shadow.taken.endswith("/__init__.py")
    name = normalize_name(source)
    known = world.catalog.import_names.get(shadow.name, ())
    return name in known or name.startswith(normalize_name(shadow.name))


def _finding(shadow: Shadow) -> Finding:
    place = shadow.taken.removesuffix("/__init__.py")
    return RULE.finding(
        f"{place} hides {shadow.instead_of} from every program that starts in this folder",
        at=Location(subject=place, path=shadow.taken),
        shows_as=f"`import {shadow.name}` gives the project's own: `module '{shadow.name}' has no"
        " attribute ...`, `is not a package` or `partially initialized module`",
        remedy=f"rename {place}, and remove the __pycache__ beside it",
        cause=cause_of(RULE.name, place),
    )
