"""What GitHub runs of this repository: workflows, the action for others, and the forms of issues."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
FORMS = sorted((FOLDER / "ISSUE_TEMPLATE").glob("*.yml"))
BASH = shutil.which("bash")
BAD = """\
name: gpu
channels: [conda-forge]
dependencies:
  - cudatoolkit=11.8
  - pip
  - pip:
      - torch==2.1.2+cu121
      - nvidia-cuda-runtime-cu12==12.1.105
"""
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
needs_bash = pytest.mark.skipif(BASH is None, reason="there is no bash here")


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


ACTION = read(ROOT / "action.yml")


def steps_of(path: Path) -> Iterator[Mapping[str, Any]]:
    for job in read(path)["jobs"].values():
        yield from job["steps"]


def used() -> Iterator[tuple[str, str, str]]:
    """Yield each action that is used, its commit and the version in the comment behind it."""
    for path in (*WORKFLOWS, ROOT / "action.yml"):
        for line in path.read_text("utf-8").splitlines():
            if "uses:" in line:
                found = re.search(r"uses: ([\w/-]+)@(\S+)(?: # (.+))?$", line)
                assert found, line
                yield found[1], found[2], found[3]


@each_workflow
def test_a_workflow_may_do_nothing_that_a_job_does_not_ask_for(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {}
    assert all("permissions" in job for job in workflow["jobs"].values())


@each_workflow
def test_a_job_ends(path: Path) -> None:
    assert all(job["timeout-minutes"] <= 60 for job in read(path)["jobs"].values())


@each_workflow
def test_a_checkout_leaves_no_credentials_behind(path: Path) -> None:
    for step in steps_of(path):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_no_script_has_an_expression_in_it(path: Path) -> None:
    assert [step["run"] for step in steps_of(path) if "${{" in step.get("run", "")] == []


def test_every_action_is_of_one_commit_and_says_its_version() -> None:
    assert {(name, version) for name, commit, version in used() if len(commit) != 40} == set()
    assert all(re.fullmatch(r"v\d+(\.\d+)*", version) for _, _, version in used())
    assert len({name for name, _, _ in used()}) == len(set(used()))


def test_only_what_publishes_may_prove_who_it_is() -> None:
    jobs = {name: job for path in WORKFLOWS for name, job in read(path)["jobs"].items()}

    trusted = {name for name, job in jobs.items() if "id-token" in job["permissions"]}

    assert trusted == {"provenance", "publish", "deploy"}
    assert all("environment" in jobs[name] for name in ("publish", "deploy"))
    # What is published was built by a job that could not have published it.
    assert not any("run" in step or "checkout" in step["uses"] for step in jobs["publish"]["steps"])


def test_each_python_that_is_promised_is_tested_on_each_system() -> None:
    jobs = read(FOLDER / "workflows/ci.yml")["jobs"]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)

    assert jobs["gate"]["strategy"]["matrix"]["python"] == promised
    assert jobs["other"]["strategy"]["matrix"]["python"] == promised
    assert {name.split("-")[0] for name in jobs["other"]["strategy"]["matrix"]["os"]} == {
        "windows",
        "macos",
    }
    assert set(jobs["done"]["needs"]) == jobs.keys() - {"done"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_a_snapshot_and_says_what_is_in_it(path: Path) -> None:
    form = read(path)

    assert "snapshot" in {field.get("id") for field in form["body"]}
    assert "envfix scan --save-snapshot snapshot.json --anonymize" in path.read_text("utf-8")


def script_of(name: str) -> str:
    (step,) = (step for step in ACTION["runs"]["steps"] if step.get("id") == name)
    return step["run"]


def variables_of(name: str, **inputs: str) -> dict[str, str]:
    """The variables of a step as GitHub sets them for these inputs."""
    (step,) = (step for step in ACTION["runs"]["steps"] if step.get("id") == name)
    values = {key: given.get("default", "") for key, given in ACTION["inputs"].items()} | inputs
    return {
        variable: values.get(re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", r"\1", text), "")
        for variable, text in step["env"].items()
    }


def run_step(name: str, folder: Path, **more: str) -> tuple[int, str, str]:
    """Run a step of the action; return its code, what it printed, and its outputs."""
    output = folder.parent / "output"
    output.write_text("")
    script = folder.parent / f"{name}.sh"
    script.write_text(script_of(name))
    kept = {key: os.environ[key] for key in ("PATH", "SystemRoot") if key in os.environ}
    variables = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder.parent), **more}
    # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
    done = subprocess.run(
        [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, output.read_text()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "environment.yml").write_text(BAD)
    return folder


@pytest.fixture
def bin_folder(tmp_path: Path) -> str:
    """Where a step finds the envfix that is under test."""
    folder = tmp_path / "bin with a space"
    folder.mkdir()
    command = f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n'
    (folder / "envfix").write_text(command.replace("exec", f'PYTHONPATH="{ROOT}" exec'))
    (folder / "envfix").chmod(0o755)
    return str(folder)


def check(project: Path, bin_folder: str, **inputs: str) -> tuple[int, str, str]:
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    variables = variables_of("check", **given) | {"ENVFIX_BIN": bin_folder}
    return run_step("check", project, **variables)


@needs_bash
def test_the_action_annotates_the_lines_of_a_pull_request(project: Path, bin_folder: str) -> None:
    code, printed, output = check(project, bin_folder)

    assert (code, output) == (1, "exit-code=1\n")
    assert re.search(
        r"^::(error|warning) file=environment\.yml,line=\d+.*CUD201", printed, re.MULTILINE
    )


@needs_bash
@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"fail_on": "never"}, 0),
        ({"select": "HUK"}, 0),
        ({"ignore": "CUD,DUP,DEC,DRV"}, 0),
        ({"platform": "beos-64"}, 2),
        ({"paths": "environment.yml\r\n\n./environment.yml"}, 1),
        ({"paths": "environment.yml\nnowhere.yml"}, 2),
        ({"paths": "--help"}, 2),
        ({"select": "XYZ"}, 2),
    ],
)
def test_the_action_s_inputs_are_envfix_s_options(
    project: Path, bin_folder: str, inputs: dict[str, str], code: int
) -> None:
    done = check(project, bin_folder, **inputs)

    assert (done[0], done[2]) == (code, f"exit-code={code}\n"), done[1]


@needs_bash
def test_the_action_writes_a_report_that_github_can_take_in(project: Path, bin_folder: str) -> None:
    check(project, bin_folder, sarif="envfix.sarif")

    assert '"CUD201"' in (project / "envfix.sarif").read_text()


HOSTILE = ("$(touch pwned)", "`touch pwned`", "; touch pwned #", "a'\"; touch pwned", "$IFS*")


@needs_bash
@pytest.mark.parametrize("text", HOSTILE)
def test_no_input_of_the_action_is_run(project: Path, bin_folder: str, text: str) -> None:
    check(project, bin_folder, **dict.fromkeys(ACTION["inputs"], text))
    check(project, bin_folder, paths=text)
    code, printed, _ = run_step(
        "install", project, ENVFIX_PYTHON="true", ENVFIX_VERSION=text, ENVFIX_ACTION="/nowhere"
    )

    assert not list(project.parent.rglob("pwned"))
    assert (code, "is no release" in printed) == (2, True)


def test_no_input_of_the_action_stands_in_a_script() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]

    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


@needs_bash
@pytest.mark.skipif("ENVFIX_DIST" not in os.environ, reason="the session `package` of nox builds")
def test_the_action_installs_an_envfix_that_runs(project: Path, tmp_path: Path) -> None:
    (wheel,) = Path(os.environ["ENVFIX_DIST"]).glob("*.whl")
    pip = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "HOME"))}
    variables = {"ENVFIX_PYTHON": sys.executable, "ENVFIX_VERSION": "", **pip}
    code, printed, output = run_step("install", project, ENVFIX_ACTION=str(wheel), **variables)
    assert code == 0, printed
    bin_folder = output.removeprefix("bin=").strip()

    done = check(project, bin_folder)

    assert (done[0], "CUD201" in done[1]) == (1, True)
    assert Path(bin_folder).is_relative_to(tmp_path)
