"""What the dynamic loader may come to from an environment: libraries, search paths, its system."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.collect import loader_system
from reconciler.collect.disk_tree import DiskTree
from reconciler.collect.ground import Found
from reconciler.collect.misfits import misfits
from reconciler.collect.replays import Scene, replays
from reconciler.loader import frameworks
from reconciler.loader.package_folders import folders
from reconciler.loader.survey import MAX_PLACES, Survey
from reconciler.loader.tree import Unfit
from reconciler.model.library import SharedLibrary
from reconciler.model.loader_view import LoaderView
from reconciler.model.os_name import from_os
from reconciler.model.ownership import installed_paths, ownership
from reconciler.model.situations import site_of, situations
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.collect.ground import Ground
    from reconciler.model.loading import Loadings, Site
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.system import System

#: What leads the loader, or what opens libraries by itself, to a directory.
SEARCH_VARIABLE = "LD_LIBRARY_PATH"
#: Where a toolkit keeps its libraries: NVIDIA's own layout, and conda's below targets/.
TOOLKIT_FOLDERS = (
    "lib64",
    "lib",
    "targets/x86_64-linux/lib",
    "targets/sbsa-linux/lib",
    "nvvm/lib64",
)


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read every library of the environment, and follow where they lead."""
    prefix = snapshot.target.prefix
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=None, gaps=(Gap(fact=Fact.LOADER, reason=reason),))
    if not snapshot.target.platform.startswith("linux"):
        return Found(value=None)
    tree = DiskTree(ground.root)
    executable = tree.real_path(f"{prefix}/bin/python")
    program = tree.elf(executable)
    if not isinstance(program, SharedLibrary) or program.interpreter is None:
        why = program.reason if isinstance(program, Unfit) else "not there, or linked statically"
        gap = Gap(fact=Fact.LOADER, reason=f"{executable} cannot be started: {why}")
        return Found(value=None, gaps=(gap,))
    system, gaps = loader_system.read(program.interpreter, program.machine, root=ground.root)
    directory = from_os(ground.directory)
    survey = Survey(tree, system, directory)
    packaged, shells = tuple(libraries(snapshot)), situations(snapshot)
    survey.look_at((executable, *own_modules(tree, executable), *packaged))
    survey.search(directories(snapshot, packaged))
    for around in conda_around(ground, snapshot, tree, executable):
        survey.search(f"{around}/{folder}" for folder in TOOLKIT_FOLDERS)
    for shell in shells:
        # its $ORIGIN is the program's: glibc, elf/dl-load.c, _dl_init_paths
        survey.follow(shell.get(SEARCH_VARIABLE), posixpath.dirname(executable))
    preloaded = re.split("[ :]+", from_os(ground.environ.get("LD_PRELOAD", "")))
    # A path that leads elsewhere is of another environment: nothing is looked at for it.
    roots = (f"{prefix}/", f"{snapshot.target.project}/")
    asked = [one for one in ground.wanted.opened if "/" not in one or one.startswith(roots)]
    survey.need((*ground.wanted.sonames, *asked, *system.preload, *filter(None, preloaded)))
    survey.finish()
    if survey.is_cut:
        reason = f"libraries name more than {MAX_PLACES} directories; the rest is not looked at"
        gaps += (Gap(fact=Fact.LOADER, item="search paths", reason=reason),)
    sites = [site_of(snapshot, executable, dict(shell.variables)) for shell in shells]
    listed = _whole(tree, sites, packaged, ground.wanted.loadings)
    whole = {tree.real_path(path) for path in listed}
    for path in whole:
        tree.names(path)
    view = view_of(tree, executable, system, directory, whole)
    wanted = ground.wanted.libraries
    found = misfits(tree, survey, snapshot, libraries=packaged, wanted=wanted)
    scene = Scene(
        tree=tree,
        system=system,
        executable=executable,
        directory=directory,
        shells=shells,
        modules=tuple(own_modules(tree, executable)),
        packaged=packaged,
    )
    asked += [posixpath.basename(one) for one in ground.wanted.opened]
    played = tuple(replays(scene, asked)) if asked else ()
    return Found(value=replace(view, misfits=tuple(found), replays=played), gaps=gaps)


def _whole(
    tree: DiskTree, sites: Sequence[Site], packaged: Sequence[str], loadings: Loadings
) -> Iterator[str]:
    """Yield the directories of which all names are kept, and not only what may be a library."""
    yield from folders(tree, sites[0].directories, packaged)
    for site in sites:
        yield from frameworks.directories(site, loadings)


def own_modules(tree: DiskTree, executable: str) -> Iterator[str]:
    """Yield the extension modules of Python itself; a venv's lie with its ``home``."""
    lib = f"{posixpath.dirname(posixpath.dirname(executable))}/lib"
    version = re.search(r"python(\d+\.\d+t?)$", executable)
    folder = f"{lib}/python{version[1]}/lib-dynload" if version else ""
    yield from (f"{folder}/{name}" for name in (tree.names(folder) if version else ()))


def libraries(snapshot: Snapshot) -> Iterator[str]:
    """Yield the libraries of all packages that the environment's Python sees."""
    prefix = snapshot.target.prefix
    owned = ownership(snapshot.records, snapshot.distributions).libraries
    yield from (f"{prefix}/{path}" for path in owned)
    for distribution in snapshot.outside:
        yield from (path for path in installed_paths(distribution) if ".so" in path)


def directories(snapshot: Snapshot, packaged: Iterable[str]) -> Iterator[str]:
    """Yield where packages keep these libraries, and toolkits."""
    yield from {posixpath.dirname(path) for path in packaged}
    for toolkit in snapshot.toolkits:
        yield from (f"{toolkit.path}/{folder}" for folder in TOOLKIT_FOLDERS)
    # Windows puts it there, whether ld.so.cache knows of it or not: docs.nvidia.com/cuda/wsl-user-guide
    yield "/usr/lib/wsl/lib"


def conda_around(
    ground: Ground, snapshot: Snapshot, tree: DiskTree, executable: str
) -> Iterator[str]:
    """Yield the conda environments that a virtual environment is used in, lies in, or is made of."""
    prefix = snapshot.target.prefix
    if prefix is None or snapshot.target.kind == "conda":
        return
    active = from_os(ground.environ.get("CONDA_PREFIX", ""))
    roots = [active] if active.startswith("/") else []
    for path in (prefix, posixpath.dirname(executable)):
        while path not in {"/", ""}:
            path = posixpath.dirname(path)  # noqa: PLW2901 - up to the root
            roots.append(path)
    for root in dict.fromkeys(map(tree.real_path, roots)):
        if "conda-meta" in tree.names(root):
            tree.names(f"{root}/conda-meta")
            yield root


def view_of(
    tree: DiskTree,
    executable: str,
    system: System,
    directory: str,
    whole: Collection[str] = (),
) -> LoaderView:
    """Return all that a tree has seen; of most directories, the names that a library may have."""
    heads = {sub.partition("/")[0] for sub in system.subdirectories}
    paths_of: dict[str, list[str]] = {}
    for path, inode in tree.inodes.items():
        paths_of.setdefault(inode, []).append(path)
    return LoaderView(
        executable=executable,
        system=system,
        directory=directory,
        directories={
            path: tuple(sorted(n for n in names if path in whole or ".so" in n or n in heads))
            for path, names in tree.directories.items()
        },
        whole=tuple(sorted(whole)),
        files=tuple(file for file in tree.elves.values() if isinstance(file, SharedLibrary)),
        unfit={path: file.reason for path, file in tree.elves.items() if isinstance(file, Unfit)},
        links=tree.links,
        identities={
            path: inode for inode, paths in paths_of.items() for path in paths if len(paths) > 1
        },
    )
