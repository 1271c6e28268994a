"""Changes of a TOML document: pairs, items and tables that come and go, gathered into splices."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests.line_splices import Draft
from reconciler.manifests.toml_lists import CommaList
from reconciler.model.fix import HeldBackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.fix import Splice
    from reconciler.model.manifest import Declared

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_COMMENT = re.compile(r"[ \t]*#")
_HEADER = re.compile(r"[ \t]*\[")
_LAST_KEY = re.compile(r"""(?:"[^"]*"|'[^']*'|[\w-]+)[ \t]*\]""")

Keys = tuple[str, ...]


class Site(NamedTuple):
    """A value, with what it stands in."""

    keys: Keys
    #: None of an item of an array.
    key: Node | None
    value: Node
    #: The array or the table.
    holder: Node
    above: Site | None
    #: Which of the items or pairs it is.
    order: int

    @property
    def has_key(self) -> bool:
        """Whether its key and value stand in one line, parted by an equals sign."""
        return self.key is not None and self.value.end > 0


class TomlDraft:
    """The changes of one document."""

    def __init__(self, text: str, root: Node) -> None:
        self.root = root
        self._draft = Draft(text)
        self._sites = {
            (node.line, node.column): site
            for site in _sites(root)
            for node in (site.key, site.value)
            if node
        }
        self._lists: dict[int, CommaList] = {}
        #: Lines of tables that are not there yet, by their headers.
        self._tables: dict[tuple[str, Keys], list[str]] = {}
        self._arrays: dict[Keys, list[str]] = {}
        #: Whole tables, by the line that they are to stand behind.
        self._opened: dict[int, list[list[str]]] = {}

    def site(self, at: Declared | Node) -> Site:
        """Return what stands at a place that the reader has named."""
        return self._sites[at.line, at.column]

    def sites(self) -> Iterable[Site]:
        """Return all keys and items."""
        return self._sites.values()

    def write(self, node: Node, text: str) -> None:
        """Write a string in the place of one, in quotes of the same kind where it can be."""
        start = self._start(node)
        literal = self._draft.text.startswith("'", start)
        self._draft.put(start, node.end, quoted(text, literal=literal))

    def write_raw(self, node: Node, text: str) -> None:
        """Write TOML in the place of a key or a value."""
        self._draft.put(self._start(node), node.end, text)

    def wrap(self, node: Node, before: str, behind: str) -> None:
        """Write TOML before and behind a value."""
        start = self._start(node)
        self._draft.put(start, start, before)
        self._draft.put(node.end, node.end, behind)

    def remove(self, site: Site) -> None:
        """Take an item, a pair or a table out; raises HeldBackError."""
        if not site.value.end:
            self._drop_table(site)
        elif site.holder.end:
            self._list(site.holder).remove(site.order)
        else:
            first = site.key or site.value
            self._draft.drop(first.line, self._last_line(site.value))

    def insert(self, node: Node, text: str, after: int | None = None) -> None:
        """Write an item into an array, or a pair into a table in braces."""
        items = self._list(node)
        items.insert(items.last if after is None else after, text)

    def insert_text(self, array: Node, text: str, after: int | None = None) -> None:
        """Write a string into an array, in quotes of the same kind as its others."""
        self.insert(array, self._quoted_like(array, text), after)

    def add_text(self, keys: Keys, text: str, after: int | None = None) -> None:
        """Write a string into the array below keys, made where it is not there."""
        self.add_item(keys, self._quoted_like(self.root.at(*keys), text), after)

    def add_item(self, keys: Keys, item: str, after: int | None = None) -> None:
        """Write an item into the array below keys, made where it is not there."""
        node = self.root.at(*keys)
        if not node:
            self._arrays.setdefault(keys, []).append(item)
        elif isinstance(node.value, list) and node.end:
            self.insert(node, item, after)
        else:
            raise HeldBackError(f"{'.'.join(keys)} is no array")

    def add_pair(self, keys: Keys, pair: str, after: Site | None = None) -> None:
        """Write a pair into the table below keys, made where it is not there."""
        node = self.root.at(*keys)
        if node.end:
            self.insert(node, pair)
            return
        pairs = [(key, value) for key, value in node.pairs() if value.end]
        if after and after.has_key:
            last = (after.key or after.value, after.value)
        elif pairs:
            last = max(pairs, key=lambda pair: pair[1].end)
        elif line := self._header_line(node):
            self._draft.insert(line, pair)
            return
        else:
            self._tables.setdefault(("[]", keys), []).append(pair)
            return
        indent = self._before(last[0])
        if indent.strip():
            raise HeldBackError(f"{'.'.join(keys)} is written in keys with dots")
        self._draft.insert(self._last_line(last[1]), indent + pair)

    def add_table(self, keys: Keys, pairs: Sequence[str]) -> None:
        """Write one more table of an array of tables."""
        node = self.root.at(*keys)
        if node.end:
            self.insert(node, f"{{ {', '.join(pairs)} }}")
        else:
            self._open_table("[[]]", keys, pairs)

    def splices(self) -> tuple[Splice, ...]:
        """Return all changes in their order; raises HeldBackError."""
        for keys, texts in self._arrays.items():
            self.add_pair(keys[:-1], f"{quoted_key(keys[-1])} = [{', '.join(texts)}]")
        for (mark, keys), pairs in self._tables.items():
            self._open_table(mark, keys, pairs)
        self._write_tables()
        for changed in self._lists.values():
            changed.finish()
        return self._draft.splices()

    def _start(self, node: Node) -> int:
        return self._draft.places.index(node.line, node.column)

    def _list(self, node: Node) -> CommaList:
        return self._lists.setdefault(self._start(node), CommaList(self._draft, node))

    def _quoted_like(self, array: Node, text: str) -> str:
        texts = array.texts()
        literal = bool(texts) and self._draft.text.startswith("'", self._start(texts[-1]))
        return quoted(text, literal=literal)

    def _before(self, node: Node) -> str:
        return self._draft.line(node.line)[: node.column - 1]

    def _last_line(self, value: Node) -> int:
        return self._draft.places.at(value.end).line

    def _header_line(self, node: Node) -> int:
        """Return the line of a table's header; 0 where none is its own."""
        raw = self._draft.line(node.line) if self._draft.lines else ""
        is_header = _HEADER.match(raw) and _LAST_KEY.match(raw, node.column - 1)
        return node.line if is_header else 0

    def _drop_table(self, site: Site) -> None:
        """Take out a table with its header, and a blank line."""
        first = self._header_line(site.value)
        values = [value for _, value in site.value.pairs()]
        last = max((self._last_line(value) for value in values if value.end), default=first)
        if not first or not all(value.end for value in values):
            raise HeldBackError("it is not in one place of the file")
        if any(_COMMENT.match(self._draft.line(number)) for number in range(first, last)):
            raise HeldBackError("a comment stands in it")
        is_apart = last == len(self._draft.lines) or not self._draft.line(last + 1).strip()
        if is_apart and first > 1 and not self._draft.line(first - 1).strip():
            first -= 1
        self._draft.drop(first, last)

    def _open_table(self, mark: str, keys: Keys, pairs: Sequence[str]) -> None:
        half = len(mark) // 2
        header = f"{mark[:half]}{'.'.join(map(quoted_key, keys))}{mark[half:]}"
        self._opened.setdefault(self._family_end(keys), []).append([header, *pairs])

    def _write_tables(self) -> None:
        """Write the new tables, with a blank line between any two."""
        for after, tables in self._opened.items():
            last = len(self._draft.lines)
            blank = [""] if after and self._draft.line(after).strip() else []
            behind = [""] if after < last and self._draft.line(after + 1).strip() else []
            for table in tables:
                for text in (*blank, *table):
                    self._draft.insert(after, text)
                blank = [""]
            for text in behind:
                self._draft.insert(after, text)

    def _family_end(self, keys: Keys) -> int:
        """Return the line behind which a table stands with those that are nearest to it."""
        family = next(
            (node for n in range(len(keys), 0, -1) if (node := self.root.at(*keys[:n]))), self.root
        )
        last = max(self._all_lines(family), default=0)
        following = last + 1
        while following <= len(self._draft.lines) and _COMMENT.match(self._draft.line(following)):
            following += 1
        # A comment right above a header is about that.
        of_header = following <= len(self._draft.lines) and _HEADER.match(
            self._draft.line(following)
        )
        return last if of_header else following - 1

    def _all_lines(self, node: Node) -> Iterator[int]:
        if node.end:
            yield self._last_line(node)
            return
        yield self._header_line(node)
        for value in (*node.items(), *(value for _, value in node.pairs())):
            yield from self._all_lines(value)


def quoted(text: str, *, literal: bool = False) -> str:
    """Return a string of TOML, in single quotes where those are wanted and can be."""
    plain = not re.search(r"[\x00-\x08\x0a-\x1f\x7f']", text)
    if plain and (literal or '"' in text):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def quoted_key(text: str) -> str:
    """Return a key, in quotes where it needs them."""
    return text if _BARE.fullmatch(text) else quoted(text)


def _sites(holder: Node, above: Site | None = None, keys: Keys = ()) -> Iterator[Site]:
    for index, item in enumerate(holder.items()):
        site = Site(keys, None, item, holder, above, index)
        yield site
        yield from _sites(item, site, keys)
    for index, (key, value) in enumerate(holder.pairs()):
        site = Site((*keys, key.text()), key, value, holder, above, index)
        yield site
        yield from _sites(value, site, site.keys)
