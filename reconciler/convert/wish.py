"""What is to be converted: which parts of the files, and for which Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reconciler.convert.match_spec import written
from reconciler.convert.pep440 import NotInCondaError, translate
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conda_version import parse_version
from reconciler.model.host import DriverRelease
from reconciler.model.install_set import InstallSet, install_sets
from reconciler.model.manifest import Kind, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.manifest import Declared

# The tags of a wheel for one release of CPython; abi3 would serve later ones as well.
_TAGGED = re.compile(r"-cp(\d)(\d{1,2})-(?!abi3|none)\w+-[^/\\\s]+\.whl")
#: The Pythons that markers are judged for, the preferred one first.
PYTHONS = ("3.12", "3.13", "3.11", "3.10", "3.9", "3.8", "3.7", "3.6", "3.14", "2.7")


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be converted, and for what."""

    #: The paths of the files, relative to the project.
    sources: tuple[str, ...]
    name: str
    platforms: tuple[str, ...] = ("linux-64",)
    #: ``X.Y``, ``none`` or ``auto``.
    cuda: str = "auto"
    #: The driver of the target; None where it is not said.
    driver: DriverRelease | None = None


def chosen_sets(
    manifests: Sequence[Manifest], sources: Sequence[str], platform: str, python: str
) -> list[InstallSet]:
    """Return the install set of each source: the file itself, or the first of its parts."""
    sets = list(install_sets(manifests, platform, python=python))
    chosen = []
    for source in sources:
        own = [s for s in sets if s.path == source]
        chosen += [s for s in own if s.name == source][:1] or own[:1]
    return chosen


def supported_python(manifests: Sequence[Manifest]) -> str:
    """Return the MatchSpec of Python that the files support."""
    declared = [d for m in manifests for d in m.declared]
    for line in (d for d in declared if d.kind is Kind.PYTHON):
        try:
            return written("python", translate(SpecifierSet(line.text)))
        except (InvalidSpecifier, NotInCondaError):
            continue
    tagged = tagged_wheel(declared)
    return f"python={tagged[0]}" if tagged else "python"


def tagged_wheel(declared: Iterable[Declared]) -> tuple[str, Declared] | None:
    """Return the Python that wheels named by their files are built for, and the first of them.

    Of wheels with a marker each, one for each Python, those for the preferred one are meant.
    """
    bare: dict[str, Declared] = {}
    marked: dict[str, Declared] = {}
    for line in declared:
        if line.kind is Kind.REQUIREMENT and (match := _TAGGED.search(line.text)):
            found = marked if "python_version" in line.marker else bare
            found.setdefault(f"{match[1]}.{match[2]}", line)
    if bare:
        return next(iter(bare.items())) if len(bare) == 1 else None
    return next(((python, marked[python]) for python in PYTHONS if python in marked), None)


def python_for(supported: str, manifests: Iterable[Manifest], catalog: Catalog) -> str:
    """Return the Python that markers are judged for: what the project and its pins allow."""
    constraint = CondaSpec.parse(supported).constraint
    pins = [(d.name, d.pin) for m in manifests for d in m.declared if d.pin]
    spans = [s for name, pin in pins if (s := catalog.published.pythons(name, pin))]
    for python in PYTHONS:
        version = parse_version(f"{python}.99")
        if (constraint is None or constraint.allows(version)) and all(
            span.holds(python) for span in spans
        ):
            return python
    return PYTHONS[0]
