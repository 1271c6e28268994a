"""A text as a scalar of YAML: bare where that reads as the text, else in quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.fix import HeldBackError

if TYPE_CHECKING:
    from reconciler.manifests.yaml_nodes import Node

# Indicators that begin something else, and what would end the scalar (YAML 1.2, 7.3.3).
_NOT_BARE = re.compile(
    r"^$|^\s|\s$|^[\[\]{},#&*!|>'\"%@`]|^[-?:](?:\s|$)|:(?:\s|$)|\s#|^(?:---|\.\.\.)|[\t\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]"
)
_NOT_BARE_IN_FLOW = re.compile(r"[\[\]{},]")
# What YAML 1.1 or 1.2 reads as a number, a date, a truth or nothing.
_NO_TEXT = re.compile(
    r"[-+]?(?:\d|\.\d)[\d_.,:eE+-]*|0[xo][\da-f]+|[-+]?\.(?:inf|nan)|~|null|true|false|yes|no|on|off|y|n|<<|=|"
    r"\d{4}-\d\d?-\d\d?.*",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def written(text: str, *, in_flow: bool, quote: str = "", spare: str = '"') -> str:
    """Return the scalar; ``spare`` is the quote for one that has to have some."""
    is_bare = not (
        _NOT_BARE.search(text)
        or _NO_TEXT.fullmatch(text)
        or (in_flow and _NOT_BARE_IN_FLOW.search(text))
    )
    if is_bare and not quote:
        return text
    if _ESCAPED.search(text):
        raise HeldBackError(f"{text!r} has characters that are not to be seen")
    if (quote or spare) == "'":
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_of(nodes: tuple[Node, ...]) -> tuple[str, str]:
    """Return the quote of a list whose scalars all have one, and that which any has."""
    styles = [node.style for node in nodes if node.kind == "scalar"]
    quotes = [style for style in styles if style in {"'", '"'}]
    if not quotes:
        return "", '"'
    return (quotes[0] if len(quotes) == len(styles) else ""), quotes[0]
