"""The world as rules ask of it: one snapshot, held against the catalog.

A question here is what two rules want to know; its answer is an observation, never a verdict.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.builds import declared as declared_lines
from reconciler.builds import records, wheels
from reconciler.model.cuda import Role, Variant
from reconciler.model.distribution import required_name
from reconciler.model.manifest import InstallSet, Kind
from reconciler.model.marker import holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.catalog import Catalog, Consumer, ImportGroup
    from reconciler.model.cuda import CudaBuild, Manager
    from reconciler.model.distribution import Distribution
    from reconciler.model.manifest import Declared, Manifest
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.snapshot import Snapshot

#: What names a CUDA release at the end of a wheel's name: cupy-cuda12x, faiss-gpu-cu12.
_CUDA_SUFFIX = re.compile(r"-cu(?:da)?\d+x?(?=-|$)")


class World:
    """One snapshot and the catalog; every question is answered once."""

    def __init__(self, snapshot: Snapshot, catalog: Catalog) -> None:
        self.snapshot = snapshot
        self.catalog = catalog

    @property
    def can_have_cuda(self) -> bool:
        """Whether CUDA exists for the target's platform; NVIDIA ended macOS with CUDA 10.2."""
        return not self.snapshot.target.platform.startswith("osx")

    @cached_property
    def builds(self) -> tuple[CudaBuild, ...]:
        """What every installed package has to do with CUDA, conda's packages first."""
        installed = (wheel for named in self.wheels.values() for wheel in named)
        return (
            *records.builds(self.snapshot.records, self.catalog),
            *wheels.builds(installed, self.snapshot, self.catalog),
        )

    @cached_property
    def wheels(self) -> Mapping[str, tuple[Distribution, ...]]:
        """The distributions, by normal name, that are not the other face of a conda package."""
        by_name: dict[str, tuple[Distribution, ...]] = {}
        for distribution in self.snapshot.distributions:
            if not self._is_condas(distribution):
                key = distribution.key
                by_name[key] = (*by_name.get(key, ()), distribution)
        return by_name

    def _is_condas(self, distribution: Distribution) -> bool:
        # conda-build writes INSTALLER into what it packages; a dist-info without it tells nothing.
        if distribution.installer is not None:
            return distribution.installer == "conda"
        return f"{distribution.location}/{distribution.directory}/METADATA" in self._condas_metadata

    @cached_property
    def _condas_metadata(self) -> frozenset[str]:
        files = (file for record in self.snapshot.records for file in record.files)
        return frozenset(file for file in files if file.endswith(".dist-info/METADATA"))

    @cached_property
    def records(self) -> Mapping[str, PrefixRecord]:
        """Conda's records by name."""
        return {record.name: record for record in self.snapshot.records}

    @cached_property
    def install_sets(self) -> tuple[InstallSet, ...]:
        """What one installation brings together: each file that no other includes, whole.

        Without what is not for the target's platform.
        """
        by_path = {manifest.path: manifest for manifest in self.snapshot.manifests}
        declared = (d for manifest in by_path.values() for d in manifest.declared)
        included = {d.name for d in declared if d.kind in {Kind.INCLUDE, Kind.CONSTRAINT}}
        roots = [m for m in by_path.values() if m.path not in included] or list(by_path.values())
        return tuple(
            InstallSet(
                name=root.path,
                declared=tuple(
                    d for d in _with_includes(root, by_path, set()) if self._is_for_target(d)
                ),
            )
            for root in roots
        )

    def _is_for_target(self, declared: Declared) -> bool:
        python = self.snapshot.python.version if self.snapshot.python else ""
        return not declared.marker or holds(declared.marker, self.snapshot.target.platform, python)

    @cached_property
    def _declared_builds(self) -> Mapping[str, tuple[CudaBuild, ...]]:
        platform = self.snapshot.target.platform
        return {
            install.name: tuple(declared_lines.builds(install, self.catalog, platform))
            for install in self.install_sets
        }

    def declared_builds(self, install: InstallSet) -> tuple[CudaBuild, ...]:
        """Return what each requirement of an install set has to do with CUDA, as far as it tells."""
        return self._declared_builds[install.name]

    def cuda_users(self, manager: Manager) -> tuple[CudaBuild, ...]:
        """Return the installed packages of one manager that load CUDA's libraries."""
        return tuple(
            build
            for build in self.builds
            if build.manager == manager
            and build.role is Role.NEEDS
            and build.variant is Variant.CUDA
        )

    def consumer(self, build: CudaBuild) -> Consumer | None:
        """Return the consumer that a build is of; None for CUDA's own packages."""
        return self.catalog.consumers.get(build.component)

    def meets_others(self, build: CudaBuild) -> bool:
        """Tell whether a build brings or loads CUDA's libraries where others can meet them."""
        package = self.catalog.cuda_packages.get((build.manager, build.package))
        if package:
            return (bool(package.brings) or package.pulls_runtime) and not self._is_private(build)
        consumer = self.consumer(build)
        return consumer is None or not consumer.links_statically

    def states_cuda(self, build: CudaBuild) -> bool:
        """Tell whether a package is there to say, or to pull in, the CUDA that is meant."""
        package = self.catalog.cuda_packages.get((build.manager, build.package))
        return package is not None and (package.pulls_runtime or build.package == "cuda-version")

    def _is_private(self, build: CudaBuild) -> bool:
        """Tell whether a wheel is there only for libraries that link all other CUDA statically."""
        users = self._requirers.get(build.package, ()) if build.manager == "pip" else ()
        consumers = [self.catalog.consumer("pip", user) for user in users]
        return bool(users) and all(consumer and consumer.links_statically for consumer in consumers)

    @cached_property
    def _requirers(self) -> Mapping[str, frozenset[str]]:
        """The normal names of the wheels that require each CUDA wheel."""
        by_wheel: dict[str, frozenset[str]] = {}
        for key, wheel in self._consuming_wheels:
            for requirement in wheels.required_on(wheel, self.snapshot):
                name = required_name(requirement)
                by_wheel[name] = by_wheel.get(name, frozenset()) | {key}
        return by_wheel

    @property
    def _consuming_wheels(self) -> Iterator[tuple[str, Distribution]]:
        for key, named in self.wheels.items():
            if self.catalog.consumer("pip", key):
                yield from ((key, wheel) for wheel in named)

    def sibling(self, build: CudaBuild, major: int | None) -> str | None:
        """Return the wheel of the same project whose name is for another CUDA major."""
        consumer = self.consumer(build)
        if consumer is None or build.package not in consumer.cuda_of_name:
            return None
        stem = _CUDA_SUFFIX.sub("", build.package)
        wanted = (
            name
            for name, release in consumer.cuda_of_name.items()
            if release.split(".")[0] == str(major) and _CUDA_SUFFIX.sub("", name) == stem
        )
        return next(wanted, None)

    def is_framework(self, build: CudaBuild) -> bool:
        """Tell whether a build is a framework, which decides its process's CUDA."""
        consumer = self.consumer(build)
        return consumer is not None and consumer.kind == "framework"

    @cached_property
    def frameworks(self) -> tuple[CudaBuild, ...]:
        """The installed frameworks, conda's first."""
        return tuple(build for build in self.builds if self.is_framework(build))

    def overlapping(self, build: CudaBuild) -> tuple[CudaBuild, ...]:
        """Return the other CUDA wheels whose RECORDs list a library that this one's lists too."""
        if build.manager != "pip":
            return ()
        own = self._libraries(build.package)
        others = (b for b in self.builds if b.manager == "pip" and b.package != build.package)
        return tuple(b for b in others if b.brings and own & self._libraries(b.package))

    def _libraries(self, wheel: str) -> frozenset[str]:
        return frozenset(path for d in self.wheels.get(wheel, ()) for path in d.libraries())

    def providers(self, group: ImportGroup) -> tuple[Distribution, ...]:
        """Return the wheels that install a group's import package, by their RECORDs."""
        return tuple(
            wheel
            for name in group.pypi
            for wheel in self.wheels.get(name, ())
            if group.holds(name, wheel.version) and wheel.installs(group.import_name)
        )

    def import_group(self, package: str) -> ImportGroup | None:
        """Return the group of an import package that a wheel of this name installs."""
        return next((g for g in self.catalog.import_groups if package in g.pypi), None)


def _with_includes(
    manifest: Manifest, by_path: Mapping[str, Manifest], seen: set[str]
) -> Iterator[Declared]:
    seen.add(manifest.path)
    for declared in manifest.declared:
        yield declared
        if declared.kind is Kind.INCLUDE and declared.name not in seen:
            included = by_path.get(declared.name)
            if included:
                yield from _with_includes(included, by_path, seen)
