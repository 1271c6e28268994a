"""What packages were built with of cuDNN, beside the cuDNN that they will meet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.builds.declared import pinned_version
from reconciler.builds.families import of_record, of_wheel
from reconciler.model.consumer import VersionSpan
from reconciler.model.cuda import Role, Variant
from reconciler.model.distribution import required_name
from reconciler.model.family import CudnnUse, Member, release_of
from reconciler.model.library import path_pattern
from reconciler.model.manifest import MANAGERS
from reconciler.model.prefix import PrefixRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.catalog import Catalog, CudnnNeed
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda import CudaBuild, Manager
    from reconciler.model.distribution import Distribution
    from reconciler.model.install_set import InstallSet
    from reconciler.model.library import SharedLibrary

COMPONENT = "cudnn"
_BOUND = re.compile(r"(?:==|>=|~=)\s*(\d+(?:\.\d+)?)")
_SONAME = re.compile(r"libcudnn\.so\.(\d+)")
# cuda12.cudnn89 is 8.9 (jaxlib's wheels up to 0.4.30).
_LABEL = re.compile(r"cudnn(\d)(\d+)")


class _Told(NamedTuple):
    """What a witness says of the cuDNN that a package was built with."""

    release: str
    evidence: str
    #: The package's own requirement of it; "" where it is known in another way.
    requirement: str = ""


def installed(
    builds: Iterable[CudaBuild],
    wheels: Mapping[str, tuple[Distribution, ...]],
    records: Mapping[str, PrefixRecord],
    libraries: Sequence[SharedLibrary],
    catalog: Catalog,
) -> Iterator[CudnnUse]:
    """Yield each installed package that uses cuDNN where a package brings one that it meets."""
    found = [b for b in builds if COMPONENT in b.brings and b.role is Role.BRINGS and b.version]
    if not found:
        return
    by_package = {(build.manager, build.package): build for build in builds}
    # Of several packages for one cuDNN (cudnn, libcudnn), any tells its version.
    condas = next((b for b in found if b.manager == "conda"), None)
    for record in records.values() if condas else ():
        consumer = catalog.consumer("conda", record.name)
        if condas and consumer and (told := _of_record(record, catalog)):
            build = by_package.get(("conda", record.name))
            yield _use(of_record(record, consumer, build), told, condas)
    for wheel in (w for named in wheels.values() for w in named):
        consumer = catalog.consumer("pip", wheel.key)
        build = by_package.get(("pip", wheel.key))
        if consumer is None or not _uses_cuda(consumer, build):
            continue
        if (told := _of_wheel(wheel, consumer, libraries, catalog)) and (
            met := _met(wheel, told.release, found, catalog)
        ):
            yield _use(of_wheel(wheel, consumer, build), told, met)


def declared(
    install: InstallSet, builds: Iterable[CudaBuild], catalog: Catalog
) -> Iterator[CudnnUse]:
    """Yield each line that pins a user of cuDNN where another line of the set pins cuDNN."""
    by_package = {(build.manager, build.package): build for build in builds}
    found = [
        b
        for b in by_package.values()
        if COMPONENT in b.brings and b.role is Role.BRINGS and b.version
    ]
    has_wheel = any(b.manager == "pip" and COMPONENT in b.brings for b in by_package.values())
    for section, manager in MANAGERS.items() if found else ():
        for line in install.requirements(section):
            version = pinned_version(line)
            consumer = catalog.consumer(manager, line.name)
            build = by_package.get((manager, line.name))
            # A local label is of another build than the one that the table is about.
            if not version or consumer is None or "+" in version:
                continue
            if build and build.variant is not Variant.CUDA:
                continue
            told = _by_table(manager, line.name, version, "", catalog)
            own = [b for b in found if b.manager == manager]
            # A wheel that requires a cuDNN brings it for the others too: they never meet conda's.
            candidates = own if own or manager == "conda" or has_wheel else found
            if told and (met := _best(told.release, candidates)):
                user = Member(
                    manager=manager,
                    package=line.name,
                    version=version,
                    component=consumer.name,
                    build=build,
                    at=line.location,
                )
                yield _use(user, told, met)


def built_with(
    owner: Distribution | PrefixRecord, libraries: Sequence[SharedLibrary], catalog: Catalog
) -> tuple[str, str] | None:
    """Return the cuDNN that an installed package was built with, and how that is known."""
    if isinstance(owner, PrefixRecord):
        told = _of_record(owner, catalog)
    else:
        consumer = catalog.consumer("pip", owner.key)
        told = _of_wheel(owner, consumer, libraries, catalog) if consumer else None
    return (told.release, told.evidence) if told else None


def _use(user: Member, told: _Told, found: CudaBuild) -> CudnnUse:
    return CudnnUse(
        user=user,
        built_with=told.release,
        evidence=told.evidence,
        requirement=told.requirement,
        found=found,
    )


def _uses_cuda(consumer: Consumer, build: CudaBuild | None) -> bool:
    if build is None:
        return consumer.kind == "library"
    # What has cuDNN inside itself meets no other.
    return build.variant is Variant.CUDA and COMPONENT not in build.brings


def _of_record(record: PrefixRecord, catalog: Catalog) -> _Told | None:
    """Return the cuDNN that a record was built with, and how that is known."""
    told = [_by_table("conda", record.name, record.version, record.build, catalog)]
    for text in record.depends:
        package = catalog.cuda_packages.get(("conda", text.partition(" ")[0]))
        if package and package.component == COMPONENT and (match := _BOUND.search(text)):
            told.append(_Told(match[1], f"it depends on {text}"))
    # conda-forge's pins have been looser than the builds: what asks for more is right.
    return max(filter(None, told), key=lambda one: release_of(one.release), default=None)


def _of_wheel(
    wheel: Distribution, consumer: Consumer, libraries: Sequence[SharedLibrary], catalog: Catalog
) -> _Told | None:
    """Return the cuDNN that a wheel was built with, by the first witness that speaks."""
    for requirement in wheel.requires:
        text, _, marker = requirement.partition(";")
        package = catalog.cuda_packages.get(("pip", required_name(text)))
        if package is None or package.component != COMPONENT or "extra" in marker:
            continue
        if match := _BOUND.search(text):
            bare = re.sub(r"[\s()]", "", text)
            return _Told(match[1], f"it requires {text.strip()}", bare)
    if match := _LABEL.search(wheel.local):
        return _Told(f"{match[1]}.{match[2]}", f"its version {wheel.version}")
    if told := _by_table("pip", wheel.key, wheel.version, "", catalog):
        return told
    globs = [f"{wheel.location}/{g}" for g in (consumer.cuda_library, *consumer.modules) if g]
    is_named = path_pattern(globs).fullmatch
    for library in libraries:
        if is_named(library.path):
            for soname in filter(None, map(_SONAME.fullmatch, library.needed)):
                return _Told(soname[1], f"{library.path} needs {soname[0]}")
    return None


def _by_table(
    manager: Manager, package: str, version: str, build: str, catalog: Catalog
) -> _Told | None:
    for row in catalog.cudnn_needs.get((manager, package), ()):
        span = VersionSpan(since=row.since, before=row.before)
        if span.holds(version) and _is_of_build(row, build, version):
            return _Told(row.cudnn, f"{package} {version} was built with cuDNN {row.cudnn}")
    return None


def _is_of_build(row: CudnnNeed, build: str, version: str) -> bool:
    if row.manager == "pip":
        return "+" not in version
    return row.build is None or bool(re.fullmatch(row.build, build))


def _met(
    wheel: Distribution, wanted: str, found: Sequence[CudaBuild], catalog: Catalog
) -> CudaBuild | None:
    """Return the cuDNN that a wheel will meet: the one it requires, or else pip's, or conda's."""
    names = {required_name(r) for r in wheel.requires if "extra" not in r.partition(";")[2]}
    packages = (catalog.cuda_packages.get(("pip", name)) for name in names)
    required = {p.name for p in packages if p and p.component == COMPONENT}
    pips = [b for b in found if b.manager == "pip" and (not required or b.package in required)]
    # Where the one that it requires is missing, no other has its place in the wheel's RPATH.
    return _best(wanted, pips if pips or required else found)


def _best(wanted: str, found: Sequence[CudaBuild]) -> CudaBuild | None:
    """Return the one that serves, if any does: which of several is met is another rule's."""
    major = release_of(wanted)[:1]
    return max(
        found,
        key=lambda b: (release_of(b.version)[:1] == major, release_of(b.version)),
        default=None,
    )
