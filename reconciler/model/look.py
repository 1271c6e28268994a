"""How a text is shown: on a terminal, or as a file and a pipe are given it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

#: Takes what is under way by now (``solving for linux-64 ...``), or a note, which has no dots.
Tell = Callable[[str], None]


class Look(Struct, frozen=True, kw_only=True):
    """What a reader's screen can show; the default is what a pipe is given."""

    #: Columns.
    width: int = 80
    color: bool = False
    #: A command that stands in a sentence is kept on one line, as it is to be copied.
    whole: bool = False


#: What a file, a pipe and a log of a CI are given.
PLAIN = Look()
