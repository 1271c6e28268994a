"""envfix asked from within another program, conda or RAPIDS's doctor, in a process of its own.

What envfix imports, and what goes wrong in it, stays out of that program, which imports nothing but
this (docs/decisions/0050-the-plugin-asks-a-child.md).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from reconciler.__main__ import isolated
from reconciler.errors import EnvfixError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class NoAnswerError(EnvfixError):
    """envfix could not be started, took too long, or could not go on."""


def run(arguments: Sequence[str], name: str, variables: Mapping[str, str] | None = None) -> int:
    """Run the command line in this terminal under the name that the user has typed.

    Return its exit code; of one that a signal ended, the shell's. ``variables`` are added to those
    of this process.
    """
    # Its output comes after what was printed here.
    sys.stdout.flush()
    call = f"from reconciler.__main__ import main; main({name!r})"
    # The interpreter that runs this, and nothing of the environment under inspection.
    environ = {**os.environ, **(variables or {})}
    with subprocess.Popen(isolated(arguments, call), env=environ) as process:  # noqa: S603 - as said
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal has interrupted envfix, too: it is let finish what it is writing.
            process.wait()
            raise
    return code if code >= 0 else 128 - code


def ask(question: str, *arguments: str, text: str = "", seconds: float) -> Any:
    """Return what ``reconciler.answering`` tells; raises NoAnswerError."""
    argv = isolated((question, *arguments), "from reconciler.answering import main; main()")
    try:
        code, out, err = _talk(argv, text.encode("utf-8", "replace"), seconds)
        if code == 0:
            return json.loads(out)
        why = (err.decode("utf-8", "replace").strip() or "no answer").splitlines()[-1]
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        why = str(error)
    raise NoAnswerError(
        why,
        where="envfix",
        next_step=f"`{sys.executable} -m reconciler --help` shows whether it runs",
    )


def _talk(argv: Sequence[str], given: bytes, seconds: float) -> tuple[int, bytes, bytes]:
    """Return how a process ended, and what it said."""
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe) as process:  # noqa: S603 - as in run
        try:
            out, err = process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        except KeyboardInterrupt:
            process.wait()  # as in run
            raise
    return process.returncode, out, err
