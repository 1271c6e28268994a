"""The builds of pip's distributions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds.required import required_on
from reconciler.builds.witness import (
    Known,
    cuda_of_wheel,
    read_local_label,
    read_name,
    read_release,
)
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role, Variant
from reconciler.model.distribution import required_name
from reconciler.model.library import path_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda_package import CudaPackage
    from reconciler.model.distribution import Distribution
    from reconciler.model.library import SharedLibrary
    from reconciler.model.snapshot import Snapshot

#: The longest line of a text that a report shows whole.
MAX_LINE = 80
# auditwheel adds a hash to the names of what it grafts: libcudart-1b201d85.so.10.1.
_RUNTIME = re.compile(r"libcudart(?:[-.][0-9a-f]+)?\.so\.(\d+(?:\.\d+)?)")
_RUNTIME_DLL = re.compile(r"^[^,\n]*\bcudart64_(\d+)\.dll(?=,)", re.MULTILINE)
_CUBLAS = re.compile(r"libcublas(?:Lt)?\.so\.(\d+)")
_FRAMEWORKS_CUDA = re.compile(r"lib(?:c10|torch)_cuda\.so")
_FRAMEWORKS_ROCM = re.compile(r"lib(?:(?:c10|torch)_hip\.so|amdhip64\.so.*)")


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
        self._is_linux = snapshot.target.platform.startswith("linux")

    def of_package(self, distribution: Distribution, package: CudaPackage) -> CudaBuild:
        cuda, known_by = cuda_of_wheel(package, distribution.version, self._catalog)
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
            self._by_library if self._is_linux else _by_dll,
            self._by_modules,
            _by_library_of_each,
            lambda d, _: read_local_label(d.local, d.version),
            self._by_url,
            self._by_requires,
            self._by_release,
            lambda d, c: read_name(d.key, c),
        )
        found = (witness(distribution, consumer) for witness in witnesses)
        said = (known for known in found if known)
        best = next(said, None)
        if best is None or best.variant is not Variant.CUDA or (best.cuda and best.cuda.minor):
            return best
        return next((known for known in said if _is_finer(known, best)), best)

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
                # TensorFlow writes all that it knows into one line.
                seen = line if len(line) <= MAX_LINE else match[0].strip()
                return Known(variant, cuda, KnownBy.VERSION_FILE, f"{path}: {seen}")
        return None

    def _by_library(self, distribution: Distribution, consumer: Consumer) -> Known | None:
        if consumer.cuda_library is None:
            return None
        library = next(self._named(distribution, (consumer.cuda_library,)), None)
        if library is None:
            recorded = distribution.record or ""
            # No word of it in RECORD is the CPU build; no RECORD is no word.
            if not recorded or path_pattern((consumer.cuda_library,)).search(recorded):
                return None
            return Known(Variant.CPU, None, KnownBy.LIBRARY, f"it has no {consumer.cuda_library}")
        return _needs(library) or Known(
            Variant.CUDA, None, KnownBy.LIBRARY, f"it has {library.path}"
        )

    def _by_modules(self, distribution: Distribution, consumer: Consumer) -> Known | None:
        # A name that tells is believed before files that a twin may have overwritten.
        is_told = distribution.key in {*consumer.cuda_of_name, *consumer.cpu_only}
        if is_told or not self._is_linux:
            return None
        modules = tuple(self._named(distribution, consumer.modules))
        if not modules:
            return None
        if known := next(filter(None, map(_needs, modules)), None):
            return known
        for module in modules:
            for variant, pattern in (
                (Variant.CUDA, _FRAMEWORKS_CUDA),
                (Variant.ROCM, _FRAMEWORKS_ROCM),
            ):
                if needed := next(filter(pattern.fullmatch, module.needed), None):
                    return Known(variant, None, KnownBy.LIBRARY, f"{module.path} needs {needed}")
        if distribution.key in consumer.gpu_only:
            return None
        return Known(
            Variant.CPU, None, KnownBy.LIBRARY, f"{modules[0].path} needs no library of CUDA"
        )

    def _named(self, distribution: Distribution, globs: Sequence[str]) -> Iterator[SharedLibrary]:
        """Yield the libraries of a distribution that globs name, of those that were read."""
        start = f"{distribution.location}/"
        is_named = path_pattern(f"{start}{glob}" for glob in globs).fullmatch
        for path, library in self._libraries.items():
            if is_named(path) and _lists(distribution, path.removeprefix(start)):
                yield library

    def _by_url(self, distribution: Distribution, _: Consumer) -> Known | None:
        """Read the local label in the name of the wheel that was installed from a URL."""
        file = (distribution.direct_url or "").rpartition("/")[2].partition("#")[0]
        version = f"{file.replace('%2B', '+')}--".split("-")[1]
        known = read_local_label(version.partition("+")[2], version)
        return known._replace(evidence=f"it was installed from {file}") if known else None

    def _by_requires(self, distribution: Distribution, _: Consumer) -> Known | None:
        required = self._required_cuda(distribution)
        if not required:
            return None
        # The pin of a wheel whose version is the release says more than a name that ends in cu12.
        package, requirement = max(
            required, key=lambda pair: pair[0].cuda_in == "version" and "==" in pair[1]
        )
        pin = requirement.partition("==")[2].rstrip(" )")
        cuda = cuda_of_wheel(package, pin, self._catalog)[0]
        return Known(Variant.CUDA, cuda, KnownBy.REQUIRES, f"requires {requirement}")

    def _by_release(self, distribution: Distribution, _: Consumer) -> Known | None:
        platform = self._snapshot.target.platform
        return read_release(self._catalog, distribution.key, distribution.version, platform)

    def _required_cuda(self, distribution: Distribution) -> tuple[tuple[CudaPackage, str], ...]:
        """Return the CUDA wheels that it requires on this platform, with the requirements."""
        required = required_on(distribution, self._snapshot)
        found = ((self._catalog.cuda_packages.get(("pip", required_name(r))), r) for r in required)
        return tuple((package, requirement) for package, requirement in found if package)


def _lists(distribution: Distribution, path: str) -> bool:
    """Tell whether RECORD lists a file; true where there is no RECORD."""
    return distribution.record is None or any(distribution.recorded((path,)))


def _by_dll(distribution: Distribution, consumer: Consumer) -> Known | None:
    """Read from RECORD alone, which names the DLLs, whether a wheel of Windows is for CUDA."""
    if consumer.cuda_dll is None or not distribution.record:
        return None
    if not _lists(distribution, consumer.cuda_dll):
        evidence = f"its RECORD lists no {consumer.cuda_dll}"
        return Known(Variant.CPU, None, KnownBy.LIBRARY, evidence)
    evidence = f"its RECORD lists {consumer.cuda_dll}"
    match = _RUNTIME_DLL.search(distribution.record)
    if match is None:
        return Known(Variant.CUDA, None, KnownBy.LIBRARY, evidence)
    # Every release of CUDA 11 has its runtime in cudart64_110.dll.
    cuda = CudaVersion(11) if match[1] == "110" else CudaVersion.from_tag(f"cu{match[1]}")
    return Known(Variant.CUDA, cuda, KnownBy.LIBRARY, f"{evidence} and {match[0]}")


def _by_library_of_each(distribution: Distribution, consumer: Consumer) -> Known | None:
    """Read from RECORD which CUDA releases a wheel holds a library for."""
    if consumer.library_of_each is None:
        return None
    lines = re.compile(f"^(?:{consumer.library_of_each}),", re.MULTILINE)
    tags = {match["cuda"]: match[0] for match in lines.finditer(distribution.record or "")}
    told = {cuda: line for tag, line in tags.items() if (cuda := CudaVersion.from_tag(f"cu{tag}"))}
    if not told:
        return None
    releases = tuple(sorted(told, key=lambda cuda: (cuda.major, cuda.minor or 0)))
    shown = ", ".join(map(str, releases))
    evidence = f"it has a library for each of CUDA {shown}: {told[releases[-1]].rstrip(',')}"
    return Known(Variant.CUDA, None, KnownBy.LIBRARY, evidence, releases)


def _is_finer(known: Known, best: Known) -> bool:
    if known.cuda is None or known.cuda.minor is None:
        return False
    return best.cuda is None or known.cuda.major == best.cuda.major


def _needs(library: SharedLibrary) -> Known | None:
    """Read the CUDA of a library that needs its runtime, or its cuBLAS."""
    for pattern in (_RUNTIME, _CUBLAS):
        for match in filter(None, map(pattern.fullmatch, library.needed)):
            cuda = CudaVersion.parse(match[1].removesuffix(".0"))
            evidence = f"{library.path} needs {match[0]}"
            return Known(Variant.CUDA, cuda, KnownBy.LIBRARY, evidence)
    return None


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
        releases=known.releases,
        known_by=known.known_by,
        evidence=known.evidence,
        at=distribution.at,
    )
