"""The machine around a prefix: its driver and the variables of the shell."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct


class DriverRelease(Struct, frozen=True, order=True):
    """An NVIDIA driver's own version, such as 580.65.06: *Driver Version* of ``nvidia-smi``.

    Not to be confused with the *CUDA Version* beside it in the same table.
    """

    parts: tuple[int, ...]
    #: As the driver writes it: 535.129.03 on a PC, 540.4.0 on Tegra.
    text: str

    def __str__(self) -> str:
        """As the driver writes it."""
        return self.text

    @property
    def branch(self) -> int:
        """What its releases have in common: 580 of 580.65.06."""
        return self.parts[0] if self.parts else 0

    def is_at_least(self, other: DriverRelease) -> bool:
        """Tell whether it is that release or a later one; a branch alone is its newest."""
        if len(self.parts) == 1:
            return self.branch >= other.branch
        return self.parts >= other.parts

    @classmethod
    def parse(cls, text: str) -> DriverRelease:
        """Read numbers between dots; raises ValueError."""
        return cls(tuple(int(part) for part in text.split(".")), text)

    @classmethod
    def known(cls, text: str | None) -> DriverRelease | None:
        """Read numbers between dots; None for anything else."""
        is_release = text is not None and re.fullmatch(r"\d{1,9}(?:\.\d{1,9})*", text, re.ASCII)
        return cls.parse(text) if text is not None and is_release else None


class Gpu(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One GPU of the machine."""

    #: As the driver names it: ``NVIDIA H100 80GB HBM3``.
    name: str
    #: Its compute capability, ``9.0``; None where the driver was not asked.
    capability: str | None = None
    #: In bytes.
    memory: int | None = None
    #: Whether it is parted (MIG), so that a process is given an instance of it.
    is_parted: bool = False


class Gpus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The GPUs of the machine, and what their driver says of itself when it is asked."""

    devices: tuple[Gpu, ...] = ()
    #: The driver's release and its newest CUDA; None where it was not asked.
    release: str | None = None
    cuda: str | None = None


class CompatLibrary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A driver's library of cuda-compat, which stands in for that of an older driver."""

    #: Absolute, its links resolved.
    path: str
    #: The release in its name: 550.54.15.
    release: str
    #: What leads the loader there, ``LD_LIBRARY_PATH`` or ``ld.so.cache``; None where nothing does.
    reached_by: str | None = None


class Surroundings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the environment runs in: a container, WSL, and the driver's files that reach it."""

    #: What tells of a container, such as ``/.dockerenv``; None where nothing does.
    container: str | None = None
    is_wsl: bool = False
    #: Whether the kernel has the driver, which a container shares with its host.
    has_module: bool = False
    #: The driver's library, libcuda, where the machine's own loader finds it.
    library: str | None = None
    #: Whether there are devices of the driver: /dev/nvidiactl, /dev/dxg of WSL, Tegra's.
    has_devices: bool = False
    compat: tuple[CompatLibrary, ...] = ()


class PathEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of PYTHONPATH, and what its directory says of the Python it was made for."""

    #: Absolute.
    path: str
    exists: bool = True
    #: ``X.Y`` as a directory above says it (``lib/python3.8``), else None.
    python_in_path: str | None = None
    #: ``X.Y`` of each Python that compiled extension modules in it were built for.
    extensions_for: tuple[str, ...] = ()
    #: The prefix that it belongs to (a conda-meta, a pyvenv.cfg or a standard library above it).
    prefix: str | None = None
    #: Normal names of the distributions in it.
    distributions: tuple[str, ...] = ()


class ImportPath(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the sys.path that the environment's Python would start with, in its order.

    The standard library's own entries are left out. The working directory, which ``python -m`` and
    ``python -c`` put first, is the project's folder.
    """

    #: Relative to the prefix where inside it, else absolute.
    path: str
    origin: Literal["working directory", "PYTHONPATH", "user site", ".pth", "site-packages"]
    #: The .pth file that adds it, relative to the prefix where inside it.
    via: str | None = None
    #: The .pth files in it with lines that Python would execute; here, nothing is.
    runs: tuple[str, ...] = ()
    #: Of an entry outside of the prefix: what answers the import of a package that CUDA is used
    #: through, as ``torch.py`` or ``torch/__init__.py``.
    modules: tuple[str, ...] = ()
    #: Of the working directory: the name of the distribution whose source it holds, "" where the
    #: source does not say it; None where it holds no source of a distribution.
    source_of: str | None = None


class Shadow(Struct, frozen=True, kw_only=True):
    """What an entry of sys.path answers before the environment's own is reached."""

    #: The normal name of the distribution, or the import package.
    name: str
    #: In words: ``numpy 1.24.4``, or the path of a module.
    taken: str
    #: In words: ``conda's numpy 1.26.4``.
    instead_of: str
    by: ImportPath
    #: The folder whose .pth file adds that entry; else the entry itself.
    root: ImportPath

    def __str__(self) -> str:
        """One in place of the other, as evidence."""
        return f"{self.taken} instead of {self.instead_of}"


class VariablePath(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A path that a variable of the shell leads to, as it lies on the disk."""

    variable: str
    #: As written; of a command, absolute.
    path: str
    exists: bool = True
    #: The environment that it lies in, its links resolved; None where in none.
    environment: str | None = None
    #: The version of the Python that conda has in that environment; None where none of conda's is.
    python: str | None = None
    #: Of PATH: the command for which this file is the first.
    command: str | None = None
    #: Of a command that is a script: the interpreter that its first line names.
    interpreter: str | None = None
    #: The environment of that interpreter.
    interpreter_in: str | None = None


class SystemToolkit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CUDA toolkit that is installed beside every environment."""

    #: Absolute, its links resolved.
    path: str
    #: As its version.json, version.txt or cuda.h says; None where none of them is there.
    version: str | None = None
    #: What leads to it: ``CUDA_HOME``, ``/usr/local/cuda``, ``nvcc on PATH``.
    found_by: tuple[str, ...] = ()
    #: The version of a cuDNN that was copied into it, by its cudnn_version.h.
    cudnn: str | None = None


class KernelSpec(Struct, frozen=True, kw_only=True):
    """A Jupyter kernel, which an IDE starts without activating anything."""

    name: str
    #: The folder of its kernel.json, relative to the prefix where inside it.
    path: str
    #: The interpreter that it starts.
    interpreter: str
    #: The environment that this interpreter lies in, its links resolved; None where in none.
    environment: str | None = None


class PipOption(Struct, frozen=True, kw_only=True):
    """A setting that changes what pip does, from a configuration file or a variable."""

    #: The file, relative to the prefix where inside it; or the variable.
    source: str
    #: As in pip's configuration: ``index-url``.
    name: str
    #: Without credentials.
    value: str
