"""The hook of this repository, as pre-commit runs it in a user's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab.missing import missing
from ruamel.yaml import YAML

from reconciler import manifests

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
BAD = """\
name: gpu
channels: [conda-forge]
dependencies:
  - python=3.11
  - cudatoolkit=11.8
  - pip
  - pip:
      - torch==2.1.2+cu121
      - nvidia-cuda-runtime-cu12==12.1.105
"""
MENDED = """\
name: gpu
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
"""


def run(folder: Path, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    # What a hook of git that runs these tests has set is of another repository; pip's settings
    # say where the package registry is.
    others = ("GIT_", "PYTHON", "PRE_COMMIT", "VIRTUAL_ENV")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    return subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environ
        | {
            "PRE_COMMIT_HOME": str(folder.parent / "home"),
            "XDG_STATE_HOME": str(folder.parent / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository, which pre-commit can install from."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        missing("this is no clone of the repository, or git is not there")
    folder = tmp_path_factory.mktemp("pre-commit") / "clone"
    wheel = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "hatchling"]
    if run(folder.parent, [*wheel, "-d", folder.parent]).returncode:
        missing("no package registry can be reached")
    assert run(folder.parent, ["git", "clone", "-q", ROOT, folder]).returncode == 0
    return folder


HOOK, FIX = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")


def repository(clone: Path, name: str) -> tuple[Path, list[str | Path]]:
    """Make a user's repository; both hooks run in the one environment that pre-commit installs."""
    project = clone.parent / name
    project.mkdir()
    run(project, ["git", "init", "-q"])
    rev = run(clone, ["git", "rev-parse", "HEAD"]).stdout.strip()
    hooks = "".join(f"      - id: {hook['id']}\n" for hook in (HOOK, FIX))
    settings = f"repos:\n  - repo: {clone}\n    rev: {rev}\n    hooks:\n{hooks}"
    (project / ".pre-commit-config.yaml").write_text(settings)
    return project, [sys.executable, "-m", "pre_commit", "run", "-a"]


@pytest.mark.lab
def test_the_hook_fails_on_a_bad_file_and_passes_when_it_is_mended(clone: Path) -> None:
    project, hook = repository(clone, "project")

    (project / "environment.yml").write_text(BAD)
    (project / "compose.yml").write_text("services: {}\n")
    run(project, ["git", "add", "."])
    bad = run(project, [*hook, "envfix-check"])
    (project / "environment.yml").write_text(MENDED)
    run(project, ["git", "add", "."])
    mended = run(project, [*hook, "envfix-check"])

    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert re.search(r"^environment\.yml:\d+:\d+: error CUD201 ", bad.stdout, re.MULTILINE)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "Passed" in mended.stdout


@pytest.mark.lab
def test_the_fixing_hook_mends_a_file_and_passes_then(clone: Path) -> None:
    project, hook = repository(clone, "exported")
    healthy = MENDED.replace("\n", "\r\n").encode()
    (project / "environment.yml").write_bytes(healthy + b"prefix: /home/ann/envs/gpu\r\n")
    run(project, ["git", "add", "."])

    first = run(project, [*hook, "envfix-fix"])
    run(project, ["git", "add", "."])
    second = run(project, [*hook, "envfix-fix"])

    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    assert "mended DEC712: drop `prefix:`" in first.stdout
    assert (project / "environment.yml").read_bytes() == healthy
    assert second.returncode == 0, second.stdout + second.stderr


@pytest.mark.parametrize(
    "path",
    [
        "environment.yml",
        "env/gpu/Environment.yaml",
        "conda.yaml",
        "requirements.txt",
        "requirements/base.in",
        "docs/Requirements-GPU.txt",
        "pyproject.toml",
        "docker/Dockerfile.gpu",
    ],
)
def test_the_hook_is_given_what_envfix_knows_as_a_declared_file(path: str) -> None:
    assert re.search(HOOK["files"], path)
    assert any(re.fullmatch(form.path, path.lower()) for form in manifests.FORMATS)


@pytest.mark.parametrize("path", ["setup.py", "README.md", "a.yml.orig", "x.toml"])
def test_the_hook_is_not_given_other_files(path: str) -> None:
    assert not re.search(HOOK["files"], path)


def test_the_hook_runs_once_with_the_files_that_are_committed() -> None:
    assert HOOK["require_serial"] is True
    assert HOOK.get("pass_filenames", True) is True
    assert HOOK["entry"] == "envfix check"


def test_the_fixing_hook_is_the_same_but_that_it_writes() -> None:
    same = {key: value for key, value in HOOK.items() if key not in {"id", "name", "description"}}
    assert {key: FIX[key] for key in same} == same | {"entry": "envfix check --fix"}
