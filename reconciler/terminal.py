"""What the commands have in common with the machine: stdout, stderr, and files that users name."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.errors import EnvfixError, OutputError
from reconciler.model.os_name import from_os, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.report import Written


def environ(changes: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return this shell's variables, with some of them changed; an empty value unsets one."""
    wanted = changes or {}
    variables = {**os.environ, **wanted}
    return {name: value for name, value in variables.items() if value or name not in wanted}


def width() -> int:
    """Return how many columns a report may have."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 80
    return min(max(columns, 60), 100)


def wants_color(color: str) -> bool:
    """Tell whether stdout is to be colored."""
    if color != "auto":
        return color == "always"
    # https://no-color.org: set and not empty.
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def emit(text: str, output: str | None) -> None:
    """Write a report to stdout, or to a file; raises OutputError."""
    if output:
        write(output, text.encode())
    else:
        # The bytes, so that a name of any script survives a terminal in the C locale.
        encoded = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
        try:
            sys.stdout.buffer.write(encoded)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                error.strerror or str(error), where="stdout", next_step="give --output FILE"
            ) from error


def piped() -> Iterator[bytes]:
    """Yield what is piped into the command, piece by piece."""
    return iter(lambda: sys.stdin.buffer.read(1 << 20), b"")


def read(path: str) -> bytes:
    """Return the bytes of a file that the user names; raises EnvfixError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise EnvfixError(
            error.strerror or str(error), where=path, next_step="give a file that can be read"
        ) from error


def write(path: str, content: bytes) -> None:
    """Write a file that the user names; raises OutputError."""
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        raise OutputError(
            error.strerror or str(error), where=path, next_step="give a file that can be written"
        ) from error


def note(written: Written) -> None:
    """Tell the user on stderr what was done to the files."""
    for note in written.notes:
        click.echo(f"envfix: {printable(from_os(note))}", err=True)
