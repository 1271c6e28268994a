"""What of a machine would compile CUDA code for an environment, as files show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

#: What the C++ code of an extension includes of CUDA, through torch's ATen/cuda/CUDAContextLight.h.
HEADERS = ("cuda_runtime_api.h", "cublas_v2.h", "cusparse.h", "cusolverDn.h")
#: The names that the linker looks for: CUDA's runtime, and the driver's library or its stub.
RUNTIME, DRIVER = "libcudart.so", "libcuda.so"


class Compiler(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One compiler, which nobody has started."""

    #: As it is called: absolute, its links not resolved.
    path: str
    kind: Literal["nvcc", "gcc", "clang", "unknown"]
    #: ``12.2.0``, of nvcc ``12.4``; None where no file of it tells.
    release: str | None = None
    #: What told the release: ``its own bytes``, a folder, a record.
    told_by: str = ""
    #: What leads there: ``CXX``, ``PATH``, ``-ccbin of NVCC_PREPEND_FLAGS``.
    found_by: str = ""

    @property
    def major(self) -> int | None:
        """12 of 12.2.0; None where the release is unknown."""
        return int(self.release.partition(".")[0]) if self.release else None

    def __str__(self) -> str:
        """``gcc 12.2.0 (/usr/bin/g++)``, as a report names it."""
        name = "compiler" if self.kind == "unknown" else self.kind
        return f"{name}{f' {self.release}' if self.release else ''} ({self.path})"


class CudaRoot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A folder that a build may take for CUDA's: ``CUDA_HOME`` of torch.utils.cpp_extension."""

    #: As written.
    path: str
    #: What leads there: ``CUDA_HOME``, ``CUDA_PATH``, ``nvcc on PATH``; "" for what is only there.
    found_by: str = ""
    exists: bool = True
    #: Its ``bin/nvcc``.
    nvcc: Compiler | None = None
    #: The folders in it with one of HEADERS, and which they have.
    headers: Mapping[str, tuple[str, ...]] = {}
    #: The folders in it with RUNTIME.
    runtimes: tuple[str, ...] = ()
    #: The folders in it with a stub of DRIVER.
    stubs: tuple[str, ...] = ()
    #: The folder in it that the linker is led to: ``lib`` only where there is no ``lib64``.
    library_folder: str = "lib64"

    @property
    def is_list(self) -> bool:
        """Whether it is written as several folders, as PATH is, where one is meant."""
        return ":" in self.path


class Toolchain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What would compile CUDA code in the environment, once it is activated."""

    #: The folder that torch takes; None where it finds none.
    root: CudaRoot | None = None
    #: The others that have an nvcc: the environment's, and the machine's.
    others: tuple[CudaRoot, ...] = ()
    #: What nvcc hands the host's code to; None where there is no compiler.
    host: Compiler | None = None
    #: What compiles C++, and torch checks: ``CXX``, else ``c++``.
    cxx: Compiler | None = None
    #: The compilers of C++ by another name on PATH, such as ``g++-12``.
    versioned: tuple[Compiler, ...] = ()
    #: None where none is found on PATH.
    ninja: str | None = None
    #: Those of HEADERS, and of RUNTIME and DRIVER, that compiler and linker find in the system's own
    #: folders, and where CPATH, CXXFLAGS, LIBRARY_PATH and their like lead.
    headers_elsewhere: tuple[str, ...] = ()
    libraries_elsewhere: tuple[str, ...] = ()
    #: Those of HEADERS that NVIDIA's wheels in the environment have, by folder: no compiler looks there.
    headers_of_wheels: Mapping[str, tuple[str, ...]] = {}
    #: Whether nvcc is told to take any host compiler (``-allow-unsupported-compiler``).
    allows_any: bool = False
    #: Whether torch is told to check none (``TORCH_DONT_CHECK_COMPILER_ABI``).
    is_unchecked: bool = False

    @property
    def roots(self) -> tuple[CudaRoot, ...]:
        """The folder that is taken, and the others."""
        return (*((self.root,) if self.root else ()), *self.others)
