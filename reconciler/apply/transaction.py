"""Write several files as one: all of them, or none.

Beside each file lie, while it is written, its old bytes (a second name of the old file where that
can be had) and its new ones. A journal in the project says which files these are. As long as one
file is old, a crash is answered by putting the old ones back; once all are new, by clearing up.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.apply import folders, journal, undo_store
from reconciler.apply.disk import write_file
from reconciler.apply.journal import Entry
from reconciler.apply.project import about, reason, refuse_changed
from reconciler.apply.undo_store import Former
from reconciler.errors import WriteError
from reconciler.model.os_name import from_os, to_os
from reconciler.model.report import Written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.apply.disk import Disk
    from reconciler.apply.journal import Held, Journal
    from reconciler.apply.project import Project
    from reconciler.model.report import FileChange


#: A folder, a device, or more than envfix reads, in a file's place.
_NO_FILE = {errno.EISDIR, errno.EINVAL, errno.EFBIG}


class _State(Enum):
    """What lies where a file is written."""

    OLD = "old"
    NEW = "new"
    #: A person has edited the file since, or it cannot be told.
    OTHER = "other"


class _File(Struct, frozen=True, kw_only=True):
    """An entry of a journal, with where its bytes lie."""

    entry: Entry
    name: str
    target: str
    #: The old bytes, and the new ones until they are at the target.
    old: str
    new: str

    @property
    def folder(self) -> str:
        """The folder that all three lie in."""
        return os.path.dirname(self.target)


def run(  # noqa: PLR0913 - what is written, by name
    changes: Mapping[str, FileChange],
    project: Project,
    held: Held,
    *,
    undoes: str | None = None,
    made: Sequence[str] = (),
    emptied: Sequence[str] = (),
) -> Written:
    """Write files, given by their real paths, under a journal that is held; raises WriteError.

    The folders ``made`` come before them, and those that are ``emptied`` go after them, if they then
    are empty.
    """
    content = journal.new(
        [_entry(path, change, project) for path, change in changes.items()],
        undoes,
        made=made,
        emptied=emptied,
    )
    files = _files(content, project)
    try:
        with about(project.folder):
            journal.save(held, content, project)
            folders.make(content.made, project)
        for file in files:
            with about(file.name):
                _prepare(file, changes[file.target], project.disk)
        with about(project.folder):
            _sync_folders(files, project.disk)
        for file in files:
            refuse_changed(file.target, changes[file.target], project.disk)
        for file in files:
            with about(file.name):
                _switch(file, project.disk)
        with about(project.folder):
            _sync_folders(files, project.disk)
    except (WriteError, KeyboardInterrupt) as error:
        _put_back_after(error, content, project, held)
        raise
    notes = _finish(content, files, project, held)
    return Written(names=tuple(file.name for file in files), notes=notes)


def heal(project: Project, held: Held) -> Written:
    """Finish, or take back, what a process that died was writing; raises WriteError."""
    with about(held.path, "a write was cut off here; run envfix again, which answers it"):
        content = journal.load(held.path, project.disk)
        files = _files(content, project) if content else ()
        states = [_state(file, project.disk) for file in files]
        if content and _State.NEW in states and _State.OLD not in states:
            said, left = "is now complete", []
            more = _finish(content, files, project, held)
        else:
            said, more = "has been taken back", ()
            left = _put_back(files, project.disk)
            folders.remove(content.made if content else (), project)
            journal.clear(held, project)
    edited = [f.name for f, state in zip(files, states, strict=True) if state is _State.OTHER]
    if not files:
        return Written()
    notes = [f"a write that had been cut off {said}: {', '.join(file.name for file in files)}"]
    notes += [f"{name} has been edited since, and is left as it is" for name in edited]
    notes += [f"{name} is left as envfix wrote it: its old bytes are gone" for name in left]
    names = tuple(file.name for file in files if file.name not in {*edited, *left})
    return Written(names=names, notes=(*notes, *more))


def _entry(path: str, change: FileChange, project: Project) -> Entry:
    return Entry(
        path=from_os(os.path.relpath(path, project.folder)),
        name=from_os(change.name),
        before=digest(change.before),
        after=digest(change.after),
    )


def digest(content: bytes | None) -> str | None:
    """Return the SHA-256 of a file's bytes; None where there is no file."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def _files(content: Journal, project: Project) -> Sequence[_File]:
    return [
        _file(entry, f"{content.token}-{n}", project) for n, entry in enumerate(content.entries)
    ]


def _file(entry: Entry, key: str, project: Project) -> _File:
    target = project.locate(to_os(entry.path))
    if target is None:
        raise WriteError(
            f"{to_os(entry.path)} does not lie in this project, and a write to it was cut off",
            where=project.folder,
            next_step=f"move it back, or remove {journal.NAME} to leave every file as it is",
        )
    beside = os.path.join(os.path.dirname(target), f".envfix-{key}")
    return _File(
        entry=entry,
        name=to_os(entry.name),
        target=target,
        old=f"{beside}.old",
        new=f"{beside}.new",
    )


def _state(file: _File, disk: Disk) -> _State:
    try:
        found = digest(disk.read(file.target))
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        return _State.OTHER
    # As long as its new bytes lie beside it, whatever it holds is not from there.
    if found == file.entry.after and not os.path.lexists(file.new):
        return _State.NEW
    return _State.OLD if found == file.entry.before else _State.OTHER


def _prepare(file: _File, change: FileChange, disk: Disk) -> None:
    """Lay the old and the new bytes beside a file; raises OSError."""
    if change.before is not None:
        try:
            disk.link(file.target, file.old)
        except OSError:  # a file system without second names, or another's file
            write_file(disk, file.old, change.before, like=file.target)
    if change.after is not None and change.before is not None:
        write_file(disk, file.new, change.after, like=file.target)
    elif change.after is not None:
        write_file(disk, file.new, change.after, at_most=0o666, mode=change.mode)


def _switch(file: _File, disk: Disk) -> None:
    if file.entry.after is None:
        disk.remove(file.target)
    else:
        disk.replace(file.new, file.target)


def _put_back_after(
    error: WriteError | KeyboardInterrupt, content: Journal, project: Project, held: Held
) -> None:
    """Put the old files back; raises WriteError where that fails as well."""
    try:
        left = _put_back(_files(content, project), project.disk)
        folders.remove(content.made, project)
        if not left:
            journal.clear(held, project)
            return
        failed = f"the old bytes of {', '.join(left)} are gone"
    except OSError as again:
        failed = reason(again)
    first = error.what if isinstance(error, WriteError) else "interrupted"
    raise WriteError(
        f"{first}; and what had been written could not be taken back: {failed}",
        where=error.where if isinstance(error, WriteError) else project.folder,
        next_step="run envfix again, which takes all of it back, or completes it",
    ) from error


def _put_back(files: Sequence[_File], disk: Disk) -> list[str]:
    """Put old files back, clear up, and return the names that have none; raises OSError."""
    new = [file for file in files if _state(file, disk) is _State.NEW]
    left = [file.name for file in new if digest(disk.read(file.old)) != file.entry.before]
    for file in new:
        if file.entry.before is None:
            disk.remove(file.target)
        elif file.name not in left:
            disk.replace(file.old, file.target)
    _clear_up(files, disk)
    return left


def _clear_up(files: Sequence[_File], disk: Disk) -> None:
    for file in files:
        disk.remove(file.old)
        disk.remove(file.new)
    _sync_folders(files, disk)


def _sync_folders(files: Sequence[_File], disk: Disk) -> None:
    for folder in dict.fromkeys(file.folder for file in files):
        # A folder may be gone when a crash is answered much later.
        with suppress(FileNotFoundError):
            disk.sync_folder(folder)


def _finish(
    content: Journal, files: Sequence[_File], project: Project, held: Held
) -> tuple[str, ...]:
    """Keep the way back, and clear up; return what the user should know of it."""
    notes = []
    try:
        if content.undoes:
            undo_store.drop(project, content.undoes)
        elif not undo_store.holds(project, content.token):
            former = [_former(file, project.disk) for file in files]
            undo_store.push(project, content.token, former, content.made)
    except OSError as error:
        lost = "this state stays the next to be undone" if content.undoes else "it cannot be undone"
        notes.append(f"{lost}: {reason(error)}: {error.filename or undo_store.NAME}")
    try:
        _clear_up(files, project.disk)
        folders.remove(content.emptied, project)
        journal.clear(held, project)
    except OSError as error:
        notes.append(
            f"what envfix laid beside the files is still there ({reason(error)}); the next run removes it"
        )
    return tuple(notes)


def _former(file: _File, disk: Disk) -> Former:
    before = disk.read(file.old)
    if digest(before) != file.entry.before:
        raise FileNotFoundError(errno.ENOENT, "its old bytes are gone", file.name)
    mode = None if before is None else stat.S_IMODE(os.stat(file.old).st_mode)
    return Former(
        path=file.entry.path,
        name=file.entry.name,
        before=before,
        after=file.entry.after,
        mode=mode,
    )
