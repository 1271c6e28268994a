"""One requirement of pip, read: which package of conda it is about, and in which versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reconciler.convert.mended import unlabeled
from reconciler.convert.pep440 import CondaRange, NotInCondaError, translate
from reconciler.model.conversion import Confidence
from reconciler.model.distribution import normalize_name
from reconciler.model.manifest import Declared
from reconciler.model.naming import Counterpart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.catalog import Catalog

# A wheel's file name in a URL: name-version-....whl.
_WHEEL = re.compile(r"(?:^|[/\\=])(?P<name>[\w.]+)-(?P<version>\d[\w.!+]*)-[^/\\]+\.whl")
# Where conda's packages are built, and pip's wheels before they are installed: these folders are
# gone when the build is over. conda/conda#11580: pip freeze tells of them what direct_url.json says.
_BUILT = re.compile(
    r"file:///+(?:(?:.*/)?(?:feedstock_root|croot|conda-bld)/|[A-Z]:/(?:bld|ci\w*|b)/"
    r"|(?:private/)?tmp/(?:build|tmp\w+)/|opt/concourse/)"
)
_NOT_PEP_508 = re.compile(r"^(?:-e\b|--editable\b|[./~]|[A-Za-z]:\\|(?:git|hg|svn|bzr)\+|\w+://)")
_OPTION = re.compile(r"\s--?[a-zA-Z].*$", re.DOTALL)


class Reading(Struct, frozen=True, kw_only=True):
    """One line of pip's, as far as conda could serve it."""

    line: Declared
    #: PyPI's normal name; "" where only a build would tell.
    name: str
    #: Why it stays under pip whatever conda has, a sentence without its period; "" where it need not.
    stays: str = ""
    asked: CondaRange = CondaRange()
    extras: tuple[str, ...] = ()
    #: What the catalog knows of it, and of its extras.
    row: Counterpart | None = None
    extra_rows: tuple[Counterpart, ...] = ()
    #: What the general map calls it; "" where it has no name for it.
    mapped: str = ""
    is_pinned_by_constraint: bool = False
    #: What else there is to know of it, each a sentence without its period.
    notes: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        """The line as it stands in its file."""
        return self.line.text

    @property
    def other_extras(self) -> tuple[str, ...]:
        """The extras that the catalog does not know."""
        known = {row.extra for row in self.extra_rows}
        return tuple(extra for extra in self.extras if extra not in known)

    @property
    def provenance(self) -> tuple[str, Confidence]:
        """Where its name under conda comes from."""
        if self.row or self.extra_rows:
            row = self.row or self.extra_rows[0]
            return f"catalog: {row.source}", Confidence.CATALOG
        return f"map: {self.name} is {self.mapped} on conda-forge", Confidence.MAP


def read(line: Declared, limits: Mapping[str, SpecifierSet], catalog: Catalog) -> Reading:
    """Read a line of pip's; ``limits`` are what constraint files allow of each name."""
    text = _OPTION.sub("", line.text).strip()
    if reason := _is_no_release(text):
        return Reading(line=line, name=line.name, stays=reason)
    bare, labels = unlabeled(text)
    try:
        requirement = Requirement(bare)
    except (InvalidRequirement, RecursionError):
        return Reading(line=line, name=line.name, stays="pip alone can read it: it is no PEP 508")
    name = normalize_name(requirement.name)
    if requirement.url:
        return _of_url(line, name, requirement.url, catalog)
    specifiers = requirement.specifier & limits.get(name, SpecifierSet())
    found = _of_index(line, name, requirement, specifiers, catalog)
    return replace(found, asked=replace(found.asked, labels=labels)) if labels else found


def _is_no_release(text: str) -> str:
    """Return why a line is about no release on an index; "" where it is about one."""
    if not _NOT_PEP_508.match(text):
        return ""
    if re.match(r"-e\b|--editable\b", text):
        return "it is installed in place, from its own source"
    if re.match(r"(?:git|hg|svn|bzr)\+", text):
        return "it is built from a repository"
    return "it is a file or a folder" if "://" not in text else "it comes from a URL of its own"


def _of_url(line: Declared, name: str, url: str, catalog: Catalog) -> Reading:
    row = catalog.naming.counterpart(name)
    wheel = _WHEEL.search(url.replace("%2B", "+"))
    repository = re.match(r"(?:git|hg|svn|bzr)\+", url)
    mapped = "" if row or not catalog.consumer("pip", name) else catalog.naming.on_conda_forge(name)
    is_known = mapped or (row and row.conda)
    if _BUILT.match(url) and (built := _of_build(line, name, wheel, catalog)):
        return built
    if not is_known or wheel is None or repository:
        why = "it is built from a repository" if repository else "it comes from a URL of its own"
        return Reading(line=line, name=name, stays=why)
    try:
        asked = translate(SpecifierSet(f"=={wheel['version']}"))
    except (InvalidSpecifier, NotInCondaError):
        return Reading(line=line, name=name, stays="it comes from a URL of its own")
    return Reading(line=line, name=name, asked=asked, row=row, mapped=mapped)


def _of_build(
    line: Declared, name: str, wheel: re.Match[str] | None, catalog: Catalog
) -> Reading | None:
    """Read what `pip freeze` says of a package that conda has installed: where it was built."""
    row = catalog.naming.counterpart(name)
    mapped = "" if row else catalog.naming.on_conda_forge(name)
    if not mapped and not (row and row.conda):
        return None
    said = "its path is of the machine that built it, as pip freeze has it of conda's packages"
    try:
        asked = translate(SpecifierSet(f"=={wheel['version']}")) if wheel else CondaRange()
    except (InvalidSpecifier, NotInCondaError):
        asked = CondaRange()
    notes = (said if asked.text else f"{said}; it tells no version",)
    return Reading(line=line, name=name, asked=asked, row=row, mapped=mapped, notes=notes)


def _of_index(
    line: Declared,
    name: str,
    requirement: Requirement,
    specifiers: SpecifierSet,
    catalog: Catalog,
) -> Reading:
    naming = catalog.naming
    extras = tuple(sorted(normalize_name(extra) for extra in requirement.extras))
    rows = tuple(row for extra in extras if (row := naming.counterpart(name, extra)))
    own = naming.counterpart(name)
    try:
        asked = translate(specifiers)
    except NotInCondaError as error:
        return Reading(line=line, name=name, stays=error.why)
    return Reading(
        line=line,
        name=name,
        asked=asked,
        extras=extras,
        row=own,
        extra_rows=rows,
        mapped="" if own else naming.on_conda_forge(name),
        is_pinned_by_constraint=specifiers != requirement.specifier,
    )


def limits_of(lines: Iterable[Declared]) -> dict[str, SpecifierSet]:
    """Return what the lines of constraint files allow of each project."""
    limits: dict[str, SpecifierSet] = {}
    for line in lines:
        try:
            requirement = Requirement(_OPTION.sub("", line.text))
        except (InvalidRequirement, RecursionError):
            continue
        name = normalize_name(requirement.name)
        limits[name] = limits.get(name, SpecifierSet()) & requirement.specifier
    return limits
