"""The way back is kept in the user's home; without one, the files are written all the same."""

from __future__ import annotations

import errno
import os
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from apply.disks import WatchedDisk
from apply.scene import (
    FIRST,
    NEW,
    Scene,
    change,
    mode,
    write,
)

from reconciler import apply
from reconciler.errors import WriteError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_states_that_are_kept_are_the_user_s_alone(made: Scene) -> None:
    made.commit(FIRST, NEW)

    kept = list(made.state.rglob("*.json"))
    assert len(kept) == 1
    assert mode(kept[0]) == 0o600
    assert mode(kept[0].parent) == 0o700


def test_no_more_states_are_kept_than_twenty(file: Path) -> None:
    raw = [b"%d" % number for number in range(27)]
    file.write_bytes(raw[0])
    for before, after in pairwise(raw):
        write(file, before, after)
    state = file.parent.parent / "state"

    for _ in range(20):
        apply.undo(str(file.parent), state=str(state))

    with pytest.raises(WriteError, match="nothing that envfix wrote"):
        apply.undo(str(file.parent), state=str(state))
    assert file.read_bytes() == raw[6]


@pytest.mark.parametrize("call", ["make_folder", "names", "create", "write", "sync", "replace"])
def test_where_no_state_can_be_kept_the_files_are_written_and_it_is_said(
    made: Scene, call: str
) -> None:
    class HomeFails(WatchedDisk):
        def before(self, name: str, _: tuple[object, ...]) -> None:
            if name == call and ("names" in self.calls):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    written = made.commit(FIRST, NEW, HomeFails())

    assert made.files() == NEW
    assert made.litter() == set()
    assert [note.partition(":")[0] for note in written.notes] == ["it cannot be undone"]


def test_a_home_that_is_not_there_is_said_and_not_made(
    made: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    files = [change(made.project / name, FIRST[name], NEW[name]) for name in NEW]

    written = apply.commit(files, str(made.project))

    assert made.files() == NEW
    assert f"there is no home folder {tmp_path / 'nobody'}" in written.notes[0]
    assert not (tmp_path / "nobody").exists()


def test_the_way_back_is_kept_in_the_user_s_state_directory(
    made: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    files = [change(made.project / name, FIRST[name], NEW[name]) for name in NEW]

    apply.commit(files, str(made.project))

    assert len(list((tmp_path / "xdg").rglob("*.json"))) == 1
    apply.undo(str(made.project))
    assert made.files() == FIRST
