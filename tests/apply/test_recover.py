"""What a dead process left is answered, and what a person did since is left alone."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from apply.scene import (
    FIRST,
    NEW,
    OLD,
    Scene,
    change,
    cut_off_before_clearing_up,
    cut_off_between_two_files,
    refusal,
    written_once,
)

from reconciler import apply
from reconciler.model.report import Written

if TYPE_CHECKING:
    from pathlib import Path

ALL = "env/environment.yml, requirements.txt, made.txt, removed.txt"


@pytest.fixture
def between(tmp_path: Path) -> Scene:
    """One file of four is written."""
    return cut_off_between_two_files(tmp_path)


@pytest.fixture
def complete(tmp_path: Path) -> Scene:
    """All files are written, and nothing else is done."""
    return cut_off_before_clearing_up(tmp_path)


def journal(made: Scene) -> Path:
    return made.project / ".envfix-journal"


def altered(made: Scene, **fields: object) -> None:
    path = journal(made)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}))


def test_without_a_crash_there_is_nothing_to_answer(tmp_path: Path) -> None:
    made = written_once(tmp_path)

    assert made.recover() == Written()
    assert made.litter() == set()


def test_half_a_write_is_taken_back(between: Scene) -> None:
    assert between.files() not in (OLD, NEW)

    assert between.recover() == Written(
        names=tuple(NEW), notes=(f"a write that had been cut off has been taken back: {ALL}",)
    )
    assert between.files() == OLD
    assert between.litter() == set()


def test_a_whole_write_is_completed_and_can_be_undone(complete: Scene) -> None:
    assert complete.recover().notes == (f"a write that had been cut off is now complete: {ALL}",)
    assert complete.files() == NEW
    complete.undo()
    assert complete.files() == OLD


def test_a_commit_answers_the_crash_first(between: Scene) -> None:
    written = between.commit(OLD, NEW)

    assert written.names == tuple(NEW)
    assert "taken back" in written.notes[0]
    assert between.files() == NEW


def test_a_commit_of_what_was_read_in_between_is_refused(between: Scene) -> None:
    read = between.files()

    assert "not what it was" in str(refusal(between.commit, read, {**NEW, "made.txt": b"x"}))
    assert between.files() == OLD


def test_an_undo_answers_the_crash_first(complete: Scene) -> None:
    assert "complete" in complete.undo().notes[0]
    assert complete.files() == OLD


def test_a_file_that_was_edited_since_the_crash_is_left_alone(between: Scene) -> None:
    (between.project / "env/environment.yml").write_bytes(b"mine")

    healed = between.recover()

    assert healed.notes[1:] == ("env/environment.yml has been edited since, and is left as it is",)
    assert "env/environment.yml" not in healed.names
    assert between.files() == {**OLD, "env/environment.yml": b"mine"}
    assert between.litter() == set()


def test_a_folder_in_a_file_s_place_is_left_alone(between: Scene) -> None:
    (between.project / "requirements.txt").unlink()
    (between.project / "requirements.txt").mkdir()

    assert "requirements.txt has been edited since" in between.recover().notes[1]
    assert (between.project / "requirements.txt").is_dir()


def test_a_folder_that_is_gone_since_the_crash_is_left_alone(between: Scene) -> None:
    shutil.rmtree(between.project / "env")

    assert "env/environment.yml has been edited since" in between.recover().notes[1]
    assert not journal(between).exists()


def test_an_edit_of_a_file_that_was_complete_does_not_take_the_others_back(complete: Scene) -> None:
    (complete.project / "made.txt").write_bytes(b"mine")

    healed = complete.recover()

    assert "is now complete" in healed.notes[0]
    assert healed.notes[1:] == ("made.txt has been edited since, and is left as it is",)
    assert complete.files() == {**NEW, "made.txt": b"mine"}
    assert str(refusal(complete.undo)).startswith("made.txt: edited since")


def test_where_the_old_bytes_are_gone_the_file_is_left_and_it_is_said(between: Scene) -> None:
    for path in (between.project / "env").glob(".envfix-*.old"):
        path.unlink()

    healed = between.recover()

    assert healed.notes[1:] == (
        "env/environment.yml is left as envfix wrote it: its old bytes are gone",
    )
    assert between.files() == {**OLD, "env/environment.yml": NEW["env/environment.yml"]}


def test_where_the_old_bytes_are_gone_a_complete_write_cannot_be_undone(complete: Scene) -> None:
    for path in complete.project.rglob(".envfix-*.old"):
        path.unlink()

    assert complete.recover().notes[1:] == (
        "it cannot be undone: its old bytes are gone: env/environment.yml",
    )
    assert complete.files() == NEW


@pytest.mark.parametrize("raw", [b"", b'{"version": 1, "tok', b"\0" * 300, b"\xff"])
def test_a_journal_that_was_cut_off_itself_says_that_nothing_was_done(
    tmp_path: Path, raw: bytes
) -> None:
    made = written_once(tmp_path)
    journal(made).write_bytes(raw)

    assert made.recover() == Written()
    assert made.files() == OLD
    assert made.litter() == set()


@pytest.mark.parametrize(
    "raw", [b"[]", b'{"version": 2}', b'{"version": 1}', b'"' + b"x" * 9 + b'"', b"[" * 100_000]
)
def test_a_journal_of_something_else_is_refused_and_kept(tmp_path: Path, raw: bytes) -> None:
    made = written_once(tmp_path)
    journal(made).write_bytes(raw)

    error = refusal(made.recover)

    assert error is not None
    assert error.where == str(journal(made))
    assert journal(made).read_bytes() == raw


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", ".", "link/outside.txt", ""])
def test_a_journal_of_strangers_leads_nowhere_out_of_the_project(
    between: Scene, tmp_path: Path, path: str
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"precious")
    (between.project / "link").symlink_to(tmp_path)
    entries = json.loads(journal(between).read_bytes())["entries"]
    altered(between, entries=[{**entries[0], "path": path}])

    assert "does not lie in this project" in str(refusal(between.recover))
    assert outside.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "field", [{"token": "../../../../x"}, {"token": "0" * 16 + "\n"}, {"undoes": "../../x.json"}]
)
def test_a_journal_of_strangers_names_nothing_else(
    between: Scene, field: dict[str, object]
) -> None:
    altered(between, **field)

    assert "not a journal of envfix" in str(refusal(between.recover))


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_something_else_in_the_place_of_the_journal_is_an_error(tmp_path: Path, kind: str) -> None:
    made = written_once(tmp_path)
    if kind == "folder":
        journal(made).mkdir()
    elif kind == "link":
        journal(made).symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(journal(made))

    assert refusal(made.recover)
    assert refusal(made.commit, OLD, NEW)
    assert made.files() == OLD
    assert not (tmp_path / "elsewhere").exists()


def test_a_write_to_a_file_that_was_edited_and_written_by_hand_is_cleared_up(
    tmp_path: Path,
) -> None:
    made = cut_off_between_two_files(tmp_path)
    for name, raw in FIRST.items():
        if raw is not None:
            (made.project / name).write_bytes(b"mine " + name.encode())

    assert len(made.recover().notes) == 4
    assert made.litter() == set()
    assert (made.project / "removed.txt").read_bytes() == b"mine removed.txt"


def test_after_a_crash_the_files_have_one_name_each(between: Scene) -> None:
    between.recover()

    file = between.project / "requirements.txt"
    assert file.stat().st_nlink == 1
    apply.commit(
        [change(file, OLD["requirements.txt"], b"x")],
        str(between.project),
        state=str(between.state),
    )
