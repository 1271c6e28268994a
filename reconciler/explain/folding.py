"""Messages that tell of one failure in several words, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.recognized import Recognized

#: The parts that name what has failed.
_TELLING = ("soname", "symbol", "dll")


def folded(recognized: Iterable[Recognized]) -> tuple[Recognized, ...]:
    """Return messages, those that only repeat what a more specific one says as a part of it.

    A traceback ends with the loader's own words, and the framework's follow: these are of a class
    of their own, and the traceback is above the loader's.
    """
    kept: list[Recognized] = []
    for one in recognized:
        at = next((i for i, first in enumerate(kept) if _says_again(first, one)), None)
        if at is None:
            kept.append(one)
            continue
        first = kept[at]
        lines = (*first.also_at, one.line)
        kept[at] = replace(first, frames=first.frames or one.frames, also_at=lines)
    return tuple(kept)


def _says_again(first: Recognized, one: Recognized) -> bool:
    """Tell whether a message names the same as one before it, and nothing else."""
    if one.error.rank < first.error.rank:
        return False
    both = first.captured.keys() & one.captured.keys()
    if not both & set(_TELLING):
        return False
    return all(first.captured[part] == one.captured[part] for part in both)
