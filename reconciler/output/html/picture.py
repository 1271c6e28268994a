"""The nouns of the picture: boxes, and the arrows between them, without a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

from msgspec import Struct

from reconciler.output.html.marks import Mark
from reconciler.output.html.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")
SYSTEM = 2
COLUMNS = ("conda", "pip", "system and driver")
#: As many boxes of one cell are drawn; the last stands for all that are left.
MOST = 5


class Box(Struct, frozen=True, kw_only=True):
    """One package, or several that are alike, in a cell."""

    key: str
    row: str
    column: int
    kind: Literal["consumer", "library", "missing"]
    name: str
    detail: str = ""
    #: ``12.4``, ``CPU``; "" where it is not known.
    cuda: str = ""
    major: int | None = None
    mark: Mark | None = None
    #: Whether its packages have boxes in rows above.
    is_again: bool = False
    #: All that it stands for.
    members: tuple[str, ...] = ()


class Arrow(Struct, frozen=True, kw_only=True):
    """A box that takes a library from another one."""

    source: str
    target: str
    #: Whether the model of the loader says so; else the builds of both do.
    is_traced: bool
    #: Whether what takes is for another CUDA major than what gives, or gets nothing.
    is_clash: bool
    is_missing: bool = False
    says: tuple[str, ...]
    major: int | None = None


class Scene(Struct, frozen=True, kw_only=True):
    """What is to be drawn."""

    rows: tuple[Row, ...] = ()
    boxes: tuple[Box, ...] = ()
    arrows: tuple[Arrow, ...] = ()


def capped(groups: Sequence[list[Item]]) -> list[list[Item]]:
    """Return as many groups as a cell has room for, the last ones as one."""
    rest = [item for group in groups[MOST - 1 :] for item in group]
    return [*groups[: MOST - 1], rest] if rest else list(groups)
