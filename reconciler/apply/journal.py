"""The journal of a write: a file in the project that is its lock, and what a crash leaves behind.

It is there while files are written, and says which. Whoever holds its lock writes; one that nobody
holds is of a process that has died.
"""

from __future__ import annotations

import errno
import os
import platform
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from reconciler.apply.disk import write_all
from reconciler.apply.project import AGAIN, about
from reconciler.errors import WriteError
from reconciler.model.os_name import from_os

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.apply.disk import Disk
    from reconciler.apply.project import Project

NAME = ".envfix-journal"
VERSION = 1
_HELD_BY_ANOTHER = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES}
# Lustre is often mounted without locks, NFS at times.
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}
_TRIES = 10

# A journal may come with a project of strangers: what it names becomes a part of paths.
Token = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
RecordName = Annotated[str, Meta(pattern=r"\A[0-9]{8}-[0-9a-f]{16}\.json\Z")]


class Entry(Struct, frozen=True, kw_only=True):
    """One file that is written."""

    #: Its real place, relative to the project.
    path: str
    name: str
    #: SHA-256 of the bytes; None where there is no file.
    before: str | None
    after: str | None


class Journal(Struct, frozen=True, kw_only=True):
    """What is written together."""

    version: int
    token: Token
    #: Who writes, for file systems without locks.
    pid: int
    host: str
    entries: tuple[Entry, ...]
    #: The folders that are made for them, and those that are removed behind them if nothing is
    #: left in them: their real places, relative to the project, the outer ones first.
    made: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    #: The state that is brought back, and is then no more to be kept; None: this makes one.
    undoes: RecordName | None = None


class _Version(Struct, frozen=True):
    version: int


class Held(Struct, frozen=True, kw_only=True):
    """A journal that this process alone may write."""

    path: str
    descriptor: int


@contextmanager
def held(project: Project) -> Iterator[Held]:
    """Hold the journal of a project, making it if it is not there; raises WriteError.

    It is removed at the end, unless it still says that something is to be done.
    """
    with about(project.folder):
        journal = _acquire(project)
    try:
        yield journal
    finally:
        _release(journal, project)


def new(
    entries: Sequence[Entry],
    undoes: str | None,
    *,
    made: Sequence[str] = (),
    emptied: Sequence[str] = (),
) -> Journal:
    """Return what is written now, under a name that no other write has."""
    return Journal(
        version=VERSION,
        token=os.urandom(8).hex(),
        pid=os.getpid(),
        host=_host(),
        entries=tuple(entries),
        made=tuple(made),
        emptied=tuple(emptied),
        undoes=undoes,
    )


def is_pending(project: Project) -> bool:
    """Tell whether there is a journal: files are being written, or a crash left it."""
    return os.path.lexists(os.path.join(project.folder, NAME))


def load(path: str, disk: Disk) -> Journal | None:
    """Return what a journal says; None where nothing was done yet. Raises WriteError, OSError."""
    raw = disk.read(path) or b""
    try:
        version = msgspec.json.decode(raw, type=_Version).version
        if version == VERSION:
            return msgspec.json.decode(raw, type=Journal)
        what = f"a journal of another envfix (version {version})"
    except (msgspec.ValidationError, RecursionError):
        what = "not a journal of envfix"
    except msgspec.DecodeError:
        # It was cut off while it was written, which comes before all else.
        return None
    raise WriteError(what, where=path, next_step="look at it; nothing is written while it is there")


def save(journal: Held, content: Journal, project: Project) -> None:
    """Write what will be done, so that it is on the disk before anything is; raises OSError."""
    write_all(project.disk, journal.descriptor, msgspec.json.encode(content))
    project.disk.sync_folder(project.folder)


def clear(journal: Held, project: Project) -> None:
    """Have the journal say that nothing is to be done; raises OSError."""
    project.disk.empty(journal.descriptor)


def _host() -> str:
    return from_os(platform.node())


def _acquire(project: Project) -> Held:
    disk, path = project.disk, os.path.join(project.folder, NAME)
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):  # another process was faster to remove it
            descriptor, is_new = disk.open_lock(path)
            try:
                _lock(disk, path, descriptor, is_new=is_new)
            except (OSError, WriteError):
                disk.close(descriptor)
                raise
            if disk.is_at(descriptor, path):
                return Held(path=path, descriptor=descriptor)
            disk.close(descriptor)
    raise _busy(path, None)


def _lock(disk: Disk, path: str, descriptor: int, *, is_new: bool) -> None:
    try:
        disk.lock(descriptor)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            raise _busy(path, load(path, disk)) from error
        if error.errno not in _NO_LOCKS:
            if is_new:
                disk.remove(path)
            raise
        if not is_new:
            _refuse_running(disk, path)


def _refuse_running(disk: Disk, path: str) -> None:
    """Where there are no locks: refuse a journal unless its process is known to have died."""
    journal = load(path, disk)
    if journal is None or journal.host != _host() or disk.is_running(journal.pid):
        raise _busy(path, journal)


def _busy(path: str, journal: Journal | None) -> WriteError:
    who = f" (process {journal.pid} on {journal.host})" if journal else ""
    return WriteError(
        f"another envfix{who} is writing here",
        where=os.path.dirname(path),
        next_step=f"{AGAIN} when it has ended; if none is running on any machine, remove {path}",
    )


def _release(journal: Held, project: Project) -> None:
    disk = project.disk
    # What cannot be removed is empty, and the next run takes it as its own.
    with suppress(OSError):
        done = disk.is_empty(journal.descriptor)
        if disk.is_windows:
            disk.close(journal.descriptor)
        if done:
            disk.remove(journal.path)
            disk.sync_folder(project.folder)
    # Only now: its lock keeps others from a journal that is about to go.
    if not disk.is_windows:
        with suppress(OSError):
            disk.close(journal.descriptor)
