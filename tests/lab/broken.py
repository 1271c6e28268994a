"""The packages of an environment with a dozen faults, and of the same one without any.

Each fault is one that people have met (the threads stand in the catalog's classes of errors), and
has packages of its own, so that none hides another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .elf_stub import stub_library
from .elf_symbols import Import
from .packages import version_py
from .running import EXTENSION, SITE_PACKAGES, WHEEL_TAG
from .wheels import Wheel, build_wheel, read_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ANY, BINARY = "py3-none-manylinux2014_x86_64", f"{WHEEL_TAG}-manylinux2014_x86_64"
IMPORTS = b"from . import _C\n"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 96525744\n" % 7
LINKER_SCRIPT = b"/* GNU ld script: the library itself is %s */\nINPUT ( libnccl.so.2 )\n" % (
    b"-" * 40
)
JITLINK, CUBLASLT, CUDNN = "libnvJitLink.so.12", "libcublasLt.so.12", "libcudnn.so.9"
OPS, CNN = "libcudnn_ops_infer.so.8", "libcudnn_cnn_infer.so.8"


def wheels_of(folder: Path, *, is_broken: bool) -> Sequence[Sequence[Path]]:
    """Build the wheels that pip has to install at once, and after these."""
    kept = folder / ("broken" if is_broken else "whole")
    cudnn_13 = _of_nvidia("cudnn-cu13", "9.12.0.46", [CUDNN], symbols={"cudnnOther": CUDNN})
    together = (*_common(), *_nvidia(is_broken=is_broken))
    after = [cudnn_13] if is_broken else []
    return [[build_wheel(kept, wheel) for wheel in wheels] for wheels in (together, after)]


def traps(folder: Path) -> Mapping[str, Path]:
    """Write what stands on the LD_LIBRARY_PATH, or the PYTHONPATH, of people who have a fault."""
    files = {
        "cuda-12.0/lib64": {CUBLASLT: stub_library(CUBLASLT, symbols={"cublasLtOld": CUBLASLT})},
        "cudnn-8.5/lib": {OPS: stub_library(OPS, symbols={"cudnnOpsOld": OPS})},
        "old-linux": {
            "libstdc++.so.6": stub_library("libstdc++.so.6", versions=["GLIBCXX_3.4.19"])
        },
        "cuda-12.4/lib64/stubs": {"libcuda.so.1": stub_library("libcuda.so.1")},
    }
    for place, content in files.items():
        (folder / place).mkdir(parents=True)
        for name, library in content.items():
            (folder / place / name).write_bytes(library)
    old = Wheel("numpy", "1.24.4", {"numpy/__init__.py": b"__version__ = '1.24.4'\n"}, tag=ANY)
    for path, data in read_wheel(build_wheel(folder, old)).items():
        for place in ("old-packages", f"user/{SITE_PACKAGES}"):
            (folder / place / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / place / path).write_bytes(data)
    return {place: folder / place for place in (*files, "old-packages", "user")}


def _module(name: str, needed: str, *imports: Import, runpath: str = "", **more: bytes) -> Wheel:
    extension = stub_library(
        None, [needed], imports=imports, runpath=runpath or None, symbols=["PyInit__C"]
    )
    files = {f"{name}/__init__.py": IMPORTS, f"{name}/_C{EXTENSION}": extension, **more}
    return Wheel(name, "1.0", files, tag=BINARY)


def _leads_to(folder: str) -> str:
    return f"$ORIGIN/../nvidia/{folder}/lib"


def _common() -> Sequence[Wheel]:
    """Give the packages that meet the faults, and are at fault themselves in none."""
    glibcxx = Import("_ZSt24__throw_out_of_range_fmtPKcz", "GLIBCXX_3.4.20", "libstdc++.so.6")
    by_name = b"import ctypes\n\nctypes.CDLL('libcublas.so.12')\n"
    cudnn_8 = (
        b"import ctypes, pathlib\n\nhere = pathlib.Path(__file__).parent.parent\n"
        b"try:\n    ctypes.CDLL(str(here / 'nvidia/cudnn/lib/libcudnn_cnn_infer.so.8'))\n"
        b"except OSError as error:\n"
        b"    raise SystemExit(f'Could not load library libcudnn_cnn_infer.so.8. Error: {error}')\n"
    )
    by_path = (
        b"import ctypes, pathlib\n\nhere = pathlib.Path(__file__).parent.parent\n"
        b"ctypes.CDLL(str(here / 'nvidia/nccl/lib/libnccl.so'))\n"
    )
    driver = (
        b"import ctypes\n\ntry:\n    ctypes.CDLL('libcuda.so.1')\nexcept OSError:\n    pass\n"
        b"if '/stubs/libcuda.so' in open('/proc/self/maps').read():\n"
        b"    raise RuntimeError('CUDA error: CUDA driver is a stub library')\n"
    )
    return [
        Wheel("drivergpu", "1.0", {"drivergpu/__init__.py": driver}),
        _module("onegpu", "libcudart.so.11.0", runpath=_leads_to("cuda_runtime")),
        Wheel("ctranslate2", "4.5.0", {"ctranslate2/__init__.py": by_name}, tag=BINARY),
        _module("densegpu", "libcublas.so.12", runpath=_leads_to("cublas")),
        _module("sparsegpu", "libcusparse.so.12", runpath=_leads_to("cusparse")),
        _module(
            "convgpu",
            CUDNN,
            Import("cudnnBackendExecuteOld", CUDNN, CUDNN),
            runpath=_leads_to("cudnn"),
        ),
        Wheel("dnn8", "1.0", {"dnn8/__init__.py": cudnn_8}),
        _module("cxxgpu", "libstdc++.so.6", glibcxx),
        _module("randgpu", "libcurand.so.10", runpath=_leads_to("curand")),
        _module("fftgpu", "libcufft.so.11", runpath=_leads_to("cufft")),
        Wheel("ncclpy", "1.0", {"ncclpy/__init__.py": by_path}),
        Wheel("numpy", "2.3.5", {"numpy/__init__.py": b"def trapezoid(): ...\n"}, tag=BINARY),
    ]


def _nvidia(*, is_broken: bool) -> Sequence[Wheel]:
    """Give the packages at fault, or the right ones."""
    return [
        *([] if is_broken else [_of_nvidia("cuda-runtime-cu11", "11.8.89", ["libcudart.so.11.0"])]),
        _of_nvidia(
            "cublas-cu12",
            "12.4.5.8",
            [CUBLASLT],
            symbols={"cublasLtOld": CUBLASLT, "cublasLtNew": CUBLASLT},
            more={"libcublas.so.12": _library(CUBLASLT, "cublasLtNew", soname="libcublas.so.12")},
        ),
        _of_nvidia(
            "cusparse-cu12",
            "12.3.1.170",
            [],
            more={
                "libcusparse.so.12": _library(
                    JITLINK,
                    "__nvJitLinkComplete_12_4",
                    soname="libcusparse.so.12",
                    runpath="$ORIGIN/../../nvjitlink/lib",
                )
            },
        ),
        _of_nvidia(
            "nvjitlink-cu12",
            "12.1.105" if is_broken else "12.4.127",
            [JITLINK],
            symbols={f"__nvJitLinkComplete_12_{1 if is_broken else 4}": JITLINK},
        ),
        _of_nvidia(
            "cudnn-cu11",
            "8.9.5.29",
            [OPS],
            symbols={"cudnnOpsOld": OPS, "cudnnOpsNew": OPS},
            more={CNN: _library(OPS, "cudnnOpsNew", soname=CNN)},
        ),
        _of_nvidia("cudnn-cu12", "9.1.0.70", [CUDNN], symbols={"cudnnBackendExecuteOld": CUDNN}),
        _of_nvidia("curand-cu12", "10.3.5.147", ["libcurand.so.10"], damaged=is_broken),
        _of_nvidia("cufft-cu12", "11.2.1.3", ["libcufft.so.11"], is_cut=is_broken),
        _of_nvidia(
            "nccl-cu12",
            "2.21.5",
            ["libnccl.so.2"],
            more={"libnccl.so": LINKER_SCRIPT if is_broken else stub_library("libnccl.so.2")},
        ),
        _torch("2.1.2+cpu" if is_broken else "2.1.2+cu121", None if is_broken else "12.1"),
        _elf32(is_broken=is_broken),
        _activating(),
        _module(
            "jitgpu",
            JITLINK,
            *([Import("__nvJitLinkComplete_12_9", JITLINK, JITLINK)] if is_broken else []),
            runpath="$ORIGIN/../../../../lib",
        ),
        _module(
            "lategpu",
            "libcupti.so.12",
            runpath="" if is_broken else "$ORIGIN/../../../../cuda/lib64",
        ),
        _fused("fusedgpu", "$ORIGIN/../torch/lib", is_broken=is_broken),
        _fused("flashgpu", "", is_broken=is_broken),
    ]


def _of_nvidia(  # noqa: PLR0913 - what a wheel of NVIDIA may have
    name: str,
    version: str,
    libraries: Sequence[str],
    *,
    symbols: Mapping[str, str] | None = None,
    more: Mapping[str, bytes] | None = None,
    damaged: bool = False,
    is_cut: bool = False,
) -> Wheel:
    folder = name.rpartition("-")[0].replace("-", "_")
    files = {one: stub_library(one, symbols=symbols or {}) for one in libraries} | {**(more or {})}
    files = {one: LFS_POINTER if damaged else content for one, content in files.items()}
    files = {one: content[:40] if is_cut else content for one, content in files.items()}
    placed = {f"nvidia/{folder}/lib/{one}": content for one, content in files.items()}
    return Wheel(f"nvidia-{name}", version, placed, tag=ANY)


def _library(needed: str, symbol: str, *, soname: str, runpath: str = "$ORIGIN") -> bytes:
    imports = [Import(symbol, needed, needed)]
    return stub_library(soname, [needed], runpath=runpath, imports=imports)


def _torch(version: str, cuda: str | None) -> Wheel:
    """Give a torch whose ``cuda`` fails as torch/cuda/__init__.py does in a build for the CPU."""
    code = (
        b"import ctypes\n\nctypes.CDLL(__file__.replace('__init__.py', 'lib/libc10.so'))\n"
        b"from .version import __version__, cuda as _cuda\n\n\n"
        b"def zeros(*size, device):\n    if _cuda is None:\n"
        b"        raise AssertionError('Torch not compiled with CUDA enabled')\n"
    )
    files = {
        "torch/__init__.py": code,
        "torch/version.py": version_py(version, cuda),
        "torch/lib/libc10.so": stub_library("libc10.so", symbols=["_ZN3c104impl3newEv"]),
    }
    return Wheel("torch", version, files, tag=BINARY)


def _elf32(*, is_broken: bool) -> Wheel:
    extension = bytearray(stub_library(None, symbols=["PyInit__C"]))
    if is_broken:
        extension[4] = 1  # EI_CLASS: ELFCLASS32
    files = {"smallgpu/__init__.py": IMPORTS, f"smallgpu/_C{EXTENSION}": bytes(extension)}
    return Wheel("smallgpu", "1.0", files, tag=BINARY)


def _activating() -> Wheel:
    """Give a package whose library is found in an activated environment alone."""
    data = "latecuda-12.4.data/data"
    script = b'export LD_LIBRARY_PATH="$CONDA_PREFIX/cuda/lib64"\n'
    files = {
        f"{data}/etc/conda/activate.d/latecuda.sh": script,
        f"{data}/cuda/lib64/libcupti.so.12": stub_library("libcupti.so.12"),
    }
    return Wheel("latecuda", "12.4", files, tag=ANY)


def _fused(name: str, runpath: str, *, is_broken: bool) -> Wheel:
    """Give an extension of torch, which calls what another release of torch has.

    Without a path of its own it lives on what torch has opened.
    """
    symbol = f"_ZN3c104impl3{'old' if is_broken else 'new'}Ev"
    return _module(name, "libc10.so", Import(symbol), runpath=runpath)
