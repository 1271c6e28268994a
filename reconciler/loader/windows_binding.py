"""Which procedures a library of Windows asks of another that does not have them.

Windows fills in the whole import table as it maps a library ("PE Format", the .idata section), and
refuses it where one name is not among the exports of the other: WinError 127, which names neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.loader.answer import Answer
    from reconciler.model.windows_image import Imported

#: ERROR_PROC_NOT_FOUND, as FormatMessage words it.
NO_PROCEDURE = "[WinError 127] The specified procedure could not be found"


class WindowsSymbols(Protocol):
    """The symbols of the libraries of a machine, by their paths."""

    def imported(self, path: str) -> Collection[Imported]:
        """Return what a file takes from each library; none where it cannot be read."""

    def exports(self, path: str) -> Collection[str] | None:
        """Return the names that a file exports; None where it cannot be read."""


class MissingProcedure(Struct, frozen=True, kw_only=True):
    """A function or variable that is not where it is asked for."""

    name: str
    #: The path of the library that asks.
    asked_by: str
    #: The path of the library that should have it.
    library: str


def missing_procedures(
    answers: Iterable[Answer], symbols: WindowsSymbols
) -> tuple[MissingProcedure, ...]:
    """Return what the libraries in the answers do not find in each other.

    What is asked by a number, and at the first call, is left out; a forwarded export counts as there.
    """
    found: list[MissingProcedure] = []
    for answer in answers:
        asked = {one.library.casefold(): one.names for one in symbols.imported(answer.asked_by)}
        wanted = asked.get(answer.name.casefold(), ())
        exported = symbols.exports(answer.path) if wanted and answer.path else None
        if exported is not None and answer.path is not None:
            found += (
                MissingProcedure(name=name, asked_by=answer.asked_by, library=answer.path)
                for name in wanted
                if name not in exported
            )
    return tuple(found)
