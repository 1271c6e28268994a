"""Who takes CUDA: a box for those that are alike, and an arrow to each box that one takes from."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.output.html import maps
from reconciler.output.html.marks import Mark, mark_of, urgency
from reconciler.output.html.picture import Arrow, Box, capped
from reconciler.output.html.rows import CONSUMERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.output.html.maps import Consumer, Place


def takers(
    consumers: Sequence[Consumer],
    marks: Mapping[object, Mark],
    box_of: Mapping[Place, str],
    given: Sequence[Box],
) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    """Return the boxes of what takes CUDA, those that are alike as one, and all arrows."""
    major_of = {box.key: box.major for box in given}
    missing = {box.key for box in given if box.kind == "missing"}
    alike: dict[tuple[object, ...], list[Consumer]] = defaultdict(list)
    for consumer in consumers:
        mark = _mark_of(consumer, marks)
        targets = frozenset((box_of[taken.place], taken.is_traced) for taken in consumer.takes)
        alike[consumer.column, _shown_cuda(consumer), mark, targets].append(consumer)
    columns: dict[int, list[list[Consumer]]] = defaultdict(list)
    order = sorted(alike.items(), key=lambda item: (_urgency_of(item[0]), -len(item[1][0].takes)))
    for _, group in order:
        columns[group[0].column].append(group)
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    for column in sorted(columns):
        for group in capped(columns[column]):
            box = _consumer_box(f"c{len(boxes)}", column, group, marks)
            boxes.append(box)
            arrows += _arrows(box, group, box_of, major_of, missing)
    return tuple(boxes), tuple(arrows)


def _urgency_of(key: tuple[object, ...]) -> int:
    return urgency(key[2] if isinstance(key[2], Mark) else None)


def _consumer_box(
    key: str, column: int, group: Sequence[Consumer], marks: Mapping[object, Mark]
) -> Box:
    first = group[0]
    more = len(group) - 1
    shown = {_shown_cuda(consumer) for consumer in group}
    detail = f"{first.version} and {more} more" if more else first.version
    if len(shown) > 1:
        detail = ", ".join(consumer.name for consumer in group)
    majors = {consumer.build.major if consumer.build else None for consumer in group}
    return Box(
        key=key,
        row=CONSUMERS,
        column=column,
        kind="consumer",
        name=first.name if len(shown) == 1 else f"{len(group)} more packages",
        detail=detail,
        cuda=shown.pop() if len(shown) == 1 else "",
        major=majors.pop() if len(majors) == 1 else None,
        mark=_mark_of(first, marks),
        members=tuple(f"{consumer.name} {consumer.version}".rstrip() for consumer in group),
    )


def _mark_of(consumer: Consumer, marks: Mapping[object, Mark]) -> Mark | None:
    return mark_of(consumer.build, marks) if consumer.build else None


def _shown_cuda(consumer: Consumer) -> str:
    build = consumer.build
    if build is None:
        return ""
    if build.variant is not Variant.CUDA:
        return "ROCm" if build.variant is Variant.ROCM else "CPU"
    majors = dict.fromkeys(str(release.major) for release in build.releases)
    return str(build.cuda or "-".join([*majors][:: max(len(majors) - 1, 1)]))


def _arrows(
    box: Box,
    group: Iterable[Consumer],
    box_of: Mapping[Place, str],
    major_of: Mapping[str, int | None],
    missing: Iterable[str],
) -> Iterator[Arrow]:
    says: dict[tuple[str, bool], dict[str, None]] = defaultdict(dict)
    for consumer in group:
        for taken in consumer.takes:
            says[box_of[taken.place], taken.is_traced][f"{consumer.name}: {taken.says}"] = None
    for (target, is_traced), words in says.items():
        majors = (box.major, major_of.get(target))
        is_of_two = None not in majors and majors[0] != majors[1]
        is_library = target != box_of.get(maps.DRIVER_PLACE)
        yield Arrow(
            source=box.key,
            target=target,
            is_traced=is_traced,
            is_clash=target in missing or (is_of_two and is_library),
            is_missing=target in missing,
            says=tuple(words),
            major=box.major or (None if is_traced else majors[1]),
        )
