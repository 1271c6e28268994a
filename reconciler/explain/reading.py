"""A text of any size as blocks of lines, without what colors it."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: ECMA-48: control sequences (colors, cursor), and operating system commands (titles, links).
_CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
#: How much is looked at together; a text in one piece is cut, so that its copies stay small.
_BLOCK = 1 << 20
#: So much of a text tells in how many bytes its letters are.
_SAMPLE = 4096
#: No log has lines of this length for people to read; what is longer is cut.
_LONGEST = 1 << 16


class Block(Struct, frozen=True):
    """Some lines, and those that follow them."""

    #: The number of the first one, from 1.
    first: int
    lines: list[bytes]
    #: How many are to be looked at here; the rest is seen again in the next block.
    fresh: int


def blocks(text: str | bytes | Iterable[str | bytes], *, ahead: int) -> Iterator[Block]:
    """Yield the lines of a text, which may come in pieces, with ``ahead`` lines more each time."""
    first, lines, rest = 1, list[bytes](), b""
    for piece in _pieces(text):
        new = (rest + piece).split(b"\n")
        rest = new.pop()
        if len(rest) > _LONGEST:
            new, rest = [*new, rest], b""
        lines += _plain(new)
        if len(lines) <= ahead:
            continue
        fresh = len(lines) - ahead
        yield Block(first, lines, fresh)
        first, lines = first + fresh, lines[fresh:]
    lines += _plain([rest])
    yield Block(first, lines, len(lines))


def _pieces(text: str | bytes | Iterable[str | bytes]) -> Iterator[bytes]:
    decoder: codecs.IncrementalDecoder | None = None
    is_first = True
    for part in (text,) if isinstance(text, str | bytes) else text:
        for start in range(0, len(part), _BLOCK):
            piece = part[start : start + _BLOCK]
            if is_first and isinstance(piece, bytes) and (encoding := _utf_16(piece)):
                decoder = codecs.getincrementaldecoder(encoding)("replace")
            is_first = False
            if decoder and isinstance(piece, bytes):
                piece = decoder.decode(piece)
            yield piece.encode("utf-8", "replace") if isinstance(piece, str) else piece


def _utf_16(start: bytes) -> str:
    """Return the encoding of what PowerShell's ``>`` and ``Out-File`` write; "" of all else.

    Its ASCII letters have a byte of zero each, with which no other log is half full; two bytes at
    the start are not enough, as a log may begin with any.
    """
    half = len(start[:_SAMPLE]) // 2
    zeros = {"utf-16-le": start[1:_SAMPLE:2].count(0), "utf-16-be": start[:_SAMPLE:2].count(0)}
    return next((name for name, count in zeros.items() if half and count * 2 > half), "")


def _plain(lines: list[bytes]) -> list[bytes]:
    """Return lines without control sequences."""
    if not lines:
        return []
    joined = b"\n".join(lines)
    if b"\x1b" in joined:
        joined = _CONTROL.sub(b"", joined)
    return joined.split(b"\n")
