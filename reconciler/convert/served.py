"""For which CUDA releases conda-forge has builds of what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.channels import ANYWHERE
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conda_version import parse_version
from reconciler.model.cuda import CudaVersion
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.channels import ChannelBuild

CHANNEL = "conda-forge"
#: Above every version: what allows it leaves the newest to the solver.
_FAR = parse_version("99999")


class Asked(Struct, frozen=True, kw_only=True):
    """A package of conda that is to be a build for CUDA, as far as its versions are asked for."""

    #: As the source writes it.
    requirement: str
    spec: CondaSpec


class Aim(Struct, frozen=True, kw_only=True):
    """What the environment is converted for."""

    #: conda's name.
    platform: str = "linux-64"
    #: ``X.Y``, ``none`` or ``auto``.
    cuda: str = "auto"
    #: The newest CUDA that the driver serves; None where no driver is known.
    driver: CudaVersion | None = None


def served(
    aim: Aim, asked: Sequence[Asked], catalog: Catalog, *, newest: bool
) -> Mapping[Asked, tuple[CudaVersion, ...]]:
    """Return for which releases conda-forge has builds of each, where that is known.

    With ``newest``, what leaves its version open is taken in the newest alone.
    """
    found = {one: _releases(aim, one, catalog, newest=newest) for one in asked}
    return {one: releases for one, releases in found.items() if releases}


def likely(
    aim: Aim, asked: Sequence[Asked], catalog: Catalog
) -> tuple[tuple[CudaVersion, ...], ...]:
    """Return for which releases the newest builds are of what is newer than all that is known."""
    found = []
    for one in asked:
        rows = [r for r in catalog.channels.builds(CHANNEL, one.spec.name) if _is_for(aim, r)]
        pin = one.spec.constraint.pinned_version if one.spec.constraint else None
        if rows and pin and numbers(str(pin)) > max(numbers(row.last) for row in rows):
            found.append(_in_order(_newest(rows)))
    return tuple(found)


def _releases(aim: Aim, one: Asked, catalog: Catalog, *, newest: bool) -> tuple[CudaVersion, ...]:
    """Return for which releases conda-forge has builds of what is asked; () where unknown."""
    fitting = _rows(aim, one, CHANNEL, catalog) or _rows(aim, one, ANYWHERE, catalog)
    if newest and fitting and one.spec.allows_version(_FAR):
        fitting = _newest(fitting)
    return _in_order(fitting)


def _in_order(rows: Sequence[ChannelBuild]) -> tuple[CudaVersion, ...]:
    texts = dict.fromkeys(release for row in rows for release in row.releases)
    found = (CudaVersion.parse(text) for text in sorted(texts, key=numbers))
    return tuple(cuda for cuda in found if cuda)


def _rows(aim: Aim, one: Asked, channel: str, catalog: Catalog) -> list[ChannelBuild]:
    rows = catalog.channels.builds(channel, one.spec.name)
    return [r for r in rows if _is_for(aim, r) and r.newest_allowed(one.spec) is not None]


def _is_for(aim: Aim, row: ChannelBuild) -> bool:
    return not row.platforms or aim.platform in row.platforms


def _newest(rows: list[ChannelBuild]) -> list[ChannelBuild]:
    last = max(numbers(row.last) for row in rows)
    return [row for row in rows if numbers(row.last) == last]


def common_releases(served: Mapping[Asked, tuple[CudaVersion, ...]]) -> list[CudaVersion]:
    """Return the releases that everything has a build for, in order."""
    sets = [set(releases) for releases in served.values()]
    return sorted(set.intersection(*sets) if sets else set(), key=order)


def order(cuda: CudaVersion) -> tuple[int, int]:
    """Return by what releases are sorted."""
    return cuda.major, cuda.minor or 0


def span(releases: Sequence[CudaVersion]) -> str:
    """Name the first and the last release of each major: ``11.2 to 11.8, 12.0 to 12.9``."""
    spans = []
    for major in sorted({cuda.major for cuda in releases}):
        of_major = [cuda for cuda in releases if cuda.major == major]
        first, last = min(of_major, key=order), max(of_major, key=order)
        spans.append(f"{first}" if first == last else f"{first} to {last}")
    return ", ".join(spans)
