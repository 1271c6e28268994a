"""What a distribution requires where it is installed: one answer for every question."""

import pytest

from reconciler import catalog
from reconciler.testing import sketch
from reconciler.world import World

REQUIREMENT = "nvidia-nccl-cu12==2.27.3"


def world(requirement, more=""):
    return World(
        sketch(
            f"""
python: 3.11.7
conda: []
pip:
  - torch==2.8.0+cu128: {{requires: ["{requirement}"]}}
  - nvidia-nccl-cu12==2.27.3
  {more}
"""
        ),
        catalog.load(),
    )


@pytest.mark.parametrize(
    "marker",
    [
        "",
        "platform_system == 'Linux'",
        "platform_system == 'Linux' and platform_machine == 'x86_64'",
        "python_version >= '3.9'",
        "extra != 'cpu'",
    ],
)
def test_a_requirement_whose_marker_holds_is_a_dependency(marker):
    here = world(f"{REQUIREMENT} ; {marker}" if marker else REQUIREMENT)

    assert [str(d) for d in here.dependents("nvidia-nccl-cu12")] == ["torch 2.8.0+cu128"]


@pytest.mark.parametrize(
    "marker",
    [
        "platform_system == 'Windows'",
        "sys_platform == 'darwin'",
        "platform_machine == 'aarch64'",
        "python_version < '3.9'",
        "extra == 'cuda'",
        "platform_system == 'Linux' and extra == 'cuda'",
    ],
)
def test_a_requirement_whose_marker_does_not_hold_is_none(marker):
    assert world(f"{REQUIREMENT} ; {marker}").dependents("nvidia-nccl-cu12") == ()


def test_a_distribution_that_asks_twice_is_one_dependent():
    more = (
        "- vllm==0.10.1: {requires: [nvidia-nccl-cu12, 'nvidia-nccl-cu12>=2 ; os_name==\"posix\"']}"
    )

    found = world("sympy", more).dependents("nvidia-nccl-cu12")

    assert [str(d) for d in found] == ["vllm 0.10.1"]


@pytest.mark.parametrize(("system", "is_foreign"), [("Linux", False), ("Windows", True)])
def test_a_wheel_that_requires_its_cuda_here_uses_no_other(system, is_foreign):
    requires = f"nvidia-cublas-cu11 ; platform_system == '{system}'"
    more = f'- faiss-gpu-cu11==1.12.0: {{requires: ["{requires}"]}}'

    assert world("sympy", more).uses_foreign_cuda() is is_foreign
