"""Of a project's files, which say what its environment is made of, and which are examples."""

from __future__ import annotations

import msgspec
import pytest

from reconciler import catalog
from reconciler.pipeline import judge
from reconciler.rules import cud206_cpu_build, dec723_declared_is_not_installed
from reconciler.testing import sketch

INSTALLED = "conda: [python=3.11.7=0]\npip: [torch==2.4.0, numpy==1.26.4]\nlibraries: {}\n"
OTHER = "{path}: |\n  torch==2.1.2\n  numpy\n"
NAMED = "{path}: |\n  name: {name}\n  dependencies: [pip, {{pip: [torch==2.1.2]}}]\n"


def drifted(*files):
    taken = sketch(INSTALLED + "".join(files))
    # The environment lies in the project itself.
    target = msgspec.structs.replace(taken.target, prefix="/project/gpu", kind="conda")
    rules = [dec723_declared_is_not_installed]
    report = judge(msgspec.structs.replace(taken, target=target), rules, catalog.load())
    return [finding.at.path for finding in report.findings]


def test_a_file_of_the_project_s_own_folder_is_held_against_the_environment():
    assert drifted(OTHER.format(path="requirements.txt")) == ["requirements.txt"]


@pytest.mark.parametrize(
    "path",
    ["examples/requirements.txt", "docs/requirements.txt", "requirements-cpu.txt", "gpu.in.txt"],
)
def test_an_example_is_not(path):
    assert drifted(OTHER.format(path=path).replace("gpu.in", "reqs")) == []


def test_a_file_that_names_the_environment_is_wherever_it_lies():
    assert drifted(NAMED.format(path="env/gpu.yml", name="gpu")) == ["env/gpu.yml"]


def test_a_file_that_names_another_is_not():
    assert drifted(NAMED.format(path="environment.yml", name="other")) == []


def test_of_two_that_name_it_the_project_s_own_is():
    files = [NAMED.format(path=path, name="gpu") for path in ("a/gpu.yml", "environment.yml")]
    assert drifted(*files) == ["environment.yml"]


def test_of_two_examples_that_name_it_neither_is():
    assert drifted(*(NAMED.format(path=f"{at}/x.yml", name="gpu") for at in ("a", "b"))) == []


CPU = """\
conda: []
pip: [torch==2.4.0+cpu]
evidence: {lib/python3.11/site-packages/torch/version.py: "cuda = None"}
libraries: {}
"""


def cpu_builds(text, cuda="auto"):
    taken = sketch(text)
    target = msgspec.structs.replace(taken.target, cuda=cuda)
    report = judge(
        msgspec.structs.replace(taken, target=target), [cud206_cpu_build], catalog.load()
    )
    return [finding.code for finding in report.findings]


WANTED = "{path}: |\n  --index-url https://download.pytorch.org/whl/cu121\n  torch==2.4.0\n"


def test_a_gpu_that_the_project_asks_for_is_meant():
    assert cpu_builds(CPU + WANTED.format(path="requirements.txt")) == ["CUD206"]


def test_a_gpu_that_an_example_asks_for_is_not():
    assert cpu_builds(CPU + WANTED.format(path="examples/requirements.txt")) == []


def test_no_gpu_is_meant_where_the_user_says_so():
    assert cpu_builds(cud206_cpu_build.BAD) == ["CUD206"]
    assert cpu_builds(cud206_cpu_build.BAD, cuda="none") == []
