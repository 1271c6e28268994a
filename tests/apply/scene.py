"""A project whose files are written together: one changed, one linked, one made, one removed."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path  # noqa: TC003 - the tuple's fields are read at run time
from typing import TYPE_CHECKING, NamedTuple

from apply.disks import WatchedDisk

from reconciler import apply
from reconciler.errors import WriteError
from reconciler.model.report import FileChange, Written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.apply import Disk

Files = dict[str, bytes | None]
FIRST: Files = {
    "env/environment.yml": b"name: first\n",
    "requirements.txt": b"\xff\xfet\x00\r\x00\n\x00",
    "made.txt": None,
    "removed.txt": b"",
}
OLD: Files = {**FIRST, "env/environment.yml": b"name: x  # kept\r\ndependencies: [a]"}
NEW: Files = {
    "env/environment.yml": b"name: x  # kept\r\ndependencies: [b]",
    "requirements.txt": b"\xff\xfet\x00o\x00\r\x00\n\x00",
    "made.txt": b"new\n" * 1000,
    "removed.txt": None,
}
#: The one file of a small project, before and after.
BEFORE, AFTER = b"name: a", b"name: b"


class Scene(NamedTuple):
    """A project and where its former states are kept."""

    project: Path
    state: Path

    def commit(self, before: Files, after: Files, disk: Disk = apply.DISK) -> Written:
        changes = [change(self.project / name, before[name], after[name], name) for name in after]
        return apply.commit(changes, str(self.project), state=str(self.state), disk=disk)

    def undo(self, disk: Disk = apply.DISK) -> Written:
        return apply.undo(str(self.project), state=str(self.state), disk=disk)

    def recover(self, disk: Disk = apply.DISK) -> Written:
        return apply.recover(str(self.project), state=str(self.state), disk=disk)

    def files(self) -> Files:
        """What the four files hold."""
        return {name: content(self.project / name) for name in FIRST}

    def litter(self) -> set[str]:
        """What lies in the project, and is none of its files."""
        found = {str(p.relative_to(self.project)) for p in self.project.rglob("*")}
        return found - {*FIRST, "env"}


def change(
    path: Path, before: bytes | None, after: bytes | None, name: str | None = None
) -> FileChange:
    return FileChange(path=str(path), name=name or path.name, before=before, after=after)


def write(file: Path, before: bytes | None = BEFORE, after: bytes | None = AFTER) -> Written:
    """Write one file of a project."""
    return commit([change(file, before, after)], file.parent)


def commit(changes: list[FileChange], project: Path) -> Written:
    return apply.commit(changes, str(project), state=str(project.parent / "state"))


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def scene(folder: Path) -> Scene:
    """A project of the files as they were first."""
    made = Scene(folder / "project", folder / "state")
    (made.project / "env").mkdir(parents=True)
    lay(made.project, FIRST)
    return made


def written_once(folder: Path) -> Scene:
    """A project of the old files, which lead back to the first ones."""
    made = scene(folder)
    made.commit(FIRST, OLD)
    return made


def written_twice(folder: Path) -> Scene:
    """A project of the new files, which lead back to the old ones, and to the first."""
    made = written_once(folder)
    made.commit(OLD, NEW)
    return made


class _Died(BaseException):
    """What nothing answers, as nothing answers the end of a process."""


class _DiesAt(WatchedDisk):
    """Ends all at the n-th call of one kind."""

    def __init__(self, call: str, number: int) -> None:
        super().__init__()
        self.call, self.number = call, number

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == self.call and self.calls.count(call) == self.number:
            raise _Died


def cut_off_between_two_files(folder: Path) -> Scene:
    """A commit of four files that was cut off when one was written."""
    return _cut_off(folder, _DiesAt("replace", 2))


def cut_off_before_clearing_up(folder: Path) -> Scene:
    """A commit of four files that was cut off when all were written."""
    return _cut_off(folder, _DiesAt("names", 1))


def _cut_off(folder: Path, disk: Disk) -> Scene:
    made = written_once(folder)
    with suppress(_Died):
        made.commit(OLD, NEW, disk)
    assert ".envfix-journal" in made.litter()
    return made


def lay(folder: Path, files: Mapping[str, bytes | None]) -> None:
    for name, raw in files.items():
        if raw is not None:
            (folder / name).write_bytes(raw)


def mode(path: Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def refusal(call: object, *arguments: object) -> WriteError | None:
    """The error of a call, None where it had none."""
    try:
        call(*arguments)  # type: ignore[operator]
    except WriteError as error:
        return error
    return None
