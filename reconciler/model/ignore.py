"""Wishes that a finding be silent: on a line of a file, in a whole file, or everywhere.

On a line it is a comment, ``# envfix: ignore[CUD202, DEC7] the cluster has its own CUDA``. One that
stands alone speaks of the line below it, for files in which a line has no room for a comment.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.editor_lines import split
from reconciler.model.finding import Finding, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.model.manifest import Manifest

_MARK = "envfix:"


class Ignore(Struct, frozen=True, kw_only=True):
    """One such wish."""

    #: Codes or their beginnings; without any, nothing is silenced.
    codes: tuple[str, ...] = ()
    reason: str = ""
    #: Where it stands: a comment, or a line of the configuration.
    at: Location
    #: The file that it is for, relative to the project; None for everything.
    path: str | None = None
    #: The first and the last line that it is for; 0 for the whole file.
    first: int = 0
    last: int = 0

    def silences(self, finding: Finding) -> bool:
        """Tell whether it is for a finding: its code, and its place."""
        return finding.code.startswith(self.codes) and self.covers(finding.at)

    def covers(self, place: Location) -> bool:
        """Tell whether it is for a place, whatever is found there."""
        if self.path is not None and (place.in_prefix or place.path != self.path):
            return False
        return not self.first or self.first <= (place.line or 0) <= self.last


class Ignored(Struct, frozen=True, kw_only=True):
    """A finding that was silenced, and by what."""

    finding: Finding
    by: Ignore


class Judged(Struct, frozen=True, kw_only=True):
    """What is known once the rules were asked, for the one that is asked last."""

    #: The code of every rule that there is.
    known: frozenset[str] = frozenset()
    #: Those of the rules that judge declared files, and were asked about these.
    asked: frozenset[str] = frozenset()
    #: Those that judge declared files too, and were not asked.
    unasked: frozenset[str] = frozenset()
    ignored: tuple[Ignored, ...] = ()

    def unknown(self, ignore: Ignore) -> tuple[str, ...]:
        """Return the codes of an ignore that no rule's code begins with."""
        return tuple(c for c in ignore.codes if self.known and not self._begun(c, self.known))

    def idle(self, ignore: Ignore) -> tuple[str, ...]:
        """Return the codes of an ignore that silence nothing of the rules that were asked."""
        silenced = {i.finding.code for i in self.ignored if ignore.covers(i.finding.at)}
        return tuple(
            code
            for code in ignore.codes
            if self._begun(code, self.asked)
            and not self._begun(code, self.unasked)
            and not self._begun(code, silenced)
        )

    @staticmethod
    def _begun(code: str, codes: AbstractSet[str]) -> bool:
        return any(known.startswith(code) for known in codes)


NOTHING_YET = Judged()


def inline_ignores(manifest: Manifest) -> Iterator[Ignore]:
    """Yield the ignores that are written in a file."""
    if _MARK not in manifest.text:
        return
    lines = split(manifest.text)
    for number, line in enumerate(lines, start=1):
        comment = _comment().search(line) if _MARK in line else None
        if comment is None:
            continue
        first, last = _lines_of(lines, number, stands_alone=not line[: comment.start()].strip())
        yield Ignore(
            codes=tuple(
                code.upper() for code in (comment["codes"] or "").replace(",", " ").split()
            ),
            reason=comment["reason"].strip(" \t:-"),
            at=Location(
                subject=comment[0].strip(),
                path=manifest.path,
                line=number,
                column=comment.start() + 1,
            ),
            path=manifest.path,
            first=first,
            last=last,
        )


@cache
def _comment() -> re.Pattern[str]:
    # Made where a file has one: few have.
    return re.compile(r"(?<!\S)#\s*envfix:\s*ignore\b\s*(?:\[(?P<codes>[^\]]*)\])?(?P<reason>.*)")


def _lines_of(lines: Sequence[str], number: int, *, stands_alone: bool) -> tuple[int, int]:
    """Return the first and last line that a comment speaks of: continued lines are one."""
    first = number
    while stands_alone and first < len(lines) and _is_comment(lines[first - 1]):
        first += 1
    last = first
    while not stands_alone and first > 1 and _is_continued(lines[first - 2]):
        first -= 1
    while last < len(lines) and _is_continued(lines[last - 1]):
        last += 1
    return first, last


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _is_continued(line: str) -> bool:
    # In a Dockerfile comments may stand between the lines of one instruction.
    return line.rstrip().endswith("\\") and not _is_comment(line)
