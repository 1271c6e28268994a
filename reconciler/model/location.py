"""Where to look."""

from __future__ import annotations

from msgspec import Struct


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to look: always a subject in words, and a file if there is one."""

    subject: str
    #: Relative to the project, or to the prefix where it lies ``in_prefix``, else absolute.
    path: str | None = None
    in_prefix: bool = False
    #: Counted from 1, as editors do; so is the column.
    line: int | None = None
    column: int | None = None
