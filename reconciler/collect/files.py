"""The one way in which a file of an environment is opened: regular, bounded, never executed."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, TypeVar

from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MEGABYTE = 1 << 20
PROC = 1 << 16
# Without O_NONBLOCK, opening a FIFO waits for its writer for ever.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


class UnreadableError(Exception):
    """A file cannot be read; ``str()`` is the reason of a Gap."""


class MissingError(UnreadableError):
    """There is no such file."""


def read(path: str, *, limit: int) -> bytes:
    """Return the bytes of a regular file of at most ``limit`` bytes; raises UnreadableError."""
    handle, size = _open(path)
    try:
        if size > limit:
            raise UnreadableError(f"{size} bytes, more than the {limit} that are read")
        # A file of /proc says that it is empty.
        return os.read(handle, size or PROC) if size < MEGABYTE else _read_whole(handle)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    finally:
        os.close(handle)


def read_head(path: str, *, end: bytes, limit: int) -> bytes:
    """Return a file up to its first ``end``; raises UnreadableError if none comes within ``limit``."""
    handle, size = _open(path)
    try:
        head = os.read(handle, 1 << 13)
        found = head.find(end)
        while found < 0 and len(head) < min(size, limit):
            more = os.read(handle, 1 << 18)
            if not more:
                break
            head += more
            found = head.find(end)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    finally:
        os.close(handle)
    if found < 0 and len(head) >= limit:
        raise UnreadableError(f"no end of its head within {limit} bytes")
    return head if found < 0 else head[:found]


def with_pread(path: str, use: Callable[[Callable[[int, int], bytes]], T]) -> T:
    """Return ``use(pread)`` of an open regular file, where ``pread`` takes offset and size."""
    handle, size = _open(path)

    def pread(offset: int, count: int) -> bytes:
        # A hostile header may name any offset: beyond the file there is nothing.
        return _pread(handle, min(count, size), offset) if 0 <= offset < size else b""

    try:
        return use(pread)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    finally:
        os.close(handle)


if sys.platform == "win32":

    def _pread(handle: int, count: int, offset: int) -> bytes:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.read(handle, count)

else:
    _pread = os.pread


def exists(path: str) -> bool:
    """Tell whether something that can be opened may be there: no open, no exception."""
    try:
        return os.access(to_os(path), os.F_OK)
    except ValueError:
        return False


def size_of(path: str) -> tuple[int | None, bool]:
    """Return a file's size, None where nothing is there, and whether it is a link."""
    try:
        status = os.lstat(to_os(path))
        is_link = stat.S_ISLNK(status.st_mode)
        return (os.stat(to_os(path)) if is_link else status).st_size, is_link
    except (FileNotFoundError, NotADirectoryError):
        return None, False
    except (OSError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from error


def sha256(path: str) -> str | None:
    """Return the hash of a regular file, in hexadecimal; None where it cannot be read."""
    import hashlib  # noqa: PLC0415 - takes 3 ms, and few environments have a file to hash

    try:
        handle, _ = _open(path)
        with os.fdopen(handle, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (UnreadableError, OSError):
        return None


def names(directory: str) -> tuple[str, ...]:
    """Return the names in a directory, sorted, as a Snapshot stores them; raises UnreadableError."""
    try:
        return tuple(sorted(from_os(name) for name in os.listdir(to_os(directory))))
    except FileNotFoundError as error:
        raise MissingError("no such directory") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from error


def _open(path: str) -> tuple[int, int]:
    try:
        handle = os.open(to_os(path), _FLAGS)
    except FileNotFoundError as error:
        raise MissingError("no such file") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or str(error)) from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise UnreadableError("not a regular file")
    return handle, status.st_size


def _read_whole(handle: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as file:
        return file.read()
