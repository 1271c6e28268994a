"""What a collector is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.model.loading import Loadings
from reconciler.model.snapshot import Gap, Target
from reconciler.model.windows_loading import WindowsLoadings


class EvidenceWanted(Struct, frozen=True, kw_only=True):
    """Which files tell of CUDA: a value, because a collector does not know the catalog."""

    #: The file names of shared libraries up to ``.so``: ``libcudart``.
    libraries: frozenset[str] = frozenset()
    #: Globs of libraries by path, relative to site-packages.
    library_paths: frozenset[str] = frozenset()
    #: Text files by path, relative to site-packages.
    texts: frozenset[str] = frozenset()
    #: The names of import packages: ``torch``.
    imports: frozenset[str] = frozenset()
    #: The normal names of the distributions that may install one of these.
    providers: frozenset[str] = frozenset()
    #: The names of libraries that are opened by name, beside those that libraries need.
    sonames: frozenset[str] = frozenset()
    #: The names or paths of libraries that a message is about, to be opened by the model.
    opened: frozenset[str] = frozenset()
    #: How frameworks find the libraries that they open.
    loadings: Loadings = Loadings(steps=(), found={})
    #: The file names up to ``.so`` of the libraries that hold code for GPUs, and globs of the
    #: extension modules that do, relative to site-packages.
    kernel_libraries: frozenset[str] = frozenset()
    kernel_modules: frozenset[str] = frozenset()
    #: The normal names of what pip compiles for CUDA, and its repositories in lower case.
    compiled: frozenset[str] = frozenset()
    #: How frameworks do so on Windows.
    windows: WindowsLoadings = WindowsLoadings()


class Ground(Struct, frozen=True, kw_only=True):
    """Where to look."""

    target: Target
    #: The working directory, absolute: what relative entries of variables are relative to.
    directory: str = "/"
    #: The variables of the shell that envfix was started from, and what ``--env`` changed of them.
    environ: Mapping[str, str]
    wanted: EvidenceWanted
    #: What lies before the machine's own paths, such as /etc: the folder of a machine that is made up.
    root: str = ""


class Found(Struct, frozen=True, kw_only=True):
    """One fact, as the value of its field on Snapshot, and what of it could not be looked at."""

    value: Any
    gaps: tuple[Gap, ...] = ()
