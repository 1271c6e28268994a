"""A real terminal for a command, as tmux and ssh make one: what is written to it, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest

pty = pytest.importorskip("pty", reason="only POSIX has pseudo-terminals")

#: What a terminal does not say, and what would decide on color in its place.
SILENT = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CI", "VIRTUAL_ENV", "CONDA_PREFIX")


def on_terminal(*arguments: object, columns: int = 80, **variables: str) -> str:
    """Run envfix with stdout and stderr on a terminal, and return what it was sent."""
    import fcntl  # noqa: PLC0415 - as pty
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        env=environ(**variables),
    )
    os.close(its)
    sent = b""
    # Linux tells the end of a terminal with an error, macOS with nothing.
    with suppress(OSError):
        while piece := os.read(ours, 65536):
            sent += piece
    process.wait()
    os.close(ours)
    return sent.decode().replace("\r\n", "\n")


def environ(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in SILENT}
    return {**kept, "TERM": "xterm-256color", **variables}
