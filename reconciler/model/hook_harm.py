"""What a script of activation does to the shell that sources it, beside its variables."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Harm(StrEnum):
    """What goes wrong in the shell."""

    #: A variable that may not be set is read as if it were: an error under ``set -u``.
    UNBOUND = "unbound"
    #: The last command fails in the ordinary course, and so does the script under ``set -e``.
    LAST_FAILS = "last-fails"
    #: ``exit`` leaves the shell, not the script.
    EXITS = "exits"
    #: ``set -e`` or ``set -u`` stays in force in the shell.
    MAKES_STRICT = "makes-strict"


class ShellHarm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a script that harms the shell, or a strict one."""

    harm: Harm
    #: Of an unbound one.
    variable: str = ""
    #: Counted from 1.
    line: int
    #: The line as it is written, without its indent.
    text: str
