from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.model.snapshot import Fact
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import PYTHON_RECORD, conda_prefix, dist_info, look, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def variables(**environ: str) -> Mapping[str, str]:
    return look(None, Fact.VARIABLES, environ=environ).variables


@pytest.mark.parametrize(
    "name", ["HOME", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "PS1", "path"]
)
def test_a_variable_that_does_not_matter_stays_out(name: str) -> None:
    assert variables(**{name: "value"}) == {}


@pytest.mark.parametrize(
    "name",
    ["LD_LIBRARY_PATH", "CUDA_HOME", "PYTHONPATH", "PIP_INDEX_URL", "UV_INDEX", "NVIDIA_VISIBLE"],
)
def test_a_variable_that_matters_is_kept(name: str) -> None:
    assert variables(**{name: "/usr/lib:/opt"}) == {name: "/usr/lib:/opt"}


def test_a_variable_that_is_set_to_nothing_is_kept() -> None:
    assert variables(CUDA_VISIBLE_DEVICES="") == {"CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("PIP_INDEX_URL", "https://me:hunter2@pypi.example/simple", "https://**:*******@pypi.example/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://a/ https://hunter2@b/", "https://a/ https://*******@b/"),
        ("UV_INDEX_INNER_PASSWORD", "hunter2", "*******"),
        ("UV_PUBLISH_TOKEN", "hunter2", "*******"),
        ("NVIDIA_API_KEY", "hunter2", "*******"),
    ],
)  # fmt: skip
def test_a_variable_is_kept_without_its_secret(name: str, value: str, kept: str) -> None:
    assert variables(**{name: value}) == {name: kept}


def test_a_value_that_is_no_utf8_can_be_saved() -> None:
    environ = {"LD_LIBRARY_PATH": os.fsdecode(b"/caf\xe9")}

    snapshot = look(None, Fact.VARIABLES, environ=environ)

    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


ENVIRONMENT = """\
channels:
  - https://conda.example/t/planted-secret-1/org
  - https://me:planted-secret-2@conda.example/org
dependencies:
  - python=3.11
  - pip:
      - --extra-index-url https://me:planted-secret-3@pypi.example/simple
      - inner @ git+https://planted-secret-4@git.example/inner.git
variables:
  API_TOKEN: planted-secret-5
  DB_PASSWORD: "planted-secret-6"
  OTHER: kept
prefix: /opt/kept
"""

REQUIREMENTS = """\
--index-url https://planted-secret-7@pypi.example/simple
# token: planted-secret-8
torch==2.1.2+cu118
"""


def test_a_saved_snapshot_holds_none_of_the_secrets_of_a_tree(tmp_path: Path) -> None:
    project = write(
        tmp_path / "project", {"environment.yml": ENVIRONMENT, "requirements.txt": REQUIREMENTS}
    )
    channel = "https://conda.example/t/planted-secret-9/org/linux-64"
    spec = "https://me:planted-secret-10@conda.example/org::numpy"
    prefix = conda_prefix(
        tmp_path / "prefix",
        PYTHON_RECORD,
        {"name": "numpy", "channel": channel, "requested_spec": spec},
    )
    required = "Requires-Dist: inner @ git+https://planted-secret-11@git.example/inner.git"
    dist_info(prefix, "outer", "1.0", METADATA=f"Name: outer\nVersion: 1.0\n{required}\n\n")
    environ = {
        "PIP_INDEX_URL": "https://me:planted-secret-12@pypi.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://a.example https://planted-secret-13@b.example",
        "UV_INDEX_INNER_PASSWORD": "planted-secret-14",
        "UV_DEFAULT_INDEX": "https://me:planted-secret-15@pypi.example/simple",
        "GITHUB_TOKEN": "planted-secret-16",
    }

    saved = save_snapshot(look(prefix, project=project, environ=environ))

    assert b"planted" not in saved
    assert saved.count(b"kept") >= 2
