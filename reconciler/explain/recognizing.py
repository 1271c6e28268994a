"""Which known errors a text holds.

Most of a log is no error, and regular expressions over all of it would take minutes. So a line is
looked at by these only where one of the classes' marks stands in it, the marks are looked for once
in lines that differ in their numbers alone, and only those of which a word stands there: of words
a log has few, and each is held against the marks once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.explain.reading import Block, blocks
from reconciler.explain.tracebacks import ABOVE, frames_above
from reconciler.model.error_class import ErrorClass
from reconciler.model.recognized import Recognized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: What lines that are said again and again differ in: counts, times, addresses, hashes.
_VARYING = b"0123456789abcdef"
#: What words end at: white space, and the digits, in which they differ as lines do.
_NO_WORD = bytes.maketrans(b"0123456789", b" " * 10)
#: How many kinds of lines, and how many words, are remembered: some ten MB each.
_REMEMBERED = 100_000
#: In how much text all is looked for singly; in more, first what many have in common.
_SHORT = 1 << 16
#: How often a kind of line is looked at closely; what is said more often is said enough.
_ENOUGH = 100
#: At how many places of one line the marks of a class are looked at.
_PLACES = 8
#: The least length of a text that stands in several marks: shorter ones stand in much that has none.
_GATE = 5
#: How much of a message is looked at, before its mark and behind it, and behind that of one of many
#: lines. What a hostile text makes of a regular expression grows with the square of these.
_BEFORE, _BEHIND, _FAR_BEHIND = 300, 1_200, 8_000
_MANY = 10
#: How much of its own words is kept.
_SHOWN = 400


class _Match(Struct, frozen=True):
    """A message of one class, in the lines of a block."""

    error: ErrorClass
    captured: Mapping[str, str]
    text: str
    start: int
    #: How many line ends it goes over.
    breaks: int

    @property
    def weight(self) -> tuple[int, int, int]:
        """For sorting: the most specific first; of these the outermost, which quotes the others."""
        return (self.error.rank, self.start, -len(self.captured))


def recognize(
    text: str | bytes | Iterable[str | bytes], errors: tuple[ErrorClass, ...]
) -> tuple[Recognized, ...]:
    """Return the known errors of a text, the most specific first; pieces of it may come one by one.

    A message that is repeated is told once, at its first place.
    """
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Recognized] = {}
    for one in _sightings(text, errors):
        key = (one.error.id, tuple(sorted(one.captured.items())))
        before = found.get(key)
        again = before and msgspec.structs.replace(before, count=before.count + 1)
        found[key] = again or one
    return tuple(sorted(_fullest(found.values()), key=lambda one: (one.error.rank, one.line)))


def _fullest(found: Iterable[Recognized]) -> Iterator[Recognized]:
    """Leave out what says less than another message of its class, and nothing else."""
    by_class: dict[str, list[Recognized]] = {}
    for one in found:
        by_class.setdefault(one.error.id, []).append(one)
    for same in by_class.values():
        for one in same:
            parts = one.captured.items()
            if not any(parts < other.captured.items() for other in same):
                yield one


def _sightings(
    text: str | bytes | Iterable[str | bytes], errors: tuple[ErrorClass, ...]
) -> Iterator[Recognized]:
    by_mark = _marks(errors)
    sieve = _Sieve(by_part=_by_part(tuple(by_mark)))
    until, rank = 0, 0
    before: list[bytes] = []
    for block in blocks(text, ahead=max(error.lines for error in errors)):
        for index, wanted in _marked(block, by_mark, sieve):
            number = block.first + index
            match = _best(block, index, wanted)
            if match is None or (number <= until and match.error.rank >= rank):
                continue
            if match.breaks and match.error.specificity != "symptom":
                until, rank = number + match.breaks, match.error.rank
            above = [*before, *block.lines[max(0, index - ABOVE) : index]][-ABOVE:]
            yield Recognized(
                error=match.error,
                captured=match.captured,
                line=number,
                frames=frames_above(above, block.lines[index]),
                text=match.text,
            )
        before = [*before, *block.lines[max(0, block.fresh - ABOVE) : block.fresh]][-ABOVE:]


class _Sieve(Struct, frozen=True):
    """What lets most of a log be passed over."""

    #: The marks that each of some words, or parts of words, stands in: one of each mark.
    by_part: Mapping[bytes, tuple[bytes, ...]]
    #: How often each kind of line was looked at closely; enough for one without a mark.
    seen: dict[bytes, int] = {}
    #: The words of the log that no mark has, and the marks that each of the others may stand in.
    idle: set[bytes] = set()
    telling: dict[bytes, tuple[bytes, ...]] = {}

    def marks(self, text: bytes) -> Iterable[bytes]:
        """Return the marks of which a word stands in a text; of a few marks without words, all."""
        if len(self.idle) + len(self.telling) > _REMEMBERED:
            self.idle.clear()
            self.telling.clear()
        words = set(text.translate(_NO_WORD).split())
        if new := words - self.idle - self.telling.keys():
            self._learn(new)
        found = {mark for word in words & self.telling.keys() for mark in self.telling[word]}
        return found.union(self.by_part.get(b"", ()))

    def _learn(self, new: set[bytes]) -> None:
        words = list(new)
        text = b" ".join(words)
        ends = list(accumulate(len(word) + 1 for word in words))
        parts: Iterable[bytes] = filter(None, self.by_part)
        if len(text) > _SHORT:
            gates = _gates(tuple(parts))
            parts = [part for gate, within in gates.items() if gate in text for part in within]
        marks: dict[bytes, tuple[bytes, ...]] = {}
        for part in parts:
            at = text.find(part)
            while at >= 0:
                nth = bisect_right(ends, at)
                marks[words[nth]] = marks.get(words[nth], ()) + self.by_part[part]
                at = text.find(part, ends[nth])
        self.telling.update(marks)
        self.idle.update(new - marks.keys())


@cache
def _marks(errors: tuple[ErrorClass, ...]) -> Mapping[bytes, list[ErrorClass]]:
    """Return the classes of each mark."""
    by_mark: dict[bytes, list[ErrorClass]] = {}
    for error in errors:
        for mark in error.marks:
            by_mark.setdefault(mark.encode(), []).append(error)
    return by_mark


@cache
def _by_part(marks: tuple[bytes, ...]) -> Mapping[bytes, tuple[bytes, ...]]:
    """Return marks by the longest of their words; the first and last may be parts of one."""
    by_part: dict[bytes, tuple[bytes, ...]] = {}
    for mark in marks:
        part = max(mark.translate(_NO_WORD).split(), key=len, default=b"")
        part = part if len(part) > 1 else b""
        by_part[part] = (*by_part.get(part, ()), mark)
    return by_part


@cache
def _gates(marks: tuple[bytes, ...]) -> Mapping[bytes, tuple[bytes, ...]]:
    """Return few texts of which one stands in each mark: to look for these is less to look for."""
    left, gates = dict.fromkeys(marks), dict[bytes, tuple[bytes, ...]]()
    while left:
        within: dict[bytes, list[bytes]] = {}
        for mark in left:
            for part in {mark[i : i + _GATE] for i in range(max(1, len(mark) - _GATE + 1))}:
                within.setdefault(part, []).append(mark)
        best = max(within, key=lambda part: (len(within[part]), part))
        gates[_grown(best, within[best])] = tuple(within[best])
        left = {mark: None for mark in left if mark not in within[best]}
    return gates


def _grown(gate: bytes, marks: Sequence[bytes]) -> bytes:
    """Return the longest text around a gate that stands in all of its marks: it is found faster."""
    while True:
        places = [(mark, mark.index(gate)) for mark in marks]
        before = {mark[at - 1 : at] if at else b"" for mark, at in places}
        behind = {mark[at + len(gate) : at + len(gate) + 1] for mark, at in places}
        longer = min(before) * (len(before) == 1) + gate + min(behind) * (len(behind) == 1)
        if longer == gate:
            return gate
        gate = longer


def _marked(
    block: Block, by_mark: Mapping[bytes, list[ErrorClass]], sieve: _Sieve
) -> Iterator[tuple[int, list[tuple[ErrorClass, int]]]]:
    """Yield each line that has marks, with the classes of these and where the mark stands."""
    lines = block.lines[: block.fresh]
    kinds = b"\n".join(lines).translate(None, _VARYING).split(b"\n")
    seen = sieve.seen
    kept = [i for i, kind in enumerate(kinds) if seen.get(kind, 0) < _ENOUGH]
    joined = b"\n".join([lines[i] for i in kept])
    marks = sieve.marks(joined)
    ends = _ends(joined)
    nth, start, end = -1, 0, -1
    marked: dict[int, list[tuple[ErrorClass, int]]] = {}
    for at, mark in sorted(_places(joined, marks)):
        while at > end:
            nth, start, end = nth + 1, end + 1, next(ends)
        marked.setdefault(kept[nth], []).extend((error, at - start) for error in by_mark[mark])
    if len(seen) < _REMEMBERED:
        seen.update({kinds[i]: _ENOUGH for i in kept if i not in marked})
    for index, wanted in marked.items():
        often = seen[kinds[index]] = seen.get(kinds[index], 0) + 1
        if often <= _ENOUGH:
            yield index, wanted


def _places(joined: bytes, marks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for mark in marks:
        at = joined.find(mark)
        while at >= 0:
            yield at, mark
            at = joined.find(mark, at + len(mark))


def _ends(joined: bytes) -> Iterator[int]:
    at = joined.find(b"\n")
    while at >= 0:
        yield at
        at = joined.find(b"\n", at + 1)
    yield len(joined)


def _best(block: Block, index: int, wanted: Iterable[tuple[ErrorClass, int]]) -> _Match | None:
    """Return the most specific of what is recognized in one line."""
    places: dict[str, int] = {}
    found: list[_Match | None] = []
    for error, at in wanted:
        places[error.id] = places.get(error.id, 0) + 1
        if places[error.id] <= _PLACES:
            found.append(_of_class(block, index, error, at))
    return min(filter(None, found), key=lambda match: match.weight, default=None)


def _of_class(block: Block, index: int, error: ErrorClass, at: int) -> _Match | None:
    line = block.lines[index]
    before = max(0, at - _BEFORE)
    raw = b"\n".join((line[before:], *block.lines[index + 1 : index + error.lines]))
    behind = _FAR_BEHIND if error.lines > _MANY else _BEHIND
    window = raw[: at - before + behind].decode("utf-8", "replace")
    own = window.find("\n") if "\n" in window else len(window)
    for pattern in error.patterns:
        match = _compiled(pattern).search(window)
        if match and match.start() <= own:
            said = {name: part for name, part in match.groupdict().items() if part}
            captured = {name: " ".join(part.split()) for name, part in said.items()}
            words = " ".join(match[0].split())[:_SHOWN]
            return _Match(error, captured, words, match.start(), match[0].count("\n"))
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"))
