"""What the steps of a workflow install, by job."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.manifests import github_workflow
from reconciler.model.editor_lines import split
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import Kind, ManifestError

PATH = ".github/workflows/ci.yml"


def read(text):
    return github_workflow.read(PATH, text)


def sets(text, platform="linux-64"):
    found = install_sets([read(text)], platform)
    return {install.name: [d.text for d in install.declared] for install in found}


def test_a_workflow_is_known_by_its_folder():
    assert manifests.format_of(PATH, "on: push\njobs:\n  a: {}\n") == "github_workflow"
    assert manifests.format_of(PATH, "on: push\n") == ""


def test_a_file_without_jobs_is_refused():
    with pytest.raises(ManifestError, match="no jobs"):
        read("on: push")
    with pytest.raises(ManifestError, match="no jobs"):
        read("")


def test_scripts_of_every_form_are_read_at_their_lines():
    text = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: one line
        run: pip install torch==2.1.0
      - run: |
          python -m pip install -U pip
          pip install \\
            "torchvision==0.16.0"

          pip install numpy
      - run: >-
          pip install
          scipy
          pandas
      - run: "pip install 'x==1' \\"y==2\\""
      - run: 'pip install ''z==3'' w'
      - run: pip install torch==${{ matrix.torch }} ray
      - run: pip install
          vllm
      - run:
"""
    found = [d for d in read(text).declared if d.kind is Kind.REQUIREMENT]
    assert [(d.text, d.line, d.column) for d in found] == [
        ("torch==2.1.0", 8, 26),
        ("pip", 10, 36),
        ("torchvision==0.16.0", 12, 14),
        ("numpy", 14, 23),
        ("scipy", 17, 11),
        ("pandas", 18, 11),
        ("x==1", 19, 28),
        ("y==2", 19, 36),
        ("z==3", 20, 29),
        ("w", 20, 36),
        ("ray", 21, 53),
        ("vllm", 23, 11),
    ]


def test_each_job_is_installed_by_itself():
    text = """\
env: {CUDA_HOME: /usr/local/cuda, TORCH: 2.1.0}
jobs:
  cpu:
    runs-on: ubuntu-latest
    steps: [{run: "pip install torch==$TORCH --index-url https://download.pytorch.org/whl/cpu"}]
  gpu:
    runs-on: [self-hosted, linux, gpu]
    container: {image: "nvidia/cuda:12.1.0-devel-ubuntu22.04"}
    env: {TORCH: 2.2.0, X: "${{ secrets.X }}"}
    steps:
      - run: pip install torch==$TORCH
        env: {A: b}
  old:
    container: python:3.11
    steps: []
  none:
    container: ${{ matrix.image }}
"""
    around = ["CUDA_HOME=/usr/local/cuda", "TORCH=2.1.0"]
    assert sets(text) == {
        f"{PATH} (job cpu)": [*around, "torch==2.1.0", "--index-url https://download.pytorch.org/whl/cpu"],
        f"{PATH} (job gpu)": [*around, "TORCH=2.2.0", "nvidia/cuda:12.1.0-devel-ubuntu22.04", "A=b", "torch==2.2.0"],
        f"{PATH} (job old)": [*around, "python:3.11"],
    }  # fmt: skip


JOB = "jobs:\n  a:\n    {}\n    steps: [{{run: pip install torch}}]\n"


@pytest.mark.parametrize(
    ("said", "platforms"),
    [
        ("runs-on: ubuntu-22.04", ("linux-64",)),
        ("runs-on: ubuntu-24.04-arm", ("linux-aarch64",)),
        ("runs-on: windows-latest", ("win-64",)),
        ("runs-on: macos-14", ("osx-arm64", "osx-64")),
        ("runs-on: [self-hosted, Linux]", ("linux-64",)),
        ("runs-on: big", ()),
        ("runs-on: ${{ matrix.os }}", ()),
        ("runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}", ("linux-64", "win-64")),
        ("runs-on: ${{ matrix.os }}\n    strategy: {matrix: {include: [{os: ubuntu-latest}, {x: y}]}}", ()),
        ("runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [windows-2022], include: [{os: ubuntu-latest}, {x: y}]}}", ("win-64", "linux-64")),
        ("runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-latest, big]}}", ()),
        ("name: x", ()),
    ],
)  # fmt: skip
def test_a_job_is_for_the_platforms_of_its_runners(said, platforms):
    (combination,) = read(JOB.format(said)).combinations
    assert combination.platforms == platforms


def test_steps_under_a_condition_are_for_its_system_or_apart():
    text = """\
jobs:
  a:
    steps:
      - run: pip install numpy
      - run: pip install torch==2.1.0+cu118
        if: runner.os == 'Linux'
      - run: pip install torch==2.1.0+cpu
        if: startsWith(matrix.os, 'windows')
      - run: pip install a
        if: matrix.gpu
      - run: pip install b
        if: ${{ !matrix.gpu }}
"""
    assert sets(text) == {
        f"{PATH} (branch 1)": ["numpy", "torch==2.1.0+cu118", "a"],
        f"{PATH} (branch 2)": ["numpy", "torch==2.1.0+cu118", "b"],
    }
    assert sets(text, "win-64")[f"{PATH} (branch 1)"] == ["numpy", "torch==2.1.0+cpu", "a"]


def test_an_alias_stands_where_it_is_used():
    text = "jobs:\n  a:\n    steps:\n    - run: &x pip install torch\n    - run: *x\n"
    found = [(d.text, d.line) for d in read(text).declared]
    assert found == [("torch", 4), ("torch", 5)]


def test_environment_files_and_folders_are_followed():
    text = """\
jobs:
  a:
    defaults: {run: {working-directory: back}}
    steps:
      - uses: conda-incubator/setup-miniconda@v3
        with: {environment-file: ./ci/environment.yml, python-version: 3.11}
      - uses: mamba-org/setup-micromamba@v1
        with: {environment-file: "${{ matrix.file }}"}
      - run: pip install -r requirements.txt
      - run: pip install -c ../limits.txt torch>=2.0
        working-directory: ./front/
"""
    manifest = read(text)
    assert [(d.kind, d.name, d.command) for d in manifest.declared] == [
        (Kind.INCLUDE, "ci/environment.yml", 1),
        (Kind.INCLUDE, "back/requirements.txt", 2),
        (Kind.CONSTRAINT, "limits.txt", 3),
        (Kind.REQUIREMENT, "torch", 3),
    ]
    assert [(f.line, f.column) for f in manifest.faults] == [(10, 43)]


PIECES = ["jobs:\n", "  a:\n", "    steps:\n", "    - run: ", "|\n", ">\n", "        pip install torch==2 ", "'", '"', "\\", "\n", "      if: x\n", "&a", "*a", "\t", "\u2028", "- ", "{", "}", "[", "]", "env: {A: b}\n", "    runs-on: x\n"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=40))
def test_no_workflow_breaks_the_reader(text):
    with suppress(ManifestError):
        manifest = read(text)
        lines = split(text)
        for place in (*manifest.declared, *manifest.faults):
            assert 1 <= place.line <= len(lines)
            assert 1 <= place.column <= len(lines[place.line - 1]) + 1
