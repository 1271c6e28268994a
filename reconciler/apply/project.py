"""The project that is written to, and which of its files may be written."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.apply.disk import Disk
from reconciler.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.report import FileChange

AGAIN = "run envfix again"
_ROOM = "every file is as it was; make room on the disk and run envfix again"
_A_FILE = "every file is as it was; move away what lies there"
_PERMISSION = "every file is as it was; allow writing there, to the file and its folder"
_NEXT_STEPS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: _PERMISSION,
    errno.EISDIR: _A_FILE,
    errno.EINVAL: _A_FILE,
    errno.EFBIG: _A_FILE,
}
_ELSE = "every file is as it was; see to the disk and run envfix again"


class Project(Struct, frozen=True, kw_only=True):
    """A folder whose files are written together."""

    #: Its real path, through no link.
    folder: str
    #: Where states to go back to are kept; None: in the user's state directory.
    state: str | None
    disk: Disk

    def locate(self, relative: str) -> str | None:
        """Return the path of a file by its real place in the project; None where that is none."""
        path = os.path.normpath(os.path.join(self.folder, relative))
        folder, name = os.path.split(path)
        inside = name and os.path.join(folder, "").startswith(os.path.join(self.folder, ""))
        # A journal may come with a project of strangers: it must not lead out of it.
        return path if inside and os.path.realpath(folder) == folder else None


def open_project(folder: str, state: str | None, disk: Disk) -> Project:
    """Return the project of a folder; raises WriteError."""
    real = os.path.realpath(folder)
    if not os.path.isdir(real):
        raise WriteError("not a folder", where=folder, next_step="name the folder of a project")
    return Project(folder=real, state=state, disk=disk)


@contextmanager
def about(where: str, next_step: str | None = None) -> Iterator[None]:
    """Turn a refusal of the operating system into one line that names the place."""
    try:
        yield
    except OSError as error:
        next_step = next_step or _NEXT_STEPS.get(error.errno or 0, _ELSE)
        raise WriteError(reason(error), where=where, next_step=next_step) from error


def reason(error: OSError) -> str:
    """Return why the operating system refused, in its words."""
    return error.strerror or str(error)


def targets(changes: Iterable[FileChange], project: Project) -> dict[str, FileChange]:
    """Return the file that each change writes, by its path through no link; raises WriteError.

    What changes nothing is left out, but has to be as it was read, too.
    """
    found: dict[str, FileChange] = {}
    for change in changes:
        path = _resolve(change, project)
        twin = found.get(path)
        if twin and (twin.before, twin.after) != (change.before, change.after):
            raise WriteError(
                f"{twin.name} is the same file, with another change",
                where=change.name,
                next_step="name one of the two",
            )
        found.setdefault(path, change)
    _refuse_stale(found, project.disk)
    changed = {path: change for path, change in found.items() if change.before != change.after}
    for path, change in changed.items():
        _refuse_unwritable(path, change)
    return changed


def _resolve(change: FileChange, project: Project) -> str:
    path = os.path.realpath(change.path)
    if path.startswith(os.path.join(project.folder, "")):
        return path
    what = f"a link to {path}, which lies" if os.path.islink(change.path) else f"{path} lies"
    raise WriteError(
        f"{what} outside of the project {project.folder}",
        where=change.name,
        next_step="run envfix in the folder where the file lies",
    )


def _refuse_stale(found: dict[str, FileChange], disk: Disk) -> None:
    stale = []
    for path, change in found.items():
        with about(change.name):
            if disk.read(path) != change.before:
                stale.append(change.name)
    if stale:
        raise WriteError(
            "not what it was when envfix read it; nothing was written",
            where=", ".join(stale),
            next_step=AGAIN,
        )


def refuse_changed(path: str, change: FileChange, disk: Disk) -> None:
    """Refuse a file that is not what it was when it was read; raises WriteError, OSError."""
    _refuse_stale({path: change}, disk)


def _refuse_unwritable(path: str, change: FileChange) -> None:
    if change.before is None:
        return
    with about(change.name):
        found = os.stat(path)
    # An administrator could write it, and the folder's owner could replace it all the same.
    if not found.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(
        path, os.W_OK
    ):
        raise WriteError(
            "the file is read-only",
            where=change.name,
            next_step="allow writing to it and run envfix again",
        )
    if found.st_nlink > 1:
        raise WriteError(
            f"the file has {found.st_nlink} names (hard links), and only this one would change",
            where=change.name,
            next_step="make it a file of its own (copy it, and move the copy over it)",
        )
