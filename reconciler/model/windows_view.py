"""An environment's files as the loader of Windows sees them: all that a model of it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.windows_image import WindowsImage


class WindowsView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The Python of an environment of Windows, and every DLL of CUDA that it may come to.

    Paths are absolute and have slashes; no two differ in nothing but their case.
    """

    #: The python.exe that runs, which need not be there: the environment may lie on another system.
    python: str
    #: What that is built for, as WindowsImage has it.
    machine: int
    #: Whether it was looked at on a Windows, so that what is not seen is not there.
    is_here: bool = False
    #: %SystemRoot%.
    root: str = "C:/Windows"
    #: The working directory.
    directory: str = "C:/"
    #: Those of the shell that lead to a DLL, as set; none of a shell of another system.
    variables: Mapping[str, str] = {}
    #: What may be asked for in each directory that is there: DLLs, and what leads to them.
    directories: Mapping[str, tuple[str, ...]] = {}
    #: The libraries of CUDA and those that import one; of what they import, the part that is CUDA's.
    images: tuple[WindowsImage, ...] = ()
    #: Why a file is no library.
    unfit: Mapping[str, str] = {}
