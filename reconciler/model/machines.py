"""What is known of drivers and GPUs: which CUDA a driver serves, and what a build has code for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Literal

import msgspec
from msgspec import Struct

from reconciler.model.cuda import CudaVersion
from reconciler.model.gpu_code import GpuArchitecture, GpuCode
from reconciler.model.host import DriverRelease
from reconciler.model.row import Row, numbers

System = Literal["linux", "windows"]
#: Minor-version compatibility began with it; before, each release needs its own driver.
#: https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
COMPATIBLE_SINCE = 11


def system_of(platform: str) -> System:
    """Return whose drivers count; in WSL either may be told, and Linux's floors are the lower."""
    return "windows" if platform.startswith("win") else "linux"


class DriverRow(Row, frozen=True, kw_only=True):
    """The driver of a CUDA release: the one that came with it, or the least that serves it."""

    #: ``X.Y``; of a floor ``X``, for all minor releases without a row of their own.
    cuda: str
    linux: str
    #: None since NVIDIA's tables name none.
    windows: str | None = None
    source: str

    def of(self, system: System) -> str:
        """Return the driver of a system; where its table has none, the branch, which all share."""
        if system == "linux":
            return self.linux
        return self.windows or self.linux.partition(".")[0]


class GpuModels(Row, frozen=True, kw_only=True):
    """The GPUs of one compute capability."""

    #: ``9.0``.
    capability: str
    #: As NVIDIA names them: ``NVIDIA H100``, ``GeForce RTX 4090``.
    names: tuple[str, ...]
    source: str


class ReleasedCode(Row, frozen=True, kw_only=True):
    """What the wheels of one release have code for."""

    package: str
    #: Of two numbers, it is that of all its releases.
    version: str
    platform: str = "linux-64"
    cuda: str
    sass: tuple[str, ...]
    ptx: tuple[str, ...] = ()
    source: str

    def holds(self, version: str) -> bool:
        """Tell whether a version, whatever its local label, is of this release."""
        own, wanted = numbers(self.version), numbers(version)
        return bool(wanted) and (wanted == own or (len(own) == 2 and wanted[:2] == own))


class Machines(Struct, frozen=True, kw_only=True, dict=True):
    """The tables of drivers and GPUs, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    @cached_property
    def _drivers(self) -> tuple[DriverRow, ...]:
        return msgspec.json.decode(self.read("drivers"), type=tuple[DriverRow, ...])

    @cached_property
    def _floors(self) -> tuple[DriverRow, ...]:
        return msgspec.json.decode(self.read("driver_floors"), type=tuple[DriverRow, ...])

    @cached_property
    def _gpus(self) -> tuple[GpuModels, ...]:
        return msgspec.json.decode(self.read("gpus"), type=tuple[GpuModels, ...])

    @cached_property
    def _codes(self) -> tuple[ReleasedCode, ...]:
        return msgspec.json.decode(self.read("gpu_codes"), type=tuple[ReleasedCode, ...])

    def least_driver(self, cuda: CudaVersion, system: System) -> DriverRelease | None:
        """Return the oldest driver that runs what was built for a release; None where unknown."""
        rows = self._floors if cuda.major >= COMPATIBLE_SINCE else self._drivers
        by_release = {row.cuda: row for row in rows}
        row = by_release.get(str(cuda)) or by_release.get(str(cuda.major))
        return DriverRelease.parse(row.of(system)) if row else None

    def newest_cuda(self, driver: DriverRelease, system: System) -> CudaVersion | None:
        """Return the newest CUDA that a driver speaks by itself: what ``nvidia-smi`` shows."""
        # A branch speaks one CUDA, whichever of its releases came with the toolkit.
        rows = (r for r in self._drivers if numbers(r.of(system))[0] <= driver.branch)
        found = [CudaVersion.parse(row.cuda) for row in rows]
        return found[-1] if found else None

    def branch_of(self, cuda: CudaVersion) -> str | None:
        """Return the branch of drivers that came with a CUDA release: ``575`` of 12.9."""
        row = next((row for row in self._drivers if row.cuda == str(cuda)), None)
        return row.linux.partition(".")[0] if row else None

    def architecture_of(self, gpu: str) -> GpuArchitecture | None:
        """Return the architecture of a GPU by the driver's name for it; None for an unknown one."""
        words = _words(gpu)
        named = (
            (len(_words(name)), row.capability)
            for row in self._gpus
            for name in row.names
            if _words(name) == words[: len(_words(name))]
        )
        longest = max(named, default=None)
        return GpuArchitecture.of_capability(longest[1]) if longest else None

    def released_code(
        self, package: str, version: str, cuda: CudaVersion | None, platform: str
    ) -> tuple[GpuCode, ...]:
        """Return what the wheel of a release has code for; () where no row tells."""
        row = next(
            (
                row
                for row in self._codes
                if (row.package, row.platform, row.cuda) == (package, platform, str(cuda))
                and row.holds(version)
            ),
            None,
        )
        if row is None:
            return ()
        return (
            *(_code("sass", text) for text in row.sass),
            *(_code("ptx", text) for text in row.ptx),
        )


def _code(kind: Literal["sass", "ptx"], text: str) -> GpuCode:
    return GpuCode(kind=kind, architecture=GpuArchitecture.parse(text), entries=1)


def _words(name: str) -> tuple[str, ...]:
    # The driver says `NVIDIA H100 80GB HBM3`, `Tesla V100-SXM2-16GB`, `NVIDIA GeForce RTX 4090`.
    words = name.replace("-", " ").upper().split()
    return tuple(word for word in words if word not in {"NVIDIA", "TESLA", "GEFORCE"})
