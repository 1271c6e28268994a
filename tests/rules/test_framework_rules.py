"""CUD207 and CUD209: frameworks for several CUDAs, and for GPUs of two makers."""

import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Severity
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()


def judged(code, text):
    return list(run_rules([all_rules()[code]], World(sketch(text), KNOWN)))


def in_requirements(code, *lines):
    return judged(code, "requirements.txt: |\n" + "".join(f"  {line}\n" for line in lines))


@pytest.mark.parametrize(
    "lines",
    [
        ["torch==2.12.0", "tensorflow==2.20.0"],
        ["torch==2.12.0", "jax"],
        ["torch==2.8.0", "tensorflow[and-cuda]==2.20.0"],
        ["torch==2.12.0", "jax[cuda13]"],
        ["torch", "torchvision"],
        ["torch==2.12.0+cpu", "jax[cuda12]"],
        ["--index-url https://download.pytorch.org/whl/cu128", "torch", "jax[cuda12]"],
    ],
)
def test_frameworks_of_one_major_or_of_which_one_brings_cuda_are_no_finding(lines):
    assert in_requirements("CUD207", *lines) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["torch==2.12.0", "jax[cuda12]==0.8.0"],
            "jax 0.8.0 for CUDA 12 and torch 2.12.0 for CUDA 13",
        ),
        (["torch", "tensorflow[and-cuda]"], "tensorflow for CUDA 12 and torch for CUDA 13"),
        (["torch==2.4.0", "jax[cuda13]"], "torch 2.4.0 for CUDA 12 and jax for CUDA 13"),
    ],
)
def test_frameworks_of_two_majors_are_a_warning(lines, said):
    (finding,) = in_requirements("CUD207", *lines)
    assert finding.severity is Severity.WARNING
    assert said in finding.message


def test_the_remedy_names_the_index_where_there_is_one():
    (finding,) = in_requirements("CUD207", "torch==2.12.0", "jax[cuda12]")
    assert "from the PyTorch index, in a folder that begins with cu12" in finding.remedy
    (finding,) = in_requirements("CUD207", "torch==2.4.0", "jax[cuda13]")
    assert finding.remedy.startswith("take JAX in a build for CUDA 12; or keep PyTorch and JAX in")


def test_what_is_installed_and_works_is_left_alone():
    wheels = "nvidia-cuda-runtime==13.0.96, nvidia-cuda-runtime-cu12==12.9.79"
    text = f"conda: []\npip: [torch==2.12.0, jax-cuda12-plugin==0.8.0, {wheels}]\n"
    text += "requirements.txt: |\n  numpy\n"
    assert judged("CUD207", text) == []


@pytest.mark.parametrize(
    "lines",
    [
        ["torch==2.4.0+rocm6.0", "torchvision==0.19.0+rocm6.0"],
        ["torch==2.4.0+rocm6.0", "xgboost==2.1.1"],
        ["torch==2.4.0+cu121", "cupy-cuda12x"],
        ["torch==2.4.0+rocm6.0", "numpy"],
    ],
)
def test_builds_for_one_maker_are_no_finding(lines):
    assert in_requirements("CUD209", *lines) == []


def test_builds_for_two_makers_are_a_warning():
    (finding,) = in_requirements("CUD209", "torch==2.4.0+rocm6.0", "cupy-cuda12x==13.3.0")
    assert finding.message == (
        "torch 2.4.0+rocm6.0 for ROCm and cupy-cuda12x 13.3.0 for CUDA meet in requirements.txt"
    )
    written, installed = judged(
        "CUD209",
        """
        conda: []
        pip: [torch==2.4.0+rocm6.0, cupy-cuda12x==13.3.0]
        requirements.txt: |
          torch==2.4.0+rocm6.0
          cupy-cuda12x==13.3.0
        """,
    )
    assert installed.explained_by == (written.cause,)
