"""What a solver accepts and a GPU does not: builds for the CPU, two CUDA majors, one part twice. Pure.

A solution is judged as an environment is: by `reconciler.builds`, which believes what a package
depends on before its build string.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from reconciler.builds.records import builds
from reconciler.model.cuda import KnownBy, Role, Variant
from reconciler.model.prefix import PrefixRecord
from reconciler.model.solution import Complaint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.solution import ChannelRecord, Solution


def cuda_part(solution: Solution, catalog: Catalog) -> tuple[CudaBuild, ...]:
    """Return the packages of a solution that have to do with CUDA, and for which they are built."""
    records = tuple(_as_installed(record) for record in solution.records)
    return tuple(builds(records, catalog))


def complaints(
    solution: Solution, catalog: Catalog, gpu: Collection[str] = ()
) -> tuple[Complaint, ...]:
    """Return what is wrong with a solution; ``gpu`` are the packages that must be built for CUDA.

    Those are conda's names of packages that have such builds; what extends them is judged as well.
    """
    part = cuda_part(solution, catalog)
    judged = _judged(solution, catalog, gpu)
    for_cpu = _for_the_cpu([build for build in part if build.package in judged], gpu)
    found = (*_absent(solution, gpu), *for_cpu, *_two_majors(part))
    return (*found, *_twice(solution), *_brought_twice(part))


def _as_installed(record: ChannelRecord) -> PrefixRecord:
    return PrefixRecord(
        name=record.name,
        version=record.version,
        build=record.build,
        build_number=record.build_number,
        channel=record.channel,
        subdir=record.subdir,
        depends=record.depends,
        constrains=record.constrains,
    )


def _judged(solution: Solution, catalog: Catalog, gpu: Collection[str]) -> frozenset[str]:
    """Return the packages that must be built for CUDA: those asked for, and what extends them."""
    asked = {consumer.name for name in gpu if (consumer := catalog.consumer("conda", name))}
    return frozenset(
        record.name
        for record in solution.records
        # Of no build: it takes what the library beside it was built for, as jax takes jaxlib's.
        if record.subdir != "noarch"
        and (consumer := catalog.consumer("conda", record.name))
        and (consumer.has_cuda and not consumer.cpu_fits)
        and not asked.isdisjoint({consumer.name, consumer.extends})
    )


def _absent(solution: Solution, gpu: Collection[str]) -> Iterator[Complaint]:
    for name in gpu:
        if solution.record(name) is None:
            yield Complaint(packages=(name,), says=f"{name} is no part of the solution.")


def _for_the_cpu(judged: Sequence[CudaBuild], gpu: Collection[str]) -> Iterator[Complaint]:
    for build in judged:
        # torchtriton depends on nothing of CUDA and is made for it all the same.
        is_told = build.package in gpu or build.known_by is not KnownBy.DEPENDS
        if is_told and build.variant is not Variant.CUDA:
            says = f"{build} is built for {build.words} ({build.evidence}): it uses no NVIDIA GPU."
            yield Complaint(packages=(build.package,), says=says)


def _two_majors(part: Sequence[CudaBuild]) -> Iterator[Complaint]:
    """Yield one complaint where libraries of two majors would be loaded into one process."""
    by_major: dict[int, list[CudaBuild]] = {}
    for build in part:
        if build.major is not None:
            by_major.setdefault(build.major, []).append(build)
    if len(by_major) > 1:
        each = [
            f"CUDA {major}: {', '.join(map(str, by_major[major]))}" for major in sorted(by_major)
        ]
        packages = tuple(build.package for major in sorted(by_major) for build in by_major[major])
        yield Complaint(
            packages=packages, says=f"Two CUDA majors come together. {'; '.join(each)}."
        )


def _twice(solution: Solution) -> Iterator[Complaint]:
    names = [record.name for record in solution.records]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        both = " and ".join(str(record) for record in solution.records if record.name == name)
        yield Complaint(packages=(name,), says=f"{name} is there twice: {both}.")


def _brought_twice(part: Sequence[CudaBuild]) -> Iterator[Complaint]:
    bringing = [build for build in part if build.role is Role.BRINGS]
    for one, other in combinations(bringing, 2):
        shared = sorted({*one.brings} & {*other.brings})
        # Of one release they are parts of one: cudnn 9 is libcudnn 9 and its headers.
        if shared and one.version != other.version:
            says = f"{one} and {other} both install {', '.join(shared)}."
            yield Complaint(packages=(one.package, other.package), says=says)
