"""cuda-pathfinder's order, and what it does to CuPy, Numba and CUDA Python."""

from __future__ import annotations

import pytest

from loader.frameworks.staging import (
    PACKAGES,
    PREFIX,
    TAG,
    Files,
    lib,
    module,
    nvidia,
    opened,
    served,
    staged,
    started,
    wheel,
)
from reconciler.loader import frameworks
from reconciler.loader.frameworks import pathfinder

NVRTC = "libnvrtc.so.12"
WHEEL = nvidia("cuda_nvrtc/libnvrtc.so.12")
CONDA = {**lib(f"{PREFIX}/lib/{NVRTC}"), **lib(f"{PREFIX}/lib/libnvrtc.so")}
SYSTEM = lib(f"/usr/lib/{NVRTC}")
TOOLKIT = {**lib(f"/opt/cuda/lib64/{NVRTC}"), **lib("/opt/cuda/lib64/libnvrtc.so")}
ALL = {**WHEEL, **CONDA, **SYSTEM, **TOOLKIT}
SET = {"CONDA_PREFIX": PREFIX, "CUDA_HOME": "/opt/cuda"}


@pytest.mark.parametrize(
    ("world", "path"),
    [
        (ALL, f"nvidia/cuda_nvrtc/lib/{NVRTC}"),
        ({**CONDA, **SYSTEM, **TOOLKIT}, f"{PREFIX}/lib/{NVRTC}"),
        ({**SYSTEM, **TOOLKIT}, f"/usr/lib/{NVRTC}"),
        (TOOLKIT, f"/opt/cuda/lib64/{NVRTC}"),
    ],
    ids=["a wheel", "conda", "the system", "CUDA_HOME"],
)
def test_a_wheel_wins_over_conda_over_the_system_over_cuda_home(world: Files, path: str) -> None:
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"}, variables=SET)

    pathfinder.load(stage, "nvrtc")

    assert served(stage, NVRTC) == [path]


def test_before_1_3_conda_s_prefix_is_not_looked_into() -> None:
    stage = staged({**CONDA, **SYSTEM}, versions={"cuda-pathfinder": "1.2.3"}, variables=SET)

    pathfinder.load(stage, "nvrtc")

    assert served(stage, NVRTC) == [f"/usr/lib/{NVRTC}"]


@pytest.mark.parametrize(("version", "root"), [("1.4.1", "home"), ("1.5.0", "path")])
def test_cuda_path_wins_over_cuda_home_since_1_5(version: str, root: str) -> None:
    world = {**lib("/home/lib64/libnvrtc.so"), **lib("/path/lib64/libnvrtc.so")}
    variables = {"CUDA_HOME": "/home", "CUDA_PATH": "/path"}
    stage = staged(world, versions={"cuda-pathfinder": version}, variables=variables)

    assert pathfinder.load(stage, "nvrtc") == f"/{root}/lib64/libnvrtc.so"


def test_what_is_loaded_already_wins_over_every_wheel() -> None:
    stage = staged(ALL, versions={"cuda-pathfinder": "1.9.0"}, variables=SET)
    stage.ctypes(f"/opt/cuda/lib64/{NVRTC}", because="somebody was first")

    assert pathfinder.load(stage, "nvrtc") == f"/opt/cuda/lib64/{NVRTC}"


def test_a_loaded_library_of_cuda_13_serves_who_was_built_for_cuda_12() -> None:
    world = {**WHEEL, **lib("/torch/libnvrtc.so.13")}
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"})
    stage.ctypes("/torch/libnvrtc.so.13", because="torch was first")

    assert pathfinder.load(stage, "nvrtc") == "/torch/libnvrtc.so.13"


def test_what_a_library_needs_is_loaded_before_it_and_each_from_its_own_place() -> None:
    world = {**nvidia("cublas/libcublasLt.so.12"), **lib("/usr/lib/libcublas.so.12")}
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"})

    pathfinder.load(stage, "cublas")

    assert opened(stage) == ["libcublasLt.so.12", "libcublas.so.12"]
    assert served(stage, "libcublas.so.12") == ["/usr/lib/libcublas.so.12"]


def test_a_wheel_on_pythonpath_is_not_in_site_packages() -> None:
    world = lib(f"/extra/nvidia/cuda_nvrtc/lib/{NVRTC}")
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"}, directories=("/extra",))

    assert pathfinder.load(stage, "nvrtc", is_optional=True) is None


def test_the_builtins_beside_nvrtc_13_are_opened_with_it() -> None:
    world = nvidia("cu13/libnvrtc.so.13", "cu13/libnvrtc-builtins.so.13.0")
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"})

    pathfinder.load(stage, "nvrtc")

    assert opened(stage) == ["libnvrtc-builtins.so.13.0", "libnvrtc.so.13"]


def test_nvvm_is_found_beside_the_runtime_that_another_process_would_take() -> None:
    world = {
        **lib("/opt/cuda/targets/x86_64-linux/lib/libcudart.so.12"),
        **lib("/opt/cuda/nvvm/lib64/libnvvm.so.4"),
    }
    variables = {"LD_LIBRARY_PATH": "/opt/cuda/targets/x86_64-linux/lib"}
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"}, variables=variables)

    assert pathfinder.load(stage, "nvvm") == "/opt/cuda/nvvm/lib64/libnvvm.so.4"
    assert served(stage, "libcudart.so.12") == []


def test_the_driver_is_asked_of_the_system_alone() -> None:
    world = {**lib(f"{PREFIX}/lib/libcuda.so.1")}
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"}, variables=SET)

    assert pathfinder.load(stage, "cuda", is_optional=True) is None


def test_cuda_python_goes_on_without_what_is_not_there() -> None:
    stage = staged(WHEEL, versions={"cuda-pathfinder": "1.9.0"})

    assert started(stage, "cuda-python").failures == {}
    assert opened(stage) == [NVRTC]


CUPY = {
    **module("cupy/_core/core"),
    **module("cupy/cuda/jitify", "libnvrtc.so.12", soname=None),
    **module("cupy_backends/cuda/libs/cublas", "libcublas.so.12", soname=None),
}
TORCH_13 = {
    **wheel(
        "torch/lib/libtorch_global_deps.so",
        "libcudart.so.13",
        rpath="$ORIGIN/../../nvidia/cu13/lib",
    ),
    **module("torch/_C", "libcublas.so.13", rpath="$ORIGIN/../nvidia/cu13/lib", soname=None),
    **nvidia(
        "cu13/libcudart.so.13",
        "cu13/libcublasLt.so.13",
        "cu13/libcublas.so.13",
        "cu13/libnvrtc.so.13",
        "cu13/libnvrtc-builtins.so.13.2",
        "cu13/libnvJitLink.so.13",
    ),
}
CONDA_12 = {
    **lib(f"{PREFIX}/lib/libnvrtc.so.12"),
    **lib(f"{PREFIX}/lib/libcublas.so.12", "libcublasLt.so.12", rpath="$ORIGIN"),
    **lib(f"{PREFIX}/lib/libcublasLt.so.12"),
}
CONDA_PYTHON = {"rpath": "$ORIGIN/../lib"}


def test_cupy_14_for_cuda_12_beside_torch_for_cuda_13_runs_with_two_toolkits() -> None:
    stage = staged(
        CUPY,
        TORCH_13,
        CONDA_12,
        versions={"torch": "2.15.0", "cupy-cuda12x": "14.2.0", "cuda-pathfinder": "1.9.0"},
        built_for={"torch": "13.2", "cupy": "12"},
        variables={"CONDA_PREFIX": PREFIX},
        python=CONDA_PYTHON,
    )

    started(started(stage, "torch"), "cupy")

    nvrtc = [served(stage, f"libnvrtc.so.{major}") for major in (13, 12)]
    assert nvrtc == [["nvidia/cu13/lib/libnvrtc.so.13"], [f"{PREFIX}/lib/libnvrtc.so.12"]]
    because = [one for one in stage.outcomes if one.path and one.path.endswith("libnvrtc.so.13")]
    assert because[-1].framework == "cupy"
    cublas = [one for one in stage.outcomes if "cublas" in one.attempt.because]
    assert [one.path and one.path.rpartition("/")[2] for one in cublas] == [
        "libcublasLt.so.13",
        "libcublas.so.13",
        "cublas.cpython-312-x86_64-linux-gnu.so",
    ]
    assert stage.failures == {}
    assert sorted(frameworks.doubles(stage)) == ["libcublas", "libcublasLt", "libnvrtc"]
    assert frameworks.doubles(stage)["libnvrtc"] == (
        f"{PACKAGES}/nvidia/cu13/lib/libnvrtc.so.13",
        f"{PREFIX}/bin/../lib/libnvrtc.so.12",
    )


def test_cupy_13_for_cuda_12_takes_no_other_nvrtc() -> None:
    stage = staged(
        CUPY,
        TORCH_13,
        CONDA_12,
        versions={"torch": "2.15.0", "cupy-cuda12x": "13.6.0"},
        built_for={"torch": "13.2", "cupy": "12"},
        python=CONDA_PYTHON,
    )

    started(started(stage, "torch"), "cupy")

    asked = [one for one in stage.outcomes if "kernel" in one.attempt.because]
    assert [one.path for one in asked] == [f"{PREFIX}/bin/../lib/libnvrtc.so.12"]


def test_one_toolkit_in_a_process_is_no_double() -> None:
    stage = staged(TORCH_13, versions={"torch": "2.15.0"}, built_for={"torch": "13.2"})

    assert frameworks.doubles(started(stage, "torch")) == {}


def test_cupy_13_finds_no_wheel_of_nvrtc_where_the_interpreter_does_not_lead_to_it() -> None:
    stage = staged(CUPY, WHEEL, versions={"cupy-cuda12x": "13.6.0"}, built_for={"cupy": "12"})

    started(stage, "cupy")

    missing = "libnvrtc.so.12: cannot open shared object file: No such file or directory"
    assert stage.failures == {"cupy": missing}


def test_cutensor_s_wheel_is_opened_for_a_wheel_of_cupy_and_not_for_conda_s() -> None:
    cutensor = wheel("cutensor/lib/libcutensor.so.2")
    of_pip = staged(CUPY, cutensor, versions={"cupy-cuda12x": "13.6.0"})
    of_conda = staged(CUPY, cutensor, versions={"cupy": "13.6.0"})

    assert served(started(of_pip, "cupy"), "libcutensor.so.2") == ["cutensor/lib/libcutensor.so.2"]
    assert served(started(of_conda, "cupy"), "libcutensor.so.2") == []


def test_a_library_is_not_tried_where_one_that_it_needs_is_missing() -> None:
    stage = staged(nvidia("cublas/libcublas.so.12"), versions={"cuda-pathfinder": "1.9.0"})

    assert pathfinder.load(stage, "cublas", is_optional=True) is None
    assert opened(stage) == []


def test_what_cannot_be_loaded_and_is_wanted_ends_the_start() -> None:
    stage = staged(CUPY, versions={"cupy-cuda12x": "14.2.0", "cuda-pathfinder": "1.9.0"})

    started(stage, "cupy")

    missing = "cuda-pathfinder does not find libnvrtc.so.13 or libnvrtc.so.12"
    assert stage.failures == {"cupy": missing}


def test_cupy_14_does_not_import_a_module_whose_library_is_not_found() -> None:
    stage = staged(CUPY, WHEEL, versions={"cupy-cuda12x": "14.2.0", "cuda-pathfinder": "1.9.0"})

    started(stage, "cupy")

    assert f"cublas.{TAG}.so" not in " ".join(" ".join(one.attempt.names) for one in stage.outcomes)


@pytest.mark.parametrize(
    ("version", "path"),
    [("1.5.0", "libnvrtc.so.12"), ("1.6.0", "libnvrtc.so.13"), ("1.9.0", "libnvrtc.so.13")],
    ids=["the first as sorted", "the last as sorted", "by soname"],
)
def test_which_of_several_files_of_a_wheel_is_taken_changed_twice(version: str, path: str) -> None:
    world = nvidia("cu13/libnvrtc.so.12", "cu13/libnvrtc.so.13")
    stage = staged(world, versions={"cuda-pathfinder": version})

    assert (pathfinder.load(stage, "nvrtc") or "").endswith(path)


@pytest.mark.parametrize(("version", "is_found"), [("1.7.0", True), ("1.8.0", False)])
def test_the_system_is_asked_for_the_plain_name_until_1_7(version: str, is_found: bool) -> None:
    stage = staged(lib("/usr/lib/libnvrtc.so"), versions={"cuda-pathfinder": version})

    assert (pathfinder.load(stage, "nvrtc", is_optional=True) is not None) == is_found


def test_a_loaded_file_without_a_soname_is_known_by_its_name() -> None:
    world = {**WHEEL, **lib(f"/other/{NVRTC}", soname=None)}
    stage = staged(world, versions={"cuda-pathfinder": "1.9.0"})
    stage.ctypes(f"/other/{NVRTC}", because="somebody was first")

    assert stage.loaded(NVRTC) == f"/other/{NVRTC}"


def test_cupy_asks_for_no_library_whose_module_it_does_not_have() -> None:
    world = {**module("cupy/_core/core"), **WHEEL, **nvidia("curand/libcurand.so.10")}
    stage = staged(world, versions={"cupy-cuda12x": "14.2.0", "cuda-pathfinder": "1.9.0"})

    assert served(started(stage, "cupy"), "libcurand.so.10") == []
