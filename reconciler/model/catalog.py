"""What is known: CUDA's parts, the packages that carry them, and those that are built on them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import msgspec
from msgspec import Struct

from reconciler.model.channels import Channels
from reconciler.model.clash import Clash, Collision
from reconciler.model.compiling import Compiling
from reconciler.model.consumer import Consumer
from reconciler.model.cuda import Manager
from reconciler.model.cuda_package import Component, CudaPackage
from reconciler.model.distribution import required_name
from reconciler.model.error_class import ERROR_TABLES, ErrorClass
from reconciler.model.image import Image
from reconciler.model.loading import FoundLibrary, Loadings, LoadingStep
from reconciler.model.machines import Machines
from reconciler.model.naming import Naming
from reconciler.model.published import Published
from reconciler.model.row import Row, numbers
from reconciler.model.windows_loading import WindowsFound, WindowsLoading, WindowsLoadings

R = TypeVar("R", bound=Row)
#: Stems of DLLs in System32 that an installer of the driver puts there, and toolkits have as well.
_WITH_THE_DRIVER = frozenset({"cuda", "opencl"})


class ImportGroup(Row, frozen=True, kw_only=True):
    """Distributions that install the same import package, so that only one may be installed."""

    import_name: str
    #: As a report names it: ``CuPy``.
    title: str
    #: Normal names on PyPI.
    pypi: tuple[str, ...]
    #: Names under conda of packages that install it.
    conda: tuple[str, ...] = ()
    #: Of ``pypi``: names that install it only in versions below this one (pynvml below 12).
    until: Mapping[str, str] = {}
    #: Whether they are one library in several packings, released together: of one version, each
    #: serves what the others do, and only their removal breaks the rest.
    is_one_library: bool = False
    source: str

    @property
    def is_top_level(self) -> bool:
        """Whether it is a package of its own, not one in a namespace such as ``nvidia.dali``."""
        return "." not in self.import_name

    def holds(self, name: str, version: str) -> bool:
        """Tell whether that version of a wheel installs the import; "" is the newest one."""
        if name not in self.pypi:
            return False
        bound = self.until.get(name)
        return bound is None or (bool(version) and numbers(version) < numbers(bound))


class Release(Row, frozen=True, kw_only=True):
    """What one release on PyPI was built for."""

    #: PyPI's normal name.
    package: str
    version: str
    #: conda's name of the platform whose wheel this is.
    platform: str = "linux-64"
    #: The CUDA release; left out for a build without CUDA (TOML has no null).
    cuda: str | None = None
    source: str


class Pair(Row, frozen=True, kw_only=True):
    """The release of its framework that a release of an extension was made for."""

    #: PyPI's normal name of the extension.
    package: str
    version: str
    #: The name of a Consumer.
    framework: str
    release: str
    #: Whether it works with later releases of the framework as well.
    or_later: bool = False
    source: str


class PartRelease(Row, frozen=True, kw_only=True):
    """The first version of a part that belongs to a CUDA release."""

    component: str
    since: str
    cuda: str
    source: str


class CudnnNeed(Row, frozen=True, kw_only=True):
    """The cuDNN that some releases of a project were built with."""

    manager: Manager
    #: conda's name, or PyPI's normal name.
    package: str
    since: str = "0"
    before: str | None = None
    #: Of conda alone: a regular expression for the build strings; None for all.
    build: str | None = None
    #: ``9`` where the major alone matters or is known, else ``9.10``: that minor or a later one.
    cudnn: str
    source: str


class Name(Row, frozen=True, kw_only=True):
    """What a package of conda is called on PyPI."""

    conda: str
    #: PyPI's normal names: of what it installs, the usual one first.
    pypi: tuple[str, ...]
    source: str


class NamesMap(Struct, frozen=True, kw_only=True):
    """The vendored map of conda-forge's names, without what the names themselves tell."""

    #: PyPI's names of the packages that bear another one there.
    differs: Mapping[str, tuple[str, ...]]
    #: The packages that install no distribution: a project of that name on PyPI is another.
    no_distribution: frozenset[str]


class Catalog(Struct, frozen=True, kw_only=True, dict=True):
    """Every table, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    def _rows(self, table: str, row: type[R]) -> tuple[R, ...]:
        return msgspec.json.decode(self.read(table), type=tuple[row, ...])  # type: ignore[valid-type]

    @cached_property
    def published(self) -> Published:
        """What was ever published, where, and for what."""
        return Published(read=self.read)

    @cached_property
    def machines(self) -> Machines:
        """Which CUDA drivers serve, and which code GPUs run."""
        return Machines(read=self.read)

    @cached_property
    def compiling(self) -> Compiling:
        """What is compiled as it is installed, and by which compilers."""
        return Compiling(read=self.read)

    @cached_property
    def channels(self) -> Channels:
        """What conda's channels serve and never did, and what breaks beside what."""
        return Channels(read=self.read)

    @cached_property
    def naming(self) -> Naming:
        """What projects of PyPI are called on conda."""
        return Naming(read=self.read)

    @cached_property
    def components(self) -> Mapping[str, Component]:
        """Every component by name."""
        return {row.name: row for row in self._rows("components", Component)}

    @cached_property
    def cuda_packages(self) -> Mapping[tuple[Manager, str], CudaPackage]:
        """Every package of CUDA's own parts, by manager and name."""
        return {(row.manager, row.name): row for row in self._rows("packages", CudaPackage)}

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        return {row.conda: row.pypi for row in self._rows("names", Name)}

    @cached_property
    def _names_map(self) -> NamesMap:
        return msgspec.json.decode(self.read("names_map"), type=NamesMap)

    def distributions_of(self, name: str) -> tuple[str, ...]:
        """Return the normal names of PyPI of what a package of conda installs; () for none."""
        if own := self._names.get(name):
            return own
        if name in self._names_map.no_distribution or ("conda", name) in self.cuda_packages:
            return ()
        return self._names_map.differs.get(name) or (required_name(name),)

    def wheel_of(self, component: str, cuda_major: int) -> str | None:
        """Return the wheel that brings a component for a CUDA major, if one is known."""
        rows = (row for row in self.cuda_packages.values() if row.manager == "pip")
        wanted = (component, cuda_major)
        names = (r.name for r in rows if r.brings and (r.component, r.cuda_major) == wanted)
        return next((name for name in names if name.startswith("nvidia-")), None)

    @cached_property
    def consumers(self) -> Mapping[str, Consumer]:
        """Every consumer by name."""
        return {row.name: row for row in self._rows("consumers", Consumer)}

    @cached_property
    def windows_loadings(self) -> tuple[WindowsLoading, ...]:
        """What packages add to the DLL search of Windows, and open, as they are imported."""
        return self._rows("windows_loadings", WindowsLoading)

    @cached_property
    def windows_found(self) -> Mapping[str, WindowsFound]:
        """What cuda-pathfinder looks for on Windows, by its name for it."""
        return {row.name: row for row in self._rows("windows_pathfinder", WindowsFound)}

    @cached_property
    def windows(self) -> WindowsLoadings:
        """How CUDA is loaded on Windows; the driver's own DLLs are not among its components."""
        stems = {
            library.removeprefix("lib").casefold(): component.name
            for component in self.components.values()
            for library in component.libraries
        }
        return WindowsLoadings(
            rows=self.windows_loadings,
            found=self.windows_found,
            components={stem: name for stem, name in stems.items() if stem not in _WITH_THE_DRIVER},
            users=frozenset(name for _, name in self._consumer_of),
        )

    @cached_property
    def _consumer_of(self) -> Mapping[tuple[Manager, str], Consumer]:
        by_name: dict[tuple[Manager, str], Consumer] = {}
        for consumer in self.consumers.values():
            by_name |= {("pip", name): consumer for name in consumer.pypi}
            by_name |= {("conda", name): consumer for name in consumer.conda}
        return by_name

    def consumer(self, manager: Manager, name: str) -> Consumer | None:
        """Return the consumer that a package is, under that manager's name for it."""
        return self._consumer_of.get((manager, name))

    @cached_property
    def import_groups(self) -> tuple[ImportGroup, ...]:
        """Every set of distributions of which only one may be installed."""
        return self._rows("imports", ImportGroup)

    def import_group(self, package: str) -> ImportGroup | None:
        """Return the group of an import package that a wheel of this name installs."""
        return next((group for group in self.import_groups if package in group.pypi), None)

    @cached_property
    def import_names(self) -> Mapping[str, tuple[str, ...]]:
        """The names of PyPI that may install each import package; their RECORD tells which does."""
        by_import = {c.name.replace("-", "_"): c.pypi for c in self.consumers.values()}
        by_import |= {g.import_name: g.pypi for g in self.import_groups if g.is_top_level}
        # What all of them hand their arrays to, and most are compiled against.
        return by_import | {"numpy": ("numpy",)}

    @cached_property
    def _releases(self) -> Mapping[tuple[str, str], Mapping[str, Release]]:
        by_package: dict[tuple[str, str], dict[str, Release]] = defaultdict(dict)
        for row in self._rows("releases", Release):
            by_package[row.package, row.platform][row.version] = row
        return by_package

    def release(self, package: str, version: str, platform: str) -> Release | None:
        """Return what PyPI's release of a package was built for, on one platform."""
        return self.releases(package, platform).get(version)

    def releases(self, package: str, platform: str) -> Mapping[str, Release]:
        """Return what each of PyPI's releases of a package was built for, on one platform."""
        return self._releases.get((package, platform), {})

    @cached_property
    def _pairs(self) -> Mapping[tuple[str, str], Pair]:
        return {(row.package, row.version): row for row in self._rows("pairs", Pair)}

    def pair(self, package: str, version: str) -> Pair | None:
        """Return the release of its framework that a wheel was made for; labels do not matter."""
        return self._pairs.get((package, version.partition("+")[0]))

    def paired(self, package: str, framework: str) -> str | None:
        """Return the last release of an extension that was made for a framework's version."""
        release = re.match(r"[\d.]*\d", framework)
        rows = (row for row in self._pairs.values() if row.package == package)
        fitting = [
            row.version
            for row in rows
            if release
            and (
                row.release == release[0]
                or (row.or_later and numbers(row.release) <= numbers(release[0]))
            )
        ]
        return max(fitting, key=numbers, default=None)

    @cached_property
    def _part_releases(self) -> Mapping[str, tuple[PartRelease, ...]]:
        by_component: dict[str, tuple[PartRelease, ...]] = {}
        for row in self._rows("toolkits", PartRelease):
            by_component[row.component] = (*by_component.get(row.component, ()), row)
        return by_component

    def part_release(self, component: str, version: str) -> str | None:
        """Return the CUDA release that a version of a part is of; None where no row tells."""
        rows, wanted = self._part_releases.get(component, ()), numbers(version)
        # What stands above the last row may be of a release that has no row yet.
        bounds = pairwise(rows)
        return next(
            (a.cuda for a, b in bounds if numbers(a.since) <= wanted < numbers(b.since)), None
        )

    @cached_property
    def toolkit_parts(self) -> frozenset[str]:
        """The components that come with each release of the CUDA toolkit, of one version or its own."""
        numbered = (p.component for p in self.cuda_packages.values() if p.cuda_in == "version")
        return frozenset((*numbered, *self._part_releases))

    @cached_property
    def cudnn_needs(self) -> Mapping[tuple[Manager, str], tuple[CudnnNeed, ...]]:
        """What packages were built with of cuDNN, by manager and name."""
        by_package: dict[tuple[Manager, str], tuple[CudnnNeed, ...]] = {}
        for row in self._rows("cudnn", CudnnNeed):
            key = (row.manager, row.package)
            by_package[key] = (*by_package.get(key, ()), row)
        return by_package

    @cached_property
    def images(self) -> Mapping[str, Image]:
        """Every image of a container that brings CUDA, by name."""
        return {row.name: row for row in self._rows("images", Image)}

    @cached_property
    def collisions(self) -> tuple[Collision, ...]:
        """Every library that wheels of several names install at one path."""
        return self._rows("collisions", Collision)

    @cached_property
    def loadings(self) -> Loadings:
        """How frameworks load CUDA as they start."""
        found = self._rows("pathfinder", FoundLibrary)
        steps = self._rows("loadings", LoadingStep)
        return Loadings(steps=steps, found={row.name: row for row in found})

    @cached_property
    def errors(self) -> tuple[ErrorClass, ...]:
        """Every class of error messages."""
        return tuple(row for rows in self.error_tables.values() for row in rows)

    @cached_property
    def error_tables(self) -> Mapping[str, tuple[ErrorClass, ...]]:
        """The classes of error messages by table, each of which is of one kind of trouble."""
        return {table: self._rows(table, ErrorClass) for table in ERROR_TABLES}

    @cached_property
    def clashes(self) -> tuple[Clash, ...]:
        """Every pair of parts whose minor releases matter."""
        return self._rows("clashes", Clash)

    @cached_property
    def evidence_libraries(self) -> frozenset[str]:
        """The file names, up to ``.so``, of the libraries that tell of CUDA."""
        return frozenset(name for row in self.components.values() for name in row.libraries)

    @cached_property
    def evidence_paths(self) -> frozenset[str]:
        """Globs of the libraries that tell a consumer's build, relative to site-packages."""
        consumers = self.consumers.values()
        marks = (c.cuda_library for c in consumers if c.cuda_library)
        return frozenset((*marks, *(module for c in consumers for module in c.modules)))

    @cached_property
    def kernel_libraries(self) -> frozenset[str]:
        """The file names, up to ``.so``, of the libraries that hold consumers' code for GPUs."""
        return frozenset(name for c in self.consumers.values() for name in c.kernel_libraries)

    @cached_property
    def kernel_modules(self) -> frozenset[str]:
        """Globs of the extension modules that do, relative to site-packages."""
        return frozenset(glob for c in self.consumers.values() for glob in c.kernel_modules)

    @cached_property
    def evidence_texts(self) -> frozenset[str]:
        """The text files that tell a build, relative to site-packages."""
        return frozenset(c.version_file.path for c in self.consumers.values() if c.version_file)

    def title(self, component: str) -> str:
        """Return the words for a component or a consumer."""
        known = self.components.get(component) or self.consumers.get(component)
        return known.title if known else component
