"""Two packages of which one breaks the other, and no resolver knows it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.channels import Breakage
from reconciler.model.finding import Location
from reconciler.model.fix import Add, Applicability, Fix
from reconciler.model.line_edits import bounded
from reconciler.model.manifest import Declared


class BreakPair(Struct, frozen=True, kw_only=True):
    """A package that breaks beside some versions of another one."""

    row: Breakage
    #: As a report names it.
    user: str
    at: Location
    #: Of a file: the line that pins it.
    line: Declared | None = None
    #: The other one; "" where nothing asks for it, and what the user depends on brings it.
    partner: str = ""
    partner_at: Location | None = None
    #: Of a file: the line that asks for it.
    partner_line: Declared | None = None
    #: Whether the version that breaks is there, or is asked for; else it may come.
    is_certain: bool = False

    def beside(self, partner: str, at: Location, *, is_certain: bool = True) -> BreakPair:
        """Return the pair with the other one that is there."""
        return replace(self, partner=partner, partner_at=at, is_certain=is_certain)

    def beside_line(self, line: Declared, *, is_certain: bool) -> BreakPair:
        """Return the pair with the line that asks for the other one."""
        pair = replace(self, partner_line=line)
        return pair.beside(line.text, line.location, is_certain=is_certain)

    @property
    def fix(self) -> Fix | None:
        """What keeps the other one below the version that breaks; None where no file asks."""
        if self.line is None:
            return None
        name, since = self.row.partner, self.row.partner_since
        edit = (
            bounded(self.partner_line, since)
            if self.partner_line
            else Add(
                path=self.line.path,
                section=self.line.section,
                text=f"{name}<{since}",
                scope=self.line.scope,
                after=self.line,
            )
        )
        if edit is None:
            return None
        title = f"ask for {name} below {since}"
        return Fix(title=title, applicability=Applicability.UNSAFE, edits=(edit,))
