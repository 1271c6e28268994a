"""A TOML document as nodes that know where they stand.

tomllib says what is valid, and has no places; no light library has them (docs/decisions,
"TOML with places"). This module finds the places of what tomllib has accepted.
"""

from __future__ import annotations

import json
import re
import tomllib
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from reconciler.model.manifest import ManifestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A manifest nests eight deep; tomllib's time grows with the square of a key's parts.
MAX_DEPTH = 64
_BLANK = re.compile(r"(?:[ \t\r\n]|\#[^\n]*)*+")
_SPACE = re.compile(r"[ \t]*+")
_KEY = re.compile(
    r"""[ \t]*+(?:(?P<bare>[A-Za-z0-9_-]++)|(?P<quoted>"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'))"""
    r"[ \t]*+(?P<dot>\.?)"
)
_STRING = re.compile(
    r'''"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+"{3,5}|"(?:[^"\\\n]|\\.)*+"'''
    r"""|'''(?:[^']|'{1,2}(?!'))*+'{3,5}|'[^'\n]*+'"""
)
_OTHER = re.compile(r"\d{4}-\d\d-\d\d \d[\d:.Zz+-]*+|[^\s,\]}\#=]++")
_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_LITERALS = {"true": True, "false": False}
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)


class Node(Struct, frozen=True):
    """A value with the line and column, from 1, at which it starts; a table starts at its key."""

    #: Of a table, each key's own node (its text and its place) and its value; None is no node.
    value: Any
    line: int = 1
    column: int = 1
    #: The index in the text behind it; 0 of a table whose pairs stand under a header or in keys.
    end: int = 0

    def __bool__(self) -> bool:
        return self.value is not None

    def items(self) -> Sequence[Node]:
        """Return the nodes of an array; nothing of any other node."""
        return self.value if isinstance(self.value, list) else ()

    def pairs(self) -> Sequence[tuple[Node, Node]]:
        """Return the keys and values of a table, in their order; nothing of any other node."""
        return tuple(self.value.values()) if isinstance(self.value, dict) else ()

    def text(self) -> str:
        """Return a string's text; "" of any other node."""
        return self.value if isinstance(self.value, str) else ""

    def at(self, *keys: str) -> Node:
        """Return what stands below keys, one below the other; a false node where nothing does."""
        node = self
        for key in keys:
            pair = node.value.get(key) if isinstance(node.value, dict) else None
            if pair is None:
                return NOTHING
            node = pair[1]
        return node

    def texts(self) -> tuple[Node, ...]:
        """Return the strings of an array that say something."""
        return tuple(node for node in self.items() if node.text().strip())

    def plain(self) -> Any:
        """Return the value as tomllib gives it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, (_, node) in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


NOTHING = Node(None)


def parse(text: str, *, breaks_in_tables: bool = False) -> Node:
    """Return the document; raises ManifestError.

    With ``breaks_in_tables``, inline tables may go over several lines, as TOML 1.1 lets them.
    """
    locator = _Locator(text)
    try:
        locator.document()
    except ManifestError:
        raise
    except (_LostError, ValueError):
        # What is no TOML stops the locator; tomllib says why.
        pass
    refusal = _refusal(text)
    if refusal and breaks_in_tables and locator.breaks:
        refusal = _refusal(_without(text, locator.breaks)) and refusal
    if refusal:
        raise refusal
    return locator.root


def _refusal(text: str) -> ManifestError | None:
    try:
        tomllib.loads(text)
    except ValueError as error:
        return _error(error, text)
    return None


def _error(error: ValueError, text: str) -> ManifestError:
    # A number of 5,000 digits is a ValueError of int(), without a place.
    match = _LINE.search(str(error))
    if match is None:
        return ManifestError(str(error))
    line = int(match[1]) if match[1] else text.rstrip("\n").count("\n") + 1
    return ManifestError(str(error)[: match.start()], line)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Blank some spans, so that all else keeps its place in its line."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += (text[at:start], " " * (end - start))
        at = end
    return "".join((*parts, text[at:]))


class _LostError(Exception):
    """What follows is no TOML."""


class _Key(NamedTuple):
    text: str
    offset: int
    end: int


class _Locator:
    """Walks one document once; it refuses only what nests too deeply."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.root = Node({})
        #: The line breaks, comments and last commas in inline tables.
        self.breaks: list[tuple[int, int]] = []

    def document(self) -> None:
        table = self.root
        while self._skip() < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table, depth=0)

    def _header(self) -> Node:
        mark = "[[" if self._text.startswith("[[", self._at) else "["
        self._at += len(mark)
        *above, last = self._keys()
        self._expect("]" * len(mark))
        table = self._below(self.root, above)
        if mark == "[":
            return self._below(table, [last])
        node = self._node({}, last.offset)
        tables = self._child(table, last, []).value
        if not isinstance(tables, list):
            raise _LostError
        tables.append(node)
        return node

    def _below(self, node: Node, keys: Sequence[_Key]) -> Node:
        """Return the table at keys, made where it is not there, or the last of its tables."""
        for key in keys:
            node = self._child(node, key, {})
            if isinstance(node.value, list) and node.value:
                node = node.value[-1]
        return node

    def _child(self, node: Node, key: _Key, empty: dict[str, Any] | list[Node]) -> Node:
        if not isinstance(node.value, dict):
            raise _LostError
        known: tuple[Node, Node] | None = node.value.get(key.text)
        if known:
            return known[1]
        made = self._node(empty, key.offset)
        node.value[key.text] = (self._node(key.text, key.offset, key.end), made)
        return made

    def _pair(self, table: Node, depth: int) -> None:
        *above, last = self._keys()
        self._expect("=")
        owner = self._below(table, above)
        value = self._value(depth)
        if not isinstance(owner.value, dict):
            raise _LostError
        owner.value[last.text] = (self._node(last.text, last.offset, last.end), value)

    def _keys(self) -> list[_Key]:
        keys: list[_Key] = []
        while match := _KEY.match(self._text, self._at):
            bare, quoted = match["bare"], match["quoted"]
            start, end = match.span("bare" if bare else "quoted")
            keys.append(_Key(bare or _unquoted(quoted), start, end))
            self._at = match.end()
            if len(keys) > MAX_DEPTH:
                raise self._too_deep()
            if not match["dot"]:
                return keys
        raise _LostError

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._too_deep()
        self._at = start = _end(_SPACE, self._text, self._at)
        if match := _STRING.match(self._text, start):
            self._at = match.end()
            return self._node(_unquoted(match[0]), start, self._at)
        if self._text.startswith("[", start):
            return self._array(depth)
        if self._text.startswith("{", start):
            return self._inline_table(depth)
        if match := _OTHER.match(self._text, start):
            self._at = match.end()
            return self._node(_plain_value(match[0]), start, self._at)
        raise _LostError

    def _array(self, depth: int) -> Node:
        nodes: list[Node] = []
        start = self._at
        self._at += 1
        while not self._text.startswith("]", self._skip()):
            nodes.append(self._value(depth + 1))
            if not self._text.startswith(",", self._skip()):
                break
            self._at += 1
        self._expect("]")
        return self._node(nodes, start, self._at)

    def _inline_table(self, depth: int) -> Node:
        start = self._at
        table = self._node({}, start)
        self._at += 1
        comma = None
        while not self._text.startswith("}", self._skip_break()):
            self._pair(table, depth + 1)
            comma = None
            if not self._text.startswith(",", self._skip_break()):
                break
            comma = (self._at, self._at + 1)
            self._at += 1
        if comma:
            self.breaks = sorted((*self.breaks, comma))
        self._expect("}")
        return self._node(table.value, start, self._at)

    def _skip(self) -> int:
        self._at = _end(_BLANK, self._text, self._at)
        return self._at

    def _skip_break(self) -> int:
        start = self._at
        if self._skip() > start:
            self.breaks.append((start, self._at))
        return self._at

    def _expect(self, mark: str) -> None:
        if not self._text.startswith(mark, _end(_SPACE, self._text, self._at)):
            raise _LostError
        self._at = _end(_SPACE, self._text, self._at) + len(mark)

    def _node(self, value: Any, offset: int, end: int = 0) -> Node:
        line = bisect_right(self._starts, offset)
        return Node(value, line, offset - self._starts[line - 1] + 1, end)

    def _too_deep(self) -> ManifestError:
        line = bisect_right(self._starts, self._at)
        return ManifestError("nested too deeply to declare an environment", line)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _unquoted(raw: str) -> str:
    if raw[:3] in {'"""', "'''"}:
        return str(_read(raw))
    if "\\" not in raw or raw.startswith("'"):
        return raw[1:-1]
    # What else JSON's strings are not, tomllib has yet to refuse.
    text: str = _read(raw) if "\\U" in raw else json.loads(raw, strict=False)
    return text


def _plain_value(raw: str) -> Any:
    if raw in _LITERALS:
        return _LITERALS[raw]
    if number := _NUMBER.fullmatch(raw):
        return float(raw) if number[1] else int(raw)
    return _read(raw)


def _read(raw: str) -> Any:
    """Read one value by tomllib, which knows escapes and dates; it takes 20 us to start."""
    document: Mapping[str, Any] = tomllib.loads(f"x={raw}")
    return document["x"]
