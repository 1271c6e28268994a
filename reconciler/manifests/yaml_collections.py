"""Entries of a list or a mapping of YAML, taken out and put in where they stand in the text.

In block style an entry goes with its lines, the comment behind it too; a comment on a line of its
own stays, for nothing says whose it is. In flow style it goes with one comma.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.fix import HeldBackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.line_splices import Draft
    from reconciler.manifests.yaml_nodes import Node

_REST = re.compile(r"[ \t]*(?:#.*)?")
_COMMENT_LINE = re.compile(r"[ \t]*#")
_DASH = re.compile(r"[ \t]*-[ \t]+")
_GAP = re.compile(r",[ \t]*")
_OPENING = re.compile(r"[\[{]")


class Entry(NamedTuple):
    """An item of a list, or a pair of a mapping."""

    start: int
    end: int
    #: The item, or the key of the pair.
    node: Node
    #: The item, or the value of the pair.
    value: Node


class Collection(NamedTuple):
    """A list or a mapping, with the key that it stands under."""

    node: Node
    key: Node | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The items or pairs; nothing of an empty value."""
        if self.node.kind == "sequence":
            return tuple(Entry(n.start, n.end, n, n) for n in self.node.items())
        return tuple(
            Entry(k.start, v.end if v.start < v.end else k.end, k, v) for k, v in self.node.pairs()
        )

    @property
    def is_flow(self) -> bool:
        """Whether it is written in brackets."""
        return self.node.style == "["

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written for it."""
        return self.node.is_null() and self.node.start == self.node.end


class Insert(NamedTuple):
    """A text that comes in behind an entry; -1 is the front."""

    after: int
    text: str


def first_line(draft: Draft, entry: Entry) -> int:
    """Return the line that an entry begins on."""
    return draft.places.at(entry.start).line


def last_line(draft: Draft, entry: Entry) -> int:
    """Return the line that an entry ends on."""
    return draft.places.at(entry.end).line


def prefix(draft: Draft, collection: Collection, entry: Entry) -> str:
    """Return what stands before an entry of a block on its line: white space, and a dash."""
    line = draft.lines[first_line(draft, entry) - 1]
    before = draft.text[line.start : entry.start]
    is_item = collection.node.kind == "sequence"
    if not (_DASH.fullmatch(before) if is_item else not before.strip(" ")):
        raise HeldBackError(f"line {first_line(draft, entry)} begins with something else")
    return before


def drop(draft: Draft, collection: Collection, entry: Entry) -> None:
    """Take the lines of an entry of a block out, but for the comments on lines of their own."""
    prefix(draft, collection, entry)
    last = last_line(draft, entry)
    if not _REST.fullmatch(draft.text[entry.end : draft.lines[last - 1].stop]):
        raise HeldBackError(f"line {last} goes on behind it")
    for number in range(first_line(draft, entry), last + 1):
        if not _COMMENT_LINE.match(draft.line(number)):
            draft.drop(number, number)


def change(
    draft: Draft, collection: Collection, removed: frozenset[int], inserts: Sequence[Insert]
) -> None:
    """Take entries out and put texts in; an entry is left, or one comes in."""
    if collection.is_flow:
        _change_flow(draft, collection, removed, inserts)
        return
    entries = collection.entries
    for number in removed:
        drop(draft, collection, entries[number])
    for insert in inserts:
        entry = entries[max(insert.after, 0)]
        before = prefix(draft, collection, entry)
        # Of the front, below the key: a comment above the first entry is of that.
        head = collection.key or entry.node
        line = draft.places.at(head.end).line if insert.after < 0 else last_line(draft, entry)
        draft.insert(line, before + insert.text)


def clear(draft: Draft, collection: Collection) -> None:
    """Leave an empty list where all entries go."""
    if collection.is_flow:
        draft.put(*_inside(draft, collection), "")
        return
    for entry in collection.entries:
        drop(draft, collection, entry)
    if collection.key:
        draft.put(*_behind_colon(draft, collection.key), " []")


def _behind_colon(draft: Draft, key: Node) -> tuple[int, int]:
    at = draft.text.index(":", key.end) + 1
    return at, at


def _inside(draft: Draft, collection: Collection) -> tuple[int, int]:
    opening = _OPENING.search(draft.text, collection.node.start)
    start = opening.end() if opening else collection.node.start
    end = collection.node.end - 1
    _check_line(draft, start, end)
    return start, end


def _check_line(draft: Draft, start: int, end: int) -> None:
    if re.search(r"[\r\n#]", draft.text[start:end]):
        raise HeldBackError("its list in brackets goes over several lines there")


def _change_flow(
    draft: Draft, collection: Collection, removed: frozenset[int], inserts: Sequence[Insert]
) -> None:
    entries = collection.entries
    kept = [number for number in range(len(entries)) if number not in removed]
    if not kept:
        draft.put(*_inside(draft, collection), ", ".join(insert.text for insert in inserts))
        return
    for run in _runs(removed):
        _remove_run(draft, entries, run)
    behind: dict[int, list[str]] = {}
    for insert in inserts:
        number = max((n for n in kept if n <= insert.after), default=-1)
        behind.setdefault(number, []).append(insert.text)
    for number, texts in behind.items():
        if number >= 0:
            _insert_behind(draft, entries, number, texts)
        else:
            gap = _gap(draft, entries, kept[0])
            start = entries[kept[0]].start
            draft.put(start, start, "".join(text + gap for text in texts))


def _runs(numbers: frozenset[int]) -> Iterator[list[int]]:
    """Yield the numbers that follow each other."""
    run: list[int] = []
    for number in sorted(numbers):
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _remove_run(draft: Draft, entries: Sequence[Entry], run: list[int]) -> None:
    if all(_has_own_lines(draft, entries[number]) for number in run):
        for number in run:
            draft.drop(first_line(draft, entries[number]), last_line(draft, entries[number]))
        return
    if run[-1] + 1 < len(entries):
        start, end = entries[run[0]].start, entries[run[-1] + 1].start
    else:
        start, end = entries[run[0] - 1].end, entries[run[-1]].end
    _check_line(draft, start, end)
    draft.put(start, end, "")


def _has_own_lines(draft: Draft, entry: Entry) -> bool:
    first = draft.lines[first_line(draft, entry) - 1]
    last = draft.lines[last_line(draft, entry) - 1]
    before = draft.text[first.start : entry.start]
    behind = draft.text[entry.end : last.stop]
    return not before.strip(" \t") and bool(re.fullmatch(r"[ \t]*,?[ \t]*(?:#.*)?", behind))


def _gap(draft: Draft, entries: Sequence[Entry], number: int) -> str:
    """Return what parts an entry from the next."""
    entry = entries[number]
    if _has_own_lines(draft, entry):
        return f",{draft.newline(first_line(draft, entry))}{_indent(draft, entry)}"
    for one, other in pairwise(entries):
        gap = draft.text[one.end : other.start]
        if _GAP.fullmatch(gap):
            return gap
    _check_line(draft, entries[0].start, entries[-1].end)
    return ", "


def _indent(draft: Draft, entry: Entry) -> str:
    line = draft.lines[first_line(draft, entry) - 1]
    return draft.text[line.start : entry.start]


def _insert_behind(draft: Draft, entries: Sequence[Entry], number: int, texts: list[str]) -> None:
    entry = entries[number]
    if not _has_own_lines(draft, entry):
        gap = _gap(draft, entries, number)
        draft.put(entry.end, entry.end, "".join(gap + text for text in texts))
        return
    last = last_line(draft, entry)
    is_parted = draft.text[entry.end : draft.lines[last - 1].stop].lstrip().startswith(",")
    if not is_parted:
        draft.put(entry.end, entry.end, ",")
    for text in texts[:-1]:
        draft.insert(last, f"{_indent(draft, entry)}{text},")
    draft.insert(last, _indent(draft, entry) + texts[-1] + ("," if is_parted else ""))
