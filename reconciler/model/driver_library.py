"""What answers in the place of the driver's own library, libcuda."""

from __future__ import annotations

import enum

from msgspec import Struct

from reconciler.model.which import Origin, Situation


class Kind(enum.Enum):
    """Why a file is not the library that speaks to the driver of this machine."""

    #: It is there to be linked against, and has no code.
    STUB = "stub"
    #: It is for a driver that is older than itself, and this machine's is newer.
    COMPAT = "compat"
    #: It is the library of a driver for Linux, where Windows has the driver.
    NOT_OF_WSL = "not of WSL"


class WrongDriver(Struct, frozen=True, kw_only=True):
    """A file that a start gets for libcuda, and that does not lead to the driver."""

    kind: Kind
    #: As it was found, and without links.
    path: str
    real: str
    owner: Origin
    #: RPATH, LD_LIBRARY_PATH, RUNPATH, ld.so.cache ...
    reason: str
    #: The entry of the search path that leads to it, as written.
    entry: str | None
    #: A clause: how the search comes to it.
    because: str
    #: What was started: ``PyTorch``.
    started: str
    #: The path of the library or program that asks.
    asked_by: str
    situation: Situation
    #: The driver's own library, where it is known to lie.
    due: str | None = None
