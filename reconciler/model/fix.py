"""What to change: a fix is a titled group of changes that stand or fall together."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Applicability(StrEnum):
    """How far a fix may be trusted, from ruff's and clippy's three levels."""

    #: A person must choose: shown, never applied.
    DISPLAY = "display"
    #: May be what was meant; applied only when asked for.
    UNSAFE = "unsafe"
    #: Certainly what was meant; every comment is kept.
    SAFE = "safe"


class Command(Struct, frozen=True, kw_only=True):
    """A command for the user's own package manager; envfix never runs it by itself."""

    manager: Literal["conda", "pip"]
    argv: tuple[str, ...]
    why: str
    #: Whether it removes something that the next command has to bring back.
    destructive: bool


class Fix(Struct, frozen=True, kw_only=True):
    """The changes that together answer one finding."""

    title: str
    applicability: Applicability
    commands: tuple[Command, ...] = ()
