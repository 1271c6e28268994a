"""Who brings which CUDA and who takes it, as boxes and arrows without a place."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from reconciler.model.cuda import Role
from reconciler.model.finding import Severity
from reconciler.output.html import maps
from reconciler.output.html.marks import Mark, mark_of, marks_of, urgency
from reconciler.output.html.picture import SYSTEM, Box, Scene, capped
from reconciler.output.html.rows import DRIVER, OTHERS, rank_of, row_of, rows_in, title_of
from reconciler.output.html.takers import takers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.report import Report
    from reconciler.output.html.maps import Consumer, Place


class _Library(Struct, frozen=True, kw_only=True):
    """What brings libraries of a row, before those that are alike are one box."""

    row: str
    column: int
    name: str
    detail: str
    cuda: str = ""
    major: int | None = None
    mark: Mark | None = None
    kind: Literal["library", "missing"] = "library"
    #: Of the row of all others: the titles of what it brings.
    parts: tuple[str, ...] = ()
    #: Whether the same package stands in a row above.
    is_again: bool = False


def scene_of(report: Report) -> Scene:
    """Return the picture of a report; an empty one where nothing has to do with CUDA."""
    consumers = maps.consumers(report)
    libraries = _libraries(report, consumers)
    if not libraries and not consumers:
        return Scene()
    given, box_of = _boxed(libraries)
    taking, arrows = takers(consumers, marks_of(report), box_of, given)
    boxes = (*taking, *given)
    return Scene(rows=tuple(rows_in(box.row for box in boxes)), boxes=boxes, arrows=arrows)


def _libraries(report: Report, consumers: Sequence[Consumer]) -> dict[Place, _Library]:
    marks = marks_of(report)
    found: dict[Place, _Library] = {}
    for build in report.builds:
        for component in build.brings:
            place = (row_of(component), maps.COLUMN[build.manager], build.package)
            known = found.get(place)
            parts = known.parts if known else ()
            found[place] = _brought(build, place, marks, (*parts, title_of(component)))
    for consumer in consumers:
        for taken in consumer.takes:
            if taken.place not in found:
                found[taken.place] = _seen(taken)
    above = {(consumer.column, consumer.name) for consumer in consumers}
    return dict(_told_again(found, above)) | dict(_of_the_machine(report))


def _told_again(
    found: Mapping[Place, _Library], above: Iterable[tuple[int, str]]
) -> Iterator[tuple[Place, _Library]]:
    """Yield the libraries from the top, with those whose package stands in a row above marked."""
    seen = {*above}
    for place in sorted(found, key=lambda place: rank_of(place[0])):
        yield place, msgspec.structs.replace(found[place], is_again=place[1:] in seen)
        seen.add(place[1:])


def _brought(
    build: CudaBuild, place: Place, marks: Mapping[object, Mark], parts: tuple[str, ...]
) -> _Library:
    inside = "" if build.role is Role.BRINGS else "bundled in "
    return _Library(
        row=place[0],
        column=place[1],
        name=f"{inside}{build.package}",
        detail=build.version,
        cuda=str(build.cuda or ""),
        major=build.major,
        mark=mark_of(build, marks),
        parts=parts,
    )


def _seen(taken: maps.Taken) -> _Library:
    """Return what a loader finds, or does not, and no build tells of."""
    row, column, name = taken.place
    if taken.is_missing:
        mark = Mark(severity=Severity.ERROR)
        return _Library(
            row=row, column=column, name=name, detail="not found", mark=mark, kind="missing"
        )
    return _Library(
        row=row,
        column=column,
        name=posixpath.basename(name),
        detail=taken.version,
        cuda=str(taken.major or ""),
        major=taken.major,
        parts=(taken.soname,),
    )


def _of_the_machine(report: Report) -> Iterator[tuple[Place, _Library]]:
    for toolkit in report.toolkits:
        major = maps.major_in(toolkit.version or "")
        yield (
            ("toolkit", SYSTEM, toolkit.path),
            _Library(
                row="toolkit",
                column=SYSTEM,
                name=toolkit.path,
                detail="CUDA toolkit of the system",
                cuda=".".join((toolkit.version or "").split(".")[:2]),
                major=major,
            ),
        )
    driver = report.driver
    if driver is None:
        return
    yield (
        maps.DRIVER_PLACE,
        _Library(
            row=DRIVER,
            column=SYSTEM,
            name=f"driver {driver.release}" if driver.release else "driver",
            detail=f"runs up to CUDA {driver.cuda}" if driver.cuda else "",
            cuda=str(driver.cuda or ""),
            major=driver.cuda.major if driver.cuda else None,
            mark=marks_of(report).get(DRIVER),
        ),
    )


def _boxed(libraries: Mapping[Place, _Library]) -> tuple[tuple[Box, ...], dict[Place, str]]:
    """Return a box for those of a cell that are alike, and the box of each place."""
    alike: dict[tuple[object, ...], list[Place]] = defaultdict(list)
    for place, library in libraries.items():
        cuda = library.major if library.row == OTHERS else library.cuda
        key = (*place[:2], library.kind, cuda, library.mark, library.is_again)
        alike[key].append(place)
    cells: dict[tuple[str, int], list[list[Place]]] = defaultdict(list)
    for places in sorted(alike.values(), key=lambda ps: urgency(libraries[ps[0]].mark)):
        cells[places[0][:2]].append(places)
    boxes: list[Box] = []
    box_of: dict[Place, str] = {}
    for groups in cells.values():
        for places in capped(groups):
            box = _library_box(f"l{len(boxes)}", [libraries[place] for place in places])
            boxes.append(box)
            box_of |= dict.fromkeys(places, box.key)
    return tuple(boxes), box_of


def _library_box(key: str, group: Sequence[_Library]) -> Box:
    first = group[0]
    parts = tuple(dict.fromkeys(part for library in group for part in library.parts))
    is_mixed = first.row == OTHERS and first.kind == "library"
    if len({library.major for library in group}) > 1:
        return _rest(key, group)
    names = parts if is_mixed else tuple(library.name for library in group)
    more = len(group) - 1
    detail = first.detail
    if is_mixed:
        said = first.detail if first.name in parts else first.name
        detail = f"{len(group)} packages: {said} …" if more and said == first.name else said
    elif more:
        detail = f"{first.detail} and {more} more"
    if first.is_again:
        detail = f"{detail}, as above"
    return Box(
        key=key,
        row=first.row,
        column=first.column,
        kind=first.kind,
        name=_few(names) if is_mixed else first.name,
        detail=detail,
        cuda=_cuda_of(group),
        major=first.major,
        mark=first.mark,
        is_again=first.is_again,
        members=tuple(f"{library.name} {library.detail}".rstrip() for library in group),
    )


def _rest(key: str, group: Sequence[_Library]) -> Box:
    """Return the box of what there was no more room for, which is for several CUDA majors."""
    first = group[0]
    return Box(
        key=key,
        row=first.row,
        column=first.column,
        kind=first.kind,
        name=f"{len(group)} more packages",
        detail=", ".join(library.name for library in group),
        mark=first.mark,
        members=tuple(f"{library.name} {library.detail}".rstrip() for library in group),
    )


def _cuda_of(group: Sequence[_Library]) -> str:
    """Return the one release that all are of, else their major."""
    releases = {library.cuda for library in group if "." in library.cuda}
    first = group[0]
    return releases.pop() if len(releases) == 1 else str(first.major or first.cuda)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:2])
    return f"{shown} + {len(names) - 2}" if len(names) > 2 else shown
