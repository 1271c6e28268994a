"""A YAML document as nodes that know where they stand."""

from __future__ import annotations

from msgspec import Struct

#: An environment file nests four deep; a hostile one, deeper than Python's own stack.
MAX_DEPTH = 64


class Node(Struct, frozen=True):
    """A scalar's text, a sequence's nodes, or a mapping's pairs, with line and column from 1."""

    value: str | tuple[Node, ...] | tuple[tuple[Node, Node], ...] | None
    kind: str
    line: int
    column: int
    #: Whether a scalar's text stands at its place letter by letter, on one line.
    is_literal: bool = False
    #: Whether a scalar is a bare word, which YAML may read as a number or as nothing.
    is_plain: bool = False
    #: Of its first character in the text, anchor and quote counted, and behind its last one.
    start: int = 0
    end: int = 0
    #: The quote of a scalar, or the head of its block; the bracket of a flow collection; ``*``.
    style: str = ""
    #: Its own, or of an alias that which it stands for.
    anchor: str = ""

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

    def is_null(self) -> bool:
        """Tell whether a scalar is read as nothing."""
        return self.is_plain and self.value in {"", "~", "null", "Null", "NULL"}


def parse(text: str) -> Node | None:
    """Return the first document of ``text``; None where it is empty. Raises ManifestError."""
    # ruamel.yaml takes 8 ms to import, and not every project has a file in YAML.
    from reconciler.manifests import yaml_events  # noqa: PLC0415

    return yaml_events.document(text)
