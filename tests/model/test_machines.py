from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler import catalog
from reconciler.model.cuda import CudaVersion
from reconciler.model.gpu_code import GpuArchitecture, GpuCode
from reconciler.model.host import DriverRelease

if TYPE_CHECKING:
    from reconciler.model.machines import System

MACHINES = catalog.load().machines
CUDA_12_4 = CudaVersion(12, 4)


@pytest.mark.parametrize(
    ("release", "system", "cuda"),
    [
        ("300.10", "linux", None),
        ("450.80.02", "linux", "11.0"),
        ("470.256.02", "linux", "11.4"),
        ("525.60.13", "linux", "12.0"),
        ("535.309.01", "linux", "12.2"),
        ("550", "linux", "12.4"),
        ("580.65.06", "linux", "13.0"),
        ("615.10", "linux", "13.4"),
        ("551.78", "windows", "12.4"),
        ("581.15", "windows", "13.0"),
    ],
)
def test_a_driver_speaks_the_cuda_of_its_branch(
    release: str, system: System, cuda: str | None
) -> None:
    newest = MACHINES.newest_cuda(DriverRelease.parse(release), system)

    assert (str(newest) if newest else None) == cuda


@pytest.mark.parametrize(
    ("cuda", "linux", "windows"),
    [
        ("10.2", "440.33", "441.22"),
        ("11.0", "450.36.06", "451.22"),
        ("11", "450.80.02", "452.39"),
        ("11.8", "450.80.02", "452.39"),
        ("12.9", "525.60.13", "527.41"),
        ("13.1", "580.65.06", "580"),
        ("14.0", "None", "None"),
        ("10", "None", "None"),
    ],
)
def test_a_release_of_cuda_has_its_least_driver(cuda: str, linux: str, windows: str) -> None:
    version = CudaVersion.parse(cuda)
    assert version is not None

    assert str(MACHINES.least_driver(version, "linux")) == linux
    assert str(MACHINES.least_driver(version, "windows")) == windows


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("NVIDIA H100 80GB HBM3", 90),
        ("Tesla V100-SXM2-16GB", 70),
        ("NVIDIA GeForce RTX 3050 Laptop GPU", 86),
        ("GeForce RTX 2080 Ti", 75),
        ("NVIDIA A100-SXM4-40GB", 80),
        ("NVIDIA A10", 86),
        ("NVIDIA A10G", None),
        ("NVIDIA L40S", 89),
        ("NVIDIA GB10", 121),
        ("", None),
    ],
)
def test_a_gpu_is_known_by_the_words_of_its_name(name: str, architecture: int | None) -> None:
    found = MACHINES.architecture_of(name)

    assert (found.number if found else None) == architecture


def test_the_wheels_of_a_release_have_a_list_of_their_own() -> None:
    code = MACHINES.released_code("torch", "2.9.1+cu130", CudaVersion(13, 0), "linux-64")

    assert [str(each) for each in code][-2:] == ["sm_120", "compute_120"]
    assert MACHINES.released_code("torch", "2.7.1", CUDA_12_4, "linux-64") == ()
    assert MACHINES.released_code("torch", "2.6.0", CUDA_12_4, "win-64") == ()


def test_a_cuda_release_has_the_branch_that_came_with_it() -> None:
    assert MACHINES.branch_of(CUDA_12_4) == "550"
    assert MACHINES.branch_of(CudaVersion(12)) is None


@pytest.mark.parametrize("text", ["90", "sm_90", "compute_90"])
def test_an_architecture_is_read_with_and_without_what_it_is_of(text: str) -> None:
    assert GpuArchitecture.parse(text) == GpuArchitecture(90)


@pytest.mark.parametrize("text", ["", "9.0", "sm_", "sm_90b", "sm_9000", "x90"])
def test_what_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no architecture of a GPU"):
        GpuArchitecture.parse(text)


def test_a_family_runs_on_its_later_members_and_on_no_others() -> None:
    code = GpuCode(kind="ptx", architecture=GpuArchitecture(100, "f"), entries=1)
    runs = [number for number in (90, 100, 103, 110, 120) if code.runs_on(GpuArchitecture(number))]

    assert runs == [100, 103]
    assert GpuArchitecture(103).capability == "10.3"


@pytest.mark.parametrize("text", [None, "", "x", "580.", "58\u0660", "9" * 5000])
def test_what_is_no_release_of_a_driver_is_not_known(text: str | None) -> None:
    assert DriverRelease.known(text) is None


@pytest.mark.parametrize("text", ["", "9", "9.x", "\u0669.\u0660", "900.0"])
def test_what_is_no_capability_is_of_no_architecture(text: str) -> None:
    assert GpuArchitecture.of_capability(text) is None
