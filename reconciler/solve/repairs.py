"""What may be changed in specs that have no solution, the least harm first. Pure.

`repairs` yields sets of repairs, each to be solved, and the first that solves wins. First comes what
the channels' own records already refute; then, stage by stage, each package that the solver blames
alone, and all of them together; then all packages, for the solver blames one side of a conflict. The
CUDA that was decided on is held to its major; a build for CUDA is let go last, and that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.conda_spec import CondaSpec
from reconciler.model.solution import Repair, RepairKind
from reconciler.solve.relaxing import (
    BENEATH_PIP,
    Known,
    fits,
    is_released,
    repairs_of,
    to_pip,
    to_series,
    without_build,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


#: Before a build for CUDA is let go.
_STAGES = (
    RepairKind.BUILD,
    RepairKind.PATCH,
    RepairKind.MINOR,
    RepairKind.CUDA,
    RepairKind.NEAREST,
    RepairKind.PIP,
)


def repairs(
    specs: Sequence[str], culprits: Collection[str], known: Known
) -> Iterator[tuple[Repair, ...]]:
    """Yield sets of repairs to try in order; the specs are the user's, the culprits the solver's."""
    asked = {text: CondaSpec.parse(text) for text in specs}
    ground = tuple(_certain(asked, known))
    free = {text: spec for text, spec in asked.items() if spec.name not in known.held}
    blamed = {text: spec for text, spec in free.items() if spec.name in culprits} or free
    seen: set[tuple[Repair, ...]] = {()}
    for found in (
        ground,
        *_staged(asked, ground, blamed, known),
        *_widened(asked, ground, free, known),
        *_without_gpu(asked, ground, blamed, known),
    ):
        if found not in seen:
            seen.add(found)
            yield found


def repaired(specs: Sequence[str], changes: Sequence[Repair]) -> tuple[str, ...]:
    """Return the specs with the repairs made: without those that go to pip."""
    after = {change.before: change.after for change in changes}
    new = (after.get(spec, spec) for spec in specs)
    return tuple(spec for spec in new if spec is not None)


def _certain(asked: Mapping[str, CondaSpec], known: Known) -> Iterator[Repair]:
    """Yield what is needed whatever the solver says: no record has the name, or the version."""
    for text, spec in asked.items():
        if spec.name in known.held or spec.name not in known.released:
            continue
        records = known.released[spec.name]
        if not records and spec.name not in BENEATH_PIP:
            yield to_pip(text, spec, RepairKind.ABSENT, known)
        elif not any(fits(spec, record) for record in records):
            stages = _STAGES[: _STAGES.index(RepairKind.PIP)]
            found = (r for stage in stages for r in repairs_of(text, spec, stage, known))
            yield from [repair for repair in found if is_released(repair, known)][:1]


def _staged(
    asked: Mapping[str, CondaSpec],
    ground: Sequence[Repair],
    blamed: Mapping[str, CondaSpec],
    known: Known,
) -> Iterator[tuple[Repair, ...]]:
    """Yield, stage by stage, one repair more than before; then all of the stage at once."""
    made = {repair.before: repair for repair in ground}
    for stage in _STAGES:
        fresh: dict[str, Repair] = {}
        if stage is RepairKind.CUDA:
            made |= _other_release(asked, known)
            yield _ordered(asked, made)
            continue
        for text, spec in blamed.items():
            for repair in repairs_of(text, spec, stage, known):
                if _goes_further(repair, made.get(text)):
                    fresh.setdefault(text, repair)
                    yield _ordered(asked, {**made, text: repair})
        # To move all of them to pip would leave little for conda.
        if stage is not RepairKind.PIP:
            made |= fresh
            yield _ordered(asked, made)


def _widened(
    asked: Mapping[str, CondaSpec],
    ground: Sequence[Repair],
    free: Mapping[str, CondaSpec],
    known: Known,
) -> Iterator[tuple[Repair, ...]]:
    """Yield each stage for all packages at once; what was not needed is taken back later."""
    made = {repair.before: repair for repair in ground}
    for stage in _STAGES[: _STAGES.index(RepairKind.PIP)]:
        if stage is RepairKind.CUDA:
            made |= _other_release(asked, known)
            continue
        found = [tuple(repairs_of(text, spec, stage, known)) for text, spec in free.items()]
        further = [
            [r for r in repairs_of if _goes_further(r, made.get(r.before))] for repairs_of in found
        ]
        for nth in range(max(map(len, further), default=0)):
            made |= {each[0].before: each[min(nth, len(each) - 1)] for each in further if each}
            yield _ordered(asked, made)


def _other_release(asked: Mapping[str, CondaSpec], known: Known) -> dict[str, Repair]:
    """Return the repairs that hold CUDA to its major alone."""
    held = {text: spec for text, spec in asked.items() if spec.name in known.held}
    found = [to_series(text, spec, RepairKind.CUDA, known) for text, spec in held.items()]
    return {repair.before: repair for repair in found if repair}


def _without_gpu(
    asked: Mapping[str, CondaSpec],
    ground: Sequence[Repair],
    blamed: Mapping[str, CondaSpec],
    known: Known,
) -> Iterator[tuple[Repair, ...]]:
    """Yield each package that must use the GPU without its build for it, then all of them."""
    made = {repair.before: repair for repair in ground} | _other_release(asked, known)
    gpu = {text: spec for text, spec in asked.items() if spec.name in known.gpu - known.held}
    found = [without_build(text, spec, RepairKind.CPU) for text, spec in gpu.items()]
    fresh = {repair.before: repair for repair in found if repair}
    for text, repair in fresh.items():
        if text in blamed:
            yield _ordered(asked, {**made, text: repair})
    if fresh:
        yield _ordered(asked, made | fresh)


def _goes_further(repair: Repair, made: Repair | None) -> bool:
    if made is None or made.after is None:
        return made is None
    return _STAGES.index(repair.kind) >= _STAGES.index(made.kind)


def _ordered(asked: Mapping[str, CondaSpec], made: Mapping[str, Repair]) -> tuple[Repair, ...]:
    return tuple(made[text] for text in asked if text in made)
