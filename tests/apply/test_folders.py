"""Folders come and go with the files in them: wherever a write stops, all is old or all is new."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from apply.disks import DyingDisk, FailingDisk

from reconciler import apply
from reconciler.errors import WriteError
from reconciler.model.report import FileChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MADE = ("etc", "etc/conda", "etc/conda/activate.d", "etc/envfix")
NAMES = ("etc/conda/activate.d/a.sh", "etc/envfix/hooks.json")
#: The fewest points that each has, so that a test which tries none does not pass.
LEAST = 30


def change(project: Path, name: str, before: bytes | None, after: bytes | None) -> FileChange:
    return FileChange(path=str(project / name), name=name, before=before, after=after)


def make(project: Path, disk: apply.Disk = apply.DISK) -> None:
    changes = [change(project, name, None, b"new\n") for name in NAMES]
    apply.commit(
        changes, str(project), makes_folders=True, state=str(project.parent / "state"), disk=disk
    )


def take_away(project: Path, disk: apply.Disk = apply.DISK) -> None:
    changes = [change(project, name, b"new\n", None) for name in NAMES]
    state = str(project.parent / "state")
    apply.commit(changes, str(project), emptied=MADE, state=state, disk=disk)


def undo(project: Path, disk: apply.Disk = apply.DISK) -> None:
    apply.undo(str(project), state=str(project.parent / "state"), disk=disk)


def tree(project: Path) -> list[str]:
    return sorted(str(path.relative_to(project)) for path in project.rglob("*"))


NONE: list[str] = []
ALL = sorted((*MADE, *NAMES))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(tmp_path)
    folder = Path(memory) / f"envfix-{os.getpid()}-{tmp_path.name}" / "project"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder.parent)


def test_a_project_s_folder_is_not_made_unless_that_is_asked_for(project: Path) -> None:
    with pytest.raises(WriteError):
        apply.commit([change(project, "no/a.txt", None, b"x")], str(project))
    assert tree(project) == NONE


def test_each_way_leads_back(project: Path) -> None:
    make(project)
    assert tree(project) == ALL
    take_away(project)
    assert tree(project) == NONE
    undo(project)
    assert tree(project) == ALL
    undo(project)
    assert tree(project) == NONE


def test_a_folder_in_which_something_else_lies_stays(project: Path) -> None:
    make(project)
    (project / "etc/conda/own").write_text("mine")
    take_away(project)
    assert tree(project) == ["etc", "etc/conda", "etc/conda/own"]


def again(project: Path, before: Callable[..., None]) -> None:
    """Make the project anew, as it is before the action of a test."""
    shutil.rmtree(project.parent)
    project.mkdir(parents=True)
    before(project)


@pytest.mark.parametrize(
    ("before", "action"), [(lambda _: None, make), (make, take_away), (make, undo)]
)
def test_a_disk_that_fails_anywhere_leaves_every_folder_as_it_was(
    project: Path, before: Callable[..., None], action: Callable[..., None]
) -> None:
    for point in count():
        again(project, before)
        disk = FailingDisk(errno.EIO, point)
        with suppress(WriteError):
            action(project, disk)
        # What could not be cleared away is cleared away by the next run.
        apply.recover(str(project), state=str(project.parent / "state"))
        assert tree(project) in (NONE, ALL), disk.failed
        if not disk.failed:
            break
    assert point > LEAST


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process dies in a fork of this one")
@pytest.mark.parametrize(
    ("before", "action"), [(lambda _: None, make), (make, take_away), (make, undo)]
)
def test_a_process_that_dies_anywhere_leaves_what_the_next_run_makes_whole(
    project: Path, before: Callable[..., None], action: Callable[..., None]
) -> None:
    for point in count():
        again(project, before)
        child = os.fork()
        if not child:
            action(project, DyingDisk(point))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        apply.recover(str(project), state=str(project.parent / "state"))
        assert tree(project) in (NONE, ALL), point
        if not status:
            break
    assert point > LEAST


def test_a_folder_that_cannot_be_removed_for_another_reason_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        apply.DISK.remove_part(f"{tmp_path}/.")
