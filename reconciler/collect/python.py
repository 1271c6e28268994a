"""The environment's Python: its version and its site-packages, read from files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.os_name import from_os
from reconciler.model.prefix import Python
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

_FOLDER = re.compile(r"(?:python|pypy)(\d+\.\d+)t?")
_NUMBERS = re.compile(r"\d+(?:\.\d+){0,2}")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Find the Python of the prefix; None, which is no gap, where it holds none."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return Found(value=None, gaps=(Gap(fact=Fact.PYTHON, reason="no environment to look at"),))
    python = _of_record(snapshot) or _of_venv(prefix) or _of_folder(prefix)
    return Found(value=python, gaps=tuple(_gaps(snapshot, python)))


def _gaps(snapshot: Snapshot, python: Python | None) -> Iterator[Gap]:
    if python is None and snapshot.target.kind == "venv":
        yield Gap(fact=Fact.PYTHON, reason="pyvenv.cfg names no version, and lib holds no Python")
    if python and python.sees_home:
        reason = "a Python whose packages this environment sees as well, and which are not read"
        yield Gap(fact=Fact.PYTHON, item=python.home, reason=reason)


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
    pairs = (line.partition("=") for line in raw.decode("utf-8", "surrogateescape").splitlines())
    settings = {key.strip().lower(): value.strip() for key, _, value in pairs}
    # venv writes version, virtualenv and uv version_info.
    # virtualenv's version_info is 3.11.7.final.0.
    version = _NUMBERS.match(settings.get("version") or settings.get("version_info") or "")
    if version is None:
        return _of_folder(prefix)
    minor = ".".join(version[0].split(".")[:2])
    return Python(
        version=version[0],
        site_packages=(_site_packages(prefix, minor),),
        home=from_os(settings["home"]) if "home" in settings else None,
        sees_home=settings.get("include-system-site-packages", "").lower() == "true",
    )


def _site_packages(prefix: str, minor: str) -> str:
    if "Lib" in _names(prefix):
        return "Lib/site-packages"
    # python3.13t and pypy3.10 have folders of their own.
    folders = [name for name, version in _folders(prefix) if version == minor]
    usual = f"python{minor}"
    return f"lib/{usual if usual in folders or not folders else folders[0]}/site-packages"


def _of_folder(prefix: str) -> Python | None:
    # conda's packages make lib/python3.1 as well, a link for what takes 3.11 for it.
    newest = max(_folders(prefix), key=lambda folder: _release(folder[1]), default=None)
    if newest is None:
        return None
    name, version = newest
    return Python(version=version, site_packages=(f"lib/{name}/site-packages",))


def _folders(prefix: str) -> list[tuple[str, str]]:
    """Return the folders of a Python in ``lib``, each with its ``X.Y``."""
    matches = (_FOLDER.fullmatch(name) for name in _names(f"{prefix}/lib"))
    return [(match[0], match[1]) for match in matches if match]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _posix(minor: str) -> str:
    return f"lib/python{minor}/site-packages"


def _names(directory: str) -> tuple[str, ...]:
    try:
        return files.names(directory)
    except files.UnreadableError:
        return ()
