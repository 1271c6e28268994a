"""What writes the user's files: all of them or none, with a way back.

Everything that is written goes through ``commit``; a command that may write calls ``recover``
before it reads, which answers a crash of an earlier run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply import folders, journal, undo_store
from reconciler.apply.disk import DISK, Disk
from reconciler.apply.project import Project, about, open_project, targets
from reconciler.apply.transaction import digest, heal, run
from reconciler.errors import WriteError
from reconciler.model.os_name import to_os
from reconciler.model.report import FileChange, Written

__all__ = ["Disk", "commit", "recover", "undo"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.apply.undo_store import Record


def commit(  # noqa: PLR0913 - what is written, by name
    changes: Sequence[FileChange],
    project: str,
    *,
    makes_folders: bool = False,
    emptied: Sequence[str] = (),
    state: str | None = None,
    disk: Disk = DISK,
) -> Written:
    """Write all of the files, or none; raises WriteError.

    With ``makes_folders``, the folders that are needed are made. Those that are ``emptied``, relative
    to the project and the outer ones first, are removed if nothing is left in them.
    ``state`` is where the way back is kept, if not in the user's state directory. Where it cannot
    be kept, the files are written all the same, and a note says so.
    """
    opened = open_project(project, state, disk)
    if not changes:
        return Written()
    with journal.held(opened) as held:
        healed = heal(opened, held)
        wanted = targets(changes, opened)
        made = folders.missing(wanted, opened) if makes_folders else ()
        written = run(wanted, opened, held, made=made, emptied=emptied) if wanted else Written()
    return Written(names=written.names, notes=healed.notes + written.notes)


def recover(project: str, *, state: str | None = None, disk: Disk = DISK) -> Written:
    """Finish, or take back, a write that was cut off by a crash; raises WriteError."""
    opened = open_project(project, state, disk)
    if not journal.is_pending(opened):
        return Written()
    with journal.held(opened) as held:
        return heal(opened, held)


def undo(project: str, *, state: str | None = None, disk: Disk = DISK) -> Written:
    """Bring the files back that the last commit wrote, byte for byte; raises WriteError."""
    opened = open_project(project, state, disk)
    with journal.held(opened) as held:
        healed = heal(opened, held)
        with about(undo_store.NAME, "give it a home folder, or bring the files back by hand"):
            kept = undo_store.last(opened)
        if kept is None:
            raise WriteError(
                "there is nothing that envfix wrote here and could take back",
                where=project,
                next_step="name the project's folder, if it is another",
            )
        name, record = kept
        wanted = targets(_changes_back(record, opened), opened)
        made = folders.missing(wanted, opened)
        written = run(wanted, opened, held, undoes=name, made=made, emptied=record.folders)
    already = () if written.names else ("the files were already as they had been",)
    return Written(names=written.names, notes=healed.notes + already + written.notes)


def _changes_back(record: Record, project: Project) -> Sequence[FileChange]:
    """Return what leads from the files as envfix wrote them to those before; raises WriteError."""
    changes, edited = [], []
    for former in record.files:
        path, name = project.locate(to_os(former.path)), to_os(former.name)
        with about(name):
            found = project.disk.read(path) if path else None
        # What has been brought back by other means, as with git, is no edit.
        if path is None or (found != former.before and digest(found) != former.after):
            edited.append(name)
        else:
            changes.append(
                FileChange(
                    path=path, name=name, before=found, after=former.before, mode=former.mode
                )
            )
    if edited:
        raise WriteError(
            "edited since envfix wrote it; nothing was brought back",
            where=", ".join(edited),
            next_step="take that edit back first, or change the file by hand",
        )
    return changes
