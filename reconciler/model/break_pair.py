"""Two packages of which one breaks the other, and no resolver knows it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.channels import Breakage
from reconciler.model.finding import Location


class BreakPair(Struct, frozen=True, kw_only=True):
    """A package that breaks beside some versions of another one."""

    row: Breakage
    #: As a report names it.
    user: str
    at: Location
    #: The other one; "" where nothing asks for it, and what the user depends on brings it.
    partner: str = ""
    partner_at: Location | None = None
    #: Whether the version that breaks is there, or is asked for; else it may come.
    is_certain: bool = False

    def beside(self, partner: str, at: Location, *, is_certain: bool = True) -> BreakPair:
        """Return the pair with the other one that is there."""
        return replace(self, partner=partner, partner_at=at, is_certain=is_certain)
