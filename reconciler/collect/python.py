"""The environment's Python: its version and its site-packages, read from files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.prefix import Python
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

_FOLDER = re.compile(r"(?:python|pypy)(\d+\.\d+)t?")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Find the Python of the prefix; None, which is no gap, where it holds none."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return Found(value=None, gaps=(Gap(fact=Fact.PYTHON, reason="no environment to look at"),))
    return Found(value=_of_record(snapshot) or _of_venv(prefix) or _of_folder(prefix))


def _of_record(snapshot: Snapshot) -> Python | None:
    record = next((r for r in snapshot.records if r.name == "python"), None)
    if record is None:
        return None
    minor = ".".join(record.version.split(".")[:2])
    # The record's own word comes first: 3.13t has lib/python3.13t/site-packages.
    usual = "Lib/site-packages" if record.subdir.startswith("win") else _posix(minor)
    return Python(
        version=record.version, site_packages=(record.python_site_packages_path or usual,)
    )


def _of_venv(prefix: str) -> Python | None:
    try:
        raw = files.read(f"{prefix}/pyvenv.cfg", limit=files.MEGABYTE)
    except files.UnreadableError:
        return None
    pairs = (line.partition("=") for line in raw.decode("utf-8", "replace").splitlines())
    settings = {key.strip().lower(): value.strip() for key, _, value in pairs}
    # venv writes version, virtualenv and uv version_info.
    version = settings.get("version") or settings.get("version_info")
    if not version:
        return _of_folder(prefix)
    minor = ".".join(version.split(".")[:2])
    on_windows = "Lib" in _names(prefix)
    site_packages = "Lib/site-packages" if on_windows else _posix(minor)
    return Python(version=version, site_packages=(site_packages,), home=settings.get("home"))


def _of_folder(prefix: str) -> Python | None:
    for name in _names(f"{prefix}/lib"):
        if match := _FOLDER.fullmatch(name):
            return Python(version=match[1], site_packages=(f"lib/{name}/site-packages",))
    return None


def _posix(minor: str) -> str:
    return f"lib/python{minor}/site-packages"


def _names(directory: str) -> tuple[str, ...]:
    try:
        return files.names(directory)
    except files.UnreadableError:
        return ()
