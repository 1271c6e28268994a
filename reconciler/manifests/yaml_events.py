"""ruamel.yaml's parse events, nested into nodes.

Its loaded values do not know where they stand: ``.lc`` misplaces aliases, and loading raises on
duplicate keys. Its events carry the start of each node.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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

from reconciler.manifests.yaml_nodes import MAX_DEPTH, Node
from reconciler.model.manifest import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HALVES = "[\ud800-\udfff]"


def document(text: str) -> Node | None:
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
