"""Numba's own search for NVVM, and numba-cuda's."""

from __future__ import annotations

import pytest

from loader.frameworks.staging import PREFIX, Files, lib, opened, staged, started, wheel

IN_CONDA = {**lib(f"{PREFIX}/conda-meta/history"), **lib(f"{PREFIX}/nvvm/lib64/libnvvm.so.4.0.0")}
IN_CUDATOOLKIT = {**lib(f"{PREFIX}/conda-meta/history"), **lib(f"{PREFIX}/lib/libnvvm.so.4.0.0")}
IN_HOME = {
    **lib("/opt/cuda/nvvm/lib64/libnvvm.so.4.0.0"),
    **lib("/opt/cuda/nvvm/libdevice/libdevice.10.bc"),
}
IN_SYSTEM = lib("/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0")
SET = {"CUDA_HOME": "/opt/cuda"}


def nvvm(stage_files: Files, **fields: object) -> str | None:
    stage = staged(stage_files, versions={"numba": "0.60.0"}, **fields)  # type: ignore[arg-type]  # a test's shorthand
    started(stage, "numba")
    return next(one.path for one in stage.outcomes if "NVVM" in one.attempt.because)


@pytest.mark.parametrize(
    ("world", "path"),
    [
        ({**IN_CONDA, **IN_HOME, **IN_SYSTEM}, f"{PREFIX}/nvvm/lib64/libnvvm.so.4.0.0"),
        ({**IN_CUDATOOLKIT, **IN_HOME}, f"{PREFIX}/lib/libnvvm.so.4.0.0"),
        ({**IN_HOME, **IN_SYSTEM}, "/opt/cuda/nvvm/lib64/libnvvm.so.4.0.0"),
    ],
    ids=["conda's", "cudatoolkit's", "CUDA_HOME"],
)
def test_the_environment_wins_over_cuda_home_over_the_system(world: Files, path: str) -> None:
    assert nvvm(world, variables=SET) == path


def test_without_a_variable_the_toolkit_in_its_usual_place_is_taken() -> None:
    assert nvvm(IN_SYSTEM) == "/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0"


def test_a_cuda_home_without_nvvm_hides_the_toolkit_in_its_usual_place() -> None:
    assert nvvm(IN_SYSTEM, variables={"CUDA_HOME": "/empty"}) is None


def test_a_wheel_of_nvvm_is_not_found() -> None:
    assert nvvm(wheel("nvidia/cuda_nvcc/nvvm/lib64/libnvvm.so.4")) is None


def test_libdevice_is_looked_for_beside_it() -> None:
    stage = started(staged(IN_HOME, versions={"numba": "0.60.0"}, variables=SET), "numba")

    assert stage.outcomes[-1].path == "/opt/cuda/nvvm/libdevice/libdevice.10.bc"
    assert stage.outcomes[-1].error is None


def test_the_driver_is_the_one_that_numba_cuda_driver_names() -> None:
    world = {**lib("/usr/lib/libcuda.so.1"), **lib("/stub/libcuda.so"), **IN_SYSTEM}
    variables = {"NUMBA_CUDA_DRIVER": "/stub/libcuda.so"}
    stage = started(staged(world, versions={"numba": "0.60.0"}, variables=variables), "numba")

    assert stage.outcomes[0].path == "/stub/libcuda.so"


WHEEL = {
    **wheel("nvidia/cuda_nvcc/nvvm/lib64/libnvvm.so"),
    **wheel("nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc"),
}


@pytest.mark.parametrize(("version", "is_found"), [("0.8.1", False), ("0.9.0", True)])
def test_numba_cuda_knows_the_wheel_since_0_9(version: str, is_found: bool) -> None:
    stage = started(staged(WHEEL, versions={"numba-cuda": version}), "numba-cuda")

    assert ("libnvvm.so" in opened(stage)) == is_found
    assert (stage.outcomes[-1].path or "").endswith("libdevice.10.bc") == is_found


def test_numba_cuda_takes_the_environment_s_nvvm_before_the_wheel_s() -> None:
    stage = staged(WHEEL, IN_CONDA, versions={"numba-cuda": "0.24.0"})

    assert "libnvvm.so.4.0.0" in opened(started(stage, "numba-cuda"))


@pytest.mark.parametrize(("version", "name"), [("0.24.0", "opt"), ("0.25.0", "usr")])
def test_numba_cuda_asks_the_system_before_cuda_home_since_0_25(version: str, name: str) -> None:
    world = {**lib("/opt/cuda/nvvm/lib64/libnvvm.so.4"), **lib("/usr/lib/libnvvm.so.4")}
    versions = {"numba-cuda": version, "cuda-pathfinder": "1.9.0"}
    stage = started(staged(world, versions=versions, variables=SET), "numba-cuda")

    found = [one.path for one in stage.outcomes if one.path]
    assert found[0].startswith(f"/{name}/")


def test_the_last_file_in_alphabetical_order_is_nvvm() -> None:
    world = {**IN_SYSTEM, **lib("/usr/local/cuda/nvvm/lib64/libnvvm.so.3.3.0")}

    assert nvvm(world) == "/usr/local/cuda/nvvm/lib64/libnvvm.so.4.0.0"


def test_cudatoolkit_has_libdevice_beside_its_libraries() -> None:
    world = {**IN_CUDATOOLKIT, **lib(f"{PREFIX}/lib/libdevice.10.bc")}
    stage = started(staged(world, versions={"numba": "0.60.0"}), "numba")

    assert stage.outcomes[-1].path == f"{PREFIX}/lib/libdevice.10.bc"
