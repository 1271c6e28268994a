"""What has installed a distribution into a site-packages, and is more than one of them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.distribution import Distribution, normalize_name
from reconciler.model.owner import Owner
from reconciler.model.prefix import PrefixRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.ownership import Ownership
    from reconciler.model.snapshot import Snapshot

# PyYAML-5.3.1-py3.11.egg-info; the egg-info of a folder in development has no version.
_INFO = r"(?P<name>.+?)(?:-(?P<version>\d[^-]*))?(?:-py\d[^-]*)?\.(?:dist|egg)-info"


class Installation(Struct, frozen=True, kw_only=True):
    """One installation of a distribution, by pip or by conda."""

    owner: Owner
    #: The version of the distribution, which need not be that of conda's record.
    version: str
    #: Its dist-info or egg-info, relative to the prefix.
    path: str
    #: Whether that is still there, and still its owner's.
    is_there: bool

    @property
    def manager(self) -> str:
        """Who installed it, in a word: ``conda`` or ``pip``."""
        return "conda" if isinstance(self.owner, PrefixRecord) else "pip"

    def __str__(self) -> str:
        """``conda's numpy 1.26.4``."""
        return f"{self.manager}'s {self.owner.name} {self.version}"


class Twins(Struct, frozen=True, kw_only=True):
    """One distribution that more than one installation of the same site-packages holds."""

    #: The normal name.
    key: str
    location: str
    installations: tuple[Installation, ...]


def installed_twice(index: Ownership, snapshot: Snapshot) -> Iterator[Twins]:
    """Yield each distribution that was installed over another of its name.

    Packages of conda alone are left out: conda keeps them apart.
    """
    wheels = {wheel.path for wheel in index.wheels}
    found: dict[tuple[str, str], dict[str, Installation]] = {}
    of_conda: set[str] = set()
    for distribution in snapshot.distributions:
        place = found.setdefault((distribution.location, distribution.key), {})
        path = distribution.path
        owner: Owner = distribution
        if path not in wheels and path in index.metadata:
            owner = index.metadata[path]
            of_conda.add(path)
        place.setdefault(owner.path, _installation(owner, distribution))
    for path, record in index.metadata.items():
        if path in of_conda:
            continue
        location, directory = posixpath.split(path)
        match = re.fullmatch(_INFO, directory)
        place = found.get((location, normalize_name(match["name"])), {}) if match else {}
        if place and match and record.path not in place:
            place[record.path] = Installation(
                owner=record,
                version=match["version"] or record.version,
                path=path,
                is_there=False,
            )
    for (location, key), place in found.items():
        if len(place) > 1 and any(isinstance(i.owner, Distribution) for i in place.values()):
            yield Twins(key=key, location=location, installations=tuple(place.values()))


def _installation(owner: Owner, distribution: Distribution) -> Installation:
    return Installation(
        owner=owner, version=distribution.version, path=distribution.path, is_there=True
    )


def lost_records(index: Ownership, snapshot: Snapshot) -> tuple[PrefixRecord, ...]:
    """Return conda's records whose dist-info is gone from a site-packages that was read."""
    places = _places_read(snapshot)
    there = {distribution.path for distribution in snapshot.distributions}
    there |= {gap.item for gap in snapshot.gaps if gap.item}
    gone = {
        record.path: record
        for path, record in index.metadata.items()
        if posixpath.dirname(path) in places and path not in there
    }
    return tuple(gone.values())


def _places_read(snapshot: Snapshot) -> Collection[str]:
    # A site-packages in which nothing was found may not be the one that is imported from.
    return {distribution.location for distribution in snapshot.distributions}
