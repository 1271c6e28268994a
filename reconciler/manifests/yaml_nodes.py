"""A YAML document as nodes that know where they stand.

ruamel.yaml's loaded values do not: ``.lc`` misplaces aliases, and loading raises on duplicate keys.
Its parse events carry the start of each node; this module only nests them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct
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

from reconciler.model.manifest import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: An environment file nests four deep; a hostile one, deeper than Python's own stack.
MAX_DEPTH = 64
_HALVES = "[\ud800-\udfff]"


class Node(Struct, frozen=True):
    """A scalar's text, a sequence's nodes, or a mapping's pairs, with line and column from 1."""

    value: str | tuple[Node, ...] | tuple[tuple[Node, Node], ...] | None
    kind: str
    line: int
    column: int

    def items(self) -> tuple[Node, ...]:
        """Return the nodes of a sequence; nothing of any other node."""
        return self.value if self.kind == "sequence" else ()  # type: ignore[return-value]

    def pairs(self) -> tuple[tuple[Node, Node], ...]:
        """Return the pairs of a mapping, duplicates and all; nothing of any other node."""
        return self.value if self.kind == "mapping" else ()  # type: ignore[return-value]

    def text(self) -> str:
        """Return the text of a scalar; "" of any other node."""
        return self.value if isinstance(self.value, str) else ""

    def get(self, key: str) -> Node | None:
        """Return the value of the last pair of that key, as YAML readers take it."""
        return next((v for k, v in reversed(self.pairs()) if k.text() == key), None)


def parse(text: str) -> Node | None:
    """Return the first document of ``text``; None where it is empty. Raises ManifestError."""
    try:
        return _Builder(YAML(typ="safe", pure=True).parse(text)).document()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "not YAML"
        raise ManifestError(str(why), mark.line + 1 if mark else None) from error
    except ManifestError:
        raise
    except (OverflowError, ValueError) as error:
        # ruamel.yaml calls chr() with an escape such as "\UFFFFFFFF".
        raise ManifestError("an escape in it is of no character") from error


class _Builder:
    """Nests a stream of events; it lives for one document."""

    def __init__(self, events: Any) -> None:
        self._events: Iterator[Any] = iter(events)
        self._anchors: dict[str, Node] = {}
        self._depth = 0

    def document(self) -> Node | None:
        for event in self._events:
            if isinstance(event, NodeEvent):
                return self._node(event)
        return None

    def _node(self, event: Any) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match event:
            case AliasEvent():
                known = self._anchors.get(event.anchor)
                # No anchor of that name: a masked secret, ****, reads as an alias.
                value, kind = (known.value, known.kind) if known else ("", "scalar")
                return Node(value, kind, line, column)
            case ScalarEvent():
                # Half of a UTF-16 pair, "\ud800", is no character and cannot be stored.
                text = event.value
                if not text.isascii():
                    text = re.sub(_HALVES, "\ufffd", text)
                node = Node(text, "scalar", line, column)
            case SequenceStartEvent():
                node = Node(tuple(self._until(SequenceEndEvent)), "sequence", line, column)
            case _:
                flat = tuple(self._until(MappingEndEvent))
                node = Node(
                    tuple(zip(flat[::2], flat[1::2], strict=False)), "mapping", line, column
                )
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _until(self, end: type) -> Iterator[Node]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ManifestError("nested too deeply to be an environment file")
        for event in self._events:
            if isinstance(event, end):
                self._depth -= 1
                return
            yield self._node(event)
