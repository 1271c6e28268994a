"""What was written is brought back byte for byte, state by state, unless it was edited."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from apply.disks import WatchedDisk
from apply.scene import FIRST, NEW, OLD, Scene, mode, refusal, written_twice

from reconciler.model.report import Written

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    """A project that was written twice."""
    return written_twice(tmp_path)


def test_the_last_state_is_brought_back_and_then_the_one_before(made: Scene) -> None:
    assert made.undo() == Written(names=tuple(NEW))
    assert made.files() == OLD
    assert made.undo().names == ("env/environment.yml",)
    assert made.files() == FIRST
    assert made.litter() == set()


def test_with_nothing_written_there_is_nothing_to_undo(made: Scene) -> None:
    made.undo()
    made.undo()

    assert "nothing that envfix wrote" in str(refusal(made.undo))
    assert made.litter() == set()


def test_after_an_undo_another_commit_is_undone_first(made: Scene) -> None:
    made.undo()
    made.commit(OLD, {"made.txt": b"other"})

    assert made.undo().names == ("made.txt",)
    assert made.undo().names == ("env/environment.yml",)
    assert made.files() == FIRST


def test_a_removed_file_comes_back_with_its_permissions(made: Scene) -> None:
    made.undo()
    (made.project / "removed.txt").chmod(0o750)
    made.commit(OLD, NEW)

    made.undo()

    assert mode(made.project / "removed.txt") == 0o750


@pytest.mark.parametrize("edited", ["env/environment.yml", "made.txt"])
def test_a_file_that_was_edited_since_is_named_and_no_other_is_brought_back(
    made: Scene, edited: str
) -> None:
    (made.project / edited).write_bytes(b"mine")

    error = refusal(made.undo)

    assert error is not None
    assert error.where == edited
    assert made.files() == {**NEW, edited: b"mine"}
    assert made.litter() == set()


def test_a_file_that_was_removed_since_is_named(made: Scene) -> None:
    (made.project / "requirements.txt").unlink()

    assert str(refusal(made.undo)).startswith("requirements.txt: edited since")


def test_a_file_that_was_made_again_since_is_named(made: Scene) -> None:
    (made.project / "removed.txt").write_bytes(b"again")

    assert str(refusal(made.undo)).startswith("removed.txt: edited since")


def test_a_folder_in_place_of_a_file_is_an_error(made: Scene) -> None:
    (made.project / "requirements.txt").unlink()
    (made.project / "requirements.txt").mkdir()

    assert "requirements.txt: Is a directory" in str(refusal(made.undo))


def test_a_folder_that_has_become_a_link_is_not_followed(made: Scene, tmp_path: Path) -> None:
    (made.project / "env").rename(tmp_path / "moved")
    (made.project / "env").symlink_to(tmp_path / "moved")

    assert str(refusal(made.undo)).startswith("env/environment.yml: edited since")
    assert (tmp_path / "moved" / "environment.yml").read_bytes() == NEW["env/environment.yml"]


def test_what_was_brought_back_by_other_means_is_no_edit(made: Scene) -> None:
    (made.project / "made.txt").unlink()

    assert made.undo().names == ("env/environment.yml", "requirements.txt", "removed.txt")
    assert made.files() == OLD


def test_where_all_was_brought_back_by_other_means_the_state_is_done_with(made: Scene) -> None:
    for name, raw in OLD.items():
        (made.project / name).unlink(missing_ok=True)
        if raw is not None:
            (made.project / name).write_bytes(raw)

    assert made.undo() == Written(notes=("the files were already as they had been",))
    made.undo()
    assert made.files() == FIRST


def test_a_state_that_cannot_be_read_is_named(made: Scene) -> None:
    kept = sorted(made.state.rglob("*.json"))
    kept[-1].write_bytes(b"{}")

    error = refusal(made.undo)

    assert error is not None
    assert error.where == str(kept[-1])
    kept[-1].unlink()
    assert str(refusal(made.undo)).startswith("env/environment.yml: edited since")


def test_a_home_that_cannot_be_read_is_said(made: Scene) -> None:
    class NoHome(WatchedDisk):
        def before(self, call: str, _: tuple[object, ...]) -> None:
            if call == "names":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    assert "Permission denied" in str(refusal(made.undo, NoHome()))
    assert made.files() == NEW
    assert made.litter() == set()


def test_a_state_that_cannot_be_dropped_is_said(made: Scene) -> None:
    class HomeIsReadOnly(WatchedDisk):
        def before(self, call: str, arguments: tuple[object, ...]) -> None:
            if call == "remove" and str(arguments[0]).endswith(".json"):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    written = made.undo(HomeIsReadOnly())

    assert made.files() == OLD
    assert "this state stays the next to be undone" in written.notes[0]
    assert made.undo().notes == ("the files were already as they had been",)


def test_two_projects_have_their_own_states(made: Scene, tmp_path: Path) -> None:
    other = written_twice(tmp_path / "other")._replace(state=made.state)

    assert "nothing that envfix wrote" in str(refusal(other.undo))
    made.undo()
    assert made.files() == OLD
