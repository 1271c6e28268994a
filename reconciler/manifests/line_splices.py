"""Changes of a text in characters and in whole lines, gathered in any order and made into splices.

Whole lines go with their own line ends; a line that comes in takes the end of its neighbor.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests.logical_lines import Places
from reconciler.model.fix import Splice

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"[^\r\n]*(\r\n|\r|\n|\Z)")


class _Line(NamedTuple):
    start: int
    #: Before its line end.
    stop: int
    #: Behind it.
    end: int


class Draft:
    """The changes of one text; lines are counted from 1, as an editor counts them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places = Places(text)
        self.lines = [_Line(m.start(), m.start(1), m.end()) for m in _LINE.finditer(text) if m[0]]
        self._puts: list[Splice] = []
        self._dropped: set[int] = set()
        self._inserted: dict[int, list[str]] = {}

    def line(self, number: int) -> str:
        """Return a line without its end."""
        found = self.lines[number - 1]
        return self.text[found.start : found.stop]

    def put(self, start: int, end: int, text: str) -> None:
        """Write a text in the place of characters."""
        self._puts.append(Splice(start, end, text))

    def drop(self, first: int, last: int) -> None:
        """Take whole lines out."""
        self._dropped |= {*range(first, last + 1)}

    def insert(self, after: int, text: str) -> None:
        """Write a line behind a line; behind line 0 is the front."""
        self._inserted.setdefault(after, []).append(text)

    def splices(self) -> tuple[Splice, ...]:
        """Return all changes in their order."""
        puts = [put for put in self._puts if self.places.at(put.start).line not in self._dropped]
        found = (*puts, *self._drops(), *self._inserts())
        return tuple(sorted(found, key=lambda splice: (splice.start, splice.end)))

    def _drops(self) -> Iterator[Splice]:
        for number in sorted(self._dropped):
            line = self.lines[number - 1]
            yield Splice(line.start, line.end, "")

    def _inserts(self) -> Iterator[Splice]:
        for after, texts in self._inserted.items():
            newline = self.newline(after)
            line = self.lines[after - 1] if after else _Line(0, 0, 0)
            if after and line.stop == line.end:
                # The file ends here without a line end, and still does afterwards.
                before = "" if after in self._dropped else newline
                yield Splice(line.end, line.end, before + newline.join(texts))
            else:
                yield Splice(line.end, line.end, "".join(text + newline for text in texts))

    def newline(self, number: int) -> str:
        """Return the line end of a line, or of one near to it where it has none."""
        near = [*self.lines[max(number - 2, 0) : number][::-1], *self.lines[:1]]
        return next((self.text[one.stop : one.end] for one in near if one.stop < one.end), "\n")
