"""What the loader of Windows may come to from an environment, as far as CUDA goes."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked_variable
from reconciler.loader import pe
from reconciler.loader.tree import Unfit
from reconciler.loader.windows_search import is_absolute, slashed
from reconciler.loader.windows_start import (
    CudaTree,
    cuda_part,
    installed_of,
    packages_of,
    site_of,
    started,
)
from reconciler.model.os_name import from_os
from reconciler.model.ownership import ownership
from reconciler.model.snapshot import Fact, Gap
from reconciler.model.windows_image import WindowsImage
from reconciler.model.windows_view import WindowsView

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.windows_loading import WindowsLoadings

_MACHINES = {"win-64": 0x8664, "win-arm64": 0xAA64, "win-32": 0x14C}
_LIBRARY = (".dll", ".pyd")
_LISTED = (*_LIBRARY, ".exe", ".libs")
#: The variables by which a DLL is found, beside those that cuda-pathfinder asks for.
_VARIABLES = re.compile(
    r"(?i)PATH|CUDA_HOME|CUDA_PATH(_V\d+_\d+)?|CONDA_PREFIX|NVTOOLSEXT_PATH|ProgramFiles"
    r"|CONDA_DLL_SEARCH_MODIFICATION_ENABLE"
)
#: Those that name a toolkit, and where it keeps its DLLs.
_TOOLKITS = re.compile(r"(?i)CUDA_HOME|CUDA_PATH(_V\d+_\d+)?")
_TOOLKIT = ("bin", "bin/x64")
#: Of an environment with more libraries, the rest is not read.
MAX_FILES = 8192


class DiskWindowsTree:
    """The files of this machine; what was seen is kept."""

    def __init__(self, root: str = "") -> None:
        """Look below ``root`` for what does not lie in it already: the folder of a made-up machine."""
        self._root = root
        self.directories: dict[str, tuple[str, ...]] = {}
        self.images: dict[str, WindowsImage | Unfit | None] = {}
        self.gaps: dict[str, Gap] = {}

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory; none where it cannot be listed."""
        if directory not in self.directories:
            place = self._disk(directory)
            try:
                self.directories[directory] = files.names(place) if place else ()
            except files.UnreadableError:
                self.directories[directory] = ()
        return self.directories[directory]

    def image(self, path: str) -> WindowsImage | Unfit | None:
        """Return what a file says of itself."""
        if path not in self.images:
            place = self._disk(path)
            self.images[path] = self._read(path, place) if place else None
        return self.images[path]

    def _read(self, path: str, place: str) -> WindowsImage | Unfit | None:
        try:
            return files.with_pread(place, lambda pread: pe.read(path, pread))
        except pe.NotPeError as error:
            return Unfit(str(error))
        except files.MissingError:
            return None
        except files.UnreadableError as error:
            self.gaps[path] = Gap(fact=Fact.WINDOWS_LOADER, item=path, reason=str(error))
            return None

    def _disk(self, path: str) -> str | None:
        """Return where a path lies here; None of a drive on another system, and of a share."""
        # to look at \\server\share would ask the network
        if path.startswith("//"):
            return None
        if self._root:
            return path if path.startswith(self._root) else f"{self._root}/{path}"
        return path if path.startswith("/") or os.name == "nt" else None


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read every library of the packages, and those of CUDA wherever they may be found."""
    known, prefix = ground.wanted.windows, snapshot.target.prefix
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=None, gaps=(Gap(fact=Fact.WINDOWS_LOADER, reason=reason),))
    machine = _MACHINES.get(snapshot.target.platform)
    owned = tuple(libraries(snapshot)) if machine else ()
    if machine is None or not _uses_cuda(ground, snapshot, owned):
        return Found(value=None)
    gaps: tuple[Gap, ...] = ()
    if len(owned) > MAX_FILES:
        reason = f"{len(owned)} libraries, more than the {MAX_FILES} that are read"
        gaps = (Gap(fact=Fact.WINDOWS_LOADER, item="libraries", reason=reason),)
    blank = _blank(ground, snapshot, machine)
    tree = DiskWindowsTree(ground.root)
    paths = [posixpath.join(slashed(prefix), path) for path in owned[:MAX_FILES]]
    wanted = {name.casefold() for name in ground.wanted.sonames} | set(_read(tree, paths, known))
    _look_around(tree, blank, snapshot, known)
    for path in paths:
        tree.names(posixpath.dirname(path))
    _read_namesakes(tree, wanted, known)
    view = _view(tree, blank, snapshot, known)
    return Found(value=view, gaps=(*gaps, *tree.gaps.values()))


def libraries(snapshot: Snapshot) -> Iterator[str]:
    """Yield the DLLs and extension modules of all packages, relative to the prefix."""
    owners = ownership(snapshot.records, snapshot.distributions).installed
    for _, paths in owners:
        yield from (path for path in paths if path[-4:].lower() in _LIBRARY)


def _uses_cuda(ground: Ground, snapshot: Snapshot, owned: Iterable[str]) -> bool:
    """Tell whether a package may use CUDA: by its name, or by that of a DLL."""
    known = ground.wanted.windows
    names = (*(d.key for d in snapshot.distributions), *(r.name for r in snapshot.records))
    if any(name in known.users for name in names):
        return True
    return any(known.component_of(path.rpartition("/")[2]) for path in owned)


def _blank(ground: Ground, snapshot: Snapshot, machine: int) -> WindowsView:
    """Return a view of nothing yet: of its machine, and of its shell."""
    prefix, python = slashed(snapshot.target.prefix or ""), snapshot.python
    home = slashed(python.home) if python and python.home else prefix
    shell = {from_os(key): from_os(value) for key, value in ground.environ.items()}
    root = next((v for key, v in shell.items() if key.casefold() == "systemroot"), None)
    if root is None or not is_absolute(slashed(root)):
        return WindowsView(python=f"{home}/python.exe", machine=machine)
    asked = {n for row in ground.wanted.windows.found.values() for n in row.variables}
    return WindowsView(
        python=f"{home}/python.exe",
        machine=machine,
        is_here=True,
        root=slashed(root),
        directory=slashed(ground.directory),
        variables={
            key: masked_variable(key, value)
            for key, value in sorted(shell.items())
            if key in asked or _VARIABLES.fullmatch(key)
        },
    )


def _read(tree: DiskWindowsTree, paths: Iterable[str], known: WindowsLoadings) -> Iterator[str]:
    """Read files and yield the names of CUDA's DLLs that they import, in lower case."""
    for path in paths:
        image = tree.image(path)
        if isinstance(image, WindowsImage):
            part = cuda_part(image, known)
            yield from (name.casefold() for name in (*part.imports, *part.delayed))


def _look_around(
    tree: DiskWindowsTree, blank: WindowsView, snapshot: Snapshot, known: WindowsLoadings
) -> None:
    """Have the model look wherever it would, for each CUDA release that a package may be for."""
    asked = CudaTree(tree, blank, known)
    releases = {d.local for d in snapshot.distributions if d.local.startswith("cu")}
    tags = (re.fullmatch(r"cu(\d\d)(\d)", one) for one in releases)
    for release in (None, *(f"{tag[1]}.{tag[2]}" for tag in tags if tag)):
        built_for = {row.module: release for row in known.rows} if release else {}
        installed = installed_of(snapshot, blank, known, built_for)
        process = started(asked, site_of(snapshot, blank), installed, known)
        for place in process.directories():
            tree.names(place.directory)
    for key, value in blank.variables.items():
        for folder in _TOOLKIT if _TOOLKITS.fullmatch(key) else ():
            tree.names(posixpath.join(slashed(value), folder))


def _read_namesakes(tree: DiskWindowsTree, wanted: set[str], known: WindowsLoadings) -> None:
    """Read the DLLs of CUDA that are asked for, wherever they were seen, and what these ask for."""
    done: set[str] = set()
    while new := wanted - done:
        done |= new
        found = [
            posixpath.join(directory, name)
            for directory, names in sorted(tree.directories.items())
            for name in names
            if name.casefold() in new
        ]
        wanted = wanted | set(_read(tree, found[:MAX_FILES], known))


def _view(
    tree: DiskWindowsTree, blank: WindowsView, snapshot: Snapshot, known: WindowsLoadings
) -> WindowsView:
    parts = (cuda_part(o, known) for o in tree.images.values() if isinstance(o, WindowsImage))
    asked = {directory.casefold() for directory in tree.directories}
    prefix = slashed(snapshot.target.prefix or "")
    packages = {posixpath.join(prefix, place) for place in packages_of(snapshot)}
    modules = {row.module for row in known.rows}

    def is_kept(directory: str, name: str) -> bool:
        folded = name.casefold()
        is_module = directory in packages and folded in modules
        leads_on = posixpath.join(directory, name).casefold() in asked
        return folded.endswith(_LISTED) or is_module or leads_on

    return replace(
        blank,
        directories={
            directory: tuple(name for name in names if is_kept(directory, name))
            for directory, names in sorted(tree.directories.items())
            if names
        },
        images=tuple(
            one
            for one in parts
            if one.imports or one.delayed or known.component_of(posixpath.basename(one.path))
        ),
        unfit={
            path: one.reason for path, one in sorted(tree.images.items()) if isinstance(one, Unfit)
        },
    )
