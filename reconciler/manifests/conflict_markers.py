"""Markers that a merge left behind: told once for each block, and taken out of the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.editor_lines import split
from reconciler.model.manifest import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARKER = re.compile(
    r"^(?:(?:<{7}|>{7}|\|{7})(?=[ \t\r\n]|\Z)|={7}(?=[\r\n]|\Z))[^\r\n]*", re.MULTILINE
)


def without_markers(text: str, *, tool: str) -> tuple[str, tuple[Fault, ...]]:
    """Return the text with its markers blanked, every place kept, and a fault of each block."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return text, ()
    blanked = _MARKER.sub(lambda match: " " * len(match[0]), text)
    return blanked, tuple(_faults(split(text), tool))


def _faults(lines: Sequence[str], tool: str) -> Iterator[Fault]:
    start = 0
    for number, line in enumerate(lines, 1):
        if not _MARKER.match(line):
            continue
        if line.startswith("<"):
            start = number
        if line.startswith(">"):
            yield _fault(lines, start or number, number, tool)
            start = 0
    if start:
        yield _fault(lines, start, len(lines), tool)


def _fault(lines: Sequence[str], start: int, end: int, tool: str) -> Fault:
    return Fault(
        kind=FaultKind.CONFLICT,
        text=lines[start - 1].strip(),
        why=f"lines {start} to {end} hold both sides of an unfinished merge, which {tool} refuses",
        line=start,
    )
