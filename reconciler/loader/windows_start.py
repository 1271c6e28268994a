"""A Python on Windows in which everything installed has been imported, as far as it adds or opens DLLs.

What is not CUDA's is taken to be found: the runtime of Visual C++, Windows' own, the driver's. Of an
environment that lies on another system, most of it could not be seen.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.loader.tree import Unfit
from reconciler.loader.windows import Process
from reconciler.loader.windows_packages import added_by, imported, opened_by
from reconciler.loader.windows_pathfinder import load
from reconciler.loader.windows_search import Site, Windows, slashed
from reconciler.loader.windows_tree import PlainWindowsTree
from reconciler.model.windows_image import WindowsImage
from reconciler.model.windows_loading import Installed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.loader.windows_tree import WindowsTree
    from reconciler.model.distribution import Distribution
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.windows_loading import WindowsLoadings
    from reconciler.model.windows_view import WindowsView


class CudaTree:
    """Another tree as far as CUDA goes, with a python.exe that starts whether it is there or not."""

    def __init__(self, tree: WindowsTree, view: WindowsView, known: WindowsLoadings) -> None:
        self._tree = tree
        self._python = WindowsImage(path=view.python, machine=view.machine)
        self._known = known

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory."""
        return self._tree.names(directory)

    def image(self, path: str) -> WindowsImage | Unfit | None:
        """Return what a file imports of CUDA."""
        if path == self._python.path:
            return self._python
        image = self._tree.image(path)
        return cuda_part(image, self._known) if isinstance(image, WindowsImage) else image


def cuda_part(image: WindowsImage, known: WindowsLoadings) -> WindowsImage:
    """Return an image without the imports that are not CUDA's."""
    return replace(
        image,
        imports=tuple(name for name in image.imports if known.component_of(name)),
        delayed=tuple(name for name in image.delayed if known.component_of(name)),
    )


def recorded(view: WindowsView) -> PlainWindowsTree:
    """Return the tree that was recorded of a machine."""
    images: dict[str, WindowsImage | Unfit] = {one.path: one for one in view.images}
    unfit = {path: Unfit(reason) for path, reason in view.unfit.items()}
    return PlainWindowsTree(images | unfit, names=view.directories)


def installed_of(
    snapshot: Snapshot, view: WindowsView, known: WindowsLoadings, built_for: Mapping[str, str]
) -> Installed:
    """Return the environment as its packages' imports ask for it."""
    prefix, python = slashed(snapshot.target.prefix or ""), snapshot.python
    base = slashed(python.home) if python and python.home else prefix
    return Installed(
        packages=tuple(posixpath.join(prefix, place) for place in packages_of(snapshot)),
        prefix=prefix,
        base=base,
        variables=view.variables,
        built_for=built_for,
        versions={
            row.module: distribution.version
            for row in known.rows
            for distribution in snapshot.distributions
            if _has(distribution, row.module)
        },
    )


def _has(distribution: Distribution, module: str) -> bool:
    # of what conda has installed, a snapshot keeps no RECORD
    is_named = distribution.key.replace("-", "_") == module
    return is_named or bool(distribution.record and distribution.installs(module))


def packages_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the directories of packages, relative to the prefix where they lie inside it."""
    return snapshot.python.site_packages if snapshot.python else ()


def site_of(snapshot: Snapshot, view: WindowsView) -> Site:
    """Return where the environment's Python looks as long as nothing is imported."""
    python = snapshot.python
    minor = python.minor if python else ""
    major, _, rest = minor.partition(".")
    version = (int(major), int(rest)) if major.isdecimal() and rest.isdecimal() else (3, 12)
    return Site(
        python=view.python,
        version=version,
        is_conda=snapshot.target.kind == "conda" or bool(python and python.home_version),
        variables=view.variables,
        directory=view.directory,
        windows=Windows(root=view.root),
    )


def started(tree: WindowsTree, site: Site, installed: Installed, known: WindowsLoadings) -> Process:
    """Start a Python and import all that is installed; raises CannotStartError."""
    added = (*site.added, *added_by(tree, installed, known.rows))
    process = Process(tree, replace(site, added=added))
    for row in imported(tree, installed, known.rows):
        opened_by(process, tree, installed, row)
        for name in row.finds if installed.uses_pathfinder(row) else ():
            load(process, tree, installed, known.found, name)
    return process
