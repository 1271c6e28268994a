"""The files of a traceback above a message: who was importing, or opening, what failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: More lines than a traceback of this depth has are not looked at.
ABOVE = 80
#: CPython's, and IPython's old and new ones:
#: ``File "x.py", line 3``, ``File x.py:3``, ``x.py in <module>``.
_FRAME = re.compile(
    r"""File "(?P<plain>[^"\n]+)", line \d+|File (?P<new>\S[^\n]*?\.py):\d+"""
    r"""|(?P<old>[~/]\S*\.py) in \S"""
)
#: What torchrun writes before each line, and each process its own.
_PROCESS = re.compile(rb"\[?(?:rank|default|pid=|Rank )\s?\d+\]?[:|]?")
_START = b"Traceback (most recent call last)"
#: The end of another traceback.
_END = re.compile(rb"(?:^|[\s.])[A-Z]\w*(?:Error|Exception|Warning|Interrupt)\b:")


def frames_above(lines: Sequence[bytes], line: bytes) -> tuple[str, ...]:
    """Return the files of the traceback that a line ends, the outermost first.

    Of lines that several processes have written, those of its own process count.
    """
    return tuple(reversed([*_frames(lines, _process_of(line))]))


def _frames(lines: Sequence[bytes], process: bytes) -> Iterator[str]:
    """Yield the files upwards, until the traceback begins."""
    is_inside = False
    for above in reversed(lines):
        if _process_of(above) != process:
            continue
        if _START in above or (not is_inside and _END.search(above[:2_000])):
            return
        match = _FRAME.search(above[:2_000].decode("utf-8", "replace"))
        if match:
            is_inside = True
            yield match["plain"] or match["new"] or match["old"]


def _process_of(line: bytes) -> bytes:
    match = _PROCESS.search(line[:80])
    return match[0] if match else b""
