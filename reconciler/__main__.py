"""Start envfix so that the fault it looks for cannot reach it: ``python -m reconciler``.

PYTHONPATH, a user site or the working directory may hold a broken click or typing. Until it is
known that none of them is on ``sys.path``, nothing but what Python itself has loaded is imported.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Set in the environment of the second, isolated start, so that there is no third.
MARK = "_ENVFIX_ISOLATED"


def main(name: str = "envfix") -> None:
    """Run the command line, in an isolated interpreter where this one is not."""
    if sys.argv[1:] == ["--version"]:
        _tell_version()
    if not sys.flags.isolated and MARK not in os.environ and _is_reachable():
        _restart_isolated()
    os.environ.pop(MARK, None)
    # From here on a million objects are made and none is freed: collecting garbage finds none.
    gc.disable()
    from reconciler.cli import cli  # noqa: PLC0415 - nothing third-party before this line

    try:
        cli(prog_name=name)
    except SystemExit as done:
        _leave(done.code)
    except BrokenPipeError:
        # `envfix scan | head`: whoever read the report has seen enough.
        os._exit(0)


def _tell_version() -> None:
    """Say what click would, which takes 60 ms to import; many scripts ask for nothing else."""
    from reconciler import __version__  # noqa: PLC0415 - for this alone

    sys.stdout.write(f"envfix, version {__version__}\n")
    _leave(0)


def _leave(code: object) -> None:
    """End the process at once: to free a million objects one by one takes a tenth of a scan."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        os._exit(2)
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _is_reachable() -> bool:
    """Tell whether modules of others may come before envfix's own."""
    if os.environ.get("PYTHONPATH") or os.environ.get("PYTHONHOME"):
        return True
    # python -m puts the working directory first; a script's own folder is that of the command.
    if not sys.flags.safe_path and sys.path and sys.path[0] in {"", os.getcwd()}:
        return True
    site = sys.modules.get("site")
    return bool(getattr(site, "ENABLE_USER_SITE", False)) and any(
        path == getattr(site, "USER_SITE", None) for path in sys.path
    )


def isolated(arguments: Sequence[str], code: str = "") -> list[str]:
    """Return the command that starts envfix, or other code of its own, with nothing before it.

    -I drops every PYTHON* setting; os.environ keeps them for the collector. Where envfix itself
    lies in a folder that -I drops (a user site, a checkout), that folder comes last, not first.
    """
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    code = "import sys; home = sys.argv.pop(); home in sys.path or sys.path.append(home);" + (
        code or "from reconciler.__main__ import main; main()"
    )
    flags = ["-I", *(["-B"] if sys.flags.dont_write_bytecode else [])]
    flags += ["-X", "utf8"] if sys.flags.utf8_mode else []
    return [sys.executable, *flags, "-c", code, *arguments, home]


def _restart_isolated() -> None:
    argv = isolated(sys.argv[1:])
    environ = {**os.environ, MARK: "1"}
    if os.name == "nt":
        # exec on Windows returns to the shell before the new process ends.
        quoted = [_quoted(argument) for argument in argv]
        sys.exit(os.spawnve(os.P_WAIT, sys.executable, quoted, environ))  # noqa: S606
    # The interpreter that runs this, and nothing of the environment under inspection.
    os.execve(sys.executable, argv, environ)  # noqa: S606


def _quoted(argument: str) -> str:
    return '"' + argument.replace('"', '\\"') + '"'


if __name__ == "__main__":
    main()
