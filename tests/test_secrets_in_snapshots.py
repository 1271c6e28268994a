"""Wherever an environment holds a secret, the snapshot of it holds none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import pipeline
from reconciler.model.snapshot import Choice, Fact, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIXTURES = Path(__file__).parents[1] / "fixtures" / "envs"
SITE = "prefix/lib/python3.11/site-packages"
#: Where a user, a company or a tool keeps a secret: the path of a file, and what stands in it.
PLANTED = {
    "project/environment.yml": """\
name: gpu
channels:
  - https://conda.example/t/SECRET-channel/inner
  - https://me:SECRET-password@conda.example/other
dependencies:
  - https://me:SECRET-package@conda.example/linux-64/a-1-0.conda
  - conda-forge::python=3.11
  - pip:
      - --extra-index-url https://SECRET-token@pypi.example/simple
      - inner @ https://pypi.example/inner-1-py3-none-any.whl?token=SECRET-query
variables:
  HF_TOKEN: SECRET-variable
""",
    "project/requirements.txt": """\
--index-url https://me:SECRET-index@pypi.example/simple
--find-links https://pypi.example/links?api_key=SECRET-links
git+https://SECRET-git@git.example/inner.git@main#egg=inner
inner==1.0  # pip install with PYPI_TOKEN=SECRET-comment
-r https://me:SECRET-include@host.example/more.txt
""",
    "project/pyproject.toml": """\
[project]
name = "a"
version = "1"
dependencies = ["b @ git+https://me:SECRET-direct@git.example/b.git"]
[[tool.uv.index]]
name = "inner"
url = "https://me:SECRET-uv@pypi.example/simple"
[tool.poetry.source]
password = "SECRET-poetry"
""",
    "project/uv.lock": """\
version = 1
[[package]]
name = "b"
version = "1"
source = { registry = "https://me:SECRET-lock@pypi.example/simple" }
""",
    "project/pixi.toml": """\
[workspace]
channels = ["https://conda.example/t/SECRET-pixi/inner"]
platforms = ["linux-64"]
[activation.env]
API_KEY = "SECRET-pixi-variable"
""",
    "project/Dockerfile": """\
FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
ARG PIP_TOKEN=SECRET-arg
ENV HF_TOKEN SECRET-env-old
ENV API_KEY=SECRET-env
RUN pip install --index-url https://me:SECRET-run@pypi.example/simple torch
RUN curl -H "Authorization: Bearer SECRET-bearer" https://host.example
RUN --mount=type=secret,id=x DB_PASSWORD=SECRET-shell pip install numpy
""",
    "project/.github/workflows/ci.yml": """\
jobs:
  a:
    env:
      TWINE_PASSWORD: SECRET-workflow
    steps:
      - run: pip install torch -i https://SECRET-workflow-run@pypi.example/simple
""",
    "prefix/conda-meta/history": """\
==> 2025-01-01 00:00:00 <==
# cmd: conda create -p x -c https://conda.example/t/SECRET-history/inner numpy
# update specs: ['https://conda.example/t/SECRET-specs/inner::numpy']
""",
    "prefix/conda-meta/pinned": "https://conda.example/t/SECRET-pinned/inner::numpy 1.*\n",
    "prefix/conda-meta/state": json.dumps(
        {"env_vars": {"WANDB_API_KEY": "SECRET-state", "PIP_INDEX_URL": "https://SECRET-st@h.x/"}}
    ),
    "prefix/conda-meta/pixi": json.dumps(
        {
            "manifest_path": "/x/pixi.toml",
            "environment_name": "default",
            "pixi_version": "0.40",
            "environment_lock_file_hash": "SECRET-hash",
        }
    ),
    "prefix/conda-meta/inner-1.0-0.json": json.dumps(
        {
            "name": "inner",
            "version": "1.0",
            "build": "0",
            "build_number": 0,
            "subdir": "noarch",
            "channel": "https://me:SECRET-record@conda.example/t/SECRET-rec/inner",
            "url": "https://conda.example/t/SECRET-url/inner/noarch/inner-1.0-0.conda",
            "depends": ["python", "https://me:SECRET-depends@h.example/x::numpy"],
            "constrains": ["https://conda.example/t/SECRET-constrains/x::cuda >=12"],
            "requested_spec": "https://conda.example/t/SECRET-requested/inner::inner",
            "requested_specs": ["https://conda.example/t/SECRET-requesteds/inner::inner"],
            "license": "SECRET-license",
            "link": {"source": "/x/SECRET-link", "type": 1},
            "files": [],
            "paths_data": {"paths": [], "paths_version": 1},
        }
    ),
    "prefix/etc/conda/activate.d/keys.sh": """\
export OPENAI_API_KEY=SECRET-activation
export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH
export PIP_INDEX_URL="https://me:SECRET-hook@pypi.example/simple"
""",
    "prefix/etc/conda/env_vars.d/a.json": json.dumps({"DB_PASSWORD": "SECRET-package-variable"}),
    "prefix/pip.conf": "[global]\nindex-url = https://me:SECRET-pip@pypi.example/simple\n",
    "home/.config/pip/pip.conf": "[global]\nextra-index-url =\n  https://SECRET-home@h.example/s\n",
    "prefix/share/jupyter/kernels/a/kernel.json": json.dumps(
        {"argv": ["/x/python", "--token=SECRET-argv"], "env": {"API_KEY": "SECRET-kernel"}}
    ),
    "prefix/share/jupyter/kernels/b/kernel.json": '{"argv": "SECRET-broken", TOKEN: SECRET-broke}',
    f"{SITE}/inner-1.0.dist-info/METADATA": """\
Metadata-Version: 2.1
Name: inner
Version: 1.0
Home-page: https://me:SECRET-home-page@h.example/
Requires-Dist: b @ git+https://me:SECRET-requires@git.example/b.git
""",
    f"{SITE}/inner-1.0.dist-info/INSTALLER": "pip\n",
    f"{SITE}/inner-1.0.dist-info/RECORD": "inner.py,,\ninner-1.0.dist-info/RECORD,,\n",
    f"{SITE}/inner-1.0.dist-info/direct_url.json": json.dumps(
        {
            "url": "https://me:SECRET-direct-url@git.example/b.git",
            "vcs_info": {"vcs": "git", "commit_id": "1a2b", "requested_revision": "main"},
        }
    ),
    f"{SITE}/egg-1.0.egg-info/PKG-INFO": "Name: egg\nVersion: 1.0\n",
    f"{SITE}/egg-1.0.egg-info/requires.txt": "b @ git+https://SECRET-egg@git.example/b.git\n",
    f"{SITE}/inner.pth": "/x\n# https://me:SECRET-pth@h.example\n",
    f"{SITE}/torch/version.py": "cuda = '12.1'\n# https://me:SECRET-version@h.example/build\n",
    "prefix/lib/python3.11/EXTERNALLY-MANAGED": (
        "[externally-managed]\nError=see https://me:SECRET-managed@h.example/\n"
    ),
}
VARIABLES = {
    "HF_TOKEN": "SECRET-hf",
    "AWS_SECRET_ACCESS_KEY": "SECRET-aws",
    "PIP_INDEX_URL": "https://me:SECRET-env-pip@pypi.example/simple",
    "PIP_EXTRA_INDEX_URL": "https://SECRET-e1@a.example/s https://SECRET-e2@b.example/s",
    "PIP_PASSWORD": "SECRET-env-password",
    "UV_INDEX_INNER_PASSWORD": "SECRET-env-uv",
    "UV_INDEX_INNER_USERNAME": "SECRET-user",
    "UV_DEFAULT_INDEX": "inner=https://me:SECRET-env-index@pypi.example/simple",
    "UV_PUBLISH_TOKEN": "SECRET-publish",
    "NVIDIA_API_KEY": "SECRET-nvidia",
    "TRITON_CACHE_DIR": "https://me:SECRET-triton@h.example/",
    "CONDA_TOKEN": "SECRET-conda",
    "MY_VARIABLE": "SECRET-other",
}


def planted(folder: Path, files: Mapping[str, str]) -> Path:
    """An environment whose files hold a secret wherever one can be."""
    case = folder / "case"
    shutil.copytree(FIXTURES / "cudatoolkit-idle-beside-torch-wheels", case)
    for name, text in files.items():
        (case / name).parent.mkdir(parents=True, exist_ok=True)
        (case / name).write_text(text, encoding="utf-8")
    return case


def look(case: Path) -> Snapshot:
    choice = Choice(prefix=str(case / "prefix"))
    variables = {"HOME": str(case / "home"), **VARIABLES}
    return pipeline.look(str(case / "project"), choice, variables, root=str(case))


def texts_of(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in JSON, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield f"{place}.{key}", key
            yield from texts_of(below, f"{place}.{key}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from texts_of(below, f"{place}[{number}]")


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return look(planted(tmp_path_factory.mktemp("secrets"), PLANTED))


def test_no_secret_enters_a_snapshot(taken: Snapshot) -> None:
    saved = json.loads(pipeline.save_snapshot(taken))

    assert [(place, text) for place, text in texts_of(saved) if "SECRET" in text] == []


def test_what_holds_the_secrets_was_read(taken: Snapshot) -> None:
    full = {fact for fact in Fact if getattr(taken, fact.value)}

    assert full >= {
        *(Fact.MANIFESTS, Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.VARIABLES, Fact.STATE),
        *(Fact.EVIDENCE, Fact.KERNELS, Fact.PIP_OPTIONS, Fact.IMPORT_PATHS),
    }
    paths = {manifest.path for manifest in taken.manifests}
    assert paths >= {name.removeprefix("project/") for name in PLANTED if "project/" in name}
    assert {"pip.conf", "PIP_INDEX_URL"} <= {option.source for option in taken.pip_options}
    assert "inner" in {record.name for record in taken.records}
    assert {"inner", "egg"} <= {distribution.name for distribution in taken.distributions}
    assert taken.state
    assert {script.path for script in taken.state.scripts} >= {"etc/conda/activate.d/keys.sh"}
    assert {v.name for v in taken.state.variables} >= {"WANDB_API_KEY", "DB_PASSWORD"}


@pytest.mark.parametrize("name", [name for name in PLANTED if not name.endswith(".dist-info")])
def test_what_cannot_be_read_says_so_without_its_secrets(name: str, tmp_path: Path) -> None:
    broken = "<<<<<<<\n[\x00{'https://me:SECRET-a@h.example/': TOKEN=SECRET-b\n"

    taken = look(planted(tmp_path, {name: broken}))

    assert "SECRET" not in pipeline.save_snapshot(taken).decode()
