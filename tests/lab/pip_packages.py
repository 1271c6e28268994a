"""What pip installs: two true wheels of NVIDIA, and stand-ins of those that weigh gigabytes.

Names, versions, tags and Requires-Dist are those of the true wheels, read from the registry's
metadata; DT_NEEDED, DT_RPATH and DT_RUNPATH are readelf's of the same wheels, or of the same
component's wheel for CUDA 12.9 (cufft, curand, cusolver, cusparse). Only the Python of a tag is the
running one: there are wheels of torch 2.1.2 for 3.8 to 3.11.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .elf_stub import stub_library
from .packages import TORCH_NEEDS, version_py
from .running import EXTENSION, WHEEL_TAG
from .wheels import Wheel, build_wheel, download

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LINUX = 'platform_system == "Linux" and platform_machine == "x86_64"'


@dataclass(frozen=True)
class NvidiaWheel:
    """One of the nvidia-*-cu12 wheels: a folder of libraries."""

    name: str
    version: str
    folder: str
    #: DT_NEEDED of CUDA by soname.
    libraries: Mapping[str, Sequence[str]]
    requires: Sequence[str] = ()
    runpath: str | None = "$ORIGIN"


#: Small enough to be downloaded: 0.8 and 0.1 MB.
TRUE_WHEELS = ("nvidia-cuda-runtime-cu12==12.1.105", "nvidia-nvtx-cu12==12.1.105")
CUSOLVER_NEEDS = ("libcublas.so.12", "libcublasLt.so.12", "libcusparse.so.12")
CUSOLVER_RUNPATH = ":".join(
    ["$ORIGIN", *(f"$ORIGIN/../../{folder}/lib" for folder in ("cublas", "nvjitlink", "cusparse"))]
)
STAND_INS = (
    NvidiaWheel(
        "nvidia-cublas-cu12",
        "12.1.3.1",
        "cublas",
        {"libcublas.so.12": ("libcublasLt.so.12",), "libcublasLt.so.12": ()},
    ),
    NvidiaWheel(
        "nvidia-cuda-cupti-cu12", "12.1.105", "cuda_cupti", {"libcupti.so.12": ()}, runpath=None
    ),
    NvidiaWheel(
        "nvidia-cuda-nvrtc-cu12",
        "12.1.105",
        "cuda_nvrtc",
        {"libnvrtc.so.12": (), "libnvrtc-builtins.so.12.1": ()},
    ),
    NvidiaWheel(
        "nvidia-cudnn-cu12",
        "8.9.2.26",
        "cudnn",
        {
            "libcudnn.so.8": (),
            "libcudnn_ops_infer.so.8": (),
            "libcudnn_cnn_infer.so.8": ("libcudnn_ops_infer.so.8",),
        },
        ("nvidia-cublas-cu12",),
    ),
    NvidiaWheel("nvidia-cufft-cu12", "11.0.2.54", "cufft", {"libcufft.so.11": ()}),
    NvidiaWheel("nvidia-curand-cu12", "10.3.2.106", "curand", {"libcurand.so.10": ()}),
    NvidiaWheel(
        "nvidia-cusolver-cu12",
        "11.4.5.107",
        "cusolver",
        {"libcusolver.so.11": (*CUSOLVER_NEEDS, "libnvJitLink.so.12")},
        ("nvidia-cublas-cu12", "nvidia-nvjitlink-cu12", "nvidia-cusparse-cu12"),
        CUSOLVER_RUNPATH,
    ),
    NvidiaWheel(
        "nvidia-cusparse-cu12",
        "12.1.0.106",
        "cusparse",
        {"libcusparse.so.12": ("libnvJitLink.so.12",)},
        ("nvidia-nvjitlink-cu12",),
        "$ORIGIN/../../nvjitlink/lib:$ORIGIN",
    ),
    NvidiaWheel("nvidia-nccl-cu12", "2.18.1", "nccl", {"libnccl.so.2": ()}, runpath=None),
    # not pinned by torch: the newest one is what pip takes
    NvidiaWheel(
        "nvidia-nvjitlink-cu12",
        "12.9.86",
        "nvjitlink",
        {"libnvJitLink.so.12": ()},
        runpath=None,
    ),
)
#: What a data scientist's environment has beside CUDA, all of it true: some 50 MB, a third of it
#: compiled, with all that they require.
EVERYDAY = (
    *("annotated-types==0.7.0", "attrs==25.4.0", "certifi==2025.10.5", "charset-normalizer==3.4.4"),
    *("click==8.3.0", "cycler==0.12.1", "filelock==3.20.0", "fsspec==2025.10.0", "idna==3.11"),
    *("jinja2==3.1.6", "joblib==1.5.2", "kiwisolver==1.4.9", "markdown-it-py==4.0.0"),
    *("markupsafe==3.0.3", "mdurl==0.1.2", "mpmath==1.3.0", "msgpack==1.1.2", "networkx==3.5"),
    *("numpy==2.3.5", "packaging==25.0", "pandas==2.3.3", "psutil==7.1.3", "pydantic==2.12.4"),
    *(
        "pydantic-core==2.41.5",
        "pygments==2.19.2",
        "pyparsing==3.2.5",
        "python-dateutil==2.9.0.post0",
    ),
    *("pytz==2025.2", "pyyaml==6.0.3", "requests==2.32.5", "rich==14.2.0", "six==1.17.0"),
    *("sympy==1.14.0", "threadpoolctl==3.6.0", "tqdm==4.67.1", "typing-extensions==4.15.0"),
    *("typing-inspection==0.4.2", "tzdata==2025.2", "urllib3==2.5.0"),
)
#: What else torch 2.1.2 requires, and what that requires.
PURE = {
    "filelock": ("3.29.5", ()),
    "fsspec": ("2026.7.0", ()),
    "jinja2": ("3.1.6", ("MarkupSafe>=2.0",)),
    "markupsafe": ("3.0.3", ()),
    "mpmath": ("1.3.0", ()),
    "networkx": ("3.6.1", ()),
    "sympy": ("1.14.0", ("mpmath<1.4,>=1.1.0",)),
    "typing_extensions": ("4.16.0", ()),
    "triton": ("2.1.0", ("filelock",)),
    "numpy": ("2.3.5", ()),
    "fastrlock": ("0.8.3", ()),
}
TORCH_PINS = (
    "nvidia-cuda-nvrtc-cu12==12.1.105",
    "nvidia-cuda-runtime-cu12==12.1.105",
    "nvidia-cuda-cupti-cu12==12.1.105",
    "nvidia-cudnn-cu12==8.9.2.26",
    "nvidia-cublas-cu12==12.1.3.1",
    "nvidia-cufft-cu12==11.0.2.54",
    "nvidia-curand-cu12==10.3.2.106",
    "nvidia-cusolver-cu12==11.4.5.107",
    "nvidia-cusparse-cu12==12.1.0.106",
    "nvidia-nccl-cu12==2.18.1",
    "nvidia-nvtx-cu12==12.1.105",
    "triton==2.1.0",
)
TORCH_RPATH = ":".join(
    f"$ORIGIN/../../nvidia/{folder}/lib"
    for folder in (
        *("cublas", "cuda_cupti", "cuda_nvrtc", "cuda_runtime", "cudnn", "cufft"),
        *("curand", "cusolver", "cusparse", "nccl", "nvtx"),
    )
)
#: cupy/.data/_wheel.json of the two wheels, their ``cuda``.
CUPY = {"cupy-cuda11x": "11.x", "cupy-cuda12x": "12.x"}
CUPY_CUBLAS = {"cupy-cuda11x": "libcublas.so.11", "cupy-cuda12x": "libcublas.so.12"}


def torch_stack(folder: Path, cache: Path) -> Sequence[Path]:
    """Give the wheels that ``pip install torch==2.1.2`` installs on Linux."""
    pure = [name for name in PURE if name not in {"numpy", "fastrlock"}]
    return [
        *(download(requirement, cache) for requirement in TRUE_WHEELS),
        *(_nvidia(folder, wheel) for wheel in STAND_INS),
        *(_pure(folder, name) for name in pure),
        _torch(folder),
    ]


def cupy_stack(folder: Path, name: str) -> Sequence[Path]:
    """Give the wheels that ``pip install cupy-cuda11x==13.6.0`` (or 12x) installs."""
    files = {
        "cupy/__init__.py": b"from cupy._version import __version__\n",
        "cupy/_version.py": b"__version__ = '13.6.0'\n",
        "cupy/.data/_wheel.json": json.dumps({"cuda": CUPY[name], "packaging": "pip"}).encode(),
        f"cupy_backends/cuda/libs/cublas{EXTENSION}": stub_library(None, [CUPY_CUBLAS[name]]),
    }
    requires = ["numpy<2.6,>=1.22", "fastrlock>=0.5"]
    tag = f"{WHEEL_TAG}-manylinux2014_x86_64"
    cupy = build_wheel(folder, Wheel(name, "13.6.0", files, requires, tag))
    return [_pure(folder, "numpy"), _pure(folder, "fastrlock"), cupy]


def _torch(folder: Path) -> Path:
    def library(name: str, *needed: str) -> bytes:
        return stub_library(name, needed, rpath=f"{TORCH_RPATH}:$ORIGIN")

    cuda = ["libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcufft.so.11"]
    files = {
        "torch/__init__.py": b"from .version import __version__\n",
        "torch/version.py": version_py("2.1.2+cu121", "12.1"),
        "torch/lib/libc10.so": library("libc10.so"),
        "torch/lib/libc10_cuda.so": library("libc10_cuda.so", "libc10.so", "libcudart.so.12"),
        "torch/lib/libtorch_cpu.so": library("libtorch_cpu.so", "libc10.so"),
        "torch/lib/libtorch_cuda.so": library(
            *("libtorch_cuda.so", "libc10_cuda.so", "libtorch_cpu.so", *cuda, "libcurand.so.10"),
            *("libcusparse.so.12", "libcudnn.so.8", "libnccl.so.2", "libnvToolsExt.so.1"),
        ),
        f"torch/_C{EXTENSION}": stub_library(None, ["libtorch_cuda.so"], rpath="$ORIGIN/lib"),
    }
    requires = [*TORCH_NEEDS, *(f"{pin} ; {LINUX}" for pin in TORCH_PINS)]
    tag = f"{WHEEL_TAG}-manylinux1_x86_64"
    return build_wheel(folder, Wheel("torch", "2.1.2", files, requires, tag))


def _nvidia(folder: Path, wheel: NvidiaWheel) -> Path:
    packages = ("nvidia", f"nvidia/{wheel.folder}", f"nvidia/{wheel.folder}/lib")
    files = {f"{package}/__init__.py": b"" for package in packages}
    files |= {
        f"nvidia/{wheel.folder}/lib/{soname}": stub_library(soname, needed, runpath=wheel.runpath)
        for soname, needed in wheel.libraries.items()
    }
    tag = "py3-none-manylinux1_x86_64"
    return build_wheel(folder, Wheel(wheel.name, wheel.version, files, wheel.requires, tag))


def _pure(folder: Path, name: str) -> Path:
    version, requires = PURE[name]
    files = {f"{name}/__init__.py": f"__version__ = {version!r}\n".encode()}
    return build_wheel(folder, Wheel(name, version, files, requires))
