"""What is known: CUDA's parts, the packages that carry them, and those that are built on them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from reconciler.model.cuda import Manager

Row = TypeVar("Row", bound=Struct)


class _Row(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Component(_Row, frozen=True, kw_only=True):
    """A part of CUDA that is packaged by itself, such as the runtime, cuBLAS or cuDNN."""

    name: str
    #: As a report names it: ``CUDA runtime``.
    title: str
    #: The file names of its libraries up to ``.so``: ``libcudart``.
    libraries: tuple[str, ...] = ()
    source: str


class CudaPackage(_Row, frozen=True, kw_only=True):
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
    source: str


class VersionFile(_Row, frozen=True, kw_only=True):
    """A text file of an installed package that says what it was built for."""

    #: Relative to site-packages.
    path: str
    #: A regular expression whose group ``cuda`` is the release (12.1) or its tag (cu121); no match
    #: where it says none.
    cuda: str
    #: A regular expression that matches where the build is for the CPU alone.
    cpu: str | None = None
    #: A regular expression that matches where the build is for ROCm.
    rocm: str | None = None


class Consumer(_Row, frozen=True, kw_only=True):
    """A project that is built against CUDA."""

    name: str
    #: As a report names it: ``PyTorch``.
    title: str
    #: A ``framework`` owns its process's CUDA; an ``extension`` is loaded into the framework that
    #: it ``extends``; a ``library`` uses CUDA beside others.
    kind: Literal["framework", "extension", "library"]
    extends: str | None = None
    #: Normal names on PyPI.
    pypi: tuple[str, ...] = ()
    #: Names under conda.
    conda: tuple[str, ...] = ()
    #: Names whose CUDA major (or release) stands in the name: ``cupy-cuda12x`` is 12.
    cuda_of_name: Mapping[str, str] = {}
    #: Of ``pypi`` and ``conda``: those that have no build for the CPU.
    gpu_only: tuple[str, ...] = ()
    #: Of ``pypi`` and ``conda``: those that are for the CPU by their name.
    cpu_only: tuple[str, ...] = ()
    #: Whether PyTorch's own index serves it, and so its tag tells its build.
    on_pytorch_index: bool = False
    #: Whether its wheels carry CUDA statically, so that they meet no other's libraries.
    links_statically: bool = False
    version_file: VersionFile | None = None
    #: Relative to site-packages: a library that only CUDA builds have; its NEEDED names the major.
    cuda_library: str | None = None
    #: The components that a wheel of it carries inside itself where it requires no nvidia-* wheel.
    bundles: tuple[str, ...] = ()
    source: str


class ImportGroup(_Row, frozen=True, kw_only=True):
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
    source: str

    def holds(self, name: str, version: str) -> bool:
        """Tell whether that version of a wheel installs the import; "" is the newest one."""
        if name not in self.pypi:
            return False
        bound = self.until.get(name)
        return bound is None or (bool(version) and _numbers(version) < _numbers(bound))


def _numbers(version: str) -> tuple[int, ...]:
    # The bounds of the table are plain releases; packaging.version would cost a scan 10 ms.
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


class Release(_Row, frozen=True, kw_only=True):
    """What one release on PyPI was built for."""

    #: PyPI's normal name.
    package: str
    version: str
    #: conda's name of the platform whose wheel this is.
    platform: str = "linux-64"
    #: The CUDA release; left out for a build without CUDA (TOML has no null).
    cuda: str | None = None
    source: str


class Catalog(Struct, frozen=True, kw_only=True, dict=True):
    """Every table, each decoded when it is first asked for."""

    #: Gives the bytes of a table by its name.
    read: Callable[[str], bytes]

    def _rows(self, table: str, row: type[Row]) -> tuple[Row, ...]:
        return msgspec.json.decode(self.read(table), type=tuple[row, ...])  # type: ignore[valid-type]

    @cached_property
    def components(self) -> Mapping[str, Component]:
        """Every component by name."""
        return {row.name: row for row in self._rows("components", Component)}

    @cached_property
    def cuda_packages(self) -> Mapping[tuple[Manager, str], CudaPackage]:
        """Every package of CUDA's own parts, by manager and name."""
        return {(row.manager, row.name): row for row in self._rows("packages", CudaPackage)}

    @cached_property
    def consumers(self) -> Mapping[str, Consumer]:
        """Every consumer by name."""
        return {row.name: row for row in self._rows("consumers", Consumer)}

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

    @cached_property
    def _releases(self) -> Mapping[tuple[str, str], Mapping[str, Release]]:
        by_package: dict[tuple[str, str], dict[str, Release]] = defaultdict(dict)
        for row in self._rows("releases", Release):
            by_package[row.package, row.platform][row.version] = row
        return by_package

    def release(self, package: str, version: str, platform: str) -> Release | None:
        """Return what PyPI's release of a package was built for, on one platform."""
        return self._releases.get((package, platform), {}).get(version)

    @cached_property
    def evidence_libraries(self) -> frozenset[str]:
        """The file names, up to ``.so``, of the libraries that tell of CUDA."""
        return frozenset(name for row in self.components.values() for name in row.libraries)

    @cached_property
    def evidence_paths(self) -> frozenset[str]:
        """The libraries of consumers that tell their build, relative to site-packages."""
        return frozenset(c.cuda_library for c in self.consumers.values() if c.cuda_library)

    @cached_property
    def evidence_texts(self) -> frozenset[str]:
        """The text files that tell a build, relative to site-packages."""
        return frozenset(c.version_file.path for c in self.consumers.values() if c.version_file)

    def title(self, component: str) -> str:
        """Return the words for a component or a consumer."""
        known = self.components.get(component) or self.consumers.get(component)
        return known.title if known else component
