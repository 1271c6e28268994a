"""The lines of a file: as an editor counts them, and as pip joins them.

pip's own rules: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.editor_lines import BREAK, split

if TYPE_CHECKING:
    from collections.abc import Iterator

# What splits a line for pip, by str.splitlines, and none for an editor.
_RARE_BREAK = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# A comment starts a line or follows white space, so that URL#egg=name is none (pip, req_file).
_COMMENT_LINE = re.compile(r"\s*#")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")


class Place(NamedTuple):
    """A place in a text; both are counted from 1."""

    line: int
    column: int


class Places:
    """Finds the line and column of each index of a text, as an editor shows them."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in BREAK.finditer(text))]

    def at(self, index: int) -> Place:
        """Return the place of the character at ``index``."""
        line = bisect_right(self._starts, index)
        return Place(line, index - self._starts[line - 1] + 1)

    def index(self, line: int, column: int) -> int:
        """Return the index of the character at a place."""
        return self._starts[line - 1] + column - 1


class _Piece(NamedTuple):
    #: In the logical line.
    offset: int
    line: int
    column: int


class LogicalLine(NamedTuple):
    """One line that pip sees: joined over backslashes, without comments."""

    text: str
    pieces: tuple[_Piece, ...]
    #: Whether its characters are known to stand where the pieces say, or only near them.
    is_exact: bool = True

    @classmethod
    def single(cls, text: str, line: int, column: int, *, is_exact: bool = True) -> LogicalLine:
        """Return a line that begins at a place, and is on one line there."""
        return cls(text, (_Piece(0, line, column),), is_exact)

    @property
    def number(self) -> int:
        """The line that pip names: where it begins, be that by a bare backslash."""
        return self.pieces[0].line

    def at(self, offset: int) -> Place:
        """Return the place of a character of it in the file."""
        piece = self.pieces[bisect_right(self.pieces, offset, key=lambda p: p.offset) - 1]
        return Place(piece.line, piece.column + (offset - piece.offset) * self.is_exact)


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Yield each line that pip sees, with the places of its characters."""
    parts: list[str] = []
    pieces: list[_Piece] = []
    length = 0
    for raw, line, column in _physical_lines(text):
        is_comment = bool(_COMMENT_LINE.match(raw))
        is_continued = raw.endswith("\\") and not is_comment
        part = raw.strip("\\") if is_continued else raw
        left = len(raw) - len(raw.lstrip("\\")) if is_continued else 0
        if is_comment:
            # Else it were none against the end of the line before it.
            part, left = f" {part}", -1
        pieces.append(_Piece(length, line, column + left))
        parts.append(part)
        length += len(part)
        if not is_continued:
            yield from _joined(parts, pieces)
            parts, pieces, length = [], [], 0
    if parts:
        yield from _joined(parts, pieces)


def _joined(parts: list[str], pieces: list[_Piece]) -> Iterator[LogicalLine]:
    whole = _COMMENT.sub("", "".join(parts)).rstrip()
    text = whole.lstrip()
    if text:
        cut = len(whole) - len(text)
        moved = (_Piece(p.offset - cut, p.line, p.column) for p in pieces)
        yield LogicalLine(text, tuple(moved))


def _physical_lines(text: str) -> Iterator[tuple[str, int, int]]:
    for number, line in enumerate(split(text), 1):
        if not _RARE_BREAK.search(line):
            yield line, number, 1
            continue
        column = 1
        for part in line.splitlines(keepends=True):
            yield _RARE_BREAK.sub("", part), number, column
            column += len(part)
        if _RARE_BREAK.match(line[-1]):
            yield "", number, column
