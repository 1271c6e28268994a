"""An environment of Windows as its loader builds it up: who imports which DLL of CUDA, and gets it.

Modeled on what is documented, and held against no Windows: docs/decisions/0028 and 0038.
"""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.builds import windows_missing
from reconciler.loader.process import CannotStartError
from reconciler.loader.windows_search import base_name, slashed
from reconciler.loader.windows_start import CudaTree, installed_of, recorded, site_of, started
from reconciler.model.owner import name_of, title_of
from reconciler.model.ownership import ownership
from reconciler.model.prefix import PrefixRecord
from reconciler.model.which import Origin, Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.loader.windows import Process
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.owner import Owner
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.windows_missing import MissingDll
    from reconciler.model.windows_view import WindowsView

_ELSEWHERE = "on a Windows of which this environment is seen, and no folder or variable else"


class WindowsLoading:
    """The loader's questions about one snapshot that has a WindowsView."""

    def __init__(
        self,
        snapshot: Snapshot,
        view: WindowsView,
        catalog: Catalog,
        builds: Iterable[CudaBuild],
    ) -> None:
        self.snapshot = snapshot
        self.view = view
        self.catalog = catalog
        self.builds = tuple(builds)
        self.prefix = slashed(snapshot.target.prefix or "")
        self.tree = CudaTree(recorded(view), view, catalog.windows)
        self.site = site_of(snapshot, view)
        modules = {row.module.replace("_", "-"): row.module for row in catalog.windows_loadings}
        built_for = {
            modules[b.component]: str(b.cuda)
            for b in self.builds
            if b.cuda and b.component in modules
        }
        self._installed = installed_of(snapshot, view, catalog.windows, built_for)

    @property
    def situation(self) -> Situation:
        """The shell that was looked at; DLLs are found alike whether conda is activated or not."""
        name = "in this shell" if self.view.is_here else _ELSEWHERE
        return Situation(names=(name,), variables=tuple(sorted(self.view.variables.items())))

    def started(self) -> Process | None:
        """Start the environment's Python and import what is installed; None where none starts."""
        return self._started.fork() if self._started else None

    @cached_property
    def _started(self) -> Process | None:
        try:
            return started(self.tree, self.site, self._installed, self.catalog.windows)
        except CannotStartError:
            return None

    @cached_property
    def importing(self) -> Mapping[str, tuple[str, ...]]:
        """The libraries of packages that import each DLL of CUDA, by its name in lower case."""
        found: dict[str, list[str]] = {}
        for image in self.view.images:
            if self.origin(image.path).is_package:
                for name in dict.fromkeys(map(base_name, (*image.imports, *image.delayed))):
                    found.setdefault(name, []).append(image.path)
        return {name: tuple(paths) for name, paths in found.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of CUDA's DLLs that were come to or are imported, in lower case."""
        component_of = self.catalog.windows.component_of
        return frozenset(filter(component_of, (*self._named, *self.importing)))

    def named(self, base: str) -> tuple[str, ...]:
        """Return the files of a name in lower case, wherever they were seen."""
        return self._named.get(base, ())

    @cached_property
    def _named(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for directory, names in self.view.directories.items():
            for name in names:
                found.setdefault(name.casefold(), []).append(posixpath.join(directory, name))
        return {name: tuple(paths) for name, paths in found.items()}

    @cached_property
    def owners(self) -> Mapping[str, Owner]:
        """The owner of each recorded library, by its path relative to the prefix, in lower case."""
        index = ownership(self.snapshot.records, self.snapshot.distributions)
        return {
            path.casefold(): owner
            for owner, paths in index.installed
            for path in paths
            if path[-4:].lower() in {".dll", ".pyd"}
        }

    def origin(self, path: str) -> Origin:
        """Return where a file comes from."""
        owner = self.owners.get(path.removeprefix(f"{self.prefix}/").casefold())
        if owner is not None:
            return self.origin_of(owner)
        if path.casefold().startswith(f"{self.view.root}/".casefold()):
            return Origin(title="Windows, or the NVIDIA driver", kind="system")
        if toolkit := self._toolkit_of(path):
            return Origin(title=f"the CUDA toolkit in {toolkit}", kind="toolkit")
        return Origin(title="no package", kind="unknown")

    def origin_of(self, owner: Owner) -> Origin:
        """Return the origin of the files of a package."""
        kind = "conda" if isinstance(owner, PrefixRecord) else "pip"
        version = owner.version
        return Origin(title=title_of(owner), kind=kind, package=name_of(owner), version=version)

    def _toolkit_of(self, path: str) -> str | None:
        values = (v for k, v in self.view.variables.items() if k.upper().startswith("CUDA_"))
        toolkits = (slashed(value) for value in values if value)
        return next((t for t in toolkits if path.casefold().startswith(f"{t}/".casefold())), None)

    @cached_property
    def recorded(self) -> Mapping[str, Owner]:
        """A package that has recorded a library of each name in lower case."""
        return {posixpath.basename(path): owner for path, owner in self.owners.items()}

    @cached_property
    def bringing(self) -> frozenset[str]:
        """The packages that have recorded a DLL of CUDA, by their own paths."""
        component_of = self.catalog.windows.component_of
        owners = ((posixpath.basename(path), owner) for path, owner in self.owners.items())
        return frozenset(owner.path for name, owner in owners if component_of(name))

    @cached_property
    def missing(self) -> tuple[MissingDll, ...]:
        """The DLLs of CUDA that builds for CUDA import in vain."""
        return tuple(windows_missing.missing(self))
