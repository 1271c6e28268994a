"""A runtime of the C or C++ compiler that is older than what a library was compiled with."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.binding import Outcome, VersionMissing
from reconciler.model.run import Link
from reconciler.model.which import Origin, Situation, WhichCandidate


class Outdated(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A library that gets, in one shell, a libstdc++ without a version that it needs."""

    #: The request that is answered by the older file.
    link: Link
    situation: Situation
    #: A file of that name that has all versions; None where none is in the search.
    better: WhichCandidate | None = None
    #: The library that is loaded before, for which the older file was mapped, and its package.
    after: str | None = None
    after_owner: Origin | None = None

    @property
    def versions(self) -> tuple[VersionMissing, ...]:
        """The versions without which the library is refused."""
        return tuple(one for one in self.link.versions if one.outcome is Outcome.REFUSED)
