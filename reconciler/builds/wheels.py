"""The builds of pip's distributions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds.witness import (
    Known,
    cuda_of_wheel,
    read_local_label,
    read_name,
    read_release,
)
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role, Variant
from reconciler.model.distribution import required_name
from reconciler.model.marker import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.catalog import Catalog, Consumer, CudaPackage
    from reconciler.model.distribution import Distribution
    from reconciler.model.snapshot import Snapshot

_CUDART = re.compile(r"libcudart(?:-[0-9a-f]+)?\.so\.(\d+(?:\.\d+)?)")


def builds(
    wheels: Iterable[Distribution], snapshot: Snapshot, catalog: Catalog
) -> Iterator[CudaBuild]:
    """Yield the build of each distribution of pip that has to do with CUDA."""
    reader = _Reader(snapshot, catalog)
    for distribution in wheels:
        if package := catalog.cuda_packages.get(("pip", distribution.key)):
            yield reader.of_package(distribution, package)
        elif (consumer := catalog.consumer("pip", distribution.key)) and (
            build := reader.of_consumer(distribution, consumer)
        ):
            yield build


class _Reader:
    """Reads one distribution at a time, with the snapshot's evidence at hand by its path."""

    def __init__(self, snapshot: Snapshot, catalog: Catalog) -> None:
        self._snapshot = snapshot
        self._catalog = catalog
        self._texts = {evidence.path: evidence.text for evidence in snapshot.evidence}
        self._libraries = {library.path: library for library in snapshot.libraries}

    def of_package(self, distribution: Distribution, package: CudaPackage) -> CudaBuild:
        cuda, known_by = cuda_of_wheel(package, distribution.version)
        seen = distribution.version if known_by is KnownBy.VERSION else distribution.name
        known = Known(Variant.CUDA, cuda, known_by, f"its {known_by} {seen}")
        role = Role.BRINGS if package.brings else Role.STATES
        return _build(distribution, known, role, package.component, package.brings)

    def of_consumer(self, distribution: Distribution, consumer: Consumer) -> CudaBuild | None:
        known = self._known(distribution, consumer)
        if known is None:
            return None
        bundles = known.variant is Variant.CUDA and not self._required_cuda(distribution)
        brings = consumer.bundles if bundles else ()
        return _build(distribution, known, Role.NEEDS, consumer.name, brings)

    def _known(self, distribution: Distribution, consumer: Consumer) -> Known | None:
        """Return the build of a wheel by the first witness that speaks, the best one first."""
        witnesses = (
            self._by_version_file,
            self._by_library,
            lambda d, _: read_local_label(d.local, d.version),
            self._by_requires,
            self._by_release,
            lambda d, c: read_name(d.key, c),
        )
        found = (witness(distribution, consumer) for witness in witnesses)
        return next((known for known in found if known), None)

    def _by_version_file(self, distribution: Distribution, consumer: Consumer) -> Known | None:
        file = consumer.version_file
        path = f"{distribution.location}/{file.path}" if file else ""
        text = self._texts.get(path)
        if file is None or text is None:
            return None
        for variant, pattern in (
            (Variant.ROCM, file.rocm),
            (Variant.CUDA, file.cuda),
            (Variant.CPU, file.cpu),
        ):
            if pattern and (match := re.search(pattern, text, re.MULTILINE)):
                told = match["cuda"] if variant is Variant.CUDA else ""
                cuda = CudaVersion.parse(told) or CudaVersion.from_tag(told)
                line = text[match.start() :].lstrip().partition("\n")[0]
                return Known(variant, cuda, KnownBy.VERSION_FILE, f"{path}: {line}")
        return None

    def _by_library(self, distribution: Distribution, consumer: Consumer) -> Known | None:
        # Only Linux has these names: on Windows the absence of an .so says nothing.
        if consumer.cuda_library is None or not self._snapshot.target.platform.startswith("linux"):
            return None
        path = f"{distribution.location}/{consumer.cuda_library}"
        library = self._libraries.get(path)
        if library is None:
            recorded = distribution.record or ""
            # No word of it in RECORD is the CPU build; no RECORD is no word.
            if not recorded or consumer.cuda_library in recorded:
                return None
            return Known(Variant.CPU, None, KnownBy.LIBRARY, f"it has no {consumer.cuda_library}")
        needed = (_CUDART.fullmatch(soname) for soname in library.needed)
        for match in needed:
            if match:
                cuda = CudaVersion.parse(match[1].removesuffix(".0"))
                return Known(Variant.CUDA, cuda, KnownBy.LIBRARY, f"{path} needs {match[0]}")
        return Known(Variant.CUDA, None, KnownBy.LIBRARY, f"it has {path}")

    def _by_requires(self, distribution: Distribution, _: Consumer) -> Known | None:
        required = self._required_cuda(distribution)
        if not required:
            return None
        # The pin of a wheel whose version is the release says more than a name that ends in cu12.
        package, requirement = max(
            required, key=lambda pair: pair[0].cuda_in == "version" and "==" in pair[1]
        )
        cuda = cuda_of_wheel(package, requirement.partition("==")[2])[0]
        return Known(Variant.CUDA, cuda, KnownBy.REQUIRES, f"requires {requirement}")

    def _by_release(self, distribution: Distribution, _: Consumer) -> Known | None:
        platform = self._snapshot.target.platform
        return read_release(self._catalog, distribution.key, distribution.version, platform)

    def _required_cuda(self, distribution: Distribution) -> tuple[tuple[CudaPackage, str], ...]:
        """Return the CUDA wheels that it requires on this platform, with the requirements."""
        required = required_on(distribution, self._snapshot)
        found = ((self._catalog.cuda_packages.get(("pip", required_name(r))), r) for r in required)
        return tuple((package, requirement) for package, requirement in found if package)


def required_on(distribution: Distribution, snapshot: Snapshot) -> Iterator[str]:
    """Yield the requirements that hold for the target without an extra, without their markers."""
    version = snapshot.python.version if snapshot.python else ""
    for line in distribution.requires:
        requirement, _, marker = line.partition(";")
        if not marker or holds(marker.strip(), snapshot.target.platform, version):
            yield requirement.strip()


def _build(
    distribution: Distribution,
    known: Known,
    role: Role,
    component: str,
    brings: tuple[str, ...],
) -> CudaBuild:
    return CudaBuild(
        manager="pip",
        package=distribution.key,
        version=distribution.version,
        role=role,
        component=component,
        brings=brings,
        variant=known.variant,
        cuda=known.cuda,
        known_by=known.known_by,
        evidence=known.evidence,
        at=distribution.at,
    )
