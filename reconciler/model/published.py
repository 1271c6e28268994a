"""What was ever published, where, and for which Python and CUDA: the rows, and the questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeVar

import msgspec
from msgspec import Struct

from reconciler.model.cuda import Manager
from reconciler.model.row import Row, numbers

R = TypeVar("R", bound=Row)
#: Releases are told apart by their numbers: 12.4 is 12.4.0.
Numbers = tuple[int, ...]


class KnownVersions(Row, frozen=True, kw_only=True):
    """Every version of a package, from one on."""

    manager: Manager
    #: conda's name, or PyPI's normal name.
    package: str
    #: In the manager's own order; none for a name that was never published.
    versions: tuple[str, ...]
    #: The first that is judged: what is older may have been there, and be gone.
    since: str = "0"
    #: Whether nothing will ever come above the newest.
    ended: bool = False
    source: str


class PythonSpan(Row, frozen=True, kw_only=True):
    """The Pythons that the wheels of some releases on PyPI were made for."""

    #: PyPI's normal name.
    package: str
    versions: tuple[str, ...]
    #: Such as ``3.8``.
    first: str
    #: "" where the wheels keep to the stable interface, and serve every later Python.
    last: str = ""
    source: str

    def holds(self, python: str) -> bool:
        """Tell whether a Python, of which the first two numbers count, is one of them."""
        wanted = numbers(python)[:2]
        return numbers(self.first) <= wanted and (not self.last or wanted <= numbers(self.last))

    @property
    def words(self) -> str:
        """The Pythons as a report names them."""
        if self.first == self.last:
            return f"Python {self.first}"
        return (
            f"Python {self.first} to {self.last}" if self.last else f"Python {self.first} or later"
        )


class IndexSite(Row, frozen=True, kw_only=True):
    """An index of packages, or a page of links to them, that matters for CUDA."""

    #: As a report names it.
    title: str
    #: A regular expression for its URLs; its group ``tag``, where it has one, names the build that
    #: all wheels there are of (``cu118``), and ``pre`` that they are releases for developers.
    url: str
    #: Whether it answers ``--find-links`` alone.
    is_page: bool = False
    #: Whether it has what PyPI has.
    mirrors_pypi: bool = False
    #: Normal names of what it has builds of.
    serves: tuple[str, ...] = ()
    #: Normal names, and their beginnings, of what some of its folders hold as well.
    may_serve: tuple[str, ...] = ()
    may_serve_prefix: tuple[str, ...] = ()
    #: A regular expression for the versions that only it has, where these bear no local label.
    label: str = ""
    #: What to write in a file: {label} is the pin's, {torch} the release of PyTorch beside it.
    address: str = ""
    source: str

    def has(self, name: str) -> bool:
        """Tell whether it has, or may have, wheels of a project."""
        named = name in self.serves or name in self.may_serve
        return named or self.mirrors_pypi or name.startswith(self.may_serve_prefix or "\0")


class IndexBuilds(Row, frozen=True, kw_only=True):
    """For which CUDA the PyTorch index has builds of a release."""

    #: PyPI's normal name.
    package: str
    version: str
    #: Such as ``cu118``; a build for the CPU is there as well.
    tags: tuple[str, ...]
    source: str


class Published(Struct, frozen=True, kw_only=True, dict=True):
    """The tables of what was published, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    def _rows(self, table: str, row: type[R]) -> tuple[R, ...]:
        return msgspec.json.decode(self.read(table), type=tuple[row, ...])  # type: ignore[valid-type]

    @cached_property
    def _versions(self) -> Mapping[tuple[Manager, str], KnownVersions]:
        rows = self._rows("versions", KnownVersions)
        return {(row.manager, row.package): row for row in rows}

    def versions(self, manager: Manager, name: str) -> KnownVersions | None:
        """Return every version of a package; None where the list is not known."""
        return self._versions.get((manager, name))

    @cached_property
    def _pythons(self) -> Mapping[str, Mapping[Numbers, PythonSpan]]:
        by_package: dict[str, dict[Numbers, PythonSpan]] = {}
        for row in self._rows("pythons", PythonSpan):
            of_row = {numbers(version): row for version in row.versions}
            by_package.setdefault(row.package, {}).update(of_row)
        return by_package

    def has_pythons(self, package: str) -> bool:
        """Tell whether the Pythons of a project's wheels are known."""
        return package in self._pythons

    def pythons(self, package: str, version: str) -> PythonSpan | None:
        """Return the Pythons that PyPI's wheels of a release were made for; None if unknown."""
        return self._pythons.get(package, {}).get(numbers(version))

    def releases_for(self, package: str, python: str) -> tuple[str, ...]:
        """Return the releases whose wheels were made for a Python, the oldest first."""
        rows = dict.fromkeys(self._pythons.get(package, {}).values())
        versions = (version for row in rows if row.holds(python) for version in row.versions)
        return tuple(sorted(versions, key=numbers))

    @cached_property
    def sites(self) -> tuple[IndexSite, ...]:
        """Every index that is known; the first whose ``url`` fits is the one."""
        return self._rows("indexes", IndexSite)

    @cached_property
    def _site_of_url(self) -> dict[str, tuple[IndexSite, re.Match[str]] | None]:
        return {}

    def site(self, url: str) -> tuple[IndexSite, re.Match[str]] | None:
        """Return what an URL is, with the match that holds its ``tag``; None if unknown."""
        # Every requirement of a file meets the same few indexes.
        if url not in self._site_of_url:
            found = ((site, re.search(site.url, url)) for site in self.sites)
            known = next(((site, match) for site, match in found if match), None)
            self._site_of_url[url] = known
        return self._site_of_url[url]

    def site_of(self, package: str) -> IndexSite | None:
        """Return where the builds of a project are that PyPI has not."""
        return next((s for s in self.sites if s.address and package in s.serves), None)

    @cached_property
    def _index_builds(self) -> Mapping[tuple[str, Numbers], IndexBuilds]:
        rows = self._rows("index_builds", IndexBuilds)
        return {(row.package, numbers(row.version)): row for row in rows}

    def index_builds(self, package: str, version: str) -> IndexBuilds | None:
        """Return for what the PyTorch index has builds of a release; None if unknown."""
        return self._index_builds.get((package, numbers(version)))

    def newest_build(self, package: str, tag: str) -> str:
        """Return the newest release that the PyTorch index has for a tag; "" for none."""
        rows = (row for row in self._index_builds.values() if row.package == package)
        return max((r.version for r in rows if tag in r.tags), key=numbers, default="")
