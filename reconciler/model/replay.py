"""What becomes of a library that a message is about, when it is opened in this environment."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: opened: nothing fails. missing: a name is not found. unfit: a file is no library for this
#: process. version, symbol: a file that is mapped does not define it.
Outcome = Literal["opened", "missing", "unfit", "version", "symbol"]


class Replay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One library, opened by the model of the loader as Python opens it; nothing was run."""

    #: A path, or a name without one, as ctypes opens it.
    opened: str
    #: The shells in which it comes out so: ``in this shell``, ``activated``, ``not activated``.
    shells: tuple[str, ...]
    outcome: Outcome
    #: What the loader says; "" where it opens the library.
    error: str = ""
    #: The library that asks; None where that is who opens.
    asker: str | None = None
    #: The name that is asked for; "" where a symbol is bound to no file.
    soname: str = ""
    symbol: str = ""
    version: str = ""
    #: The file at fault: what answers the name, or is no library. None where nothing answers.
    at: str | None = None
    #: The first words of a file that is text and should be a library.
    begins: str = ""
    #: How the search came to it, as Reason's values, and the element of the search path.
    reason: str = ""
    entry: str = ""
