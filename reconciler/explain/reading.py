"""A text of any size as blocks of lines, without what colors it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: ECMA-48: control sequences (colors, cursor), and operating system commands (titles, links).
_CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
#: How much is looked at together; a text in one piece is cut, so that its copies stay small.
_BLOCK = 1 << 20
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
    for part in (text,) if isinstance(text, str | bytes) else text:
        for start in range(0, len(part), _BLOCK):
            piece = part[start : start + _BLOCK]
            yield piece.encode("utf-8", "replace") if isinstance(piece, str) else piece


def _plain(lines: list[bytes]) -> list[bytes]:
    """Return lines without control sequences."""
    if not lines:
        return []
    joined = b"\n".join(lines)
    if b"\x1b" in joined:
        joined = _CONTROL.sub(b"", joined)
    return joined.split(b"\n")
