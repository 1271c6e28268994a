"""An environment's Python as its loader builds it up: in each shell, for each that opens a library."""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.builds import (
    captures,
    driver_library,
    graph,
    libdevice,
    mismatches,
    missing,
    mixtures,
    old_runtimes,
    openmp,
    runs,
)
from reconciler.builds.origins import Origins
from reconciler.loader.frameworks.stage import Stage
from reconciler.loader.process import CannotStartError, Process
from reconciler.loader.tree import RecordedTree
from reconciler.model.library import SharedLibrary
from reconciler.model.run import merged
from reconciler.model.situations import site_of, situations
from reconciler.model.which import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.capture import Capture, FileRelease
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild, CudaVersion
    from reconciler.model.driver_library import WrongDriver
    from reconciler.model.graph import Graph
    from reconciler.model.libdevice import Libdevice
    from reconciler.model.loader_view import LoaderView, Misfit
    from reconciler.model.mismatch import Mismatch
    from reconciler.model.missing import Missing
    from reconciler.model.mixture import Crossing, Mixture
    from reconciler.model.openmp import RuntimeTwice
    from reconciler.model.outdated import Outdated
    from reconciler.model.run import Link, Run
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.which import Situation

#: The library that holds CPython's own code where its executable does not.
_LIBPYTHON = re.compile(r"libpython\d+\.\d+t?d?\.so")


class Loading:
    """The loader's questions about one snapshot that has a LoaderView."""

    def __init__(
        self,
        snapshot: Snapshot,
        view: LoaderView,
        catalog: Catalog,
        builds: Iterable[CudaBuild],
        *,
        shells: tuple[Situation, ...] | None = None,
    ) -> None:
        """Take a snapshot and its view; ``shells`` takes the place of those that it tells of."""
        self._shells = shells
        self._snapshot = snapshot
        self._view = view
        self._catalog = catalog
        self._builds = tuple(builds)
        self._known = catalog.loadings
        self._components = {
            library: component.name
            for component in catalog.components.values()
            for library in component.libraries
        }
        self._misfits = {(m.consumer, m.provider, m.soname): m for m in view.misfits}
        self._built_for = {b.component: str(b.cuda) for b in self._builds if b.cuda}
        self.tree = RecordedTree(view)
        self.origins = Origins(snapshot, self.tree)

    @cached_property
    def situations(self) -> tuple[Situation, ...]:
        """The shells in which the environment may be used; those alike for the loader are one."""
        return situations(self._snapshot) if self._shells is None else self._shells

    def stage(self, situation: Situation) -> Stage | None:
        """Start the environment's Python; None where no loader would."""
        view, variables = self._view, dict(situation.variables)

        def again() -> Process:
            return Process(
                self.tree, view.system, view.executable, variables, directory=view.directory
            )

        try:
            process = again()
        except CannotStartError:
            return None
        site = site_of(self._snapshot, view.executable, variables, self._built_for)
        return Stage(process, self.tree, site, self._known, again=again)

    def importer(self, process: Process) -> str | None:
        """Return the library whose code opens extension modules; None for the program itself."""
        names = ((path, posixpath.basename(path)) for path in process.mapped)
        return next((path for path, name in names if _LIBPYTHON.match(name)), None)

    @cached_property
    def needing(self) -> Mapping[str, tuple[str, ...]]:
        """The environment's libraries that need each soname, by path."""
        found: dict[str, list[str]] = {}
        for file in self._view.files:
            for name in file.needed if self.is_of_environment(file) else ():
                found.setdefault(name, []).append(file.path)
        return {name: tuple(paths) for name, paths in found.items()}

    def is_of_environment(self, file: SharedLibrary) -> bool:
        """Tell whether a package that the environment's Python sees has installed a file."""
        return self.origins.of(file.path).is_package

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all libraries that were come to, and of those that these need."""
        own = (file.soname or posixpath.basename(file.path) for file in self._view.files)
        return frozenset((*own, *self._view.system.cache, *self.needing))

    def plain(self, path: str) -> str:
        """Return a path without the ``..`` of the search path that leads to it."""
        normal = posixpath.normpath(path)
        return normal if self.tree.real_path(normal) == self.tree.real_path(path) else path

    def component_of(self, soname: str) -> str | None:
        """Return the component of CUDA that a library's name is of."""
        return self._components.get(soname.partition(".so")[0])

    def misfit(self, consumer: str, provider: str, soname: str) -> Misfit | None:
        """Return what a library does not find in the file that answers; both by their real paths."""
        return self._misfits.get((self.tree.real_path(consumer), provider, soname))

    def needed_by(self, path: str) -> tuple[str, ...]:
        """Return the sonames that a library needs."""
        file = self.tree.elf(path)
        return file.needed if isinstance(file, SharedLibrary) else ()

    def sonames_of(self, package: str) -> frozenset[str]:
        """Return the names of the libraries that a package has installed."""
        return frozenset(
            file.soname or posixpath.basename(file.path)
            for file in self._view.files
            if self.origins.of(file.path).package == package
        )

    def release_of(self, path: str, soname: str) -> FileRelease:
        """Return the release of a library of CUDA, by its real path."""
        origin = self.origins.of(path)
        return captures.release_of(path, soname, origin, self._builds, self._catalog)

    def cuda_of(self, origin: Origin) -> CudaVersion | None:
        """Return the CUDA that a package brings, or was built for."""
        key = (origin.kind, origin.package)
        return next((b.cuda for b in self._builds if (b.manager, b.package) == key), None)

    @cached_property
    def captures(self) -> tuple[Capture, ...]:
        """The libraries that a shell's variable puts in the place of those of packages."""
        return tuple(captures.captures(self, self._plain)) if self._plain else ()

    @cached_property
    def leaning(self) -> tuple[tuple[str, str, Link], ...]:
        """What is found through such a variable alone: the variable, its element, and what asks."""
        return tuple(captures.leaning(self, self._plain)) if self._plain else ()

    @cached_property
    def lacking(self) -> tuple[Mismatch, ...]:
        """The libraries of CUDA that lack what those of packages bind to them."""
        return mismatches.lacking(self)

    @cached_property
    def outdated(self) -> tuple[Mismatch, ...]:
        """The libraries of CUDA that are older than those that packages were built with."""
        return mismatches.outdated(self, self._snapshot, self._catalog)

    @cached_property
    def _plain(self) -> Loading | None:
        """The same without these variables; None where no shell has one."""
        shells = captures.bare(self.situations)
        return self.in_shells(shells) if shells else None

    @cached_property
    def _toolkits(self) -> mixtures.Toolkits:
        return mixtures.Toolkits(self, self._builds, self._snapshot.toolkits, self._catalog)

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """The starts of one framework that map libraries of several toolkits."""
        return tuple(mixtures.mixtures(self.alone, self._known_starts, self._toolkits))

    @cached_property
    def crossings(self) -> tuple[Crossing, ...]:
        """The libraries that a framework gets of another toolkit for what was imported before it."""
        return tuple(mixtures.crossings(self.alone, self.together, self._toolkits))

    @cached_property
    def wrong_drivers(self) -> tuple[WrongDriver, ...]:
        """What each start gets in the place of the driver's own library."""
        titles = {name: self._catalog.consumers[name].title for name in self._known_starts}
        driver = self._snapshot.driver
        return tuple(driver_library.wrong_drivers(self, self._view, titles, driver))

    @cached_property
    def outdated_runtimes(self) -> tuple[Outdated, ...]:
        """The libraries that get an older libstdc++ than they were compiled with."""
        return tuple(old_runtimes.outdated(self, self._view, self._catalog))

    @cached_property
    def libdevice(self) -> Libdevice:
        """Who looks for libdevice in vain, and how it would be there."""
        return libdevice.libdevice(self, self._view, self._known_starts, self._catalog)

    @cached_property
    def openmp_twice(self) -> tuple[RuntimeTwice, ...]:
        """The modules that start a copy of one OpenMP runtime each."""
        return tuple(openmp.twice(self, self._view))

    def owner_of(self, build: CudaBuild) -> Origin:
        """Return the origin of the files of a build."""
        return Origin(
            title=f"{build.manager}'s {build}",
            kind=build.manager,
            package=build.package,
            version=build.version,
        )

    @cached_property
    def _known_starts(self) -> dict[str, CudaBuild]:
        return runs.started(self._builds, self._catalog)

    @cached_property
    def alone(self) -> tuple[Run, ...]:
        """Each framework's start in a process of its own, in each shell."""
        return merged(runs.alone(self, self._known_starts, self._catalog))

    @cached_property
    def together(self) -> tuple[Run, ...]:
        """All frameworks in one process, in each shell; nothing where there is only one."""
        return merged(runs.together(self, self._known_starts, self._catalog))

    @cached_property
    def modules(self) -> tuple[Run, ...]:
        """The libraries that need CUDA and are no framework's, each opened, in each shell."""
        return merged(runs.modules(self, self._known_starts, self._catalog))

    def in_shells(self, shells: tuple[Situation, ...]) -> Loading:
        """Return the same environment in shells of one's own."""
        return Loading(self._snapshot, self._view, self._catalog, self._builds, shells=shells)

    @property
    def starts(self) -> tuple[Run, ...]:
        """What uses CUDA: each framework's start, and the other libraries that need CUDA."""
        return (*self.alone, *self.modules)

    @property
    def graph(self) -> Graph:
        """Who maps what of CUDA in these."""
        return graph.of_runs(self, self.starts)

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """The libraries of CUDA that are asked for in vain, and where they lie."""
        return tuple(missing.missing(self, self._view, self._known_starts, self._catalog))
