"""ruamel.yaml's parse events, nested into nodes.

Its loaded values do not know where they stand: ``.lc`` misplaces aliases, and loading raises on
duplicate keys. Its events carry the start of each node. A node stands where its own text begins:
behind a quote, an anchor, a tag, or the head of a block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.manifests.logical_lines import Places
from reconciler.manifests.yaml_nodes import MAX_DEPTH, Node
from reconciler.model.manifest import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HALVES = re.compile("[\ud800-\udfff]")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_BLOCKS = {"|", ">"}
_BLOCK_HEAD = re.compile(r"[|>][-+\d]*[ \t]*(?:#[^\r\n]*)?\s*")


def document(text: str) -> Node | None:
    """Return the first document of ``text``; None where it is empty. Raises ManifestError."""
    places = Places(text)
    try:
        return _Builder(YAML(typ="safe", pure=True).parse(text), text, places).document()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "not YAML"
        line = places.at(min(mark.index, len(text))).line if mark else None
        raise ManifestError(str(why), line) from error
    except ManifestError:
        raise
    except (OverflowError, ValueError) as error:
        # ruamel.yaml calls chr() with an escape such as "\UFFFFFFFF".
        raise ManifestError("an escape in it is of no character") from error


class _Builder:
    """Nests a stream of events; it lives for one document."""

    def __init__(self, events: Any, text: str, places: Places) -> None:
        self._events: Iterator[Any] = iter(events)
        self._text = text
        self._places = places
        self._anchors: dict[str, Node] = {}
        self._depth = 0

    def document(self) -> Node | None:
        for event in self._events:
            if isinstance(event, NodeEvent):
                return self._node(event)
        return None

    def _node(self, event: Any) -> Node:
        # By index: ruamel.yaml counts lines at U+2028 as well, where no editor does.
        line, column = self._places.at(event.start_mark.index)
        match event:
            case AliasEvent():
                return self._alias(event, line, column)
            case ScalarEvent():
                node = self._scalar(event)
            case SequenceStartEvent():
                items, end = self._until(SequenceEndEvent)
                node = Node(items, "sequence", line, column, **_of_collection(event, items, end))
            case _:
                flat, end = self._until(MappingEndEvent)
                pairs = tuple(zip(flat[::2], flat[1::2], strict=False))
                node = Node(pairs, "mapping", line, column, **_of_collection(event, flat, end))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, line: int, column: int) -> Node:
        known = self._anchors.get(event.anchor)
        # No anchor of that name: a masked secret, ****, reads as an alias.
        value, kind = (known.value, known.kind) if known else ("", "scalar")
        return Node(
            value,
            kind,
            line,
            column,
            is_plain=bool(known and known.is_plain),
            start=event.start_mark.index,
            end=event.end_mark.index,
            style="*",
            anchor=event.anchor,
        )

    def _scalar(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        raw = self._text[start:end]
        if raw != event.value:
            start += _offset(raw)
        line, column = self._places.at(start)
        return Node(
            # Half of a UTF-16 pair, "\ud800", is no character and cannot be stored.
            _HALVES.sub("\ufffd", event.value),
            "scalar",
            line,
            column,
            is_literal=self._text.startswith(event.value, start) and "\n" not in event.value,
            is_plain=not event.style and event.implicit[0],
            start=event.start_mark.index,
            # A block's runs on over the blank lines behind it.
            end=event.start_mark.index + len(raw.rstrip()) if event.style in _BLOCKS else end,
            style=event.style or "",
            anchor=event.anchor or "",
        )

    def _until(self, end: type[Any]) -> tuple[tuple[Node, ...], int]:
        """Return the nodes up to the end of a collection, and where that is."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ManifestError("nested too deeply to be an environment file")
        nodes: list[Node] = []
        event = next(self._events)
        while not isinstance(event, end):
            nodes.append(self._node(event))
            event = next(self._events)
        self._depth -= 1
        return tuple(nodes), event.end_mark.index


class _Extent(TypedDict):
    start: int
    end: int
    style: str
    anchor: str


def _of_collection(event: Any, nodes: tuple[Node, ...], end: int) -> _Extent:
    # The end of a block, and of an empty value, is known by what comes behind it, comments and all.
    ends = (node.end for node in nodes if node.start < node.end)
    in_block = max(ends, default=event.start_mark.index)
    return _Extent(
        start=event.start_mark.index,
        end=end if event.flow_style else in_block,
        style="[" if event.flow_style else "",
        anchor=event.anchor or "",
    )


def _offset(raw: str) -> int:
    """Return where the text of a scalar begins in what is written for it."""
    properties = _PROPERTIES.match(raw)
    start = properties.end() if properties else 0
    if raw[start : start + 1] in {"'", '"'}:
        return start + 1
    head = _BLOCK_HEAD.match(raw, start)
    return head.end() if head else start
