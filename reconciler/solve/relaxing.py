"""The repairs of one spec: each says what it changes, and what that costs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conda_version import InvalidCondaVersion, parse_version
from reconciler.model.row import numbers
from reconciler.model.solution import ChannelRecord, Repair, RepairKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conda_version import CondaVersion

#: Of a version, how many numbers are kept by each relaxation.
_KEPT = {RepairKind.PATCH: 2, RepairKind.MINOR: 1, RepairKind.CUDA: 1}
#: What pip itself rests on cannot be left to it.
BENEATH_PIP = frozenset({"python", "pip"})
#: Of so many release series the nearest release is tried.
_SERIES = 8


class Known(Struct, frozen=True, kw_only=True):
    """What repairs go by."""

    #: What the channels have of each package asked for.
    released: Mapping[str, Sequence[ChannelRecord]]
    #: The packages that must be built for CUDA.
    gpu: frozenset[str] = frozenset()
    #: The packages that say which CUDA was decided on: no repair leaves its major.
    held: frozenset[str] = frozenset()


def repairs_of(text: str, spec: CondaSpec, stage: RepairKind, known: Known) -> Iterator[Repair]:
    """Yield the repairs of one stage for one spec; none where they would change nothing."""
    is_gpu = spec.name in known.gpu
    match stage:
        case RepairKind.NEAREST:
            yield from _to_nearest(text, spec, known)
            return
        case RepairKind.PIP:
            stays = is_gpu or spec.name in BENEATH_PIP
            found = None if stays else to_pip(text, spec, stage, known)
        case RepairKind.BUILD:
            found = None if is_gpu else without_build(text, spec, stage)
        case _:
            found = to_series(text, spec, stage, known)
    if found:
        yield found


def to_series(text: str, spec: CondaSpec, stage: RepairKind, known: Known) -> Repair | None:
    """Return the repair that lets the last numbers of a pinned version go."""
    pin = spec.constraint.pinned_version if spec.constraint else None
    kept = _KEPT[stage]
    if pin is None or len(pin.split(".")) <= kept:
        return None
    series = ".".join(pin.split(".")[:kept])
    after = replace(_loosened(spec, known), version=f"{series}.*")
    if not any(fits(after, record) for record in known.released.get(spec.name, ())):
        return None
    says = f"{spec.name}: any release of {series} instead of {pin} alone."
    return _made(stage, text, spec, after, says)


def _to_nearest(text: str, spec: CondaSpec, known: Known) -> Iterator[Repair]:
    """Yield the nearest releases that neither the spec nor its own series allows, one a series."""
    pin = _pin(spec)
    if pin is None:
        return
    loose = _loosened(spec, known)
    tried = [spec, *_series_of(spec, known)]
    there = {
        record.version
        for record in known.released.get(spec.name, ())
        if (version := _version(record.version))
        and fits(replace(loose, version=None), record)
        and not any(each.allows_version(version) for each in tried)
    }
    near = sorted(there, key=lambda release: _distance(pin, release))
    by_series: dict[tuple[int, ...], str] = {}
    for release in near:
        by_series.setdefault(numbers(release)[:2], release)
    of = f" with a build {loose.build}" if loose.build else ""
    for release in list(by_series.values())[:_SERIES]:
        says = f"{spec.name}: {release}, the release nearest to {pin} that can be had{of}."
        after = replace(loose, version=f"=={release}")
        if made := _made(RepairKind.NEAREST, text, spec, after, says):
            yield made


def _series_of(spec: CondaSpec, known: Known) -> Iterator[CondaSpec]:
    stages = (RepairKind.PATCH, RepairKind.MINOR)
    found = (to_series("", spec, stage, known) for stage in stages)
    yield from (CondaSpec.parse(repair.after) for repair in found if repair and repair.after)


def _distance(pin: str, release: str) -> tuple[int, int, bool, tuple[int, ...]]:
    """Return how far a release is: by the first number that differs, and which way from there."""
    pairs = [*zip_longest(numbers(release), numbers(pin), fillvalue=0)]
    place = next((at for at, (mine, theirs) in enumerate(pairs) if mine != theirs), len(pairs))
    mine, theirs = pairs[place] if place < len(pairs) else (0, 0)
    rest = tuple(number for number, _ in pairs[place + 1 :])
    # Of the newer series the first release is nearest, of an older one the last.
    is_older = mine < theirs
    return -place, abs(mine - theirs), is_older, tuple(-n for n in rest) if is_older else rest


def without_build(text: str, spec: CondaSpec, stage: RepairKind) -> Repair | None:
    """Return the repair that takes any build; for a package of the GPU it says what that may mean."""
    if spec.build is None:
        return None
    says = f"{spec.name}: any build of it instead of {spec.build}."
    if stage is RepairKind.CPU:
        says += " A build for the CPU may now be chosen, and that uses no GPU."
    return _made(stage, text, spec, replace(spec, build=None, build_number=None), says)


def to_pip(text: str, spec: CondaSpec, stage: RepairKind, known: Known) -> Repair:
    """Return the repair that leaves a package to pip."""
    says = f"{spec.name}: moved to pip, for conda cannot give {text} beside the others."
    if stage is RepairKind.ABSENT:
        says = f"{spec.name}: moved to pip, for none of the channels has a package of that name."
    if spec.name in known.gpu:
        says += " What pip installs for it may bring a second CUDA."
    return Repair(kind=stage, name=spec.name, before=text, after=None, says=says)


def _made(
    stage: RepairKind, text: str, spec: CondaSpec, after: CondaSpec, says: str
) -> Repair | None:
    if after == spec:
        return None
    return Repair(kind=stage, name=spec.name, before=text, after=str(after), says=says)


def _loosened(spec: CondaSpec, known: Known) -> CondaSpec:
    """Return the spec without the build of one version, which no other has; CUDA's is kept."""
    return spec if spec.name in known.gpu else replace(spec, build=None, build_number=None)


def _pin(spec: CondaSpec) -> str | None:
    """Return the version that a spec is about: its pin, or the first that its range names."""
    if spec.constraint is None:
        return None
    clauses = spec.constraint.alternatives[0]
    named = (clause.operand for clause in clauses if clause.operator not in {"*", "^", "!=", "!=*"})
    return spec.constraint.pinned_version or next(named, None)


def is_released(repair: Repair, known: Known) -> bool:
    """Tell whether some record satisfies what a repair asks for."""
    after = CondaSpec.parse(repair.after) if repair.after else None
    records = known.released.get(repair.name, ())
    return after is not None and any(fits(after, record) for record in records)


def fits(spec: CondaSpec, record: ChannelRecord) -> bool:
    """Tell whether a record of the spec's package is meant; an unreadable version never is."""
    version = _version(record.version)
    return version is not None and spec.matches(record.version, record.build, record.build_number)


def _version(text: str) -> CondaVersion | None:
    try:
        return parse_version(text)
    except InvalidCondaVersion:
        return None
