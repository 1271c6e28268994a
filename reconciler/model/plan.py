"""Which fixes are made and which are not, and what comes of those that are."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconciler.model.finding import Finding
from reconciler.model.fix import Fix, Splice
from reconciler.model.report import Report


class Reason(StrEnum):
    """Why a fix is not made."""

    #: A person must choose.
    DISPLAY = "display"
    #: It may not be what was meant, and nobody has asked for such.
    NOT_ALLOWED = "not-allowed"
    #: Another one changes the same line in another way.
    CLASHES = "clashes"
    #: The file is none of those that may be changed.
    OUT_OF_BOUNDS = "out-of-bounds"
    #: An edit of it cannot be made with certainty.
    HELD_BACK = "held-back"
    #: It would bring an error or a warning that is not there.
    HARMFUL = "harmful"
    #: What it is for would still be found.
    IN_VAIN = "in-vain"


class PlannedFix(Struct, frozen=True, kw_only=True):
    """A fix that is made, whole."""

    fix: Fix
    #: The findings that ask for it, the worst first.
    findings: tuple[Finding, ...]


class LeftOutFix(Struct, frozen=True, kw_only=True):
    """A fix that is not made, whole."""

    fix: Fix
    #: The findings that ask for it, the worst first.
    findings: tuple[Finding, ...]
    reason: Reason
    #: The reason with its circumstances: a sentence without its period.
    why: str


class Plan(Struct, frozen=True, kw_only=True):
    """The fixes of some findings, parted into those that are made together and the rest."""

    kept: tuple[PlannedFix, ...] = ()
    left_out: tuple[LeftOutFix, ...] = ()


class FileRepair(Struct, frozen=True, kw_only=True):
    """What fixes make of one declared file; secrets are masked in both texts."""

    #: As the manifest names it.
    path: str
    before: str
    after: str
    #: What leads from one to the other: each round is over the text that the last one left.
    rounds: tuple[tuple[Splice, ...], ...]


class Repair(Struct, frozen=True, kw_only=True):
    """What the fixes come to, before anything is written."""

    before: Report
    #: The same, with the files as the fixes leave them.
    after: Report
    files: tuple[FileRepair, ...] = ()
    made: tuple[PlannedFix, ...] = ()
    #: What the activation of the environment is to do; what it answers is not in ``after``.
    hooks: tuple[PlannedFix, ...] = ()
    left_out: tuple[LeftOutFix, ...] = ()
    #: What the fixes were to close, and what is found all the same.
    unclosed: tuple[Finding, ...] = ()
    #: What was not found before.
    caused: tuple[Finding, ...] = ()
