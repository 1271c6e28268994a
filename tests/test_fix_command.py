"""``envfix fix`` and ``envfix check --fix``: what is shown, what is written, and the way back."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from apply.scene import cut_off_before_clearing_up
from click.testing import CliRunner, Result
from collect.trees import conda_prefix, dist_info, write

from reconciler import pipeline
from reconciler.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = "name: x\r\nchannels: [conda-forge]\r\ndependencies:\r\n  - python=3.11\r\n"
EXPORTED = f"{HEALTHY}prefix: /home/ann/x\r\n"
#: CUDA 11 and 12 in one file, of which nobody but its author knows which is meant.
UNSURE = "nvidia-cudnn-cu11==8.9.2.26\ntorch==2.3.1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is the working directory, with a file that has a safe fix."""
    folder = tmp_path / "project"
    write(folder, {"environment.yml": EXPORTED, ".git/HEAD": ""})
    monkeypatch.chdir(folder)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(os.fspath, arguments)])


def fix(*arguments: str | Path) -> Result:
    return run("fix", "--no-env", "--no-host", *arguments)


def read(project: Path, name: str = "environment.yml") -> str:
    return (project / name).read_bytes().decode()


@pytest.mark.parametrize("arguments", [[], ["--diff"]])
def test_what_would_be_written_is_shown_and_not_written(
    project: Path, arguments: list[str]
) -> None:
    done = fix(*arguments)

    assert done.exit_code == 1
    assert done.stdout.startswith("--- a/environment.yml\n+++ b/environment.yml\n")
    assert b"-prefix: /home/ann/x\r\n" in done.stdout_bytes
    assert done.stdout.endswith("which closes 1 finding: `envfix fix --write`\n")
    assert read(project) == EXPORTED


def test_the_diff_is_one_that_git_applies(project: Path) -> None:
    diff = fix("-q").stdout_bytes

    subprocess.run(["git", "apply", "-"], input=diff, cwd=project, check=True)

    assert read(project) == HEALTHY


def test_it_is_written_and_taken_back(project: Path) -> None:
    done = fix("--write")

    assert (done.exit_code, read(project)) == (0, HEALTHY)
    assert done.stdout.startswith("What was done\n- Drop `prefix:` (safe).\n")
    assert done.stdout.endswith(
        "Written: environment.yml (1 finding closed); `envfix undo` takes it back\n"
    )
    assert fix("--write").stdout == "Nothing found, no file to change\n"
    assert run("undo").exit_code == 0
    assert read(project) == EXPORTED


def test_quietly_only_the_names_of_what_was_written_are_told(project: Path) -> None:
    assert fix("--write", "-q").stdout == "environment.yml\n"
    assert read(project) == HEALTHY


def test_a_project_elsewhere_is_mended_where_it_lies(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)

    assert fix("--write", "project").exit_code == 0
    assert read(project) == HEALTHY


def test_all_files_of_a_project_are_mended(project: Path) -> None:
    write(project, {"sub/environment.yml": EXPORTED})

    assert fix("--write", "-q").stdout == "environment.yml\nsub/environment.yml\n"
    assert read(project, "sub/environment.yml") == HEALTHY


def test_what_may_not_be_meant_is_written_only_when_it_is_asked_for(project: Path) -> None:
    write(project, {"environment.yml": HEALTHY, "requirements.txt": UNSURE})

    only = ("--select", "CUD201")
    safe, shown, done = (
        fix(*only),
        fix(*only, "--unsafe-fixes"),
        fix(*only, "--unsafe-fixes", "--write"),
    )

    assert (safe.exit_code, shown.exit_code, done.exit_code) == (0, 1, 0)
    assert safe.stdout.endswith("No file to change (1 more with --unsafe-fixes)\n")
    assert shown.stdout.endswith("`envfix fix --write --unsafe-fixes`\n")
    assert "nvidia-cudnn-cu11" not in read(project, "requirements.txt")


def test_what_is_left_counts_once_it_is_written(project: Path) -> None:
    write(project, {"requirements.txt": UNSURE})

    done = fix("--write", "--select", "CUD201,DEC712")

    assert (done.exit_code, read(project)) == (1, HEALTHY)
    assert fix("--write", "--select", "CUD201", "--fail-on", "never").exit_code == 0


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(project: Path) -> None:
    write(project, {"sub/environment.yml": EXPORTED})
    (project / "sub/environment.yml").chmod(0o444)

    done = fix("--write")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("envfix: sub/environment.yml: the file is read-only; ")
    assert read(project) == EXPORTED


def test_what_a_crash_left_is_answered_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cut_off_before_clearing_up(tmp_path / "cut-off")
    monkeypatch.setenv("XDG_STATE_HOME", str(made.state))

    done = fix("--write", made.project)

    assert done.exit_code == 0
    assert done.stderr.startswith("envfix: a write that had been cut off is now complete: ")


def test_a_snapshot_is_mended_on_paper_alone(project: Path) -> None:
    taken = pipeline.look_at_files(str(project), ["environment.yml"])
    saved = write(project.parent, {"saved.json": pipeline.save_snapshot(taken)}) / "saved.json"

    assert run("fix", "--snapshot", saved).exit_code == 1
    assert run("check", "--snapshot", saved, "--fix", "--diff").exit_code == 1
    assert read(project) == EXPORTED


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fix", "--write", "--diff"], "give one of --diff and --write"),
        (["fix", "--write", "--snapshot", "x"], "it goes with no --write"),
        (["check", "--fix", "--snapshot", "x"], "it goes with --diff alone"),
        (["fix", "--format", "json"], "No such option"),
    ],
)
def test_a_wrong_use_is_told_in_one_line(arguments: list[str], said: str) -> None:
    done = run(*arguments)

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_the_commands_for_an_environment_are_written_as_a_script(project: Path) -> None:
    prefix = conda_prefix(project.parent / "prefix")
    dist_info(prefix, "cupy_cuda12x", "12.3.0", INSTALLER="pip\n", RECORD="")
    script = project.parent / "mend.sh"

    done = run("fix", "-p", prefix, "--no-host", "--script", script)

    assert done.exit_code == 1
    assert script.read_text().startswith("#!/bin/sh\n# Written by envfix ")
    subprocess.run(["sh", "-n", script], check=True)


def test_check_writes_at_once_and_tells_what_is_left(project: Path) -> None:
    write(project, {"requirements.txt": UNSURE})

    done = run("check", "--fix", "environment.yml", "requirements.txt", "--select", "CUD201,DEC712")

    assert (done.exit_code, read(project)) == (1, HEALTHY)
    first, blank, second, *_ = done.stdout.splitlines()
    assert first == "environment.yml:5:1: mended DEC712: drop `prefix:`"
    assert (blank, second[:36]) == ("", "requirements.txt:1:1: error CUD201 c")


def test_check_writes_no_file_that_was_not_named(project: Path) -> None:
    write(project, {"a.txt": "-r base.txt\n", "base.txt": UNSURE})

    done = run("check", "--fix", "--unsafe-fixes", "a.txt", "--select", "CUD201")

    assert read(project, "base.txt") == UNSURE
    assert done.exit_code in {0, 1}


def test_check_shows_with_diff_alone(project: Path) -> None:
    done = run("check", "--fix", "--diff", "environment.yml")

    assert (done.exit_code, read(project)) == (1, EXPORTED)
    assert done.stdout.endswith("`envfix check --fix`\n")
    assert run("check", "--diff", "environment.yml").stdout == done.stdout


def test_programs_are_told_what_is_left_and_nothing_else(project: Path) -> None:
    done = run("check", "--fix", "environment.yml", "--format", "json")

    assert done.stdout.startswith("{")
    assert read(project) == HEALTHY


def test_a_healthy_file_is_all_clear(project: Path) -> None:
    write(project, {"environment.yml": HEALTHY})

    assert run("check", "--fix", "environment.yml").stdout == "All clear: 1 file\n"


@pytest.mark.usefixtures("project")
def test_a_report_says_what_can_be_mended_and_how() -> None:
    checked = run("check", "environment.yml").stdout
    scanned = run("scan", "--no-env", "--no-host").stdout

    assert "  fix     drop `prefix:` (safe: `envfix check --fix`).\n" in checked
    assert checked.endswith("1 info in 1 file\n1 fixable with `envfix check --fix`\n")
    assert "  fix     drop `prefix:` (safe: `envfix fix --write`).\n" in scanned
    assert scanned.endswith("1 fixable with `envfix fix --write`\n")


def test_a_report_counts_what_may_not_be_meant_apart(project: Path) -> None:
    write(project, {"requirements.txt": UNSURE})
    both = ("--select", "CUD201,DEC712")

    mixed = run("check", "environment.yml", "requirements.txt", *both).stdout
    unsure = run("check", "requirements.txt", *both).stdout

    assert mixed.endswith("1 fixable with `envfix check --fix`, 1 more with --unsafe-fixes\n")
    assert unsure.endswith("1 fixable with `envfix check --fix --unsafe-fixes`\n")
    assert "(if that is what you mean: `envfix check --fix --unsafe-fixes`)" in " ".join(
        unsure.split()
    )
