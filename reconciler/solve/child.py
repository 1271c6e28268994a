"""The solver, asked in a process of its own that always ends."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from threading import Event, Thread, Timer
from typing import IO, TYPE_CHECKING

import msgspec

from reconciler.errors import EnvfixError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.model.look import Tell
    from reconciler.solve.worker import Answer, Request

# -I keeps PYTHONPATH and a user site out of the child; the folders of envfix and of py-rattler,
# wherever they lie, come last.
_CODE = (
    "import sys; homes = sys.argv[1:]; sys.path += [h for h in homes if h not in sys.path];"
    "from reconciler.solve.worker import main; main()"
)


#: The API of py-rattler moves with every minor release: the pin of the extra ``solve``.
MADE_FOR = "0.28"


class SolverMissingError(EnvfixError):
    """py-rattler is not installed, or not in a release that envfix can speak to."""


@contextmanager
def asking(timeout: float, tell: Tell | None = None) -> Iterator[Callable[[Request], Answer]]:
    """Start a solver and give the function that asks it; raises SolverMissingError.

    Each answer may take ``timeout`` seconds. After the first that did not come there are no more.
    What the solver says of its progress goes to ``tell``, or to stderr.
    """
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-I", "-c", _CODE, *_homes()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if tell else None,
    ) as child:
        telling = _telling(child, tell)
        try:
            yield partial(_ask, child, timeout)
        finally:
            # Neither a time limit nor Ctrl-C leaves a download behind.
            child.kill()
            if telling:
                telling.join()
            # What a dead process did not read cannot be written any more.
            with suppress(OSError):
                if child.stdin:
                    child.stdin.close()


def _telling(child: subprocess.Popen[bytes], tell: Tell | None) -> Thread | None:
    """Start to pass on what a process says; None where it says it itself."""
    if child.stderr is None or tell is None:
        return None
    thread = Thread(target=_pass_on, args=(child.stderr, tell), daemon=True)
    thread.start()
    return thread


def _pass_on(stream: IO[bytes], tell: Tell) -> None:
    for line in stream:
        tell(line.decode("utf-8", "replace").rstrip().removeprefix("envfix: "))


def _ask(child: subprocess.Popen[bytes], timeout: float, request: Request) -> Answer:
    from reconciler.solve.worker import Answer  # noqa: PLC0415 - asyncio, for a solve alone

    if child.stdin is None or child.stdout is None:  # pragma: no cover - asking has opened them
        return Answer(failure="the solver has no pipes")
    late = Event()

    def end() -> None:
        late.set()
        child.kill()

    limit = Timer(timeout, end)
    limit.start()
    try:
        child.stdin.write(msgspec.json.encode(request) + b"\n")
        child.stdin.flush()
        line = child.stdout.readline()
    except OSError:
        line = b""
    finally:
        limit.cancel()
    if line.endswith(b"\n"):
        return msgspec.json.decode(line, type=Answer)
    if late.is_set():
        return Answer(failure=f"the solver gave no answer within {timeout:g} seconds")
    return Answer(failure=f"the solver's process ended with status {child.wait()}")


def _homes() -> tuple[str, ...]:
    found = find_spec("rattler")
    if found is None or found.origin is None:
        raise _missing("py-rattler, which solves conda environments, is not installed")
    release = metadata.version("py-rattler")
    if release.split(".")[:2] != MADE_FOR.split("."):
        raise _missing(f"py-rattler {release} is installed, and envfix is made for {MADE_FOR}")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.path.dirname(package), os.path.dirname(os.path.dirname(found.origin))


def _missing(what: str) -> SolverMissingError:
    command = f'{sys.executable} -m pip install "envfix-cuda[solve]"'
    if find_spec("conda"):
        # conda's own solver may be made for the py-rattler that it has, and end with another
        command = 'pipx install "envfix-cuda[solve]", beside conda and not into it'
    return SolverMissingError(what, where="--solve", next_step=f"run: {command}")
