"""The programs of peers, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import venv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def program(home: Path, name: str, *, install: bool) -> Path | None:
    """Return a peer's program, installed from the index where it is not there yet; None without it."""
    found = home / "bin" / name
    if not found.exists() and install:
        venv.create(home, with_pip=True)
        command = [str(home / "bin/pip"), "install", "--quiet", name]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return found if found.exists() else None


def version(found: Path, name: str) -> str:
    """Return the version of the distribution that a program is of."""
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    command = [str(found.with_name("python")), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
