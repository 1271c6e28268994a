"""24,000 real records as conda-forge, pytorch and nvidia, where they lie beside the checkout."""

from __future__ import annotations

import subprocess
import sys

import pytest
from shared_data import shared

from reconciler.catalog import load
from reconciler.model.solution import NoSolution, Solution
from reconciler.solve import prove, solve, target
from reconciler.solve.complaints import complaints, cuda_part

FORGE = ("conda-forge",)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    script = shared("facts", "metadata", "build_channel.py")
    command = [sys.executable, str(script), str(folder), "full"]
    subprocess.run(command, check=True, capture_output=True)
    return {"alias": folder.as_uri(), "cache": str(tmp_path_factory.mktemp("cache"))}


def test_the_seed_s_own_command_gives_a_pytorch_for_the_cpu(real):
    specs = ("pytorch", "torchvision", "torchaudio", "cudatoolkit=11.8")
    machine = target("linux-64", cuda="12.4")
    solution = solve(specs, ("pytorch", "conda-forge"), "linux-64", machine, **real)
    assert isinstance(solution, Solution)
    assert "cpu" in solution.record("pytorch").build
    assert len(complaints(solution, load(), ["pytorch"])) == 3


@pytest.mark.parametrize(
    ("platform", "release", "gpu", "specs"),
    [
        ("linux-64", "11.8", "pytorch", ["pytorch=*=cuda118*", "torchvision=*=cuda118*"]),
        ("linux-64", "12.9", "pytorch", ["pytorch-gpu", "torchvision=*=cuda*"]),
        ("linux-64", "12.9", "tensorflow", ["tensorflow=*=cuda*", "jaxlib=*=*cuda*"]),
        ("win-64", "12.8", "pytorch", ["pytorch=*=cuda128*"]),
    ],
)
def test_builds_for_cuda_solve_without_cause_for_complaint(real, platform, release, gpu, specs):
    wanted = (*specs, f"cuda-version={release}")
    solution = solve(wanted, FORGE, platform, target(platform, cuda="12.9"), **real)
    assert isinstance(solution, Solution)
    assert complaints(solution, load(), [gpu]) == ()
    built = {build.package: str(build.cuda) for build in cuda_part(solution, load())}
    assert built[gpu] == release


def test_a_conflict_of_hundreds_of_lines_is_told_in_few(real):
    specs = ("pytorch=*=*cuda11.8*", "torchvision", "torchaudio", "cudatoolkit=11.8")
    machine = target("linux-64", cuda="12.4")
    refused = solve(specs, ("pytorch", "conda-forge"), "linux-64", machine, **real)
    assert isinstance(refused, NoSolution)
    assert len(refused.conflict.splitlines()) <= 20


def test_the_gpu_is_kept_where_another_pin_can_give_way(real):
    specs = ("pytorch=*=cuda118*", "numpy>=2.2,<2.3", "cuda-version=11.8", "python=3.11")
    machine = target("linux-64", cuda="12.4")
    given = {"gpu": ["pytorch"], "held": ["cuda-version"]}
    proof = prove(specs, FORGE, "linux-64", machine, **given, **real)
    assert [repair.after for repair in proof.repairs] == ["numpy==1.26.4"]
    assert complaints(proof.outcome, load(), ["pytorch"]) == ()
