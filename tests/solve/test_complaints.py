"""What a solver accepts is still held against what a GPU needs."""

from __future__ import annotations

import msgspec
import pytest

from reconciler.catalog import load
from reconciler.model.solution import ChannelRecord, Solution
from reconciler.solve import target
from reconciler.solve.complaints import complaints, cuda_part

LINUX = target("linux-64", cuda="12.9")


def solution_of(*records):
    fields = ("name", "version", "build")
    found = [
        ChannelRecord(**dict(zip(fields, text.split(), strict=True)), subdir="linux-64", depends=d)
        for text, d in records
    ]
    return Solution(platform="linux-64", records=tuple(found))


def said(solution, *gpu):
    return [complaint.says for complaint in complaints(solution, load(), gpu)]


def test_the_seed_s_own_command_is_told_to_use_no_gpu(solved):
    specs = ("pytorch", "torchvision", "torchaudio", "cudatoolkit=11.8")
    solution = solved(specs, ("pytorch", "conda-forge"), "linux-64", LINUX)
    assert said(solution, "pytorch") == [
        "pytorch 2.1.0 is built for the CPU (its build string py3.11_cpu_0): it uses no NVIDIA GPU.",
        "torchaudio 2.1.0 is built for the CPU (its build string py311_cpu): it uses no NVIDIA GPU.",
        "torchvision 0.16.0 is built for the CPU (its build string py311_cpu): it uses no NVIDIA GPU.",
    ]


def test_a_torchvision_for_the_cpu_beside_a_pytorch_for_cuda_is_told(solved):
    specs = ("pytorch=2.*=cuda118*", "torchvision=*=cpu*", "cuda-version=11.8")
    solution = solved(specs, ("conda-forge",), "linux-64", LINUX)
    (complaint,) = complaints(solution, load(), ["pytorch"])
    assert complaint.packages == ("torchvision",)


def test_the_rewrite_gives_no_cause_for_complaint(solved):
    specs = ("pytorch=2.*=cuda118*", "torchvision=*=cuda118*", "cuda-version=11.8")
    solution = solved(specs, ("conda-forge",), "linux-64", LINUX)
    assert said(solution, "pytorch", "torchvision") == []


def test_the_cuda_part_of_a_solution_says_what_each_was_built_for(solved):
    specs = ("pytorch=2.*=cuda118*", "torchvision=*=cuda118*", "cuda-version=11.8", "six")
    solution = solved(specs, ("conda-forge",), "linux-64", LINUX)
    assert [f"{build}: {build.words}" for build in cuda_part(solution, load())] == [
        "cuda-version 11.8: CUDA 11.8",
        "cudatoolkit 11.8.0: CUDA 11.8",
        "cudnn 8.9.7.29: CUDA 11",
        "libtorch 2.3.0: CUDA 11.8",
        "nccl 2.26.2.1: CUDA 11",
        "pytorch 2.3.0: CUDA 11.8",
        "torchvision 0.18.0: CUDA 11.8",
    ]


def test_two_majors_are_told_with_who_belongs_to_which():
    solution = solution_of(
        ("cudatoolkit 11.8.0 h4ba93d1_13", ()),
        ("libcublas 12.9.1.4 h676940d_1", ("cuda-version >=12.9,<12.10.0a0",)),
        ("cuda-version 12.9 h4f385c5_3", ()),
    )
    told, twice = said(solution)
    assert told == (
        "Two CUDA majors come together. CUDA 11: cudatoolkit 11.8.0; "
        "CUDA 12: libcublas 12.9.1.4, cuda-version 12.9."
    )
    assert twice == "cudatoolkit 11.8.0 and libcublas 12.9.1.4 both install cublas."


def test_the_parts_of_one_cudnn_are_no_two():
    depends = ("cuda-version >=12,<13.0a0",)
    solution = solution_of(
        ("cudnn 9.13.1.26 hbcb9cd8_0", depends), ("libcudnn 9.13.1.26 hf7e9902_0", depends)
    )
    assert said(solution) == []


def test_a_package_that_is_there_twice_is_told():
    one = solution_of(("cuda-version 12.9 h4f385c5_3", ()))
    both = msgspec.structs.replace(one, records=one.records * 2)
    text = "cuda-version is there twice: cuda-version 12.9 h4f385c5_3 and cuda-version 12.9 h4f385c5_3."
    assert said(both) == [text]


def test_a_package_for_the_gpu_that_is_missing_is_told():
    assert said(solution_of(), "pytorch") == ["pytorch is no part of the solution."]


@pytest.mark.parametrize(
    ("name", "build"), [("torchtriton", "py310"), ("torchdata", "py310_0"), ("numba", "py310h_0")]
)
def test_what_has_no_build_for_cuda_is_not_blamed_for_that(name, build):
    solution = solution_of(
        ("pytorch 2.3.0 cuda118_py311h6c9cb27_300", ("cudatoolkit >=11.8,<12",)),
        (f"{name} 2.3.0 {build}", ()),
    )
    assert said(solution, "pytorch") == []


def test_a_meta_package_of_no_build_is_not_judged():
    jax = ChannelRecord(name="jax", version="0.7.2", build="pyhd8ed1ab_0", subdir="noarch")
    solution = Solution(platform="linux-64", records=(jax,))
    assert said(solution, "jax") == []
