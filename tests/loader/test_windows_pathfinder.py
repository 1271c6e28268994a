"""How cuda-pathfinder finds NVIDIA's libraries on Windows, by the catalog's rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from loader.test_windows import ENV, PACKAGES, PYTHON, image
from loader.test_windows_packages import machine
from reconciler import catalog
from reconciler.loader.answer import Reason
from reconciler.loader.windows import NOT_FOUND, Process
from reconciler.loader.windows_pathfinder import load
from reconciler.loader.windows_search import Site
from reconciler.model.windows_loading import Installed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.loader.tree import Unfit
    from reconciler.model.windows_image import WindowsImage

KNOWN = catalog.load().windows_found
CU13 = f"{PACKAGES}/nvidia/cu13/bin/x86_64"
NVRTC12 = f"{PACKAGES}/nvidia/cuda_nvrtc/bin/nvrtc64_120_0.dll"
CUBLAS12 = f"{PACKAGES}/nvidia/cublas/bin/cublas64_12.dll"
CUBLASLT12 = f"{PACKAGES}/nvidia/cublas/bin/cublasLt64_12.dll"
TOOLKIT = "C:/CUDA/v13.0/bin/x64/nvrtc64_130_0.dll"
CONDA = f"{ENV}/Library/bin/nvrtc64_120_0.dll"


def started(
    *files: dict[str, WindowsImage | Unfit], variables: Mapping[str, str] | None = None
) -> tuple[Process, Callable[[str], str | None]]:
    """Start Python, and return with it what loads a library by cuda-pathfinder's name for it."""
    tree, known = machine(*files), variables or {}
    process = Process(tree, Site(python=PYTHON, version=(3, 12), variables=known))
    what = Installed(packages=(PACKAGES,), prefix=ENV, base=ENV, variables=known)
    return process, partial(load, process, tree, what, KNOWN)


def loaded(
    name: str,
    *files: dict[str, WindowsImage | Unfit],
    variables: Mapping[str, str] | None = None,
) -> str | None:
    return started(*files, variables=variables)[1](name)


@pytest.mark.parametrize("row", KNOWN.values(), ids=lambda row: row.name)
def test_what_a_library_needs_is_known_and_does_not_need_it(row) -> None:
    known, left = set(), [*row.needs]
    while left:
        need = left.pop()
        known.add(need)
        left += KNOWN[need].needs

    assert row.name not in known
    assert {*row.may_lack} <= {*row.needs}
    assert len(row.variables) == 0 or row.folders


def test_wheels_come_before_conda_and_conda_before_path_and_path_before_cuda_path() -> None:
    everywhere = {
        "CONDA_PREFIX": ENV.replace("/", "\\"),
        "PATH": "C:/path",
        "CUDA_PATH": "C:/CUDA/v13.0",
    }
    places = [NVRTC12, CONDA, "C:/path/nvrtc64_120_0.dll", TOOLKIT]

    for at in range(len(places)):
        files = (image(place) for place in places[at:])
        assert loaded("nvrtc", *files, variables=everywhere) == places[at]
    assert loaded("nvrtc", variables=everywhere) is None


def test_cuda_home_counts_where_there_is_no_cuda_path() -> None:
    home = {"CUDA_HOME": "C:/CUDA/v13.0"}
    both = {"CUDA_PATH": "C:/gone", **home}

    assert loaded("nvrtc", image(TOOLKIT), variables=home) == TOOLKIT
    assert loaded("nvrtc", image(TOOLKIT), variables=both) is None


def test_conda_that_is_not_activated_is_not_looked_into() -> None:
    assert loaded("nvrtc", image(CONDA)) is None


def test_what_is_loaded_already_is_taken() -> None:
    torch = f"{PACKAGES}/torch/lib/nvrtc64_120_0.dll"
    process, find = started(image(torch), image(NVRTC12))
    process.open(torch)

    assert find("nvrtc") == torch


def test_what_a_library_needs_is_loaded_before_it_or_it_is_not_loaded() -> None:
    process, find = started(image(CUBLAS12, "cublasLt64_12.dll"), image(CUBLASLT12))

    assert find("cublas") == CUBLAS12
    assert process.mapped[-2:] == (CUBLASLT12, CUBLAS12)
    assert loaded("cublas", image(CUBLAS12)) is None


def test_cudnn_can_do_without_nvrtc() -> None:
    cudnn = f"{PACKAGES}/nvidia/cudnn/bin/cudnn64_9.dll"

    assert loaded("cudnn", image(cudnn), image(CUBLASLT12)) == cudnn
    assert loaded("cudnn", image(cudnn)) is None


def test_the_folder_of_nvrtc_is_added_and_that_of_cublas_is_not() -> None:
    process, find = started(image(NVRTC12), image(CUBLAS12), image(CUBLASLT12))
    find("nvrtc")
    find("cublas")

    added = [one for one in process.directories() if one.reason is Reason.ADDED]

    assert [(one.directory, one.by) for one in added] == [
        (f"{PACKAGES}/nvidia/cuda_nvrtc/bin", "cuda-pathfinder")
    ]


def test_the_driver_is_asked_of_windows_alone() -> None:
    wheel = image(f"{PACKAGES}/nvidia/cu13/bin/x86_64/nvcuda.dll")

    driver = "C:/Windows/System32/nvcuda.dll"

    assert loaded("cuda", wheel) is None
    assert loaded("cuda", wheel, image(driver)) == driver


def test_cupy_for_cuda_12_fails_beside_wheels_of_cuda_13() -> None:
    extension = f"{PACKAGES}/cupy_backends/cuda/libs/cublas.pyd"
    cu12 = image(extension, "cublas64_12.dll"), image(CUBLAS12), image(CUBLASLT12)
    cu13 = image(f"{CU13}/cublas64_13.dll"), image(f"{CU13}/cublasLt64_13.dll")
    alone, find_alone = started(*cu12)
    beside, find_beside = started(*cu12, *cu13)

    assert find_alone("cublas") == CUBLAS12
    assert alone.open(extension).error is None
    assert find_beside("cublas") == f"{CU13}/cublas64_13.dll"
    assert beside.open(extension).error == NOT_FOUND
