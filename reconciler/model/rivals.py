"""Two packages that install the same files with different contents."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.cuda import CudaBuild, Role
from reconciler.model.distribution import Distribution
from reconciler.model.manifest import Declared, Section
from reconciler.model.owner import Owner, name_of
from reconciler.model.ownership import ClaimedFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.model.clash import Collision
    from reconciler.model.install_set import InstallSet

#: What many wheels leave at the top of site-packages by mistake, and nobody imports.
_STRAY = frozenset(
    {"benchmarks", "doc", "docs", "example", "examples", "samples", "scripts", "test", "tests"}
)
_PIN = re.compile(r"===?\s*([^\s;,]+)")
_STRAY_MODULES = frozenset({"conftest.py", "setup.py"})


class Rivals(Struct, frozen=True, kw_only=True):
    """Two owners, at least one of them a wheel, and the files that they dispute."""

    owners: tuple[Owner, Owner]
    #: Those that a process would import, map or compile with.
    files: tuple[ClaimedFile, ...]

    @property
    def names(self) -> tuple[str, str]:
        """By what their managers know the two."""
        first, second = self.owners
        return name_of(first), name_of(second)

    @property
    def has_libraries(self) -> bool:
        """Whether machine code is among the files."""
        return any(file.is_library for file in self.files)

    @property
    def winner(self) -> Owner | None:
        """The one whose files lie there, as far as that can be told of any; None if of both."""
        wins = Counter(owner.path for file in self.files if (owner := file.winner()))
        return next((o for o in self.owners if wins[o.path] == wins.total() > 0), None)


class DeclaredRivals(Struct, frozen=True, kw_only=True):
    """Two requirements of one installation whose wheels install the same libraries."""

    lines: tuple[Declared, Declared]
    #: Relative to site-packages.
    paths: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """The normal names of the two."""
        return self.lines[0].name, self.lines[1].name


def rivals(
    disputed: Iterable[ClaimedFile], twins: Collection[frozenset[str]] = ()
) -> Iterator[Rivals]:
    """Yield each pair of packages that dispute files which matter.

    ``twins`` are the pairs that are one distribution twice: that is another matter.
    """
    found: dict[frozenset[str], tuple[tuple[Owner, Owner], list[ClaimedFile]]] = {}
    for file in disputed:
        for (a, said), (b, other) in combinations(zip(file.owners, file.claims, strict=True), 2):
            pair = frozenset({a.path, b.path})
            # Conda keeps its own packages apart. Its records come first.
            is_pair = isinstance(b, Distribution) and pair not in twins
            if is_pair and said.differs(other) and _matters(file, b):
                found.setdefault(pair, ((a, b), []))[1].append(file)
    for owners, files in found.values():
        # An __init__.py alone is a namespace, which each of its packages brings along.
        if not all(file.path.endswith("/__init__.py") for file in files):
            yield Rivals(owners=owners, files=tuple(files))


def declared_rivals(
    install: InstallSet, collisions: Iterable[Collision]
) -> Iterator[DeclaredRivals]:
    """Yield each pair of requirements whose wheels install a library at one path."""
    lines = {line.name: line for line in install.requirements(Section.PIP)}
    found: dict[tuple[str, str], list[Collision]] = {}
    for row in collisions:
        for a, b in combinations([name for name in row.pypi if name in lines], 2):
            if row.is_of(_pinned(lines[a]), _pinned(lines[b])):
                found.setdefault((a, b), []).append(row)
    for (a, b), rows in found.items():
        # cuDNN 9 has no libcudnn.so.8: where a number is the version's, no other counts.
        majors = {_pinned(lines[name]).partition(".")[0] for name in (a, b)}
        exact = [row.path for row in rows if row.number in majors]
        paths = exact or [row.path for row in rows]
        yield DeclaredRivals(lines=(lines[a], lines[b]), paths=tuple(paths))


def _pinned(line: Declared) -> str:
    match = _PIN.search(line.text)
    return match[1] if match else ""


def pairs_of(
    found: Iterable[Rivals | DeclaredRivals],
) -> frozenset[frozenset[str]]:
    """Return the names of each pair of wheels."""
    return frozenset(frozenset(pair.names) for pair in found)


def rival_majors(builds: Iterable[CudaBuild], pairs: Collection[frozenset[str]]) -> frozenset[int]:
    """Return the CUDA majors of which nothing is there but wheels that write another's files."""
    sides: dict[int, list[CudaBuild]] = {}
    for build in builds:
        if build.major is not None and build.role is not Role.STATES:
            sides.setdefault(build.major, []).append(build)
    return frozenset(
        major
        for major, side in sides.items()
        if all(
            build.role is Role.BRINGS and any(build.package in pair for pair in pairs)
            for build in side
        )
    )


def _matters(file: ClaimedFile, wheel: Owner) -> bool:
    location = wheel.location if isinstance(wheel, Distribution) else ""
    if file.is_library or not file.path.startswith(f"{location}/"):
        return file.is_library
    top, _, inside = file.path[len(location) + 1 :].partition("/")
    if inside:
        return top not in _STRAY and not top.endswith("-info")
    return top.endswith(".py") and top not in _STRAY_MODULES
