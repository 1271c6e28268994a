"""What envfix does not write is left as it was, and one line says why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from apply.scene import (
    AFTER,
    BEFORE,
    FIRST,
    NEW,
    Scene,
    change,
    commit,
    content,
    mode,
    refusal,
)

if TYPE_CHECKING:
    from reconciler.errors import WriteError
    from reconciler.model.report import FileChange

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def refused(*changes: FileChange, project: Path) -> WriteError:
    """The error of a commit that leaves nothing behind."""
    there = sorted(path.name for path in project.iterdir())
    error = refusal(commit, list(changes), project)
    assert error is not None
    assert sorted(path.name for path in project.iterdir()) == there
    assert "\n" not in str(error)
    return error


@pytest.mark.parametrize("through", ["file", "folder"])
def test_no_link_leads_out_of_the_project(file: Path, tmp_path: Path, through: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "environment.yml").write_bytes(BEFORE)
    file.unlink()
    if through == "file":
        file.symlink_to(outside / "environment.yml")
    else:
        (file.parent / "sub").symlink_to(outside)
    path = file if through == "file" else file.parent / "sub" / "environment.yml"

    error = refused(change(path, BEFORE, AFTER), project=file.parent)

    assert "outside of the project" in str(error)
    assert ("a link to" in str(error)) == (through == "file")
    assert content(outside / "environment.yml") == BEFORE


def test_a_file_beside_the_project_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "project-b").mkdir()
    (tmp_path / "project-b" / "a.txt").write_bytes(BEFORE)

    error = refused(change(tmp_path / "project-b" / "a.txt", BEFORE, AFTER), project=file.parent)

    assert "lies outside of the project" in str(error)


def test_a_ring_of_links_is_refused(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)

    refused(change(file, BEFORE, AFTER), project=file.parent)


def test_a_file_that_was_changed_since_is_refused_and_no_other_is_written(made: Scene) -> None:
    (made.project / "requirements.txt").write_bytes(b"edited")
    (made.project / "removed.txt").write_bytes(b"edited too")

    error = refusal(made.commit, FIRST, NEW)

    assert error is not None
    assert error.where == "requirements.txt, removed.txt"
    assert made.files() == {
        **FIRST,
        "requirements.txt": b"edited",
        "removed.txt": b"edited too",
    }
    assert made.litter() == set()


def test_a_file_that_is_gone_is_refused(file: Path) -> None:
    file.unlink()

    error = refused(change(file, BEFORE, AFTER), project=file.parent)

    assert "not what it was" in str(error)


def test_a_file_that_was_made_meanwhile_is_refused(file: Path) -> None:
    error = refused(change(file, None, AFTER), project=file.parent)

    assert "not what it was" in str(error)
    assert file.read_bytes() == BEFORE


def test_a_folder_that_is_not_there_is_an_error(file: Path) -> None:
    refused(change(file.parent / "sub" / "a.txt", None, AFTER), project=file.parent)


@pytest.mark.parametrize("before", [None, BEFORE])
def test_a_folder_in_place_of_the_file_is_refused(file: Path, before: bytes | None) -> None:
    file.unlink()
    file.mkdir()

    error = refused(change(file, before, AFTER), project=file.parent)

    assert str(error).startswith("environment.yml: Is a directory; every file is as it was")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_in_place_of_the_file_is_refused(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)

    assert "Not a regular file" in str(refused(change(file, BEFORE, AFTER), project=file.parent))


def test_a_file_of_endless_size_is_refused(file: Path) -> None:
    os.truncate(file, 1 << 40)

    assert "too large" in str(refused(change(file, BEFORE, AFTER), project=file.parent))


@pytest.mark.parametrize("bits", [0o400, 0o444, 0o555], ids=oct)
def test_a_read_only_file_is_refused_even_for_an_administrator(file: Path, bits: int) -> None:
    file.chmod(bits)

    error = refused(change(file, BEFORE, AFTER), project=file.parent)

    assert "read-only" in str(error)
    assert (file.read_bytes(), mode(file)) == (BEFORE, bits)


def test_a_file_with_hard_links_is_refused(file: Path) -> None:
    os.link(file, file.with_name("twin.yml"))

    error = refused(change(file, BEFORE, AFTER), project=file.parent)

    assert "2 names" in str(error)
    assert file.read_bytes() == BEFORE


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="of POSIX's permissions")
@pytest.mark.parametrize("target", ["file", "folder"])
def test_what_the_user_may_not_write_is_left_as_it_was(target: str) -> None:
    # Not below pytest's folder, which is the administrator's own.
    folder = Path(tempfile.mkdtemp())
    try:
        project = folder / "project"
        project.mkdir()
        file = project / "environment.yml"
        file.write_bytes(BEFORE)
        folder.chmod(0o755)
        file.chmod(0o644 if target == "file" and AS_ROOT else 0o444 if target == "file" else 0o666)
        project.chmod(0o777 if target == "file" else 0o555)

        said = _as_nobody(file)

        assert "read-only" in said if target == "file" else "Permission denied" in said
        assert file.read_bytes() == BEFORE
        assert os.listdir(project) == ["environment.yml"]
    finally:
        (folder / "project").chmod(0o777)
        shutil.rmtree(folder)


def _as_nobody(file: Path) -> str:
    """What a commit says to a user who has no rights."""
    code = (
        "import os, sys\n"
        "from reconciler import apply\n"
        "from reconciler.errors import WriteError\n"
        "from reconciler.model.report import FileChange\n"
        f"change = FileChange(path={str(file)!r}, name='f', before={BEFORE!r}, after={AFTER!r})\n"
        "import platform; platform.node()\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"try: apply.commit([change], {str(file.parent)!r}, state='/nowhere')\n"
        "except WriteError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1
    return done.stdout


def test_two_names_of_one_file_with_two_changes_are_refused(file: Path) -> None:
    link = file.with_name("env.yml")
    link.symlink_to(file.name)
    changes = [change(file, BEFORE, AFTER), change(link, BEFORE, b"other")]

    assert "the same file" in str(refused(*changes, project=file.parent))


def test_a_project_that_is_no_folder_is_an_error(file: Path) -> None:
    error = refusal(commit, [change(file, BEFORE, AFTER)], file)

    assert "not a folder" in str(error)
