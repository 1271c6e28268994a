"""What to change: a fix is a titled group of changes that stand or fall together."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from reconciler.model.hook import HookChange
from reconciler.model.manifest import Declared, Fault, IndexRole, Kind, Section


class Applicability(StrEnum):
    """How far a fix may be trusted, from ruff's and clippy's three levels."""

    #: A person must choose: shown, never applied.
    DISPLAY = "display"
    #: May be what was meant; applied only when asked for.
    UNSAFE = "unsafe"
    #: Certainly what was meant; every comment is kept.
    SAFE = "safe"


class Remove(Struct, frozen=True, kw_only=True, tag="remove"):
    """Take a line out: a requirement, a channel, an index, a variable, an export's prefix."""

    line: Declared

    @property
    def path(self) -> str:
        """The file that it changes."""
        return self.line.path


class Replace(Struct, frozen=True, kw_only=True, tag="replace"):
    """Write another text in the place of a line; it stays under its manager and of its kind."""

    line: Declared
    #: As its manager writes it, like ``Declared.text``.
    text: str

    @property
    def path(self) -> str:
        """The file that it changes."""
        return self.line.path


class Add(Struct, frozen=True, kw_only=True, tag="add"):
    """Write a line that was not there, with the section that it needs if there is none."""

    #: The file that it changes.
    path: str
    section: Section
    kind: Kind = Kind.REQUIREMENT
    #: As its manager writes it, like ``Declared.text``; of a channel its name, of a variable
    #: NAME=VALUE, of an index its URL.
    text: str
    #: The part of the file that it belongs to, like ``Declared.scope``.
    scope: str = ""
    #: Of an index.
    role: IndexRole | None = None
    #: The line that it is to stand behind; None for the end of its section, and the front of it
    #: for an index or a channel. Of an EXPLICIT index the requirement that it is to serve: one
    #: Add for each of these, with the same URL, names the index once.
    after: Declared | None = None


#: A change of a line of a declared file; a move is a Remove and an Add.
Edit = Remove | Replace | Add


class Mend(Struct, frozen=True, kw_only=True, tag="mend"):
    """Write what a fault says is right, where its tool reads no line at all."""

    #: The file that it changes.
    path: str
    fault: Fault


#: The package managers that a user may have.
Tool = Literal["conda", "mamba", "micromamba", "pixi", "pip", "uv"]
#: Those that look after conda's packages; pixi after those of PyPI too.
OF_CONDA: frozenset[Tool] = frozenset({"conda", "mamba", "micromamba", "pixi"})


class Command(Struct, frozen=True, kw_only=True):
    """A command for the user's own package manager; envfix never runs it by itself.

    It names the environment, and goes without questions. A fix with commands is never SAFE.
    """

    manager: Tool
    #: The program first, as it is found on PATH or absolute.
    argv: tuple[str, ...]
    #: The reason for this step, in a sentence without its period.
    why: str
    #: Whether it takes something away: all such steps stand before those that bring something.
    destructive: bool
    #: What it takes away or brings, each ``conda:`` or ``pip:`` and the name that the manager knows.
    packages: tuple[str, ...] = ()
    #: How often it has to be run: pip removes one of two dist-infos of a name at a time.
    times: int = 1


class Fix(Struct, frozen=True, kw_only=True):
    """The changes that together answer one finding."""

    #: What it does, in the imperative: ``drop the builds of 41 packages``.
    title: str
    applicability: Applicability
    edits: tuple[Edit | Mend, ...] = ()
    commands: tuple[Command, ...] = ()
    #: What the environment's activation is to do; such a fix has nothing else.
    hooks: tuple[HookChange, ...] = ()
    #: Of a choice without commands, as far as that is known: what would have to go, and that in whose
    #: place another build or name would have to come, each like ``Command.packages``.
    removes: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


class Splice(Struct, frozen=True):
    """Characters of a text, from ``start`` up to ``end``, and what is to stand there instead."""

    start: int
    end: int
    text: str


class HeldBackError(ValueError):
    """An edit cannot be made with certainty; ``why`` says what stands in its way."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
