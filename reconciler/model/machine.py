"""The machine that is judged for: this one, or another that the user names."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from reconciler.model.cuda import CudaBuild, CudaVersion
from reconciler.model.gpu_code import GpuArchitecture, GpuCode
from reconciler.model.host import DriverRelease


class Driver(Struct, frozen=True, kw_only=True):
    """The driver that is judged for."""

    #: None where only the CUDA is known that it speaks.
    release: DriverRelease | None = None
    #: The newest CUDA that it speaks by itself: *CUDA Version* of ``nvidia-smi``.
    cuda: CudaVersion | None = None
    #: What names another machine's driver: ``--driver 550``; None for this machine's own.
    said_by: str | None = None

    def __str__(self) -> str:
        """As a report names it: ``the driver 535.104.05 (CUDA 12.2)``."""
        if self.release is None:
            return f"a driver of CUDA {self.cuda}"
        of = f" (CUDA {self.cuda})" if self.cuda else ""
        return f"the driver {self.release}{of}"


class KnownGpu(Struct, frozen=True, kw_only=True):
    """A GPU that is judged for, and the code that it runs."""

    #: As a report names it: ``NVIDIA H100 80GB HBM3 (sm_90)``, ``a GPU of sm_90``.
    title: str
    architecture: GpuArchitecture
    #: Whether it is one that cuda-compat is not made for.
    is_for_games: bool = False
    is_parted: bool = False
    #: In bytes.
    memory: int | None = None


class Coverage(Struct, frozen=True, kw_only=True):
    """What a build has for a GPU."""

    build: CudaBuild
    gpu: KnownGpu
    #: Machine code, PTX that the driver compiles, or nothing that the GPU can run.
    by: Literal["sass", "ptx", "nothing"]
    code: tuple[GpuCode, ...]
    #: The libraries that hold the code; () where the catalog tells of the release.
    paths: tuple[str, ...] = ()
