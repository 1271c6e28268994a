"""What the commands have in common with the machine: stdout, stderr, and files that users name."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.errors import EnvfixError, OutputError
from reconciler.model.look import Look
from reconciler.model.os_name import from_os, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

    from reconciler.model.report import Written

#: How to write what cp437, cp1252 and ASCII lack of what envfix, and the solver, draw with.
SPELLED = {"…": "...", "→": "->", "•": "*", "─": "-", "│": "|", "├": "|", "└": "`"}


def environ(changes: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return this shell's variables, with some of them changed; an empty value unsets one."""
    wanted = changes or {}
    variables = {**os.environ, **wanted}
    return {name: value for name, value in variables.items() if value or name not in wanted}


def look(color: str = "auto", output: str | None = None) -> Look:
    """Return how a report is to be shown: on stdout, or in a file that the user names."""
    is_shown = output is None
    return Look(
        # A sentence of 200 columns is not read with ease.
        width=min(max(columns(sys.stdout), 60), 100),
        color=is_shown and wants_color(color),
        whole=is_shown and sys.stdout.isatty(),
    )


def columns(stream: TextIO) -> int:
    """Return how many columns a stream shows: 80 where it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def wants_color(color: str = "auto", stream: TextIO | None = None) -> bool:
    """Tell whether stdout, or a stream, is to be colored; what is asked for goes before variables."""
    if color != "auto":
        return color == "always"
    # https://no-color.org: set and not empty; it goes before the next two, as with uv.
    if os.environ.get("NO_COLOR"):
        return False
    # https://force-color.org, and https://bixense.com/clicolors, where 0 says nothing.
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    return obeys(stream or sys.stdout)


def obeys(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that moves and colors as ANSI's codes say."""
    is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    return is_terminal and _is_made_to_obey(stream.fileno())


def _is_made_to_obey(number: int) -> bool:
    """Switch the codes on where a console wants that: before Windows 10 there are none."""
    obeys = True
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - on Windows alone
        import msvcrt  # noqa: PLC0415 - as above

        kernel = ctypes.windll.kernel32
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(number))
        mode = ctypes.c_ulong()
        # ENABLE_VIRTUAL_TERMINAL_PROCESSING is 4: learn.microsoft.com, SetConsoleMode.
        obeys = bool(
            kernel.GetConsoleMode(handle, ctypes.byref(mode))
            and kernel.SetConsoleMode(handle, mode.value | 4)
        )
    return obeys


def emit(text: str, output: str | None = None) -> None:
    """Write a report to stdout, or to a file; raises OutputError."""
    if output:
        write(output, text.encode())
    else:
        try:
            sys.stdout.buffer.write(encoded(text, sys.stdout.encoding or "utf-8"))
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                error.strerror or str(error), where="stdout", next_step="give --output FILE"
            ) from error


def encoded(text: str, encoding: str) -> bytes:
    """Return a text for a terminal of any encoding: what it lacks is spelled, or escaped."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_spelled(c, encoding) for c in text).encode(encoding, "backslashreplace")


def _spelled(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return SPELLED.get(character, character)
    return character


def piped() -> Iterator[bytes]:
    """Yield what is piped into the command, piece by piece; who types it is told how to end."""
    if sys.stdin.isatty():
        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        click.echo(f"envfix: paste the text, then press {end}", err=True)
        # A terminal can be read on after its end: who reads by the piece asks for a second one.
        return iter([sys.stdin.buffer.read()])
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


def complain(said: str) -> None:
    """Tell the user on stderr, in one line, why envfix cannot go on."""
    is_colored = wants_color(stream=sys.stderr)
    head = "\x1b[1;31menvfix:\x1b[0m" if is_colored else "envfix:"
    click.echo(f"{head} {printable(from_os(said))}", err=True, color=is_colored)
