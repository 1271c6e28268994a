"""What happens in the midst of a write: a person, Ctrl-C, a disk that fails."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from apply.disks import FailingDisk, WatchedDisk
from apply.scene import (
    FIRST,
    NEW,
    OLD,
    Scene,
    mode,
    refusal,
)

if TYPE_CHECKING:
    from pathlib import Path


class EditedMeanwhile(WatchedDisk):
    """A person saves a file while the new bytes are prepared."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == "dress":
            self.file.unlink()
            self.file.write_bytes(b"edited")


@pytest.mark.parametrize("name", ["requirements.txt", "env/environment.yml"])
def test_an_edit_in_the_last_moment_is_not_overwritten(made: Scene, name: str) -> None:
    edited = EditedMeanwhile(made.project / name)

    error = refusal(made.commit, FIRST, NEW, edited)

    assert error is not None
    assert error.where == name
    assert made.files() == {**FIRST, name: b"edited"}
    assert made.litter() == set()


class NowWhatWasWanted(EditedMeanwhile):
    """A person makes by hand what was to be written."""

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == "sync_folder" and "dress" in self.calls and "replace" not in self.calls:
            self.file.unlink()
            self.file.write_bytes(NEW[self.file.name] or b"")


def test_an_edit_that_is_the_change_itself_is_not_taken_back(made: Scene) -> None:
    assert refusal(made.commit, FIRST, NEW, NowWhatWasWanted(made.project / "requirements.txt"))

    assert made.files() == {**FIRST, "requirements.txt": NEW["requirements.txt"]}
    assert made.litter() == set()


class Interrupted(WatchedDisk):
    """The user presses Ctrl-C when one file is written; the disk may then fail as well."""

    def __init__(self, *, then_fails: bool) -> None:
        super().__init__()
        self.then_fails = then_fails

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == "replace" and self.calls.count("replace") == 2:
            raise KeyboardInterrupt
        if call == "replace" and self.calls.count("replace") > 2 and self.then_fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_ctrl_c_takes_back_what_was_written(made: Scene) -> None:
    with pytest.raises(KeyboardInterrupt):
        made.commit(FIRST, NEW, Interrupted(then_fails=False))

    assert made.files() == FIRST
    assert made.litter() == set()


def test_ctrl_c_on_a_disk_that_fails_is_answered_by_the_next_run(made: Scene) -> None:
    error = refusal(made.commit, FIRST, NEW, Interrupted(then_fails=True))

    assert "interrupted; and what had been written could not be taken back" in str(error)
    made.recover()
    assert made.files() == FIRST
    assert made.litter() == set()


def test_old_bytes_that_someone_removed_meanwhile_are_missed_in_words(made: Scene) -> None:
    class OthersClearUp(WatchedDisk):
        def before(self, call: str, _: tuple[object, ...]) -> None:
            if call == "replace" and self.calls.count("replace") == 2:
                for path in made.project.rglob(".envfix-*.old"):
                    path.unlink()
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    error = refusal(made.commit, FIRST, NEW, OthersClearUp())

    assert "the old bytes of env/environment.yml are gone" in str(error)


def test_old_bytes_that_were_copied_are_put_back_with_their_permissions(made: Scene) -> None:
    class Disk(FailingDisk):
        def before(self, call: str, arguments: tuple[object, ...]) -> None:
            super().before(call, arguments)
            if call == "replace" and str(arguments[1]).endswith("made.txt"):
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    (made.project / "requirements.txt").chmod(0o640)

    error = refusal(made.commit, FIRST, NEW, Disk(errno.EPERM, 0, for_ever=True, only="link"))

    assert str(error).startswith("made.txt: Input/output error; every file is as it was")
    assert made.files() == FIRST
    assert mode(made.project / "requirements.txt") == 0o640


def test_a_full_disk_is_said_with_what_to_do(made: Scene) -> None:
    error = refusal(made.commit, FIRST, NEW, FailingDisk(errno.ENOSPC, 1, only="write"))

    assert str(error) == (
        "env/environment.yml: No space left on device; every file is as it was;"
        " make room on the disk and run envfix again"
    )
    assert made.files() == FIRST


def test_what_cannot_be_cleared_up_is_said_and_removed_by_the_next_run(made: Scene) -> None:
    class StaysThere(WatchedDisk):
        def before(self, call: str, arguments: tuple[object, ...]) -> None:
            if call == "remove" and str(arguments[0]).endswith(".old"):
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    written = made.commit(FIRST, OLD, StaysThere())

    assert "still there" in written.notes[0]
    assert made.litter()
    assert made.recover().notes == (
        "a write that had been cut off is now complete: env/environment.yml",
    )
    assert made.litter() == set()
    made.undo()
    assert made.files() == FIRST
