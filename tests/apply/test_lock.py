"""Two processes at once do not get between each other, and a dead one holds up nobody."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from apply.disks import FailingDisk, WatchedDisk
from apply.scene import NEW, OLD, Scene, cut_off_between_two_files, refusal, written_once

from reconciler.apply import disk as machine
from reconciler.apply import journal

if TYPE_CHECKING:
    from pathlib import Path

WRITERS, TRIES = 4, 25
#: Counts to a file, each step a commit, until another process has it.
COUNT = """
import sys
from reconciler import apply
from reconciler.errors import WriteError
from reconciler.model.report import FileChange

project, state, tries = sys.argv[1], sys.argv[2], int(sys.argv[3])
path, done = project + "/count.txt", 0
for _ in range(tries):
    with open(path, "rb") as file:
        before = file.read()
    change = FileChange(path=path, name="count.txt", before=before, after=b"%d" % (int(before) + 1))
    try:
        apply.commit([change], project, state=state)
    except WriteError as error:
        assert "is writing here" in str(error) or "not what it was" in str(error), error
    else:
        done += 1
print(done)
"""
#: Dies with the lock in its hand.
DIES = """
import os, signal, sys
from reconciler.apply import journal
from reconciler.apply.disk import DISK
from reconciler.apply.project import open_project

with journal.held(open_project(sys.argv[1], None, DISK)):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return written_once(tmp_path)


class WithoutLocks(WatchedDisk):
    """A file system that keeps no locks, as Lustre often does."""

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == "lock":
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


class AnotherStarts(WatchedDisk):
    """Another process starts to write, at a call of this one."""

    def __init__(self, scene: Scene, at: str) -> None:
        super().__init__()
        self.scene, self.at = scene, at
        self.errors: list[str] = []

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == self.at and self.calls.count(call) == 1:
            self.errors.append(str(refusal(self.scene.commit, OLD, {"made.txt": b"other"})))


def test_many_processes_at_once_lose_no_step_and_leave_nothing(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "count.txt").write_bytes(b"0")
    arguments = [sys.executable, "-c", COUNT, project, tmp_path / "state", str(TRIES)]
    writers = [subprocess.Popen(arguments, stdout=subprocess.PIPE) for _ in range(WRITERS)]

    steps = [int(writer.communicate(timeout=120)[0]) for writer in writers]

    assert int((project / "count.txt").read_bytes()) == sum(steps) > 0
    assert os.listdir(project) == ["count.txt"]


@pytest.mark.parametrize("at", ["link", "replace", "make_folder"])
def test_a_second_process_is_refused_with_the_name_of_the_first(made: Scene, at: str) -> None:
    disk = AnotherStarts(made, at)

    made.commit(OLD, NEW, disk)

    assert f"another envfix (process {os.getpid()} on" in disk.errors[0]
    assert made.files() == NEW
    assert made.litter() == set()


def test_a_second_process_is_refused_before_the_journal_is_written(made: Scene) -> None:
    disk = AnotherStarts(made, "read")

    made.commit(OLD, NEW, disk)

    assert "another envfix is writing here" in disk.errors[0]
    assert made.files() == NEW


class GoneMeanwhile(WatchedDisk):
    """The process that had the journal removes it while this one waits to lock it."""

    def __init__(self, scene: Scene, times: int) -> None:
        super().__init__()
        self.path, self.times = scene.project / journal.NAME, times

    def before(self, call: str, _: tuple[object, ...]) -> None:
        if call == "lock" and self.calls.count("lock") <= self.times:
            self.path.unlink()


def test_a_journal_that_goes_while_it_is_taken_is_made_again(made: Scene) -> None:
    disk = GoneMeanwhile(made, 3)

    made.commit(OLD, NEW, disk)

    assert disk.calls.count("lock") == 4
    assert made.files() == NEW


def test_a_journal_that_always_goes_is_another_s(made: Scene) -> None:
    assert "is writing here" in str(refusal(made.commit, OLD, NEW, GoneMeanwhile(made, 99)))
    assert made.files() == OLD


def test_a_lock_that_fails_leaves_no_journal(made: Scene) -> None:
    error = refusal(made.commit, OLD, NEW, FailingDisk(errno.EIO, 0, only="lock"))

    assert "Input/output error" in str(error)
    assert made.litter() == set()


def test_a_lock_that_fails_on_what_a_crash_left_leaves_it_there(tmp_path: Path) -> None:
    made = cut_off_between_two_files(tmp_path)

    assert refusal(made.recover, FailingDisk(errno.EIO, 0, only="lock"))
    made.recover()
    assert made.files() == OLD


def test_a_file_system_without_locks_will_do(made: Scene) -> None:
    made.commit(OLD, NEW, WithoutLocks())

    assert made.files() == NEW
    assert made.litter() == set()


def test_without_locks_a_process_that_has_died_is_answered(tmp_path: Path) -> None:
    made = cut_off_between_two_files(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = made.project / journal.NAME
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "pid": ended.pid}))

    made.recover(WithoutLocks())

    assert made.files() == OLD
    assert made.litter() == set()


@pytest.mark.parametrize(
    "field",
    [{"pid": os.getpid()}, {"host": "another"}, {"pid": 1}],
    ids=["this process", "of another machine", "of another user"],
)
def test_without_locks_a_process_that_may_run_is_not_disturbed(
    tmp_path: Path, field: dict[str, object]
) -> None:
    made = cut_off_between_two_files(tmp_path)
    path = made.project / journal.NAME
    content = {**json.loads(path.read_bytes()), **field}
    path.write_text(json.dumps(content))

    error = refusal(made.recover, WithoutLocks())

    assert f"(process {content['pid']} on {content['host']})" in str(error)
    assert f"remove {path}" in str(error)


def test_without_locks_a_journal_that_is_just_being_made_is_another_s(made: Scene) -> None:
    (made.project / journal.NAME).touch()

    assert "is writing here" in str(refusal(made.commit, OLD, NEW, WithoutLocks()))


def test_a_process_of_another_user_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_: int, __: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "kill", kill)

    assert machine.DISK.is_running(1)


@pytest.mark.skipif(sys.platform == "win32", reason="of POSIX's signals")
def test_a_lock_ends_with_its_process(made: Scene) -> None:
    ran = subprocess.run([sys.executable, "-c", DIES, made.project], check=False)

    assert ran.returncode == -signal.SIGKILL
    assert made.litter() == {journal.NAME}
    made.commit(OLD, NEW)
    assert made.litter() == set()
