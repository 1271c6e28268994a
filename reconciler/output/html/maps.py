"""Who takes which library: by the model of the loader, else by what each was built for."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.cuda import CudaBuild, Role, Variant
from reconciler.output.html.rows import DRIVER, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.report import Report
    from reconciler.model.run import Link, Run
    from reconciler.model.which import Origin

#: The column of what a kind of origin brings; all else is the system's.
COLUMN = {"conda": 0, "pip": 1}
_SYSTEM = 2
#: Row, column, and who brings it.
Place = tuple[str, int, str]
DRIVER_PLACE: Place = (DRIVER, _SYSTEM, "the NVIDIA driver")
# Of these the number in the soname is CUDA's major, from CUDA 12 on: libcublas.so.12, libnvrtc.so.13.
_NAMED_AFTER_CUDA = re.compile(r"lib(?:cudart|cublas|cublasLt|nvrtc|nvJitLink)\.so\.(\d\d)")


class Taken(Struct, frozen=True, kw_only=True):
    """A library that a consumer takes."""

    place: Place
    soname: str
    version: str = ""
    #: The CUDA major that it is of, where no package tells it.
    major: int | None = None
    says: str
    is_traced: bool = True
    is_missing: bool = False


class Consumer(Struct, frozen=True, kw_only=True):
    """A package that uses CUDA, or a library that was started by itself."""

    column: int
    name: str
    version: str
    build: CudaBuild | None = None
    takes: tuple[Taken, ...] = ()


def consumers(report: Report) -> tuple[Consumer, ...]:
    """Return who takes CUDA's libraries, in the order of the report, with what each takes."""
    builds: dict[tuple[str, str], CudaBuild] = {
        (b.manager, b.package): b for b in report.builds if b.role is Role.NEEDS
    }
    traced = _traced(report)
    providers = tuple(_providers(report))
    found: dict[tuple[str, str], Consumer] = {}
    for key, build in builds.items():
        takes = traced.pop(key, None) or tuple(_expected(build, providers))
        found[key] = Consumer(
            column=COLUMN[build.manager],
            name=build.package,
            version=build.version,
            build=build,
            takes=takes,
        )
    origins = {_key(run.owner): run.owner for run in report.loads}
    for key, takes in traced.items():
        owner = origins[key]
        if takes and not _is_of_cuda(report, owner):
            found[key] = Consumer(
                column=COLUMN.get(owner.kind, _SYSTEM),
                name=owner.package or owner.title,
                version=owner.version or "",
                takes=takes,
            )
    return tuple(found.values())


def major_in(version: str) -> int | None:
    """Return the major of a release of CUDA."""
    major = version.partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() and len(major) < 3 else None


def _key(owner: Origin) -> tuple[str, str]:
    return owner.kind, owner.package or owner.title


def _is_of_cuda(report: Report, owner: Origin) -> bool:
    """Tell whether it is one of CUDA's own packages, whose libraries need one another."""
    return any(b.brings and (b.manager, b.package) == _key(owner) for b in report.builds)


def _traced(report: Report) -> dict[tuple[str, str], tuple[Taken, ...]]:
    found: dict[tuple[str, str], dict[tuple[Place, str], Taken]] = {}
    for run in report.loads:
        takes = found.setdefault(_key(run.owner), {})
        for taken in _taken(run):
            takes.setdefault((taken.place, taken.soname), taken)
    return {key: tuple(takes.values()) for key, takes in found.items()}


def _taken(run: Run) -> Iterator[Taken]:
    answered = {posixpath.basename(link.soname) for link in run.cuda_links if link.path}
    for link in run.cuda_links:
        soname = posixpath.basename(link.soname)
        row = row_of(link.component or "")
        shells = str(run.situation)
        if link.path is not None and link.owner is not None:
            yield _found(link, soname, row, link.owner, shells)
        elif not link.is_optional and soname not in answered:
            column = COLUMN.get(run.owner.kind, _SYSTEM)
            yield Taken(
                place=(row, column, soname),
                soname=soname,
                says=f"{soname} is not found, {shells}",
                is_missing=True,
            )


def _found(link: Link, soname: str, row: str, owner: Origin, shells: str) -> Taken:
    folder = posixpath.dirname(link.real or link.path or "")
    # What no package has brought is named after itself, and by where it lies.
    name = owner.package or f"{folder}/{soname}"
    place = (row, COLUMN.get(owner.kind, _SYSTEM), name)
    named = _NAMED_AFTER_CUDA.match(soname)
    major = major_in(owner.version or "") if owner.kind == "toolkit" else None
    return Taken(
        place=DRIVER_PLACE if owner.kind == "driver" else place,
        soname=soname,
        version=(owner.version or soname) if owner.package else folder,
        major=major or (int(named[1]) if named else None),
        says=f"{soname} of {owner.title} ({link.reason}), {shells}",
    )


def _providers(report: Report) -> Iterator[CudaBuild]:
    yield from (b for b in report.builds if "cuda-runtime" in b.brings)


def _expected(build: CudaBuild, providers: Sequence[CudaBuild]) -> Iterator[Taken]:
    """Yield the runtime that a build meets, where nothing tells what its loader finds."""
    if build.variant is not Variant.CUDA or not build.major:
        return
    same = [p for p in providers if p.major == build.major]
    near = _nearest(same, build) or _nearest(providers, build)
    if near is None:
        return
    yield Taken(
        place=("cuda-runtime", COLUMN[near.manager], near.package),
        soname="",
        says=f"built for CUDA {build.cuda}; {near} is the CUDA runtime beside it",
        is_traced=False,
    )


def _nearest(providers: Iterable[CudaBuild], build: CudaBuild) -> CudaBuild | None:
    """Return that of the same manager, if there is one."""
    ranked = sorted(providers, key=lambda p: (p.manager != build.manager, p is not build))
    return ranked[0] if ranked else None
