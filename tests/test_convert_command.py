"""`envfix convert` reads files, writes one, and takes it back."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler import conversion
from reconciler.cli import cli
from reconciler.errors import EnvfixError
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import Converted
from tests.convert.conversions import CATALOG
from tests.shared_data import shared

ENVS = Path(__file__).parent.parent / "fixtures" / "envs"
REQUIREMENTS = "torch==2.1.2+cu118\nnumpy<2\nmade-up-foo\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text(REQUIREMENTS, "utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


def run(*arguments, code=0):
    result = CliRunner().invoke(cli, ["convert", "--no-solve", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_the_file_is_shown_with_what_there_is_to_know_of_it():
    said = run("requirements.txt", code=1)
    assert "# CUDA 11.8: torch 2.1.2+cu118 is for CUDA 11.8" in said
    assert "# Not proven: " in said
    assert "made-up-foo stays under pip: no package of conda-forge is known to hold" in said
    assert "\n  - pytorch=2.1.2=cuda*\n" in said


def test_json_has_what_is_promised():
    report = json.loads(run("requirements.txt", "--format", "json", code=1))
    assert report["schema"] == 1
    assert report["environment"].startswith("name: project\n")
    assert report["cuda"]["version"] == "11.8"
    assert report["solve"]["status"] == "not-proven"
    line, _, kept = report["lines"]
    assert (line["requirement"], line["specs"], line["kept"]) == (
        "torch==2.1.2+cu118",
        ["pytorch=2.1.2=cuda*"],
        None,
    )
    assert kept["kept"].startswith("no package of conda-forge")
    assert all(line["provenance"] for line in report["lines"])


def test_verbose_tells_where_every_line_comes_from():
    said = run("requirements.txt", "-v", code=1)
    assert "numpy<2: numpy<2a0 (map: numpy is numpy on conda-forge)" in said


def test_what_is_written_can_be_taken_back(project):
    run("requirements.txt", "--write")
    assert "pytorch=2.1.2=cuda*" in (project / "environment.yml").read_text("utf-8")
    result = CliRunner().invoke(cli, ["undo"])
    assert result.exit_code == 0
    assert not (project / "environment.yml").exists()


def test_a_file_that_is_there_is_not_overwritten(project):
    (project / "environment.yml").write_text("name: mine\n", "utf-8")
    assert "environment.yml: there is one already" in run("requirements.txt", "--write", code=2)
    assert (project / "environment.yml").read_text("utf-8") == "name: mine\n"


def test_what_is_not_decided_is_not_written(project):
    (project / "requirements.txt").write_text("torch==2.1.2+cu118\ncupy-cuda12x\n", "utf-8")
    said = run("requirements.txt", "--write", code=2)
    assert "no CUDA serves all of it; choose: --cuda 11.8" in said
    assert not (project / "environment.yml").exists()


def test_an_environment_is_edited_in_its_place(project):
    text = "dependencies:\n  - python  # mine\n  - pip\n  - pip:\n    - torch==2.1.2\n"
    (project / "environment.yml").write_text(text, "utf-8")
    said = run("environment.yml", "--diff", code=1)
    assert "-    - torch==2.1.2\n" in said
    assert "+  - pytorch=2.1.2=cuda*\n" in said
    run("environment.yml", "--write")
    assert "  - python  # mine\n" in (project / "environment.yml").read_text("utf-8")


def test_a_list_of_requirements_may_have_any_name(project):
    (project / "mine.txt").write_text("numpy<2\n", "utf-8")
    assert "\n  - numpy<2a0\n" in run("mine.txt", code=1)


@pytest.mark.parametrize("to", ["conda", "pixi", "pip"])
def test_output_goes_to_a_file(project, to):
    run("requirements.txt", "--to", to, "-o", "out")
    assert "2.1.2" in (project / "out").read_text("utf-8")


def test_what_is_no_file_of_requirements_is_refused(project):
    (project / "notes.md").write_text("numpy\n", "utf-8")
    assert "notes.md: not a file of requirements that envfix reads" in run("notes.md", code=2)
    assert "no such file" in run("nothing.txt", code=2)


def test_an_installed_environment_is_converted_by_what_was_asked_for():
    prefix = ENVS / "cudatoolkit-idle-beside-torch-wheels" / "prefix"
    said = run("-p", str(prefix), code=1)
    assert "cudatoolkit 11.8.0 is for CUDA 11.8: its version 11.8.0; torch 2.4.1+cu118" in said
    assert said.endswith(
        "  - cuda-version=11.8\n  - cudatoolkit=11.8\n  - python=3.11\n  - pytorch=2.4.1=cuda*\n"
    )


def test_files_and_an_environment_are_two_conversions():
    assert "give the files to convert, or an environment" in run(code=2)
    assert "give the files to convert, or an environment" in run("a.txt", "-p", ".", code=2)


def test_credentials_are_not_copied(project):
    text = "--extra-index-url https://me:secret@host/simple\nmade-up-foo\n"
    (project / "requirements.txt").write_text(text, "utf-8")
    said = run("requirements.txt", code=1)
    assert "secret@" not in said
    assert "credentials are not copied: fill them in where asterisks stand" in said


def test_a_line_that_pip_refuses_is_not_lost_silently(project):
    (project / "requirements.txt").write_text("numpy 1.26 or so\nscipy\n", "utf-8")
    said = run("requirements.txt", code=1)
    assert "requirements.txt:1 'numpy 1.26 or so' is at fault: " in said
    assert said.endswith("  - scipy\n")


def test_a_lock_is_refused_for_what_it_was_made_of(project):
    lock = (
        'version = 1\nrequires-python = ">=3.10"\n[[package]]\nname = "numpy"\nversion = "1.26.4"\n'
    )
    (project / "uv.lock").write_text(lock, "utf-8")
    assert "uv.lock: a lock, which holds what came along as well; convert" in run("uv.lock", code=2)


def test_a_file_that_is_included_and_not_there_is_told(project):
    (project / "requirements.txt").write_text("-r more.txt\nnumpy\n", "utf-8")
    assert "more.txt is not part of it" in run("requirements.txt", code=1)


KINDS = {"requirements": "requirements.txt", "environment": "environment.yml"}


def made_of(project, name, content, **wish):
    (project / name).write_bytes(content)
    return conversion.convert(".", [name], **wish)


@pytest.mark.parametrize("kind", [*KINDS, "pyproject"])
def test_every_file_of_the_corpus_converts_to_names_that_exist(project, kind):
    name = KINDS.get(kind, "pyproject.toml")
    for path in sorted(shared("corpus", kind).iterdir()):
        try:
            conversion = made_of(project, name, path.read_bytes()).conversion
        except EnvfixError as error:
            assert str(error).startswith(name), path.name  # noqa: PT017 - most files raise none
            continue
        for line in conversion.lines:
            if isinstance(line, Converted) and line.confidence != "given":
                names = {CondaSpec.parse(spec).name for spec in line.specs}
                assert names <= CATALOG.naming.conda_names, (path.name, line)


def test_an_environment_of_the_corpus_that_is_edited_says_what_was_meant(project):
    edited = 0
    for path in sorted(shared("corpus", "environment").iterdir())[::4]:
        try:
            made = made_of(project, "environment.yml", path.read_bytes())
        except EnvfixError:
            continue
        # What is for macOS alone says so more clearly once conda is asked for it.
        is_decided = not made.conversion.cuda.choices
        if made.is_edited and is_decided and "macOS" not in path.name:
            platforms = made.conversion.platforms
            text = made.file.after.encode()
            again = made_of(project, "environment.yml", text, platforms=platforms)
            assert _said(again) == _said(made), path.name
            edited += 1
    assert edited > 30


def _said(made):
    return {*made.conversion.specs(made.conversion.platforms[0])} - {"python", "pip"}
