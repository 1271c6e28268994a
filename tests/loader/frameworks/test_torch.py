"""import torch, in small worlds."""

from __future__ import annotations

import pytest

from loader.frameworks.staging import (
    PACKAGES,
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

CUDART, CUBLAS, CUBLASLT = "libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12"
RPATH = "$ORIGIN/../../nvidia/cuda_runtime/lib:$ORIGIN/../../nvidia/cublas/lib:$ORIGIN"
TOOLKIT = "/usr/local/cuda-13/lib64"
BUILT = {"torch": "12.4"}


def torch(rpath: str | None = RPATH, *needed: str) -> Files:
    needs = needed or (CUDART, CUBLAS)
    return {
        **wheel("torch/lib/libtorch_global_deps.so", *needs, rpath=rpath),
        **wheel("torch/lib/libtorch_cuda.so", *needs, "libnvrtc.so.12", rpath=rpath),
        **wheel("torch/lib/libtorch_python.so", "libtorch_cuda.so", rpath=rpath),
        **module("torch/_C", "libtorch_python.so", rpath="$ORIGIN/lib", soname=None),
    }


WHEELS = {
    **nvidia(
        "cuda_runtime/libcudart.so.12",
        "cuda_nvrtc/libnvrtc.so.12",
        "nvjitlink/libnvJitLink.so.12",
        "cublas/libcublasLt.so.12",
        "cudnn/libcudnn.so.9",
        "cuda_cupti/libcupti.so.12",
        "cufft/libcufft.so.11",
        "curand/libcurand.so.10",
        "cusolver/libcusolver.so.11",
        "cusparse/libcusparse.so.12",
        "nccl/libnccl.so.2",
        "nvtx/libnvToolsExt.so.1",
    ),
    **wheel("nvidia/cublas/lib/libcublas.so.12", CUBLASLT, runpath="$ORIGIN"),
}
NVRTC = {**wheel("torch/lib/libnvrtc.so.12")}


def test_the_rpath_of_a_wheel_takes_its_direct_needs_from_the_wheels_and_not_from_the_path() -> (
    None
):
    trap = {**lib(f"{TOOLKIT}/{CUBLAS}"), **lib(f"{TOOLKIT}/{CUBLASLT}")}

    stage = staged(
        torch(),
        WHEELS,
        NVRTC,
        trap,
        versions={"torch": "2.5.1"},
        built_for=BUILT,
        variables={"LD_LIBRARY_PATH": TOOLKIT},
    )

    assert served(started(stage, "torch"), CUBLAS) == ["nvidia/cublas/lib/libcublas.so.12"]


def test_what_a_wheel_needs_in_turn_is_taken_from_the_path() -> None:
    trap = lib(f"{TOOLKIT}/{CUBLASLT}")

    stage = staged(
        torch(),
        WHEELS,
        NVRTC,
        trap,
        versions={"torch": "2.5.1"},
        built_for=BUILT,
        variables={"LD_LIBRARY_PATH": TOOLKIT},
    )

    assert served(started(stage, "torch"), CUBLASLT) == [f"{TOOLKIT}/{CUBLASLT}"]


@pytest.mark.parametrize(
    ("version", "nvjitlink"),
    [
        ("2.5.1", f"{TOOLKIT}/libnvJitLink.so.12"),
        ("2.6.0", "nvidia/nvjitlink/lib/libnvJitLink.so.12"),
    ],
)
def test_torch_2_6_opens_nvjitlink_before_the_path_can_take_it(
    version: str, nvjitlink: str
) -> None:
    trap = lib(f"{TOOLKIT}/libnvJitLink.so.12")
    needs = (CUDART, "libcusparse.so.12")
    sparse = wheel("nvidia/cusparse/lib/libcusparse.so.12", "libnvJitLink.so.12", runpath="$ORIGIN")
    rpath = f"{RPATH}:$ORIGIN/../../nvidia/cusparse/lib"
    deps = wheel("torch/lib/libtorch_global_deps.so", CUDART, rpath=rpath)
    world = {**torch(rpath, *needs), **deps, **WHEELS, **sparse, **NVRTC, **trap}

    stage = staged(
        world, versions={"torch": version}, built_for=BUILT, variables={"LD_LIBRARY_PATH": TOOLKIT}
    )

    assert served(started(stage, "torch"), "libnvJitLink.so.12") == [nvjitlink]


def test_where_the_global_deps_fail_the_wheels_are_opened_in_torch_s_order() -> None:
    stage = staged(torch(None), WHEELS, NVRTC, versions={"torch": "2.4.1"}, built_for=BUILT)

    names = opened(started(stage, "torch"))

    assert names[:3] == [CUBLAS, "libcudnn.so.9", "libnvrtc.so.12"]
    assert names[-2:] == ["libtorch_global_deps.so", "_C.cpython-312-x86_64-linux-gnu.so"]
    assert stage.failures == {}


def test_the_first_entry_of_sys_path_with_the_wheel_wins() -> None:
    user = "/home/ada/.local/lib/python3.12/site-packages"
    other = lib(f"{user}/nvidia/cublas/lib/{CUBLAS}")

    stage = staged(
        torch(None),
        WHEELS,
        NVRTC,
        other,
        versions={"torch": "2.4.1"},
        built_for=BUILT,
        directories=(user, f"{PACKAGES}"),
    )

    assert served(started(stage, "torch"), CUBLAS) == [f"{user}/nvidia/cublas/lib/{CUBLAS}"]


def test_a_missing_wheel_ends_the_import_with_torch_s_own_words() -> None:
    without = {path: file for path, file in WHEELS.items() if "/curand/" not in path}

    stage = staged(torch(None), without, NVRTC, versions={"torch": "2.4.1"}, built_for=BUILT)

    assert started(stage, "torch").failures == {
        "torch": "libcurand.so.*[0-9] not found on sys.path"
    }


def test_another_missing_library_is_no_reason_to_look_for_wheels() -> None:
    stage = staged(torch(None, "libgomp.so.1"), WHEELS, versions={"torch": "2.4.1"})

    started(stage, "torch")

    assert stage.failures["torch"].startswith("libgomp.so.1: cannot open shared object file")
    assert opened(stage) == []


def test_torch_1_12_has_no_way_to_the_wheels() -> None:
    stage = staged(torch(None), WHEELS, versions={"torch": "1.12.1"})

    assert started(stage, "torch").failures["torch"].startswith(CUDART)


@pytest.mark.parametrize(("version", "is_found"), [("2.8.0", False), ("2.9.1", True)])
def test_the_folder_of_cuda_13_is_known_since_torch_2_9(version: str, is_found: bool) -> None:
    thirteen = {**nvidia("cu13/libcublas.so.13")}
    world = torch(None, "libcublas.so.13")

    stage = staged(world, thirteen, versions={"torch": version}, built_for={"torch": "13.0"})

    names = opened(started(stage, "torch"))
    assert ("libcublas.so.13" in names) == is_found


@pytest.mark.parametrize(("version", "is_first"), [("2.13.0", False), ("2.14.0", True)])
def test_torch_2_14_preloads_what_there_is_although_a_wheel_is_missing(
    version: str, is_first: bool
) -> None:
    trap = {**lib("/opt/libcupti.so.13")}
    rpath = "$ORIGIN/../../nvidia/cu13/lib"
    world = {
        **torch(rpath, "libcudart.so.13"),
        **wheel("torch/lib/libtorch_cuda.so", "libcupti.so.13", runpath="$ORIGIN"),
        **nvidia("cu13/libcudart.so.13", "cu13/libcupti.so.13"),
    }

    stage = staged(
        world,
        trap,
        versions={"torch": version},
        built_for={"torch": "13.0"},
        variables={"LD_LIBRARY_PATH": "/opt"},
    )

    found = served(started(stage, "torch"), "libcupti.so.13")
    assert found == (["nvidia/cu13/lib/libcupti.so.13"] if is_first else ["/opt/libcupti.so.13"])


def test_an_import_that_was_done_is_not_done_again() -> None:
    stage = staged(torch(), WHEELS, NVRTC, versions={"torch": "2.5.1"}, built_for=BUILT)

    count = len(started(stage, "torch").outcomes)

    assert len(started(stage, "torch").outcomes) == count


def test_a_wheel_that_is_there_and_cannot_be_opened_ends_what_torch_preloads() -> None:
    rpath = "$ORIGIN/../../nvidia/cu13/lib"
    world = {
        **torch(rpath, "libcudart.so.13"),
        **wheel("torch/lib/libtorch_cuda.so", runpath="$ORIGIN"),
        **nvidia("cu13/libcudart.so.13", "cu13/libcupti.so.13"),
        **wheel("nvidia/cu13/lib/libcublas.so.13", "libcublasLt.so.13"),
    }
    stage = staged(world, versions={"torch": "2.15.0"}, built_for={"torch": "13.2"})

    started(stage, "torch")

    assert served(stage, "libcupti.so.13") == []
    assert stage.failures == {}


def test_torch_1_13_takes_both_of_its_wheels_from_one_entry_of_sys_path() -> None:
    user = "/home/ada/.local/lib/python3.12/site-packages"
    half = lib(f"{user}/nvidia/cublas/lib/libcublas.so.11")
    world = {
        **torch(None, "libcublas.so.11"),
        **wheel("torch/lib/libtorch_cuda.so"),
        **nvidia("cublas/libcublas.so.11", "cudnn/libcudnn.so.8"),
    }
    stage = staged(world, half, versions={"torch": "1.13.1"}, directories=(user, PACKAGES))

    started(stage, "torch")

    assert served(stage, "libcublas.so.11") == ["nvidia/cublas/lib/libcublas.so.11"]


def test_torch_1_13_looks_for_wheels_only_where_cublas_is_missing() -> None:
    world = {
        **torch(None, "libcudnn.so.8"),
        **nvidia("cublas/libcublas.so.11", "cudnn/libcudnn.so.8"),
    }
    stage = started(staged(world, versions={"torch": "1.13.1"}), "torch")

    assert stage.failures["torch"].startswith("libcudnn.so.8: cannot open shared object file")
    assert opened(stage) == []


@pytest.mark.parametrize(("cuda", "is_opened"), [("12.6", True), ("11.8", False)])
def test_torch_2_7_opens_cufile_for_cuda_12_alone(cuda: str, is_opened: bool) -> None:
    cufile = {**nvidia("cufile/libcufile.so.0", "cusparselt/libcusparseLt.so.0")}
    sparse = nvidia("cusparse/libcusparse.so.12")
    stage = staged(
        torch(None),
        WHEELS,
        NVRTC,
        cufile,
        sparse,
        versions={"torch": "2.7.1"},
        built_for={"torch": cuda},
    )

    assert ("libcufile.so.0" in opened(started(stage, "torch"))) == is_opened


def test_torch_use_rtld_global_loads_torch_without_its_global_deps() -> None:
    variables = {"TORCH_USE_RTLD_GLOBAL": "1"}
    stage = staged(torch(), WHEELS, NVRTC, versions={"torch": "2.5.1"}, variables=variables)

    assert opened(started(stage, "torch")) == ["_C.cpython-312-x86_64-linux-gnu.so"]


def test_before_2_9_wheels_are_preloaded_only_beside_the_wheel_of_the_runtime() -> None:
    world = {**torch(), **WHEELS, **NVRTC, **lib("/opt/lib/libcudart.so.12")}
    without = {path: file for path, file in world.items() if "/cuda_runtime/" not in path}
    variables = {"LD_LIBRARY_PATH": "/opt/lib"}

    stage = staged(without, versions={"torch": "2.8.0"}, built_for=BUILT, variables=variables)

    assert served(started(stage, "torch"), "libnvJitLink.so.12") == []
    assert stage.failures == {}


def test_an_empty_folder_of_that_name_is_not_the_package() -> None:
    empty = lib("/first/torch/leftover.txt")
    whole = lib(f"{PACKAGES}/torch/__init__.py")
    stage = staged(torch(), empty, whole, directories=("/first", PACKAGES))

    assert stage.package("torch") == f"{PACKAGES}/torch"


def test_python_takes_the_extension_module_of_its_own_version() -> None:
    stage = staged(torch(), wheel("torch/_C.cpython-311-x86_64-linux-gnu.so"))

    found = stage.extension(f"{PACKAGES}/torch", "_C")

    assert found == f"{PACKAGES}/torch/_C.cpython-312-x86_64-linux-gnu.so"
