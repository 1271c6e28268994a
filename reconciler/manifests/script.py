"""Text that a shell is given, and where each part of it stands in its file.

A script is seldom written as a shell reads it: a Dockerfile continues its lines, YAML folds and
indents, JSON escapes. What stands between spaces is found again, run by run.
"""

from __future__ import annotations

import re
import shlex
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.editor_lines import split

if TYPE_CHECKING:
    from collections.abc import Iterable

_RUN = re.compile(r"\S+")
_SPACE = re.compile(r"\s*")
# A break or a space that JSON, or YAML between double quotes, writes by an escape.
_ESCAPED_SPACE = re.compile(r"(?:\s|\\[nrt \n])*")
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.)")


class Script(Struct, frozen=True):
    """A text with the places of its parts."""

    text: str
    #: Where each part begins in the text; the first is 0.
    starts: tuple[int, ...] = (0,)
    #: Line and column of each part, counted from 1.
    places: tuple[tuple[int, int], ...] = ((1, 1),)

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character of the text."""
        index = bisect_right(self.starts, offset) - 1
        line, column = self.places[index]
        return line, column + offset - self.starts[index]


def from_parts(parts: Iterable[tuple[str, int, int]]) -> Script:
    """Join texts, each with its line and column."""
    kept = [part for part in parts if part[0]]
    if not kept:
        return Script("")
    ends = accumulate(len(text) for text, _, _ in kept)
    starts = (0, *list(ends)[:-1])
    return Script("".join(p[0] for p in kept), starts, tuple((p[1], p[2]) for p in kept))


def from_words(words: Iterable[tuple[str, int, int]]) -> Script:
    """Return words that no shell reads as a script of quoted words; each with the place of its text."""
    quoted = ((shlex.quote(text), text, line, column) for text, line, column in words)
    return from_parts((f"{q} ", line, column - (q != text)) for q, text, line, column in quoted)


def from_file(text: str) -> Script:
    """Return a file that is a script itself."""
    return from_parts((f"{line}\n", n, 1) for n, line in enumerate(split(text), 1))


class Source:
    """A file in which the values of a YAML or JSON document are found again."""

    def __init__(self, text: str) -> None:
        self._lines = split(text)
        self._text = "\n".join(self._lines)
        self._starts = (0, *accumulate(len(line) + 1 for line in self._lines))

    def script(self, value: str, line: int, column: int) -> Script:
        """Return a value whose text begins at a place, escaped, folded or indented as it may be."""
        at = self._starts[min(line, len(self._lines)) - 1] + column - 1
        starts: list[int] = [0]
        places = [self._place(at)]
        for run in _RUN.finditer(value):
            parts, at = self._parts(run[0], self._skip_space(run[0], at))
            starts += [run.start() + offset for offset, _ in parts]
            places += [self._place(found) for _, found in parts]
        return Script(value, tuple(starts), tuple(places))

    def _skip_space(self, run: str, at: int) -> int:
        plain = _SPACE.match(self._text, at)
        end = plain.end() if plain else at
        if self._text.startswith(run[0], end):
            return end
        escaped = _ESCAPED_SPACE.match(self._text, at)
        return escaped.end() if escaped else end

    def _parts(self, run: str, at: int) -> tuple[list[tuple[int, int]], int]:
        """Return where the parts of a run begin, in it and in the file, and where it ends there."""
        if self._text.startswith(run, at):
            return [(0, at)], at + len(run)
        found: list[tuple[int, int]] = []
        begins = True
        for offset, character in enumerate(run):
            if begins:
                found.append((offset, at))
            escape = _ESCAPE.match(self._text, at)
            if escape and (character != "\\" or escape[0] == "\\\\"):
                at, begins = escape.end(), True
            elif character == "'" and self._text.startswith("''", at):
                at, begins = at + 2, True
            elif self._text.startswith(character, at):
                at, begins = at + 1, False
            else:
                # An alias, or text that was read in another way: all of it stands here.
                break
        return found, at

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._starts, min(at, len(self._text)))
        return min(line, len(self._lines)), max(
            1, min(at, len(self._text)) - self._starts[line - 1] + 1
        )
