"""The tables below the picture: each package, and each library that is mapped, as far as there is room."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.cuda import Variant
from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from reconciler.model.report import Report

#: The page of an environment of 500 packages is to stay below 300 KB.
_MOST_PACKAGES, _MOST_MAPPED = 500, 300
_LONGEST, _LONGEST_CELL = 600, 160


class Table(Struct, frozen=True, kw_only=True):
    """Rows of text under their titles."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: How many more there are.
    more: int = 0


def clip(text: str, most: int = _LONGEST) -> str:
    """Return a text as it may be shown, its end cut off where it is too long for any reader."""
    if len(text) > most:
        return f"{printable(text[:most])}… ({len(text) - most} more characters)"
    return printable(text)


def packages_of(report: Report) -> Table:
    """Return what each package has to do with CUDA."""
    rows: list[tuple[str, ...]] = [
        (
            build.manager,
            str(build),
            (str(build.cuda or "") or build.words)
            if build.variant is Variant.CUDA
            else build.words.removeprefix("the "),
            build.role,
            build.evidence,
        )
        for build in report.builds
    ]
    heads = ("from", "package", "CUDA", "role", "how that is known")
    return _table(heads, rows, _MOST_PACKAGES)


def mapped_of(report: Report) -> Table:
    """Return which file answers each library of CUDA, and what is not found."""
    rows: dict[tuple[str, ...], None] = {}
    for run in report.loads:
        for link in run.cuda_links:
            owner = link.owner.title if link.owner else ""
            found = f"{owner} ({link.reason})" if link.path else f"not found: {link.because}"
            name = posixpath.basename(link.soname)
            rows[run.title, name, found, str(run.situation)] = None
    return _table(("who", "asks for", "gets that of", "when"), list(rows), _MOST_MAPPED)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]], most: int) -> Table:
    shown = (tuple(clip(cell, _LONGEST_CELL) for cell in row) for row in rows[:most])
    return Table(heads=heads, rows=tuple(shown), more=max(len(rows) - most, 0))
