"""Whatever stops a write, and wherever: every file is wholly old or wholly new, and then all are."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from apply.crash import ACTIONS, HOW
from apply.disks import FailingDisk
from apply.scene import FIRST, NEW, OLD, Scene, refusal, written_once, written_twice

from reconciler.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The fewest points that an action has: so that a test which tries none does not pass.
LEAST = {"commit": 60, "undo": 55, "take-back": 25, "complete": 25}
ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: nothing here asks whether a true fsync works."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as path:
        yield Path(path)


def is_whole(made: Scene) -> bool:
    return all(raw in {OLD[name], NEW[name]} for name, raw in made.files().items())


def assert_consistent(made: Scene) -> None:
    """All files are old or all are new, nothing else lies there, and the way back is right."""
    files = made.files()
    assert files in (OLD, NEW)
    assert made.litter() == set()
    if files == NEW:
        made.undo()
        assert made.files() == OLD
    made.undo()
    assert made.files() == FIRST
    assert made.litter() == set()
    error = refusal(made.undo)
    assert error is not None
    assert "nothing" in str(error)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process dies in a fork of this one")
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_process_that_dies_anywhere_leaves_what_the_next_run_makes_whole(
    action: str, how: str, folder: Path
) -> None:
    driver = Path(__file__).with_name("crash.py")
    ran = subprocess.run(
        [sys.executable, driver, action, how, folder], check=True, capture_output=True, text=True
    )
    points = int(ran.stdout)

    assert points >= LEAST[action]
    for at in range(points):
        made = Scene(folder / str(at) / "project", folder / str(at) / "state")
        assert is_whole(made), at
        made.recover()
        assert_consistent(made)


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("action", ["commit", "undo"])
def test_a_disk_that_fails_anywhere_leaves_every_file_as_it_was(
    action: str, error: int, *, for_ever: bool, folder: Path
) -> None:
    points = _fail_at_every_point(action, error, for_ever=for_ever, folder=folder)

    assert points >= LEAST[action]


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("action", ["take-back", "complete"])
def test_a_disk_that_fails_while_a_crash_is_answered_leaves_it_to_the_next_run(
    action: str, error: int, *, for_ever: bool, folder: Path
) -> None:
    prepare, recover = ACTIONS[action]
    for at in count():
        made = prepare(folder / str(at))
        disk = FailingDisk(error, at, for_ever=for_ever)
        refused = refusal(recover, made, disk)
        assert is_whole(made)
        assert refused is None or "\n" not in str(refused)
        if not disk.failed:
            break
        made.recover()
        assert made.files() == (OLD if action == "take-back" else NEW)
        assert made.litter() == set()

    assert at >= LEAST[action]


def _fail_at_every_point(action: str, error: int, *, for_ever: bool, folder: Path) -> int:
    prepare, act, before, after = {
        "commit": (written_once, lambda made, disk: made.commit(OLD, NEW, disk), OLD, NEW),
        "undo": (written_twice, lambda made, disk: made.undo(disk), NEW, OLD),
    }[action]
    for at in count():
        made = prepare(folder / str(at))
        disk = FailingDisk(error, at, for_ever=for_ever)
        try:
            notes = act(made, disk).notes
        except WriteError as refused:
            _assert_refused(made, refused, before)
        else:
            assert made.files() == after, at
            _assert_said(made, notes)
        if not disk.failed:
            return at
    raise AssertionError


def _assert_refused(made: Scene, refused: WriteError, before: object) -> None:
    assert "\n" not in str(refused)
    assert is_whole(made)
    if "could not be taken back" not in str(refused):
        assert made.files() == before
        assert not made.litter() - {".envfix-journal"}
        made.recover()
        assert made.files() == before
    made.recover()
    assert_consistent(made)


def _assert_said(made: Scene, notes: tuple[str, ...]) -> None:
    """What did not go wholly well was said, and is mended by the next run."""
    assert (
        not made.litter()
        or any("still there" in n for n in notes)
        or made.litter() == {".envfix-journal"}
    )
    made.recover()
    assert made.litter() == set()
    if not any("undone" in note for note in notes):
        assert_consistent(made)
