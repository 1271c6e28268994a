"""What is: every fact collected about one environment, at one moment.

A Snapshot is a plain value. It goes to JSON and back without loss, so that an environment can be
judged where it is not: in a bug report, in CI, on a laptop without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from reconciler.model.distribution import Distribution
from reconciler.model.gpu_code import LibraryGpuCode
from reconciler.model.host import (
    DriverRelease,
    Gpus,
    ImportPath,
    KernelSpec,
    PathEntry,
    PipOption,
    Surroundings,
    SystemToolkit,
    VariablePath,
)
from reconciler.model.library import EvidenceText, PayloadFile, SharedLibrary
from reconciler.model.loader_view import LoaderView
from reconciler.model.manifest import Manifest
from reconciler.model.pip_view import PipView
from reconciler.model.prefix import PrefixRecord, PrefixState, Python
from reconciler.model.toolchain import Toolchain
from reconciler.model.windows_view import WindowsView

#: Raised by one whenever a field changes its meaning or goes away.
SCHEMA = 1


class Fact(StrEnum):
    """A kind of fact: the name of one field of a Snapshot. A rule needs it; a collector fills it."""

    MANIFESTS = "manifests"
    RECORDS = "records"
    PYTHON = "python"
    DISTRIBUTIONS = "distributions"
    LIBRARIES = "libraries"
    EVIDENCE = "evidence"
    VARIABLES = "variables"
    PYTHONPATH = "pythonpath"
    DRIVER = "driver"
    STATE = "state"
    IMPORT_PATHS = "import_paths"
    OUTSIDE = "outside"
    PAYLOAD = "payload"
    KERNELS = "kernels"
    PIP_OPTIONS = "pip_options"
    TOOLKITS = "toolkits"
    VARIABLE_PATHS = "variable_paths"
    LOADER = "loader"
    WINDOWS_LOADER = "windows"
    PIP_VIEW = "pip_view"
    GPUS = "gpus"
    SURROUNDINGS = "surroundings"
    ARCHITECTURES = "gpu_code"
    TOOLCHAIN = "toolchain"


class Gap(Struct, frozen=True, kw_only=True):
    """What could not be looked at, and why. A gap is not the same as an empty fact."""

    fact: Fact
    reason: str
    #: The one unreadable item; None where the whole fact is missing.
    item: str | None = None


class Choice(Struct, frozen=True, kw_only=True):
    """What a user's options say of the environment to look at; at most one of them."""

    #: A folder.
    prefix: str | None = None
    #: The name of a conda environment.
    name: str | None = None
    no_env: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """Which project and which environment are looked at."""

    #: Absolute.
    project: str
    #: Absolute; None where no environment is looked at.
    prefix: str | None = None
    kind: Literal["conda", "venv", "system", "none"] = "none"
    #: conda's name of a platform, such as ``linux-64``.
    platform: str
    #: The platforms that the user wants declared files judged for; empty for each that they may be
    #: installed on.
    platforms: tuple[str, ...] = ()
    #: The CUDA that is meant, as the user says: ``12.4``, ``none`` for the CPU alone, or ``auto``.
    cuda: str = "auto"
    #: The driver of another machine that is meant, as the user says: ``550``, ``550.54.15``.
    driver: str | None = None
    #: The GPUs of it: ``sm_90``.
    gpus: tuple[str, ...] = ()
    #: Whether the user is about to compile: ``--build``.
    builds: bool = False
    #: The files that were asked about, relative to the project; empty where the project was. What
    #: they include is read, and not reported.
    files: tuple[str, ...] = ()
    #: Why this environment was taken, in words.
    because: str = ""
    #: What a user should know of the choice, such as another environment that the project names.
    notes: tuple[str, ...] = ()

    def is_of_project(self, path: str) -> bool:
        """Tell whether a path is the project's folder, or lies in it."""
        return path == self.project or path.startswith(f"{self.project}/")


class Snapshot(Struct, frozen=True, kw_only=True):
    """One environment and its project, as they were."""

    schema: int = SCHEMA
    #: The version of envfix that took it.
    envfix: str
    target: Target
    #: The facts that were asked for; a rule that needs another one is not run.
    asked: tuple[Fact, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    records: tuple[PrefixRecord, ...] = ()
    python: Python | None = None
    distributions: tuple[Distribution, ...] = ()
    libraries: tuple[SharedLibrary, ...] = ()
    evidence: tuple[EvidenceText, ...] = ()
    #: The environment variables that matter to Python, the loader, CUDA and the managers.
    variables: Mapping[str, str] = {}
    #: The entries of PYTHONPATH, in its order.
    pythonpath: tuple[PathEntry, ...] = ()
    #: None where a machine without a driver was looked at.
    driver: DriverRelease | None = None
    gpus: Gpus | None = None
    #: The container or WSL around the environment, and the driver's files that reach it.
    surroundings: Surroundings | None = None
    #: What the environment's libraries have code for; read only where a GPU is known.
    gpu_code: tuple[LibraryGpuCode, ...] = ()
    #: What the prefix holds beside its packages; None where there is no prefix.
    state: PrefixState | None = None
    #: The static sys.path of the environment's Python, in its order.
    import_paths: tuple[ImportPath, ...] = ()
    #: The distributions that this Python also sees from outside the prefix.
    outside: tuple[Distribution, ...] = ()
    #: The files on disk that packages dispute, or that CUDA rests on.
    payload: tuple[PayloadFile, ...] = ()
    kernels: tuple[KernelSpec, ...] = ()
    pip_options: tuple[PipOption, ...] = ()
    #: The CUDA toolkits of the machine.
    toolkits: tuple[SystemToolkit, ...] = ()
    #: What would compile CUDA code here; None where it was not looked for, as on Windows.
    toolchain: Toolchain | None = None
    #: Where the variables that name a folder lead, and the first python and pip of PATH.
    variable_paths: tuple[VariablePath, ...] = ()
    #: What the dynamic loader may come to; None where no environment, or one without ld.so, was
    #: looked at.
    loader: LoaderView | None = None
    #: The same of Windows; None elsewhere, and where nothing of the environment uses CUDA.
    windows: WindowsView | None = None
    #: What the environment's own pip lists; None where it was not asked, or gave no answer.
    pip_view: PipView | None = None
    gaps: tuple[Gap, ...] = ()
