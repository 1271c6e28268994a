"""The code for GPUs that a shared library carries in its fat binaries."""

from __future__ import annotations

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


class GpuCode(Struct, frozen=True, kw_only=True, order=True):
    """The entries of one kind and one architecture, among all fat binaries of a library."""

    #: ``sass`` is machine code (``sm_90``); ``ptx`` is compiled by the driver (``compute_90``).
    kind: Literal["sass", "ptx"]
    architecture: GpuArchitecture
    #: How many: a library may hold a few of its kernels for an architecture that the rest lack.
    entries: int

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
