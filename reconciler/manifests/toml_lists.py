"""What stands between commas in TOML: the items of an array, the pairs of an inline table.

Items come and go with their commas. A comment goes with the item behind which it stands; any other
stays where it is, and where that is not certain, the change is held back.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.fix import HeldBackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.line_splices import Draft
    from reconciler.manifests.toml_nodes import Node

_REST = re.compile(r"[ \t]*+(,?)[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_COMMA = re.compile(r"(?:[ \t\r\n]|#[^\n]*+)*+,")
_ITS_OWN = re.compile(r"[ \t,]*+(?:#[^\n]*+)?[\s,]*+")
_INDENT = "    "


class _Span(NamedTuple):
    start: int
    end: int


class CommaList:
    """The changes of one array or inline table, made in the draft when all are known."""

    def __init__(self, draft: Draft, node: Node) -> None:
        self._draft = draft
        self._text = draft.text
        self._is_array = isinstance(node.value, list)
        self._whole = _Span(draft.places.index(node.line, node.column), node.end)
        pairs = [(item, item) for item in node.items()] or node.pairs()
        self._spans = [
            _Span(draft.places.index(first.line, first.column), last.end) for first, last in pairs
        ]
        self._removed: set[int] = set()
        self._inserted: dict[int, list[str]] = {}

    @property
    def last(self) -> int:
        """The index of the last item; -1 where there is none."""
        return len(self._spans) - 1

    def remove(self, index: int) -> None:
        """Take an item out."""
        self._removed.add(index)

    def insert(self, after: int, text: str) -> None:
        """Write an item behind an item; behind -1 is the front."""
        self._inserted.setdefault(after, []).append(text)

    def finish(self) -> None:
        """Put all changes into the draft; raises HeldBackError."""
        if not all(span.end for span in self._spans):
            raise HeldBackError("a table in braces has keys with dots")
        inserted = self._by_kept()
        emptied = not self._kept and self._spans and not self._stand_alone(range(len(self._spans)))
        if emptied:
            self._replace_all(inserted.get(-1, []))
            return
        for run in self._runs():
            self._take_out(run)
        for after, texts in inserted.items():
            if after < 0:
                self._put_first(texts)
            else:
                self._put_behind(after, texts)

    @property
    def _kept(self) -> Sequence[int]:
        return [index for index in range(len(self._spans)) if index not in self._removed]

    def _by_kept(self) -> dict[int, list[str]]:
        """Return what comes in, by the item that it stands behind when others have gone."""
        found: dict[int, list[str]] = {}
        for after in sorted(self._inserted):
            kept = next((n for n in range(after, -1, -1) if n not in self._removed), -1)
            found.setdefault(kept, []).extend(self._inserted[after])
        return found

    def _runs(self) -> Iterator[Sequence[int]]:
        numbered = enumerate(sorted(self._removed))
        for _, run in groupby(numbered, key=lambda pair: pair[1] - pair[0]):
            yield [index for _, index in run]

    def _replace_all(self, texts: Sequence[str]) -> None:
        first, last = self._spans[0], self._spans[-1]
        gap = self._text[self._whole.start + 1 : self._whole.end - 1]
        for span in reversed(self._spans):
            at = span.start - self._whole.start - 1
            gap = gap[:at] + gap[at + span.end - span.start :]
        if "#" in gap:
            raise HeldBackError("comments stand between the items of a list that would be empty")
        if texts:
            self._draft.put(first.start, last.end, ", ".join(texts))
        else:
            self._draft.put(self._whole.start + 1, self._whole.end - 1, "")

    def _take_out(self, run: Sequence[int]) -> None:
        first, last = run[0], run[-1]
        if self._stand_alone(run):
            for index in run:
                self._draft.drop(*self._lines(index))
        elif last < self.last:
            self._check_comments(run)
            self._draft.put(self._spans[first].start, self._spans[last + 1].start, "")
        else:
            start = self._spans[first - 1].end
            if "#" in self._text[start : self._spans[first].start]:
                start = self._spans[first].start
            self._check_comments(run[:-1])
            self._draft.put(start, self._spans[last].end, "")

    def _check_comments(self, run: Sequence[int]) -> None:
        """Raise HeldBackError where a comment behind items may be about what stays."""
        for index in run:
            gap = self._text[self._spans[index].end : self._spans[index + 1].start]
            line = self._lines(index)[1]
            beside = [n for n in self._kept if line in self._lines(n)]
            if "#" in gap and (beside or not _ITS_OWN.fullmatch(gap)):
                raise HeldBackError("a comment behind it may be about what stays")

    def _put_behind(self, after: int, texts: Sequence[str]) -> None:
        rest = self._rest(after)
        goes_on = after + 1 in self._removed and not self._stand_alone([after + 1])
        if rest is None or goes_on:
            end = self._spans[after].end
            self._draft.put(end, end, "".join(f", {text}" for text in texts))
            return
        if not rest[1]:
            end = self._spans[after].end
            self._draft.put(end, end, ",")
        self._insert_lines(self._lines(after)[1], self._indent(after), texts, last=rest[1])

    def _put_first(self, texts: Sequence[str]) -> None:
        opening = _REST.match(self._text, self._whole.start + 1)
        starts_lines = opening and not opening[1] and self._is_array
        if self._kept and not starts_lines:
            start = self._spans[self._kept[0]].start
            self._draft.put(start, start, "".join(f"{text}, " for text in texts))
        elif starts_lines:
            line = self._draft.places.at(self._whole.start).line
            indent = self._indent(0) if self._spans else self._indent_of(line) + _INDENT
            self._insert_lines(line, indent, texts, last=",")
        else:
            space = "" if self._is_array else " "
            inner = f"{space}{', '.join(texts)}{space}"
            self._draft.put(self._whole.start + 1, self._whole.end - 1, inner)

    def _insert_lines(self, after: int, indent: str, texts: Sequence[str], *, last: str) -> None:
        for number, text in enumerate(texts, 1):
            comma = "," if number < len(texts) else last
            self._draft.insert(after, f"{indent}{text}{comma}")

    def _stand_alone(self, indexes: Sequence[int]) -> bool:
        """Tell whether items have their lines to themselves."""
        return all(self._rest(n) and not self._before(n).strip() for n in indexes)

    def _rest(self, index: int) -> re.Match[str] | None:
        """Return what ends an item's line: its comma, a comment; None where more stands there."""
        end = self._spans[index].end
        match = _REST.match(self._text, end) if self._is_array else None
        # The comma may lead the next line.
        return match if match and (match[1] or not _COMMA.match(self._text, end)) else None

    def _before(self, index: int) -> str:
        start = self._spans[index].start
        line = self._draft.lines[self._draft.places.at(start).line - 1]
        return self._text[line.start : start]

    def _lines(self, index: int) -> tuple[int, int]:
        span = self._spans[index]
        return self._draft.places.at(span.start).line, self._draft.places.at(span.end).line

    def _indent(self, index: int) -> str:
        """Return what new items are to stand behind: the white space before this one or the next."""
        following = index + 1
        if self._before(index).strip() and following < len(self._spans):
            index = following
        return re.sub(r"\S", " ", self._before(index))

    def _indent_of(self, line: int) -> str:
        raw = self._draft.line(line)
        return raw[: len(raw) - len(raw.lstrip())]
