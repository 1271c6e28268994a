"""Pairs of packages that break each other without any resolver knowing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.builds.declared import pinned_version
from reconciler.model.break_pair import BreakPair
from reconciler.model.finding import Location
from reconciler.model.manifest import Section
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.catalog import Catalog
    from reconciler.model.channels import Breakage
    from reconciler.model.conda_side import CondaSide
    from reconciler.model.distribution import Distribution
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.prefix import PrefixRecord

#: A pin of fewer numbers says less than a minor release.
_MINOR = 2


def declared(
    install: InstallSet, side: CondaSide, catalog: Catalog, partner: str
) -> Iterator[BreakPair]:
    """Yield the pinned packages of a set that some versions of another one break."""
    for row in _rows(catalog, install.platform, partner):
        user = _user(install, side, catalog, row)
        if user is None:
            continue
        line, version = user
        other = _partner(install, side, row)
        python = side.of("python")
        if python and row.partner_python and not python.may_reach(row.partner_python):
            continue
        pair = BreakPair(row=row, user=f"{line.name} {version}", at=line.location, line=line)
        if other is None:
            if row.comes_from and side.prefers_first(row.comes_from):
                yield pair
        elif other[1] is not None:
            yield pair.beside_line(other[0], is_certain=other[1])


def installed(
    records: Mapping[str, PrefixRecord],
    wheels: Mapping[str, tuple[Distribution, ...]],
    platform: str,
    catalog: Catalog,
    partner: str,
) -> Iterator[BreakPair]:
    """Yield the installed packages that the installed version of another one breaks."""
    found: list[PrefixRecord | Distribution] = [*wheels.get(partner, ())]
    if record := records.get(partner):
        found.append(record)
    for row in _rows(catalog, platform, partner):
        for other in found[:1]:
            if numbers(other.version) < numbers(row.partner_since):
                continue
            if row.manager == "pip":
                old = [d for d in wheels.get(row.package, ()) if row.holds(d.version)]
                yield from (_beside(row, wheel, other) for wheel in old)
                continue
            user = records.get(row.package)
            if user and row.holds(user.version) and _is_of_channel(user, row, catalog):
                yield _beside(row, user, other)


def _is_of_channel(record: PrefixRecord, row: Breakage, catalog: Catalog) -> bool:
    return row.channel in {"", catalog.channels.name_of(record.channel)}


def _beside(
    row: Breakage, user: PrefixRecord | Distribution, other: PrefixRecord | Distribution
) -> BreakPair:
    pair = BreakPair(row=row, user=str(user), at=_place(user, row.manager))
    return pair.beside(str(other), _place(other, "conda" if hasattr(other, "build") else "pip"))


def _place(package: PrefixRecord | Distribution, manager: str) -> Location:
    return Location(subject=f"{manager} {package}", path=package.path, in_prefix=True)


def _rows(catalog: Catalog, platform: str, partner: str) -> Iterator[Breakage]:
    for row in catalog.channels.breakages:
        if row.partner == partner and (not row.platforms or platform in row.platforms):
            yield row


def _user(
    install: InstallSet, side: CondaSide, catalog: Catalog, row: Breakage
) -> tuple[Declared, str] | None:
    """Return the line that pins one of the versions that break."""
    if row.manager == "pip":
        lines = (d for d in install.requirements(Section.PIP) if d.name == row.package)
        pinned = ((line, pinned_version(line)) for line in lines)
        return next(((line, v) for line, v in pinned if v and row.holds(v)), None)
    asked = side.of(row.package)
    version = (asked.spec.pinned_version or "") if asked else ""
    if asked is None or len(numbers(version)) < _MINOR or not row.holds(version):
        return None
    sources = (
        channel
        for channel in side.sources(asked)
        if "/" in channel or catalog.channels.may_have(channel, row.package)
    )
    is_of_channel = not row.channel or next(sources, "") == row.channel
    return (asked.line, version) if is_of_channel else None


def _partner(
    install: InstallSet, side: CondaSide, row: Breakage
) -> tuple[Declared, bool | None] | None:
    """Return the partner's line, and whether it breaks: True, None for never, False for perhaps."""
    bound = numbers(row.partner_since)
    wheels = [d for d in install.requirements(Section.PIP) if d.name == row.partner]
    for line in wheels if row.partner != "mkl" else ():
        clauses = clauses_of(line.text)
        lower = any(c.operator in {"==", ">=", "~=", ">"} and c.numbers >= bound for c in clauses)
        allows = all(clause.allows((*bound, 0)) for clause in clauses)
        return line, True if lower else (False if allows else None)
    if asked := side.of(row.partner):
        if asked.is_at_least(row.partner_since):
            return asked.line, True
        return asked.line, False if asked.is_open else None
    return None
