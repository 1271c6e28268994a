"""What is wrong: one finding, the places it is seen at, and its fix if one is known."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.fix import Fix
from reconciler.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Rules know a finding and its place from here.
__all__ = ["INSTALLED", "Finding", "Location", "Severity", "cause_of", "flat"]

#: How a message, and a cause, names what is installed rather than declared.
INSTALLED = "this environment"


def cause_of(name: str, place: str, *what: str) -> str:
    """Return the stable key of what a rule finds in a place: ``cpu-build@this environment:torch``."""
    return ":".join((f"{name}@{place}", *what))


class Severity(StrEnum):
    """How bad it is if the finding is right."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst; for sorting and for ``--fail-on``."""
        return tuple(Severity).index(self)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that a rule found wrong."""

    code: str
    name: str
    severity: Severity
    #: What is wrong, between which two things: one sentence without its period.
    message: str
    at: Location
    #: How it shows itself at run time.
    shows_as: str
    #: What to do, in the order of preference.
    remedy: str
    #: The observations that the verdict rests on.
    evidence: tuple[str, ...] = ()
    related: tuple[Location, ...] = ()
    #: conda's names of the platforms that it holds for; empty for all that the file was judged for.
    platforms: tuple[str, ...] = ()
    fix: Fix | None = None
    #: A stable key of what is behind this finding, such as ``cuda-majors:installed``.
    cause: str
    #: The causes of other findings, any of which would explain this one.
    explained_by: tuple[str, ...] = ()
    #: Findings that this one explains, folded under it.
    symptoms: tuple[Finding, ...] = ()


def flat(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings, each with those that are folded under it."""
    for finding in findings:
        yield finding
        yield from flat(finding.symptoms)
