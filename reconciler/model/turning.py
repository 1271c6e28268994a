"""The commands that turn an installed environment into the one that a conversion asks for."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.fix import Command


class TurningStep(Struct, frozen=True, kw_only=True):
    """A command, and when it has something to do."""

    command: Command
    #: The file without which there is nothing to do, absolute; "" where the command sees to that.
    only_if: str = ""
    #: The beginning of the file's name that conda keeps of a package: once it is there, pip would
    #: uninstall conda's. Absolute; "" where that cannot be.
    unless: str = ""


class Turning(Struct, frozen=True, kw_only=True):
    """What to run, in order, so that conda alone supplies CUDA."""

    #: The environment that comes of it: the one that was looked at, or a new one beside it.
    prefix: str
    steps: tuple[TurningStep, ...]
    #: Sentences without their periods.
    notes: tuple[str, ...] = ()
