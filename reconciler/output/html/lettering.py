"""What stands in a box: a name and what there is to say of it, in lines that fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.output.html.picture import Box

#: The advance of a wide letter of the page's fonts, by the size that page.css gives each kind.
_ADVANCE = {"name": 8.35, "detail": 7.2}
#: The last line's baseline below the top of a box, by how many lines there are.
_BASELINES = {1: (28,), 2: (22, 38), 3: (17, 29, 41)}
_MOST_LINES = 3
#: A name breaks behind one of these.
_BREAK = re.compile(r"[-_./, ](?!$)")


class Letters(Struct, frozen=True, kw_only=True):
    """One line of a box."""

    kind: str
    text: str
    #: Of its baseline, below the top of the box.
    y: int


def short(text: str, most: int) -> str:
    """Return as much of a text as fits: of a path its end."""
    said = printable(text)
    if len(said) <= most:
        return said
    return f"…{said[1 - most :]}" if said.startswith("/") else f"{said[: most - 1]}…"


def letters(box: Box, width: int) -> tuple[Letters, ...]:
    """Return the lines of a box that has this much room for text."""
    names = list(_wrapped(box.name, int(width / _ADVANCE["name"]), 2))
    room = _MOST_LINES - len(names)
    details = list(_wrapped(box.detail, int(width / _ADVANCE["detail"]), room))
    lines = [*(("name", said) for said in names), *(("detail", said) for said in details)]
    heights = _BASELINES[len(lines)] if lines else ()
    return tuple(
        Letters(kind=kind, text=text, y=y) for (kind, text), y in zip(lines, heights, strict=True)
    )


def _wrapped(text: str, most: int, lines: int) -> Iterator[str]:
    said = printable(text)
    # Of a path its end tells most.
    if len(said) > most and lines > 1 and not said.startswith("/"):
        at = max((found.end() for found in _BREAK.finditer(said[:most])), default=most)
        yield said[:at].rstrip()
        said = said[at:]
    if said:
        yield short(said, most)
