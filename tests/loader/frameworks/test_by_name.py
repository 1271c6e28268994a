"""Frameworks that give dlopen a name: what leads to the file, and what leads past it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import pytest

from loader.frameworks.staging import (
    DYNLOAD,
    PACKAGES,
    PREFIX,
    TAG,
    lib,
    module,
    nvidia,
    opened,
    served,
    staged,
    started,
    wheel,
)
from reconciler import catalog
from reconciler.loader import frameworks
from reconciler.loader.frameworks import onnxruntime
from reconciler.loader.tree import PlainTree
from reconciler.model.loading import Site

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.library import SharedLibrary

TRAP = "/usr/local/cuda-13/lib64"
TF_RUNPATH = "$ORIGIN/../nvidia/cublas/lib:$ORIGIN/../nvidia/cuda_runtime/lib"
TENSORFLOW = {
    **wheel("tensorflow/libtensorflow_framework.so.2", runpath=TF_RUNPATH),
    **wheel(
        "tensorflow/libtensorflow_cc.so.2",
        "libtensorflow_framework.so.2",
        runpath=f"$ORIGIN:{TF_RUNPATH}",
    ),
    **wheel(
        "tensorflow/python/_pywrap_tensorflow_internal.so",
        "libtensorflow_cc.so.2",
        "libtensorflow_framework.so.2",
        runpath="$ORIGIN/..",
    ),
}
TF_WHEELS = nvidia(
    "cuda_runtime/libcudart.so.12", "cublas/libcublas.so.12", "cublas/libcublasLt.so.12"
)


def test_tensorflow_finds_the_wheels_by_the_runpath_of_the_library_that_asks() -> None:
    stage = staged(TENSORFLOW, TF_WHEELS, versions={"tensorflow": "2.18.0"})

    assert served(started(stage, "tensorflow"), "libcublas.so.12") == [
        "nvidia/cublas/lib/libcublas.so.12"
    ]
    missing = [one.attempt.names[0] for one in stage.outcomes if one.error]
    assert missing[:2] == ["libcuda.so.1", "libcufft.so.11"]
    assert stage.failures == {}


def test_the_path_takes_what_a_runpath_would_find_for_tensorflow() -> None:
    trap = lib(f"{TRAP}/libcublas.so.12")
    variables = {"LD_LIBRARY_PATH": TRAP}
    stage = staged(
        TENSORFLOW, TF_WHEELS, trap, versions={"tensorflow": "2.18.0"}, variables=variables
    )

    assert served(started(stage, "tensorflow"), "libcublas.so.12") == [f"{TRAP}/libcublas.so.12"]


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2.3.0", {"libcudart.so.10.1", "libcudnn.so.7"}),
        ("2.4.0", {"libcudart.so.11.0", "libcusolver.so.10", "libcudnn.so.8"}),
        ("2.14.0", {"libcudart.so.11.0", "libcusolver.so.11", "libcurand.so.10"}),
        ("2.15.1", {"libcudart.so.12", "libcufft.so.11", "libcudnn.so.8"}),
        ("2.21.0", {"libcudart.so.12", "libcudnn.so.9"}),
    ],
)
def test_each_release_of_tensorflow_asks_for_its_own_names(version: str, names: set[str]) -> None:
    stage = started(staged(TENSORFLOW, versions={"tensorflow": version}), "tensorflow")

    assert names <= {one.attempt.names[0] for one in stage.outcomes}


JAX_RPATH = "$ORIGIN/../nvidia/cusolver/lib:$ORIGIN/../nvidia/cublas/lib"
JAX = {
    **wheel("jaxlib/xla_extension.so", soname=None),
    **wheel("jax_plugins/xla_cuda12/xla_cuda_plugin.so"),
    **wheel("jax_cuda12_plugin/_versions.so", rpath=JAX_RPATH, soname=None),
}
CUSOLVER = "nvidia/cusolver/lib/libcusolver.so.11"
JAX_WHEELS = {
    **nvidia("cublas/libcublas.so.12"),
    **wheel(CUSOLVER, "libcublas.so.12", runpath="$ORIGIN/../../cublas/lib"),
}


@pytest.mark.parametrize(
    ("version", "path"),
    [("0.5.3", f"{TRAP}/libcublas.so.12"), ("0.6.2", "nvidia/cublas/lib/libcublas.so.12")],
)
def test_jax_0_6_2_preloads_its_wheels_so_that_the_path_takes_less(version: str, path: str) -> None:
    trap = lib(f"{TRAP}/libcublas.so.12")
    variables = {"LD_LIBRARY_PATH": TRAP}
    versions = {"jax-cuda12-pjrt": version}
    stage = staged(JAX, JAX_WHEELS, trap, versions=versions, variables=variables)

    assert served(started(stage, "jax"), "libcublas.so.12") == [path]


def test_the_plugin_of_cuda_13_asks_for_cuda_13_by_its_own_folder() -> None:
    world = {
        **wheel("jaxlib/_jax.so", soname=None),
        **wheel("jax_plugins/xla_cuda13/xla_cuda_plugin.so"),
        **nvidia("cu13/libcudart.so.13"),
    }
    stage = started(staged(world, versions={"jax-cuda13-pjrt": "0.9.0"}), "jax")

    assert served(stage, "libcudart.so.13") == ["nvidia/cu13/lib/libcudart.so.13"]
    asked = [one for one in stage.outcomes if one.attempt.names == ("libcudart.so.13",)]
    assert [one.path for one in asked] == [f"{PACKAGES}/nvidia/cu13/lib/libcudart.so.13"]


@pytest.mark.parametrize(("version", "is_mapped"), [("0.5.3", True), ("0.6.2", False)])
def test_since_0_6_2_jax_does_not_load_its_plugin_where_a_library_is_missing(
    version: str, is_mapped: bool
) -> None:
    stage = started(staged(JAX, JAX_WHEELS, versions={"jax-cuda12-pjrt": version}), "jax")

    assert ("xla_cuda_plugin.so" in opened(stage)) == is_mapped
    asked = {one.attempt.names[0] for one in stage.outcomes}
    assert ("libcusparse.so.12" in asked) == is_mapped
    assert "libcuda.so.1" not in asked


def test_jax_loads_its_plugin_unchecked_where_it_is_told_to() -> None:
    variables = {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"}
    versions = {"jax-cuda12-pjrt": "0.6.2"}
    stage = started(staged(JAX, JAX_WHEELS, versions=versions, variables=variables), "jax")

    assert "libcuda.so.1" in {one.attempt.names[0] for one in stage.outcomes}


def test_jax_stays_on_the_cpu_without_a_plugin() -> None:
    stage = started(
        staged(wheel("jaxlib/_jax.so", soname=None), versions={"jaxlib": "0.9.0"}), "jax"
    )

    assert (opened(stage), stage.failures) == (["_jax.so"], {})


ORT = {
    **module("onnxruntime/capi/onnxruntime_pybind11_state", runpath="$ORIGIN", soname=None),
    **wheel("onnxruntime/capi/libonnxruntime_providers_shared.so"),
    **wheel(
        "onnxruntime/capi/libonnxruntime_providers_cuda.so", "libcublasLt.so.12", "libcudnn.so.9"
    ),
}
ORT_WHEELS = nvidia("cublas/libcublasLt.so.12", "cudnn/libcudnn.so.9")
ORT_KNOWN = {"versions": {"onnxruntime-gpu": "1.22.0"}, "built_for": {"onnxruntime": "12.2"}}


def test_onnxruntime_does_not_find_the_wheels_and_goes_on_without_a_gpu() -> None:
    stage = started(staged(ORT, ORT_WHEELS, **ORT_KNOWN), "onnxruntime")  # type: ignore[arg-type]  # a test's shorthand

    last = stage.outcomes[-1]
    assert last.attempt.is_optional
    assert (
        last.error == "libcublasLt.so.12: cannot open shared object file: No such file or directory"
    )
    assert stage.failures == {}


def test_onnxruntime_finds_the_wheels_after_preload_dlls() -> None:
    stage = staged(ORT, ORT_WHEELS, **ORT_KNOWN)  # type: ignore[arg-type]  # a test's shorthand

    onnxruntime.preload_dlls(stage)
    started(stage, "onnxruntime")

    assert opened(stage)[-1] == "libonnxruntime_providers_cuda.so"


def test_onnxruntime_runs_on_the_cpu_without_what_ctranslate2_cannot_do_without() -> None:
    stage = started(staged(ORT, CTRANSLATE2, **ORT_KNOWN), "onnxruntime")  # type: ignore[arg-type]  # a test's shorthand

    assert stage.outcomes[-1].attempt.caller == (
        f"{PACKAGES}/onnxruntime/capi/onnxruntime_pybind11_state.{TAG}.so"
    )
    assert not started(stage, "onnxruntime").failures
    assert "ctranslate2" in started(stage, "ctranslate2").failures


def test_preload_dlls_asks_the_system_for_what_no_wheel_has() -> None:
    world = {**ORT, **lib("/usr/lib/libcudart.so.12")}
    stage = staged(world, **ORT_KNOWN)  # type: ignore[arg-type]  # a test's shorthand

    onnxruntime.preload_dlls(stage)

    assert served(stage, "libcudart.so.12") == ["/usr/lib/libcudart.so.12"]


def test_onnxruntime_1_20_has_nothing_to_preload() -> None:
    stage = staged(
        ORT, ORT_WHEELS, versions={"onnxruntime-gpu": "1.20.1"}, built_for={"onnxruntime": "12"}
    )

    onnxruntime.preload_dlls(stage)

    assert stage.outcomes == []


CTRANSLATE2 = {
    **module(
        "ctranslate2/_ext",
        "libctranslate2-bc15bf3f.so.4.5.0",
        rpath="$ORIGIN/../ctranslate2.libs",
        soname=None,
    ),
    **wheel("ctranslate2.libs/libctranslate2-bc15bf3f.so.4.5.0", "libcudnn-74a4c495.so.9.1.0"),
    **wheel("ctranslate2.libs/libcudnn-74a4c495.so.9.1.0", rpath="ctranslate2.libs"),
}


@pytest.mark.parametrize(
    ("version", "name"), [("3.24.0", "libcublas.so.11"), ("4.5.0", "libcublas.so.12")]
)
def test_ctranslate2_fails_by_the_name_of_its_own_cublas(version: str, name: str) -> None:
    stage = started(staged(CTRANSLATE2, versions={"ctranslate2": version}), "ctranslate2")

    assert stage.failures["ctranslate2"].startswith(f"{name}: cannot open shared object file")


def test_ctranslate2_does_not_find_the_wheel_of_cublas() -> None:
    world = {**CTRANSLATE2, **nvidia("cublas/libcublas.so.12")}

    assert started(staged(world, versions={"ctranslate2": "4.5.0"}), "ctranslate2").failures


def test_ctranslate2_takes_the_cublas_that_another_has_loaded() -> None:
    world = {**CTRANSLATE2, **nvidia("cublas/libcublas.so.12")}
    stage = staged(world, versions={"ctranslate2": "4.5.0"})
    stage.ctypes(f"{PACKAGES}/nvidia/cublas/lib/libcublas.so.12", because="torch was first")

    started(stage, "ctranslate2")

    asked = next(one for one in stage.outcomes if "cuBLAS" in one.attempt.because)
    assert asked.path == f"{PACKAGES}/nvidia/cublas/lib/libcublas.so.12"
    assert (asked.attempt.caller or "").endswith("libctranslate2-bc15bf3f.so.4.5.0")


def test_a_model_without_cudnn_runs_although_the_half_of_cudnn_is_missing() -> None:
    stage = staged(CTRANSLATE2, lib("/usr/lib/libcublas.so.12"), versions={"ctranslate2": "4.5.0"})

    assert started(stage, "ctranslate2").failures == {}
    assert stage.outcomes[-1].error is not None


BITSANDBYTES = {
    **wheel("torch/lib/libtorch_global_deps.so"),
    **module("torch/_C", soname=None),
    **wheel("bitsandbytes/libbitsandbytes_cpu.so"),
    **wheel("bitsandbytes/libbitsandbytes_cuda121.so"),
    **wheel("bitsandbytes/libbitsandbytes_cuda128.so"),
}


@pytest.mark.parametrize(
    ("version", "cuda", "name"),
    [
        ("0.43.3", "12.1", "libbitsandbytes_cuda121.so"),
        ("0.43.3", "12.9", "libbitsandbytes_cpu.so"),
        ("0.50.1", "12.9", "libbitsandbytes_cuda128.so"),
        ("0.50.1", "12.4", "libbitsandbytes_cuda121.so"),
        ("0.50.1", "12.0", "libbitsandbytes_cuda121.so"),
    ],
)
def test_bitsandbytes_takes_the_library_for_torch_s_cuda(
    version: str, cuda: str, name: str
) -> None:
    versions = {"bitsandbytes": version, "torch": "2.9.1"}
    stage = staged(BITSANDBYTES, versions=versions, built_for={"torch": cuda})

    assert opened(started(stage, "bitsandbytes"))[-1] == name
    assert stage.outcomes[0].framework == "torch"


def test_bitsandbytes_0_48_fails_for_a_cuda_that_it_was_not_built_for() -> None:
    versions = {"bitsandbytes": "0.48.0", "torch": "2.9.1"}
    stage = started(
        staged(BITSANDBYTES, versions=versions, built_for={"torch": "12.9"}), "bitsandbytes"
    )

    assert "libbitsandbytes_cuda129.so" in stage.failures["bitsandbytes"]


def test_bnb_cuda_version_names_the_library() -> None:
    versions, variables = {"bitsandbytes": "0.50.1"}, {"BNB_CUDA_VERSION": "128"}
    stage = staged(
        BITSANDBYTES, versions=versions, built_for={"torch": "12.1"}, variables=variables
    )

    assert opened(started(stage, "bitsandbytes"))[-1] == "libbitsandbytes_cuda128.so"


def test_bitsandbytes_does_not_start_where_torch_does_not() -> None:
    stage = started(staged(versions={"bitsandbytes": "0.50.1"}), "bitsandbytes")

    assert stage.failures == {
        "torch": "torch is not installed",
        "bitsandbytes": "torch does not start: torch is not installed",
    }


@pytest.mark.parametrize("framework", sorted(frameworks.FRAMEWORKS))
def test_every_framework_is_a_consumer_of_the_catalog(framework: str) -> None:
    assert framework in catalog.load().consumers


@pytest.mark.parametrize("framework", sorted(frameworks.FRAMEWORKS))
def test_an_empty_environment_makes_no_framework_crash(framework: str) -> None:
    assert opened(started(staged(), framework)) == []


def test_ctypes_opens_for_its_own_extension_whose_runpath_shuts_out_the_program_s_rpath() -> None:
    world = {
        **lib(f"{PREFIX}/lib/libnvrtc.so.12"),
        **lib(f"{DYNLOAD}/_ctypes.{TAG}.so", runpath="$ORIGIN"),
    }
    stage = staged(world, python={"rpath": "$ORIGIN/../lib"})

    assert stage.ctypes("libnvrtc.so.12", is_optional=True, because="a test") is None
    assert stage.open("libnvrtc.so.12", because="a test") is not None


def test_ctypes_that_is_linked_into_libpython_opens_for_it() -> None:
    world = {
        **lib("/py/lib/libpython3.12.so.1.0", runpath="$ORIGIN/inner"),
        **lib("/py/lib/inner/libnvrtc.so.12"),
    }
    python = {"needed": ("libpython3.12.so.1.0",), "rpath": "/py/lib"}
    stage = staged(world, python=python, directories=())

    assert stage.ctypes("libnvrtc.so.12", because="a test") == "/py/lib/inner/libnvrtc.so.12"


def test_the_directories_to_record_are_those_that_variables_and_habit_name() -> None:
    variables = {"CUDA_HOME": "/opt/cuda", "CUDNN_PATH": "/opt/cudnn", "CONDA_PREFIX": PREFIX}
    site = Site(prefix=PREFIX, directories=(PACKAGES,), variables=variables)

    found = frameworks.directories(site, catalog.load().loadings)

    assert {"/opt/cuda/lib64", "/opt/cuda/nvvm/lib64", "/opt/cudnn/lib64"} <= set(found)
    assert {f"{PREFIX}/lib", f"{PREFIX}/nvvm/libdevice", "/usr/local/cuda/nvvm/lib64"} <= set(found)


class _Asked(PlainTree):
    """A tree that remembers which directories it was asked for."""

    def __init__(self, files: dict[str, SharedLibrary]) -> None:
        super().__init__(files)
        self.asked: set[str] = set()

    def names(self, directory: str) -> Collection[str]:
        self.asked.add(posixpath.normpath(directory))
        return super().names(directory)


def test_no_other_directory_is_looked_into() -> None:
    variables = {"CUDA_HOME": "/h", "CUDA_PATH": "/p", "CONDA_PREFIX": PREFIX, "NCCL_HOME": "/n"}
    world = {**TENSORFLOW, **JAX, **JAX_WHEELS, **ORT, **CTRANSLATE2, **BITSANDBYTES}
    world |= lib(f"{PREFIX}/conda-meta/history")
    versions = {"jax-cuda12-pjrt": "0.5.3", "cuda-pathfinder": "1.9.0", "numba-cuda": "0.30.0"}
    stage = staged(world, versions=versions, built_for={"torch": "12.1"}, variables=variables)
    stage.tree = _Asked(world)

    for framework in frameworks.FRAMEWORKS:
        started(stage, framework)

    listed = set(frameworks.directories(stage.site, stage.known))
    inside = tuple(f"{one}/" for one in stage.site.directories)
    asked = stage.tree.asked - listed
    assert {one for one in asked if not f"{one}/".startswith(inside)} == set()


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, [f"{PACKAGES}/nvidia/cu13/nvvm/libdevice/libdevice.10.bc"]),
        (
            {"XLA_FLAGS": "--xla_gpu_cuda_data_dir=/data/cuda --xla_gpu_strict_conv_algorithm_picker"},
            ["/data/cuda/nvvm/libdevice/libdevice.10.bc"],
        ),
        ({"XLA_FLAGS": "/home/me/flags.txt"}, []),
    ],
)  # fmt: skip
def test_xla_looks_for_libdevice_where_its_flags_lead_and_in_the_wheels_of_cuda_13(
    variables: dict[str, str], found: list[str]
) -> None:
    world = {
        **TENSORFLOW,
        **wheel("nvidia/cu13/nvvm/libdevice/libdevice.10.bc"),
        **lib("/data/cuda/nvvm/libdevice/libdevice.10.bc"),
    }
    stage = staged(world, versions={"tensorflow": "2.18.0"}, variables=variables)
    started(stage, "tensorflow")

    looked_up = [one for one in stage.outcomes if one.attempt.names[0].endswith(".bc")]
    assert [one.path for one in looked_up] == found
