"""What is under way, told on stderr while it takes long: only on a terminal, and gone when done."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import TYPE_CHECKING, TextIO

from reconciler import terminal
from reconciler.model.os_name import from_os, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.look import Tell

#: Seconds: what is done sooner is not worth a line.
PATIENCE = 0.4
#: Seconds from one picture to the next.
PACE = 0.1
#: Seconds from which on it is told how many there were.
LONG = 2.0
_WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_WHEEL = "|/-\\"
# Back to the first column, and clear to the end of the line: ECMA-48.
_CLEAR = "\r\x1b[K"


@contextmanager
def shown(what: str, *, quiet: bool = False) -> Iterator[Tell | None]:
    """Show what is under way until it is done; give the function that tells what it is by now.

    Where nobody looks there is none: stderr is no terminal, or a CI's, whose log keeps every line.
    """
    if quiet or not is_watched(sys.stderr):
        yield None
        return
    from threading import Thread  # noqa: PLC0415 - where somebody looks

    line = _Line(sys.stderr, what)
    thread = Thread(target=line.draw, daemon=True)
    thread.start()
    try:
        yield line.tell
    finally:
        line.done.set()
        thread.join()


def is_watched(stream: TextIO) -> bool:
    """Tell whether somebody looks at a stream now."""
    # Some runners give their jobs a terminal.
    return terminal.obeys(stream) and os.environ.get("CI", "") in {"", "0", "false"}


class _Line:
    """The one line: drawn by a thread, told by others."""

    def __init__(self, stream: TextIO, what: str) -> None:
        from threading import Event, Lock  # noqa: PLC0415 - as above

        self.done = Event()
        self._stream = stream
        self._what = what
        self._lock = Lock()

    def tell(self, said: str) -> None:
        """Take what is under way by now, which ends in dots; all else is written, and stays."""
        if said.endswith("..."):
            self._what = said.removesuffix("...").rstrip()
            return
        with self._lock:
            self._write(f"{_CLEAR}envfix: {printable(from_os(said))}\n")

    def draw(self) -> None:
        """Draw until it is done, and clear it away."""
        from time import monotonic  # noqa: PLC0415 - as above

        start = monotonic()
        if self.done.wait(PATIENCE):
            return
        for sign in cycle(self._wheel()):
            with self._lock:
                self._write(f"{_CLEAR}{self._picture(sign, monotonic() - start)}")
            if self.done.wait(PACE):
                break
        self._write(_CLEAR)

    def _picture(self, sign: str, seconds: float) -> str:
        took = f"  {seconds:.0f} s" if seconds >= LONG else ""
        # A line that is full makes some terminals begin another, which would not be cleared.
        free = terminal.columns(self._stream) - len(took) - 3
        return f"{sign} {fitting(printable(from_os(self._what)), free)}{took}"

    def _wheel(self) -> str:
        try:
            _WHEEL.encode(self._stream.encoding or "ascii")
        except UnicodeEncodeError:
            return _ASCII_WHEEL
        return _WHEEL

    def _write(self, text: str) -> None:
        # Whoever closes the terminal has no need of it.
        with suppress(OSError):
            self._stream.write(text)
            self._stream.flush()


def fitting(text: str, columns: int) -> str:
    """Return what of a text fits into as many columns, of which some characters take two."""
    from unicodedata import east_asian_width  # noqa: PLC0415 - where somebody looks

    free = columns
    for number, character in enumerate(text):
        free -= 2 if east_asian_width(character) in "WF" else 1
        if free < 0:
            return text[:number]
    return text
