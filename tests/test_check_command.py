"""``envfix check``: declared files alone, those of a folder, the settings, every format."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import jsonschema
import pytest
from click.testing import CliRunner, Result
from collect.trees import write

from reconciler import pipeline
from reconciler.cli import cli
from reconciler.output import json as json_output

if TYPE_CHECKING:
    from pathlib import Path

MIXED = """\
name: gpu
channels: [conda-forge]
dependencies:
  - python=3.11
  - cudatoolkit=11.8
  - pip
  - pip:
      - torch==2.1.2+cu121
      - --extra-index-url https://download.pytorch.org/whl/cu121
"""
HEALTHY = "name: x\nchannels: [conda-forge]\ndependencies: [python=3.11]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that is the working directory, with a file of each kind."""
    write(tmp_path, {"environment.yml": MIXED, "healthy.yml": HEALTHY, "compose.yml": "a: 1\n"})
    write(tmp_path, {".git/HEAD": ""})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str | Path) -> Result:
    only = ("--select", "CUD201,DEC725")
    return CliRunner().invoke(cli, ["check", *map(os.fspath, arguments), *only])


def last(done: Result) -> str:
    """Return the summary; what could be mended is told below it."""
    return [line for line in done.stdout.splitlines() if "fixable with" not in line][-1]


def report(*arguments: str | Path) -> dict[str, object]:
    whole: dict[str, object] = json.loads(check(*arguments, "--format", "json").stdout)
    jsonschema.validate(whole, json_output.schema())
    return whole


@pytest.mark.usefixtures("project")
def test_a_finding_begins_with_its_place() -> None:
    done = check("environment.yml")

    assert done.exit_code == 1
    assert done.stdout.startswith("environment.yml:5:5: error CUD201 cuda-majors-mixed\n")
    assert last(done) == "1 error in 1 file"


@pytest.mark.usefixtures("project")
def test_a_healthy_file_is_all_clear() -> None:
    done = check("healthy.yml")

    assert (done.exit_code, done.stdout) == (0, "All clear: 1 file\n")


@pytest.mark.usefixtures("project")
def test_a_file_of_another_kind_is_left_alone() -> None:
    done = check("healthy.yml", "compose.yml", "--strict")

    assert (done.exit_code, last(done)) == (0, "All clear: 1 file (1 file left alone)")
    assert check("compose.yml").stdout == "Nothing to judge (1 file left alone)\n"
    assert "left alone  compose.yml: it does not declare" in check("compose.yml", "-v").stdout


def test_a_file_that_cannot_be_read_is_said(project: Path) -> None:
    (project / "requirements.txt").symlink_to("requirements.txt")

    done = check("requirements.txt", "healthy.yml")

    assert done.exit_code == 0
    assert "not seen    manifests: requirements.txt: Too many levels of symbolic" in done.stdout
    assert last(done) == "All clear: 1 file (1 not seen)"
    assert check("requirements.txt", "--strict").exit_code == 1


def test_findings_come_in_the_order_of_the_files(project: Path) -> None:
    write(project, {"a.yml": MIXED})

    done = check("healthy.yml", "environment.yml", "a.yml")

    heads = re.findall(r"^(\S+):\d+:\d+:", done.stdout, re.MULTILINE)
    assert heads == ["environment.yml", "a.yml"]
    assert last(done) == "2 errors in 3 files"


def test_a_folder_is_searched(project: Path) -> None:
    write(project, {"sub/a/environment.yml": MIXED, "sub/compose.yml": "a: 1\n"})

    done = check("sub")

    assert done.stdout.startswith("sub/a/environment.yml:5:5: ")
    assert last(done) == "1 error in 1 file"
    assert check("./sub/", "sub/a/environment.yml").stdout == done.stdout


def test_a_folder_without_any_has_nothing_to_judge(project: Path) -> None:
    write(project, {"empty/compose.yml": "a: 1\n"})

    done = check("empty")

    assert (done.exit_code, done.stdout) == (0, "Nothing to judge (1 file left alone)\n")


def test_a_path_within_the_project_is_shown_as_such(project: Path) -> None:
    assert check(project / "environment.yml").stdout.startswith("environment.yml:5:5: ")
    assert check("./environment.yml").stdout.startswith("environment.yml:5:5: ")


def test_a_path_outside_of_the_project_is_shown_whole(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"sub/x": ""})
    monkeypatch.chdir(project / "sub")

    assert check("../environment.yml").stdout.startswith(f"{project}/environment.yml:5:5: ")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yml"], "nowhere.yml: no such file; give files that exist"),
        (["environment.yml", "--platform", "linux64"], "the nearest is linux-64"),
        (["environment.yml", "--cuda", "12"], "'12' is not X.Y, none or auto"),
        (["environment.yml", "--snapshot", "x"], "give the files to judge, or a --snapshot"),
        ([], "give the files to judge, or a --snapshot"),
        (["environment.yml", "--report", "pdf=x"], "not FORMAT=FILE (text, html, json"),
    ],
)
def test_a_wrong_use_is_told_in_one_line(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["check", *arguments])

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_mistaken_settings_are_told_in_one_line(project: Path) -> None:
    write(project, {"envfix.toml": "selects = []\n"})

    done = check("environment.yml")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"envfix: {project}/envfix.toml:1: `selects` is no setting of envfix;"
        " `select` is the nearest\n"
    )


@pytest.mark.parametrize(
    ("settings", "options", "code"),
    [
        ("fail-on = 'never'\n", [], 0),
        ("fail-on = 'never'\n", ["--fail-on", "error"], 1),
        ("fail-on = 'error'\n", [], 1),
    ],
)
def test_options_win_over_settings(
    project: Path, settings: str, options: list[str], code: int
) -> None:
    write(project, {"envfix.toml": settings})

    assert check("environment.yml", *options).exit_code == code


def test_the_platform_and_the_cuda_of_the_settings_are_meant(project: Path) -> None:
    write(project, {"envfix.toml": "platforms = ['win-64']\ncuda = 'none'\n"})

    meant = report("environment.yml")["target"]
    said = report("environment.yml", "--platform", "linux-64", "--cuda", "12.4")["target"]

    assert isinstance(meant, dict)
    assert isinstance(said, dict)
    assert (meant["platforms"], meant["platform"], meant["cuda"]) == (["win-64"], "win-64", "none")
    assert (said["platforms"], said["platform"], said["cuda"]) == (["linux-64"], "linux-64", "12.4")


def test_what_is_ignored_is_counted_and_told_with_its_reason(project: Path) -> None:
    text = MIXED.replace("=11.8\n", "=11.8  # envfix: ignore[CUD201] only its ptxas is used\n")
    write(project, {"environment.yml": text})

    assert last(check("environment.yml")) == "All clear: 1 file (1 finding ignored)"
    told = " ".join(check("environment.yml", "-v").stdout.split())
    assert "ignored CUD201 environment.yml:5:5: only its ptxas is used (environment.yml:5:" in told
    (ignored,) = report("environment.yml")["ignored"]  # type: ignore[misc]  # of a JSON
    assert ignored["reason"] == "only its ptxas is used"
    assert ignored["finding"]["code"] == "CUD201"


def test_what_companions_ignore_is_not_counted(project: Path) -> None:
    text = "torch==2.1.2+cu121\nnvidia-cuda-runtime-cu11==11.8.89  # envfix: ignore[CUD201] x\n"
    write(project, {"requirements.txt": "-r sub/base.txt\n", "sub/base.txt": text})

    assert last(check("requirements.txt")) == "All clear: 1 file"


@pytest.mark.usefixtures("project")
def test_every_format_can_be_written_in_one_run() -> None:
    forms = ("text", "html", "json", "github", "sarif")
    done = check("environment.yml", *(f"--report={form}={form}.out" for form in forms), "-q")

    assert done.stdout.startswith("environment.yml:5:5: CUD201 ")
    for form in forms:
        with open(f"{form}.out", encoding="utf-8") as file:
            assert "CUD201" in file.read()
    assert check("environment.yml", "--format", "github").stdout.startswith(
        "::error file=environment.yml,line=5,col=5,title=CUD201 "
    )


@pytest.mark.usefixtures("project")
def test_the_json_says_what_was_asked_about() -> None:
    target = report("environment.yml", "compose.yml")["target"]

    assert isinstance(target, dict)
    assert (target["kind"], target["prefix"]) == ("none", None)
    assert target["files"] == ["environment.yml", "compose.yml"]
    assert target["left_alone"] == ["compose.yml"]


def test_a_snapshot_of_files_is_judged_as_they_are(project: Path) -> None:
    taken = pipeline.look_at_files(str(project), ["environment.yml"])
    (project / "saved.json").write_bytes(pipeline.save_snapshot(taken))

    assert check("--snapshot", "saved.json").stdout == check("environment.yml").stdout


def test_a_scan_judges_the_files_of_nested_folders(project: Path) -> None:
    write(
        project, {"sub/requirements.txt": "torch==2.1.2+cu121\nnvidia-cuda-runtime-cu11==11.8.89\n"}
    )

    done = CliRunner().invoke(cli, ["scan", "--no-env", "--no-host", "--select", "CUD201", "-q"])

    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == {
        "environment.yml",
        "sub/requirements.txt",
    }


@pytest.mark.usefixtures("project")
def test_a_scan_takes_a_platform() -> None:
    arguments = ["scan", "--no-env", "--no-host", "--platform", "win-64", "--format", "json"]

    target = json.loads(CliRunner().invoke(cli, arguments).stdout)["target"]

    assert (target["platform"], target["platforms"]) == ("win-64", ["win-64"])
