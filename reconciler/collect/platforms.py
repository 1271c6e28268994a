"""The platform of a prefix, which need not be that of the machine that looks at it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.collect import files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.prefix import PrefixRecord

_SUBDIR = re.compile(r"(?:linux|osx|win|freebsd|emscripten|wasi)-\w+")
#: ``home`` in the pyvenv.cfg of a venv on Windows, and on macOS.
_HOME = re.compile(
    r"^home\s*=\s*(?:(?P<win>[A-Za-z]:[\\/])|(?P<osx>/Users/|/Library/|/opt/homebrew/))"
)


def of_records(records: Iterable[PrefixRecord]) -> str | None:
    """Return the platform that most records are for; None where only noarch ones tell."""
    subdirs = Counter(r.subdir for r in records if _SUBDIR.fullmatch(r.subdir))
    return subdirs.most_common(1)[0][0] if subdirs else None


def of_shape(prefix: str, machine: str) -> str:
    """Return the platform that the folders of a prefix are laid out for, else the machine's."""
    system = _system(prefix)
    if system is None or machine.startswith(f"{system}-"):
        return machine
    arm = machine.endswith(("-arm64", "-aarch64"))
    return {"win": "win-64", "osx": "osx-arm64", "linux": "linux-aarch64" if arm else "linux-64"}[
        system
    ]


def _system(prefix: str) -> str | None:
    names = set(_names(prefix))
    if names & {"python.exe", "Scripts"} or ("Lib" in names and "lib" not in names):
        return "win"
    home = _home(prefix)
    if home:
        return next((system for system, text in home.groupdict().items() if text), None)
    libraries = _names(f"{prefix}/lib")
    if any(name.startswith("libpython") and name.endswith(".dylib") for name in libraries):
        return "osx"
    if any(name.startswith("libpython") and ".so" in name for name in libraries):
        return "linux"
    return None


def _home(prefix: str) -> re.Match[str] | None:
    try:
        raw = files.read(f"{prefix}/pyvenv.cfg", limit=files.MEGABYTE)
    except files.UnreadableError:
        return None
    lines = raw.decode("utf-8", "replace").splitlines()
    return next((match for line in lines if (match := _HOME.match(line))), None)


def _names(directory: str) -> tuple[str, ...]:
    try:
        return files.names(directory)
    except files.UnreadableError:
        return ()
