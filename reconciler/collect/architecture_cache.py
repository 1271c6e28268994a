"""What earlier scans have read of fat binaries: one file an environment, in the user's cache folder.

Thousands of reads, scattered over libraries of up to 1 GB, are quick from memory and slow from a
cold disk. A library is known by path, size and time of change, so that nothing stale is taken. The
file is replaced by what the last scan asked for, and so does not grow; whatever is wrong with it,
or with its folder, costs time and nothing else.
"""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from reconciler.collect import files
from reconciler.model.gpu_code import GpuCode
from reconciler.model.os_name import to_os

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)

#: Raised by one whenever what is read of a fat binary, or how it is stored, changes.
VERSION = 1
#: 20,000 libraries.
LIMIT = 16 * files.MEGABYTE


class Stamp(msgspec.Struct, frozen=True):
    """One state of one file."""

    #: Absolute.
    path: str
    size: int
    mtime_ns: int


class _Known(msgspec.Struct, frozen=True):
    stamp: Stamp
    code: tuple[GpuCode, ...]


class _Stored(msgspec.Struct, frozen=True):
    version: int
    known: tuple[_Known, ...]


def user_folder() -> str | None:
    """Return the user's folder for caches of envfix; None for a user without a home."""
    from platformdirs import user_cache_dir  # noqa: PLC0415 - a scan without libraries wants none

    home = os.path.expanduser("~")
    folder = user_cache_dir("envfix", appauthor=False)
    # An administrator could make the home that a service or a container lacks.
    has_no_home = folder.startswith(home) and not os.path.isdir(home)
    return None if has_no_home or not os.path.isabs(folder) else folder


def stamp_of(path: str) -> Stamp | None:
    """Return the state of a file; None where there is nothing, or nothing that can be asked."""
    try:
        status = os.stat(to_os(path))
    except (OSError, ValueError):
        return None
    return Stamp(path, status.st_size, status.st_mtime_ns)


def load(folder: str | None, prefix: str) -> Mapping[Stamp, tuple[GpuCode, ...]]:
    """Return what is known of the libraries of an environment; nothing from a damaged file."""
    if folder is None:
        return {}
    try:
        raw = files.read(_file(folder, prefix), limit=LIMIT)
        # Read alone first: the rest may be of another form.
        if msgspec.json.decode(raw, type=_Version).version != VERSION:
            return {}
        stored = msgspec.json.decode(raw, type=_Stored)
    except (files.UnreadableError, msgspec.DecodeError, ValueError, RecursionError) as error:
        _log.debug("no cache of GPU architectures: %s", error)
        return {}
    return {known.stamp: known.code for known in stored.known}


def save(folder: str | None, prefix: str, known: Mapping[Stamp, tuple[GpuCode, ...]]) -> None:
    """Replace what is known of the libraries of an environment, where that can be written."""
    if folder is None:
        return
    rows = tuple(_Known(stamp, code) for stamp, code in known.items())
    raw = msgspec.json.encode(_Stored(VERSION, rows))
    try:
        os.makedirs(os.path.dirname(_file(folder, prefix)), mode=0o700, exist_ok=True)
        _replace(_file(folder, prefix), raw)
    except (OSError, ValueError) as error:
        _log.debug("the cache of GPU architectures is not written: %s", error)


class _Version(msgspec.Struct, frozen=True):
    version: int


def _file(folder: str, prefix: str) -> str:
    import hashlib  # noqa: PLC0415 - takes 3 ms

    key = hashlib.sha256(prefix.encode()).hexdigest()[:32]
    return os.path.join(folder, "gpu-code", f"{key}.json")


def _replace(path: str, raw: bytes) -> None:
    # Two scans at once each replace the whole file: one of them wins, and no reader sees a half.
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
