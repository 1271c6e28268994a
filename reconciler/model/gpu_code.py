"""The code for GPUs that a shared library carries in its fat binaries."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct


class GpuArchitecture(Struct, frozen=True, order=True):
    """What code for GPUs was made for: 90 is of compute capability 9.0."""

    number: int
    #: ``a``: for this architecture alone. ``f``: for its family alone. Neither runs on later ones.
    suffix: Literal["", "a", "f"] = ""

    def __str__(self) -> str:
        """Without what it is: ``90a`` of sm_90a or compute_90a."""
        return f"{self.number}{self.suffix}"

    @classmethod
    def parse(cls, text: str) -> GpuArchitecture:
        """Read ``90``, ``90a``, ``sm_90`` or ``compute_90``; raises ValueError."""
        known = cls.known(text)
        if known is None:
            raise ValueError(f"{text!r} is no architecture of a GPU, such as sm_90")
        return known

    @classmethod
    def known(cls, text: str) -> GpuArchitecture | None:
        """Read the same; None for anything else."""
        match = re.fullmatch(r"(?:sm_|compute_)?(\d{2,3})([af]?)", text, re.ASCII)
        if match is None:
            return None
        suffix: Literal["", "a", "f"] = "a" if match[2] == "a" else "f" if match[2] else ""
        return cls(int(match[1]), suffix)

    @classmethod
    def of_capability(cls, text: str) -> GpuArchitecture | None:
        """Read a compute capability: ``9.0`` is 90; None for anything else."""
        match = re.fullmatch(r"(\d{1,2})\.(\d)", text, re.ASCII)
        return cls(int(match[1]) * 10 + int(match[2])) if match else None

    @property
    def capability(self) -> str:
        """As NVIDIA writes it for a GPU: ``9.0``."""
        return f"{self.number // 10}.{self.number % 10}"


class GpuCode(Struct, frozen=True, kw_only=True, order=True):
    """The entries of one kind and one architecture, among all fat binaries of a library."""

    #: ``sass`` is machine code (``sm_90``); ``ptx`` is compiled by the driver (``compute_90``).
    kind: Literal["sass", "ptx"]
    architecture: GpuArchitecture
    #: How many: a library may hold a few of its kernels for an architecture that the rest lack.
    entries: int

    def runs_on(self, gpu: GpuArchitecture) -> bool:
        """Tell whether a GPU of an architecture can run it, if the driver compiles what is PTX."""
        # https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/compute-capabilities.html
        made_for = self.architecture
        if made_for.suffix == "a":
            return made_for.number == gpu.number
        is_of_major = made_for.number // 10 == gpu.number // 10
        is_bound = self.kind == "sass" or made_for.suffix == "f"
        return made_for.number <= gpu.number and (is_of_major or not is_bound)

    def __str__(self) -> str:
        """As CUDA's compilers name it: ``sm_90a``, ``compute_90``."""
        return f"{'sm' if self.kind == 'sass' else 'compute'}_{self.architecture}"


class LibraryGpuCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one shared library holds for GPUs.

    Nothing is known from an empty ``code``: a library may keep its kernels packed in its data
    (libcufft of CUDA 13), or compile them as it runs (libcudnn_graph).
    """

    #: Relative to the prefix where it lies inside it.
    path: str
    #: In order of kind and architecture.
    code: tuple[GpuCode, ...] = ()

    def architectures(self, kind: Literal["sass", "ptx"]) -> tuple[GpuArchitecture, ...]:
        """Return what it holds code of one kind for, in order."""
        return tuple(code.architecture for code in self.code if code.kind == kind)
