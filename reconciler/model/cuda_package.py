"""The parts of CUDA, and the packages that install them or say which CUDA is meant."""

from __future__ import annotations

from typing import Literal

from reconciler.model.cuda import Manager
from reconciler.model.row import Row


class Component(Row, frozen=True, kw_only=True):
    """A part of CUDA that is packaged by itself, such as the runtime, cuBLAS or cuDNN."""

    name: str
    #: As a report names it: ``CUDA runtime``.
    title: str
    #: The file names of its libraries up to ``.so``: ``libcudart``.
    libraries: tuple[str, ...] = ()
    source: str


class CudaPackage(Row, frozen=True, kw_only=True):
    """A package that installs a part of CUDA, or that says which CUDA is meant."""

    manager: Manager
    #: conda's name, or PyPI's normal name.
    name: str
    #: The name of a Component; ``toolkit`` for packages of many or of none.
    component: str
    #: The components whose libraries it installs; empty for metapackages and pins.
    brings: tuple[str, ...] = ()
    #: Where its CUDA release stands: ``version`` (its own version begins with it), ``major`` (its
    #: own version's first number is the major), ``name`` (``cuda_major``, fixed by its name), or
    #: ``depends`` (only what it depends on tells).
    cuda_in: Literal["version", "major", "name", "depends"]
    cuda_major: int | None = None
    #: A metapackage through which the runtime is installed: ``pytorch-cuda``, ``cuda-toolkit``.
    pulls_runtime: bool = False
    #: Whether nvcc is in it, or in what it depends on.
    has_compiler: bool = False
    source: str
