"""The environment's Python: its version and its site-packages, read from files."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.os_name import from_os, to_os
from reconciler.model.prefix import Python
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

_FOLDER = re.compile(r"(?:python|pypy)(\d+\.\d+)t?")
_DLL = r"(?i)python(\d)(\d+)t?\.dll"
#: python-3.11.9-hb806964_0_cpython.json
_RECORD = re.compile(r"python-(\d+\.\d+[\w.]*)-[^-]+\.json")
_NUMBERS = re.compile(r"\d+(?:\.\d+){0,2}")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Find the Python of the prefix; None, which is no gap, where it holds none."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return Found(value=None, gaps=(Gap(fact=Fact.PYTHON, reason="no environment to look at"),))
    # The home of a venv of another system is not to be found here, nor to be missed.
    system = snapshot.target.platform.partition("-")[0]
    is_here = ground.target.platform.startswith(system)
    python = _of_record(snapshot) or _of_venv(prefix, is_here) or _of_folder(prefix)
    return Found(value=python, gaps=tuple(_gaps(snapshot, python)))


def _gaps(snapshot: Snapshot, python: Python | None) -> Iterator[Gap]:
    if python is None and snapshot.target.kind == "venv":
        yield Gap(fact=Fact.PYTHON, reason="pyvenv.cfg names no version, and lib holds no Python")


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


def venv_settings(prefix: str) -> Mapping[str, str] | None:
    """Return the lines of a prefix's pyvenv.cfg, by their keys in lower case; None without one."""
    try:
        raw = files.read(f"{prefix}/pyvenv.cfg", limit=files.MEGABYTE)
    except files.UnreadableError:
        return None
    lines = from_os(raw.decode("utf-8", "surrogateescape")).splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _of_venv(prefix: str, is_here: bool) -> Python | None:  # noqa: FBT001
    settings = venv_settings(prefix)
    if settings is None:
        return None
    # venv writes version, virtualenv and uv version_info.
    # virtualenv's version_info is 3.11.7.final.0.
    version = _NUMBERS.match(settings.get("version") or settings.get("version_info") or "")
    if version is None:
        return _of_folder(prefix)
    minor = ".".join(version[0].split(".")[:2])
    home = settings.get("home")
    return Python(
        version=version[0],
        site_packages=(_site_packages(prefix, minor),),
        home=home,
        home_exists=home is None or not is_here or os.path.isdir(to_os(home)),
        # POSIX: <prefix>/bin; Windows: the prefix itself.
        home_version=version_of_conda(home.rstrip("/").removesuffix("/bin")) if home else None,
    )


def version_of_conda(prefix: str) -> str | None:
    """Return the version of the Python that conda has in a prefix, by its record's name."""
    matches = (_RECORD.fullmatch(name) for name in _names(f"{prefix}/conda-meta"))
    return next((match[1] for match in matches if match), None)


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
        return _of_dll(prefix)
    name, version = newest
    return Python(version=version, site_packages=(f"lib/{name}/site-packages",))


def _of_dll(prefix: str) -> Python | None:
    # On Windows the version stands in python311.dll beside python.exe, and in no folder.
    matches = filter(None, (re.fullmatch(_DLL, name) for name in _names(prefix)))
    version = next((f"{match[1]}.{match[2]}" for match in matches), None)
    return Python(version=version, site_packages=("Lib/site-packages",)) if version else None


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
