"""What packages add to the DLL search of Windows, and what they open, as they are imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from reconciler.model.row import Row, numbers
from reconciler.model.windows_image import stem_of


class WindowsLoading(Row, frozen=True, kw_only=True):
    """What the import of a package does on Windows before its own extensions are loaded.

    In its directories, ``{packages}`` is site-packages, ``{prefix}`` sys.prefix, ``{base}``
    sys.base_prefix, ``{cuda}`` the CUDA release that the package was built for and ``{cuda_}`` the
    same with underscores; ``%NAME%`` is a variable. Of what ``|`` parts, the first holds whose parts
    are all known.
    """

    #: The folder in site-packages that is imported.
    module: str
    #: As a report names it: ``PyTorch``.
    title: str
    #: What os.add_dll_directory is given, in this order, where it exists.
    adds: tuple[str, ...] = ()
    #: What is added besides, by the pattern of a file that none of ``adds`` has.
    adds_without: Mapping[str, str] = {}
    #: The extension modules that are loaded before ``opens``, as patterns below site-packages.
    after: tuple[str, ...] = ()
    #: What is opened, as patterns below site-packages.
    opens: tuple[str, ...] = ()
    #: What it has cuda-pathfinder load before its own extensions: names of WindowsFound.
    finds: tuple[str, ...] = ()
    #: The first release that has ``finds``; the rest of the row holds for those that were read.
    finds_since: str = "0"
    #: Which order Windows follows for ``opens`` and what they import: that of ctypes.CDLL, of
    #: LOAD_WITH_ALTERED_SEARCH_PATH, or of LoadLibrary.
    search: Literal["default_dirs", "altered", "standard"] = "default_dirs"
    #: Whether what cannot be opened is tried once more with LoadLibrary, ``adds`` being put before PATH.
    retries: bool = False
    #: Whether the package can do without them: those of a GPU that may not be there.
    is_optional: bool = False
    source: str


class Installed(Struct, frozen=True, kw_only=True):
    """A Python on Windows, as far as its packages' imports ask for it. Paths have slashes."""

    #: Its site-packages, in the order of sys.path.
    packages: tuple[str, ...]
    #: sys.prefix, and what a venv was made from; the same in all other environments.
    prefix: str
    base: str
    variables: Mapping[str, str] = {}
    #: The CUDA release that a package was built for, by its module: 12.4.
    built_for: Mapping[str, str] = {}
    #: The versions of packages, by their modules, where they are known.
    versions: Mapping[str, str] = {}

    def uses_pathfinder(self, row: WindowsLoading) -> bool:
        """Tell whether the installed release of a package has cuda-pathfinder load libraries."""
        version = self.versions.get(row.module)
        return version is None or numbers(version) >= numbers(row.finds_since)


class WindowsFound(Row, frozen=True, kw_only=True):
    """A library that cuda-pathfinder looks for, and where: its ``DescriptorSpec`` for Windows."""

    #: As its callers name it: ``nvJitLink``.
    name: str
    #: The best one first.
    dlls: tuple[str, ...]
    #: Relative to each directory of packages, in the order of the search.
    wheels: tuple[str, ...] = ()
    #: Relative to the root of a toolkit, or to Library of a conda environment.
    anchors: tuple[str, ...] = ("bin/x64", "bin")
    #: The names of those that are loaded before it, and of those of them without which it goes on.
    needs: tuple[str, ...] = ()
    may_lack: tuple[str, ...] = ()
    #: Variables that name the folder it is installed in, and where in there it lies.
    variables: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    #: Whether its folder is given to os.add_dll_directory: it opens others by their names.
    adds: bool = False
    #: Whether it comes with the driver, and is asked of Windows alone.
    is_driver: bool = False
    source: str


class WindowsLoadings(Struct, frozen=True, kw_only=True):
    """All that is known of how CUDA is loaded on Windows."""

    rows: tuple[WindowsLoading, ...] = ()
    found: Mapping[str, WindowsFound] = {}
    #: The component of CUDA by the stem of a DLL, in lower case; without those of the driver.
    components: Mapping[str, str] = {}
    #: The names under which pip and conda know what is built against CUDA.
    users: frozenset[str] = frozenset()

    def component_of(self, name: str) -> str | None:
        """Return the component of CUDA that a DLL is of; None of all else, and of the driver's."""
        return self.components.get(stem_of(name))
