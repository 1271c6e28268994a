"""PYTHONPATH: what each entry is, and which Python its contents were made for."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.distribution import normalize_name
from reconciler.model.host import PathEntry
from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: lib/python3.8/site-packages, C:\Python38\Lib; not lib/python3/dist-packages, which names none.
_IN_PATH = r"(?i)[\\/]python(\d)\.?(\d+)t?(?=[\\/]|$)"
_STDLIB = r"(?i)(.*?)[\\/]lib(?:64)?[\\/](?:python[\d.]*t?[\\/])?(?:site|dist)-packages"
# The tags of extension modules: PEP 3149 on POSIX, and cp38-win_amd64 on Windows.
_EXTENSION = r"(?m)\.(?:cpython-|cp)(\d)(\d+)t?-[\w-]+\.(?:so|pyd)(?=,|$)"
_DIST_INFO = r"(.+?)-[^-]+\.(?:dist|egg)-info"
#: A folder of sources may hold anything: no more than this many of its packages are listed.
MAX_PACKAGES = 500
RECORD_LIMIT = 8 * files.MEGABYTE


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Look at each entry of the PYTHONPATH that the target's Python would be started with."""
    value = from_os(ground.environ.get("PYTHONPATH", ""))
    separator = ";" if snapshot.target.platform.startswith("win") else ":"
    # Python takes an empty element for the working directory.
    paths = (_absolute(element or ".", ground.directory) for element in value.split(separator))
    return Found(value=tuple(_entry(path) for path in paths) if value else ())


def _absolute(path: str, folder: str) -> str:
    if path.startswith("/") or re.match(r"[A-Za-z]:[\\/]", path):
        return path.rstrip("/") or "/"
    return folder if path == "." else f"{folder}/{path.rstrip('/')}"


def _entry(path: str) -> PathEntry:
    in_path = re.search(_IN_PATH, path)
    python_in_path = f"{in_path[1]}.{in_path[2]}" if in_path else None
    try:
        names = files.names(path)
    except files.UnreadableError:
        return PathEntry(path=path, exists=False, python_in_path=python_in_path)
    distributions = (re.fullmatch(_DIST_INFO, name) for name in names)
    return PathEntry(
        path=path,
        python_in_path=python_in_path,
        extensions_for=tuple(sorted(set(_extension_tags(path, names)))),
        prefix=_prefix_of(from_os(os.path.realpath(to_os(path)))),
        distributions=tuple(sorted({normalize_name(d[1]) for d in distributions if d})),
    )


def _extension_tags(path: str, names: tuple[str, ...]) -> Iterator[str]:
    for text in _listings(path, names):
        for match in re.finditer(_EXTENSION, text):
            yield f"{match[1]}.{match[2]}"


def _listings(path: str, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the names in the entry, in its packages and in its RECORDs, one a line."""
    yield "\n".join(names)
    for name in [name for name in names if "." not in name][:MAX_PACKAGES]:
        try:
            yield "\n".join(files.names(f"{path}/{name}"))
        except files.UnreadableError:
            continue
    for name in names:
        if name.endswith(".dist-info"):
            try:
                record = files.read(f"{path}/{name}/RECORD", limit=RECORD_LIMIT)
            except files.UnreadableError:
                continue
            yield record.decode("utf-8", "replace")


def _prefix_of(path: str) -> str | None:
    folder = path
    while len(folder) > 1:
        if set(_names(folder)) & {"conda-meta", "pyvenv.cfg"}:
            return folder
        folder = folder.rpartition("/")[0]
    layout = re.match(_STDLIB, path)
    return layout[1] or "/" if layout else None


def _names(folder: str) -> tuple[str, ...]:
    try:
        return files.names(folder)
    except files.UnreadableError:
        return ()
