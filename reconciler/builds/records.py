"""The builds of conda's records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds.witness import Known, finer_release, read_build_string, read_name
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role, Variant
from reconciler.model.finding import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda_package import CudaPackage
    from reconciler.model.prefix import PrefixRecord

_CLAUSE = re.compile(r"\s*(?P<operator>[<>=~!]*)\s*(?P<number>\d+(?:\.\d+)*)")


def builds(records: tuple[PrefixRecord, ...], catalog: Catalog) -> Iterator[CudaBuild]:
    """Yield the build of each record that has to do with CUDA."""
    for record in records:
        if package := catalog.cuda_packages.get(("conda", record.name)):
            known = _of_package(package, record, catalog)
            role = Role.BRINGS if package.brings else Role.STATES
            yield _build(record, known, role, package.component, package.brings)
        elif consumer := catalog.consumer("conda", record.name):
            known = _of_consumer(record, consumer, catalog)
            yield _build(record, known, Role.NEEDS, consumer.name)


def _build(
    record: PrefixRecord, known: Known, role: Role, component: str, brings: tuple[str, ...] = ()
) -> CudaBuild:
    file = f"conda-meta/{record.name}-{record.version}-{record.build}.json"
    return CudaBuild(
        manager="conda",
        package=record.name,
        version=record.version,
        role=role,
        component=component,
        brings=brings,
        variant=known.variant,
        cuda=known.cuda,
        known_by=known.known_by,
        evidence=known.evidence,
        at=Location(subject=f"conda {record}", path=file, in_prefix=True),
    )


def _of_package(package: CudaPackage, record: PrefixRecord, catalog: Catalog) -> Known:
    if package.cuda_in != "depends":
        number = record.version if package.cuda_in == "version" else record.version.split(".")[0]
        if package.cuda_in != "name" and (cuda := CudaVersion.parse(number)):
            cuda = finer_release(cuda, package, record.version, catalog)
            return Known(Variant.CUDA, cuda, KnownBy.VERSION, f"its version {record.version}")
    if found := _asked_of_cuda(record, catalog):
        # cudnn's ">=12.0,<13" is a build for every CUDA 12: its lower bound is no release of it.
        if found.cuda and f"<{found.cuda.major + 1}" in found.evidence:
            major = CudaVersion(found.cuda.major)
            return found._replace(cuda=finer_release(major, package, record.version, catalog))
        return found
    cuda = CudaVersion(package.cuda_major) if package.cuda_major else None
    finer = finer_release(cuda, package, record.version, catalog)
    if finer != cuda:
        return Known(Variant.CUDA, finer, KnownBy.VERSION, f"its version {record.version}")
    return Known(Variant.CUDA, cuda, KnownBy.NAME, f"its name {record.name}")


def _of_consumer(record: PrefixRecord, consumer: Consumer, catalog: Catalog) -> Known:
    if record.name in consumer.cpu_only:
        return Known(Variant.CPU, None, KnownBy.NAME, f"its name {record.name}")
    if found := _asked_of_cuda(record, catalog):
        return found
    if found := read_build_string(record.build):
        return found
    if found := read_name(record.name, consumer):
        return found
    evidence = f"build {record.build} depends on no CUDA package"
    return Known(Variant.CPU, None, KnownBy.DEPENDS, evidence)


def _asked_of_cuda(record: PrefixRecord, catalog: Catalog) -> Known | None:
    """Return the CUDA that a record's depends, then its constrains, ask for."""
    is_cuda: Known | None = None
    constrained: Known | None = None
    for specs, known_by in (
        (record.depends, KnownBy.DEPENDS),
        (record.constrains, KnownBy.CONSTRAINS),
    ):
        for spec in specs:
            name, _, constraint = spec.partition(" ")
            package = catalog.cuda_packages.get(("conda", name))
            if package is None:
                continue
            cuda = _release(constraint) if package.cuda_in == "version" else None
            known = Known(Variant.CUDA, cuda, known_by, f"{known_by} {spec}")
            if known_by is KnownBy.CONSTRAINS:
                constrained = constrained or (known if cuda else None)
            elif cuda:
                return known
            else:
                is_cuda = is_cuda or known
    # Constrains alone make no CUDA build: builds for the CPU have run_constrained as well.
    return (constrained or is_cuda) if is_cuda else None


def _release(constraint: str) -> CudaVersion | None:
    """Return the release that a constraint was written for: its lower bound, within one major."""
    bounds = [_CLAUSE.match(clause) for clause in re.split("[,|]", constraint)]
    told = [(b["operator"], CudaVersion.parse(b["number"])) for b in bounds if b]
    lower = [cuda for operator, cuda in told if cuda and not operator.startswith("<")]
    upper = [cuda for operator, cuda in told if cuda and operator.startswith("<")]
    if not lower or len({cuda.major for cuda in lower}) > 1:
        return None
    # >=12.4,<13 is a build for 12.4; >=12.0,<14 is one for any (conda-forge's cuda-pathfinder).
    end = (lower[0].major + 1, 0)
    return None if any((u.major, u.minor or 0) > end for u in upper) else lower[0]
