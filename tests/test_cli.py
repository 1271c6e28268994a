from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
from apply.scene import cut_off_before_clearing_up
from click.testing import CliRunner, Result
from collect.trees import PYTHON_RECORD, SITE, conda_prefix, write

from reconciler import __version__, apply, pipeline, rules
from reconciler.cli import cli
from reconciler.model.report import FileChange
from reconciler.output import json as json_output
from reconciler.testing import FACTS, sketch

if TYPE_CHECKING:
    from pathlib import Path

CODES = tuple(rules.all_rules())
#: conda's CUDA 11.8 beside a torch for CUDA 12.1: two majors.
MIXED = """\
conda:
  - cudatoolkit=11.8.0=h4ba93d1_13
pip:
  - torch==2.1.2: {requires: [nvidia-cuda-runtime-cu12==12.1.105]}
  - nvidia-cuda-runtime-cu12==12.1.105
libraries: {}
evidence: {}
env: {}
pythonpath: []
driver: "580.65.06"
"""
CLEAN = "conda: [python=3.11.7=0]\n" + "".join(
    f"{key}: {{}}\n"
    if key in {"libraries", "evidence", "env", "state", "pip_view"}
    else f"{key}: []\n"
    for key in FACTS
    if key not in {"conda", "python", "driver"}
)
DECLARED = "environment.yml: |\n  name: x\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project, from which envfix is started without any environment."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def envfix(*arguments: str | Path, environ: dict[str, str | None] | None = None) -> Result:
    colors = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"]
    nothing = dict.fromkeys(["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", *colors])
    return CliRunner().invoke(cli, [*map(os.fspath, arguments)], env={**nothing, **(environ or {})})


def saved(folder: Path, text: str) -> Path:
    """The file of a snapshot of a sketch."""
    path = folder / "saved.json"
    path.write_bytes(pipeline.save_snapshot(sketch(text)))
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return saved(tmp_path, MIXED)


def test_the_version_is_told() -> None:
    assert envfix("--version").output == f"envfix, version {__version__}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], ["scan"], ["undo"], ["rule"]])
def test_help_is_told(command: list[str], option: str) -> None:
    done = envfix(*command, option)

    assert done.exit_code == 0
    assert done.output.startswith("Usage: ")


def test_an_empty_folder_without_an_environment_is_clean(project: Path) -> None:
    done = envfix("scan", project)

    assert (done.exit_code, done.stderr) == (0, "")
    assert "none (no environment is active, and the project has none)" in done.stdout


def test_a_clean_environment_exits_with_0(project: Path, tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "prefix", PYTHON_RECORD)

    assert envfix("scan", project, "-p", prefix).exit_code == 0


def test_a_finding_exits_with_1(mixed: Path) -> None:
    assert envfix("scan", "--snapshot", mixed).exit_code == 1


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 1), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_an_error_fails_on_every_severity_but_never(mixed: Path, fail_on: str, code: int) -> None:
    assert envfix("scan", "--snapshot", mixed, "--fail-on", fail_on).exit_code == code


def test_a_finding_of_a_code_that_is_ignored_does_not_fail(mixed: Path) -> None:
    families = ",".join({code[:3] for code in CODES})

    assert envfix("scan", "--snapshot", mixed, "--ignore", families).exit_code == 0


def test_what_is_selected_alone_is_judged(mixed: Path) -> None:
    done = envfix("scan", "--snapshot", mixed, "--select", "pth", "--format", "json")

    assert json.loads(done.stdout)["findings"] == []
    assert done.exit_code == 0


def test_codes_may_be_given_in_a_list_and_repeatedly(mixed: Path) -> None:
    done = envfix("scan", "--snapshot", mixed, "--select", "cud201, PTH", "--select", "DUP")

    assert "CUD201" in done.stdout


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("XYZ", ""),
        ("CUD999", ""),
        ("CUD2011", "did you mean CUD201? "),
        ("CDU201", "did you mean CUD201? "),
    ],
)
def test_a_code_of_no_rule_is_an_error(mixed: Path, option: str, code: str, meant: str) -> None:
    done = envfix("scan", "--snapshot", mixed, option, code)

    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        done.stderr == f"envfix: {code}: no rule has this code; {meant}`envfix rule` lists them\n"
    )


def test_what_could_not_be_looked_at_does_not_fail(tmp_path: Path) -> None:
    assert envfix("scan", "--snapshot", saved(tmp_path, CLEAN)).exit_code == 0


def test_what_could_not_be_looked_at_fails_where_that_is_asked_for(tmp_path: Path) -> None:
    assert envfix("scan", "--snapshot", saved(tmp_path, CLEAN), "--strict").exit_code == 1


def test_a_clean_environment_does_not_fail_where_gaps_do(tmp_path: Path) -> None:
    whole = f"{CLEAN}python: 3.11.7\ndriver: '580.65.06'\n{DECLARED}"

    assert envfix("scan", "--snapshot", saved(tmp_path, whole), "--strict").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "nowhere"],
        ["scan", "-p", "nowhere"],
        ["scan", "-n", "no-environment-of-this-name"],
        ["scan", "--snapshot", "nowhere.json"],
        ["scan", "--no-env", "--save-snapshot", "nowhere/snapshot.json"],
        ["scan", "--no-env", "-o", "nowhere/report.txt"],
        ["scan", "--no-env", "--report", "json=nowhere/report.json"],
        ["rule", "XYZ901"],
    ],
)
def test_what_cannot_go_on_is_one_line_on_stderr(
    project: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(project)

    done = envfix(*arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("envfix: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["no\nwhere", "\x1b[31mnowhere", "no\u2028where"])
def test_an_odd_name_in_an_error_is_written_in_one_printable_line(name: str) -> None:
    done = envfix("scan", name)

    assert done.exit_code == 2
    assert done.stderr.removesuffix("\n").isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "-p", "a", "-n", "b"],
        ["scan", "-n", "b", "--no-env"],
        ["scan", "--format", "yaml"],
        ["scan", "--report", "json"],
        ["scan", "--report", "yaml=x"],
        ["scan", "--fail-on", "bad"],
        ["scan", "--env", "NAME"],
        ["scan", "--env", "=value"],
        ["scan", "--nonsense"],
        ["nonsense"],
    ],
)
def test_a_wrong_use_exits_with_2(arguments: list[str]) -> None:
    done = envfix(*arguments)

    assert (done.exit_code, done.stdout) == (2, "")


def test_a_file_in_place_of_the_project_is_an_error(project: Path) -> None:
    path = write(project, {"environment.yml": ""}) / "environment.yml"

    done = envfix("scan", path)

    assert done.exit_code == 2
    assert "not a folder" in done.stderr


def test_a_file_in_place_of_the_prefix_is_an_error(project: Path) -> None:
    path = write(project, {"file": ""}) / "file"

    assert envfix("scan", project, "-p", path).exit_code == 2


@pytest.mark.parametrize("text", ["", "{}", "[" * 100, '{"schema": 99}', "\x00"])
def test_a_file_that_is_no_snapshot_is_an_error(project: Path, text: str) -> None:
    path = write(project, {"snapshot.json": text}) / "snapshot.json"

    done = envfix("scan", "--snapshot", path)

    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_an_output_that_is_a_folder_is_an_error(project: Path) -> None:
    assert envfix("scan", project, "--no-env", "-o", project).exit_code == 2


def test_the_json_of_a_scan_is_of_its_schema(mixed: Path) -> None:
    report = json.loads(envfix("scan", "--snapshot", mixed, "--format", "json").stdout)

    jsonschema.validate(report, json_output.schema())
    assert report["summary"]["error"] >= 1


def test_the_report_goes_to_a_file_and_not_to_stdout(mixed: Path, project: Path) -> None:
    path = project / "report.txt"

    done = envfix("scan", "--snapshot", mixed, "-o", path, "--color", "always")

    assert (done.stdout, done.exit_code) == ("", 1)
    assert "CUD201" in path.read_text()
    assert "\x1b" not in path.read_text()


def test_further_reports_are_written_in_the_same_run(mixed: Path, project: Path) -> None:
    reports = [f"--report=json={project / 'a.json'}", f"--report=text={project / 'a=b.txt'}"]

    done = envfix("scan", "--snapshot", mixed, *reports)

    assert "CUD201" in done.stdout
    assert json.loads((project / "a.json").read_text())["schema"] == 1
    assert "CUD201" in (project / "a=b.txt").read_text()


def test_a_saved_snapshot_gives_the_same_report(project: Path, tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "prefix", PYTHON_RECORD)
    path = project / "snapshot.json"

    seen = envfix("scan", project, "-p", prefix, "--save-snapshot", path, "--format", "json")
    replayed = envfix("scan", "--snapshot", path, "--format", "json")

    assert seen.stdout == replayed.stdout


def test_a_variable_may_be_supposed(project: Path) -> None:
    path = project / "snapshot.json"

    envfix("scan", project, "--env", "LD_LIBRARY_PATH=/a=b", "--save-snapshot", path)

    assert json.loads(path.read_text())["variables"]["LD_LIBRARY_PATH"] == "/a=b"


def test_a_variable_may_be_supposed_to_be_unset(project: Path) -> None:
    path = project / "snapshot.json"
    arguments = ("--env", "LD_LIBRARY_PATH=", "--save-snapshot", path)

    envfix("scan", project, *arguments, environ={"LD_LIBRARY_PATH": "/usr/lib"})

    assert "LD_LIBRARY_PATH" not in json.loads(path.read_text())["variables"]


def test_a_supposed_variable_chooses_the_environment(project: Path, tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "prefix", PYTHON_RECORD)

    done = envfix("scan", project, "--env", f"CONDA_PREFIX={prefix}", "--format", "json")

    assert json.loads(done.stdout)["target"]["prefix"] == str(prefix)


def test_without_an_environment_the_files_alone_are_judged(project: Path, tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "prefix", PYTHON_RECORD)
    write(project, {"requirements.txt": "torch==2.1.2+cu118\nnvidia-cuda-runtime-cu12==12.1.105\n"})

    done = envfix(
        *("scan", project, "--no-env", "--format", "json"), environ={"CONDA_PREFIX": str(prefix)}
    )

    report = json.loads(done.stdout)
    assert (report["target"]["prefix"], report["target"]["because"]) == (None, "--no-env")
    assert {finding["path"] for finding in report["findings"]} == {"requirements.txt"}
    assert report["skipped"] == []


def test_a_host_that_is_not_looked_at_is_no_gap(project: Path) -> None:
    done = envfix("scan", project, "--no-env", "--no-host", "--format", "json")

    assert json.loads(done.stdout)["gaps"] == []


@pytest.mark.parametrize(
    ("options", "environ", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {}, False),
        (["--color", "auto"], {"NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"CLICOLOR_FORCE": "0", "FORCE_COLOR": ""}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_there_is_color_only_where_it_is_wanted(
    mixed: Path, options: list[str], environ: dict[str, str | None], colored: bool
) -> None:
    done = envfix("scan", "--snapshot", mixed, *options, environ=environ)

    assert ("\x1b[" in done.stdout) is colored


def test_quiet_is_one_line_a_finding(mixed: Path) -> None:
    findings = json.loads(envfix("scan", "--snapshot", mixed, "--format", "json").stdout)[
        "findings"
    ]

    quiet = envfix("scan", "--snapshot", mixed, "-q").stdout.splitlines()

    assert len(quiet) == len(findings) >= 1


@pytest.mark.parametrize("form", [["text"], ["json"], ["text", "-v"], ["text", "-q"]])
def test_a_terminal_escape_in_a_name_is_never_written_as_it_is(
    project: Path, tmp_path: Path, form: list[str]
) -> None:
    escape = "\x1b]0;owned\x07\x1b[31m"
    odd = {"name": f"odd{escape}", "version": f"1{escape}", "build": escape, "subdir": escape}
    prefix = conda_prefix(tmp_path / f"prefix{escape}", PYTHON_RECORD)
    write(prefix, {"conda-meta/odd.json": json.dumps(odd), f"conda-meta/{escape}.json": escape})
    write(prefix, {f"{SITE}/{escape}.dist-info/METADATA": escape})
    requirements = (
        f"torch==2.1.2+cu118 {escape}\nnvidia-cuda-runtime-cu12==12.1.105{escape}\n-r {escape}\n"
    )
    write(project, {"requirements.txt": requirements, "environment.yml": f"name: [{escape}"})
    other = tmp_path / f"lib{escape}" / "python3.8" / "site-packages"
    write(other, {f"{escape}-1.0.dist-info/METADATA": ""})

    done = envfix(
        *("scan", project, "-p", prefix, "--format", *form),
        environ={"PYTHONPATH": str(other), "VIRTUAL_ENV": escape},
    )

    assert done.exit_code == 1
    assert not set(done.stdout_bytes.decode()) & {"\x1b", "\x07"}


def test_an_undo_names_what_it_brought_back(project: Path, tmp_path: Path) -> None:
    file = write(project, {"environment.yml": "name: a"}) / "environment.yml"
    change = FileChange(path=str(file), name=file.name, before=b"name: a", after=b"name: b")
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", environ["XDG_STATE_HOME"])
        patch.setenv("HOME", environ["HOME"])
        apply.commit([change], str(project))

    done = envfix("undo", project, environ=environ)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "environment.yml: as it was before envfix wrote it\n"
    assert file.read_bytes() == b"name: a"


def test_an_undo_says_what_a_crash_left(tmp_path: Path) -> None:
    made = cut_off_before_clearing_up(tmp_path / "cut-off")
    environ = {"XDG_STATE_HOME": str(made.state), "HOME": str(made.state)}

    done = envfix("undo", made.project, environ=environ)

    assert (done.exit_code, done.stdout.count("\n")) == (0, 4)
    assert done.stderr.startswith("envfix: a write that had been cut off is now complete: env/")


def test_with_nothing_to_undo_there_is_one_line(project: Path, tmp_path: Path) -> None:
    done = envfix("undo", project, environ={"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)})

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "nothing that envfix wrote here" in done.stderr
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_rule_is_printed(code: str) -> None:
    done = envfix("rule", code.lower())

    assert done.exit_code == 0
    assert done.stdout.startswith(f"# {code} ")


def test_without_a_code_every_rule_has_its_line() -> None:
    lines = envfix("rule").stdout.splitlines()

    assert [line.split()[0] for line in lines] == list(CODES)


def test_a_family_of_rules_is_a_list() -> None:
    lines = envfix("rule", "CUD").stdout.splitlines()

    assert [line.split()[0] for line in lines] == [c for c in CODES if c.startswith("CUD")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is full")
def test_a_report_that_cannot_be_written_is_an_error(project: Path) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "reconciler", "scan", str(project), "--no-env"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )

    assert ran.returncode == 2
    assert ran.stderr.decode() == "envfix: stdout: No space left on device; give --output FILE\n"


@pytest.mark.parametrize(
    "option", [["-p", "."], ["-n", "x"], ["--no-env"], ["--env", "PYTHONPATH=/x"]], ids=" ".join
)
def test_a_snapshot_goes_with_no_option_of_what_to_look_at(option: list[str]) -> None:
    result = envfix("scan", "--snapshot", "any.json", *option)

    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
