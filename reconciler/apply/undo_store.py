"""The states that can be brought back: a stack for each project, in the user's state directory."""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.apply.disk import write_file
from reconciler.errors import WriteError
from reconciler.model.os_name import from_os

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.apply.project import Project

VERSION = 1
#: How many states of a project are kept.
KEPT = 20
NAME = "the states that can be undone"
_SUFFIX = ".json"


class Former(Struct, frozen=True, kw_only=True):
    """A file as it was before it was written."""

    #: Its real place, relative to the project.
    path: str
    name: str
    before: bytes | None
    #: SHA-256 of what was written; None where the file was removed.
    after: str | None
    #: Its permissions; None where it was not there.
    mode: int | None


class Record(Struct, frozen=True, kw_only=True):
    """The files that one commit wrote, as they were before."""

    version: int
    #: For a person who looks: the name of the folder is a hash of it.
    project: str
    files: tuple[Former, ...]
    #: The folders that were made for them, relative to the project, the outer ones first.
    folders: tuple[str, ...] = ()


def push(
    project: Project, token: str, files: Sequence[Former], folders: Sequence[str] = ()
) -> None:
    """Keep a state on top of the others; raises OSError."""
    folder, disk = _folder(project), project.disk
    disk.make_folder(folder)
    kept = _records(project)
    record = Record(
        version=VERSION,
        project=from_os(project.folder),
        files=tuple(files),
        folders=tuple(folders),
    )
    number = int(kept[-1].partition("-")[0]) + 1 if kept else 1
    temporary = os.path.join(folder, f".{token}.new")
    # A process that died here may have left it.
    disk.remove(temporary)
    try:
        write_file(disk, temporary, msgspec.json.encode(record))
        disk.replace(temporary, os.path.join(folder, f"{number:08}-{token}{_SUFFIX}"))
    except OSError:
        with suppress(OSError):
            disk.remove(temporary)
        raise
    disk.sync_folder(folder)
    # One that cannot be removed now is tried again after the next commit.
    with suppress(OSError):
        for name in kept[: max(0, len(kept) + 1 - KEPT)]:
            disk.remove(os.path.join(folder, name))


def holds(project: Project, token: str) -> bool:
    """Tell whether the state before a write is kept; raises OSError."""
    return any(name.endswith(f"-{token}{_SUFFIX}") for name in _records(project))


def last(project: Project) -> tuple[str, Record] | None:
    """Return the state on top, with the name that ``drop`` takes; raises WriteError, OSError."""
    names = _records(project)
    if not names:
        return None
    path = os.path.join(_folder(project), names[-1])
    try:
        record = msgspec.json.decode(project.disk.read(path) or b"", type=Record)
    except (msgspec.DecodeError, RecursionError) as error:
        raise WriteError(
            f"not a state that envfix can bring back: {error}",
            where=path,
            next_step="remove it to go back to the one before",
        ) from error
    return names[-1], record


def drop(project: Project, name: str) -> None:
    """Forget a state that has been brought back; raises OSError."""
    folder = _folder(project)
    project.disk.remove(os.path.join(folder, name))
    project.disk.sync_folder(folder)


def _records(project: Project) -> Sequence[str]:
    names = project.disk.names(_folder(project))
    return [name for name in names if name.endswith(_SUFFIX) and name[:8].isdigit()]


def _folder(project: Project) -> str:
    """Return where a project's states lie; raises OSError where the user has no home."""
    key = hashlib.sha256(os.fsencode(project.folder)).hexdigest()[:32]
    return os.path.join(project.state or _state_directory(), "undo", key)


def _state_directory() -> str:
    from platformdirs import user_state_dir  # noqa: PLC0415 - only where files are written

    home = os.path.expanduser("~")
    path = user_state_dir("envfix", appauthor=False)
    # An administrator could make the home that a service or a container lacks.
    if not os.path.isabs(path) or (path.startswith(home) and not os.path.isdir(home)):
        raise FileNotFoundError(errno.ENOENT, f"there is no home folder {home}")
    return path
