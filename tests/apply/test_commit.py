"""Files are written together, and remain what they were but for their bytes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from apply.disks import FailingDisk, WatchedDisk
from apply.scene import (
    AFTER,
    BEFORE,
    FIRST,
    NEW,
    Scene,
    change,
    commit,
    mode,
    write,
)

from reconciler import apply
from reconciler.model.report import FileChange, Written

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_all_files_are_written_and_nothing_else_is_left(made: Scene) -> None:
    written = made.commit(FIRST, NEW)

    assert made.files() == NEW
    assert made.litter() == set()
    assert written == Written(names=tuple(NEW))


def test_no_change_writes_nothing(made: Scene) -> None:
    disk = WatchedDisk()

    assert made.commit({}, {}, disk) == Written()
    assert disk.calls == []


def test_what_is_not_changed_is_not_written(made: Scene) -> None:
    inode = os.stat(made.project / "removed.txt").st_ino

    assert made.commit(FIRST, FIRST) == Written()
    assert os.stat(made.project / "removed.txt").st_ino == inode


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"a",
        b"a\r\nb\r\n",
        b"\xff\xfea\x00",
        b"\xef\xbb\xbfa: 1\n",
        b"\x00\xff\r",
        b"x" * 3_000_000,
    ],
    ids=["empty", "no-newline", "crlf", "utf-16", "bom", "binary", "3-MB"],
)
def test_bytes_are_written_as_they_are(file: Path, raw: bytes) -> None:
    write(file, BEFORE, raw)

    assert file.read_bytes() == raw


@pytest.mark.parametrize("bits", [0o755, 0o600, 0o640, 0o666], ids=oct)
def test_permissions_are_kept(file: Path, bits: int) -> None:
    file.chmod(bits)

    write(file)

    assert (file.read_bytes(), mode(file)) == (AFTER, bits)


@pytest.mark.skipif(not AS_ROOT, reason="only an administrator may give a file away")
def test_the_owner_is_kept(file: Path) -> None:
    os.chown(file, 1234, 2345)
    file.chmod(0o640)

    write(file)

    found = file.stat()
    assert (found.st_uid, found.st_gid, mode(file)) == (1234, 2345, 0o640)


def test_attributes_are_kept(file: Path) -> None:
    try:
        os.setxattr(file, "user.color", b"green")
    except (AttributeError, OSError):
        pytest.skip("this file system keeps no attributes of users")

    write(file)

    assert os.getxattr(file, "user.color") == b"green"


def test_a_new_file_has_the_permissions_that_the_umask_leaves(file: Path) -> None:
    plain = file.with_name("plain")
    plain.touch()
    new = file.with_name("new.txt")

    write(new, None, AFTER)

    assert (new.read_bytes(), mode(new)) == (AFTER, mode(plain))


def test_a_new_file_can_be_executable(file: Path) -> None:
    new = file.with_name("hook.sh")

    commit(
        [FileChange(path=str(new), name="hook.sh", before=None, after=b"", mode=0o755)], file.parent
    )

    assert mode(new) == 0o755


def test_a_link_stays_and_its_target_is_written(file: Path) -> None:
    link = file.with_name("env.yml")
    link.symlink_to(file.name)

    write(link)

    assert os.readlink(link) == file.name
    assert file.read_bytes() == AFTER


def test_a_link_to_a_folder_is_followed_within_the_project(file: Path) -> None:
    (file.parent / "real").mkdir()
    inner = file.parent / "real" / "requirements.txt"
    inner.write_bytes(BEFORE)
    (file.parent / "folder").symlink_to("real")

    commit([change(file.parent / "folder" / "requirements.txt", BEFORE, AFTER)], file.parent)

    assert inner.read_bytes() == AFTER
    assert os.listdir(inner.parent) == ["requirements.txt"]


def test_a_project_may_itself_be_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("project")

    commit([change(tmp_path / "link" / file.name, BEFORE, AFTER)], tmp_path / "link")

    assert file.read_bytes() == AFTER


def test_two_names_of_one_file_are_written_once(file: Path) -> None:
    link = file.with_name("env.yml")
    link.symlink_to(file.name)

    written = commit([change(path, BEFORE, AFTER) for path in (file, link)], file.parent)

    assert written.names == ("environment.yml",)
    assert file.read_bytes() == AFTER


def test_a_file_system_without_hard_links_will_do(made: Scene) -> None:
    disk = FailingDisk(errno.EPERM, 0, for_ever=True, only="link")

    made.commit(FIRST, NEW, disk)

    assert len(disk.failed) == 3
    assert made.files() == NEW
    made.undo()
    assert made.files() == FIRST


def test_names_that_are_not_utf_8_are_written_and_undone(file: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(file.parent) + b"/caf\xe9.txt"))
    try:
        odd.write_bytes(BEFORE)
    except OSError:
        pytest.skip("this file system takes no such name")

    assert write(odd).names == (odd.name,)
    assert odd.read_bytes() == AFTER
    undone = apply.undo(str(file.parent), state=str(file.parent.parent / "state"))
    assert undone.names == (odd.name,)
    assert odd.read_bytes() == BEFORE


def test_windows_syncs_no_folder_and_closes_what_it_removes(made: Scene) -> None:
    class Windows(WatchedDisk):
        is_windows = True

    disk = Windows()
    made.commit(FIRST, NEW, disk)

    assert disk.calls[-3:] == ["close", "remove", "sync_folder"]
    assert made.files() == NEW
    assert made.litter() == set()
    assert disk.is_running(2**22 + 1)
