"""A conversion with the repairs that its proof rests on: what is written is what was solved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.convert import lines, merged, notes, settings, to_pip
from reconciler.convert.cuda import SELECTORS
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conversion import (
    Confidence,
    Conversion,
    Converted,
    CudaDecision,
    Dropped,
    Kept,
    Line,
)
from reconciler.model.solution import PlatformProof, Repair, RepairKind, Solution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.convert.lines import Ground
    from reconciler.model.catalog import Catalog
    from reconciler.model.manifest import Manifest

_RELEASE = re.compile(r"\d+\.\d+")
#: A spec in three parts that the conversion writes with equal signs: ``pytorch 2.3.* cuda*``.
_PARTS = re.compile(r"^(\S+) ([\w.*]+) (\S+)$")


def repaired(
    conversion: Conversion,
    proofs: Sequence[PlatformProof],
    manifests: Sequence[Manifest],
    catalog: Catalog,
) -> Conversion:
    """Return a conversion whose lines ask for what was solved; one proof for each platform."""
    if not any(proof.proof.repairs for proof in proofs):
        return conversion
    each = [_on(conversion, proof, catalog) for proof in proofs]
    told = merged(each)
    return replace(
        conversion,
        python=each[0].python,
        lines=told,
        cuda=each[0].cuda,
        elsewhere={c.platforms[0]: c.cuda for c in each[1:] if c.cuda != each[0].cuda},
        settings=settings.settings(manifests, told),
    )


def guarded(conversion: Conversion, catalog: Catalog) -> Conversion:
    """Return a conversion that tells what pip may do to what was solved, and what guards it."""
    solution = conversion.proofs[0].solution
    if solution is None:
        return conversion
    kept = (note for note in conversion.notes if not note.startswith(notes.GUARD))
    guard = notes.guard_of_solution(conversion, solution, catalog)
    over = notes.laid_over(conversion, solution, catalog)
    idle = notes.idle_cuda(conversion, conversion.proofs[0])
    return replace(conversion, notes=(*kept, *guard, *over, *idle))


def _on(conversion: Conversion, proof: PlatformProof, catalog: Catalog) -> Conversion:
    platform = proof.proof.platform
    changes = {repair.before: repair for repair in proof.proof.repairs}
    python = changes.get(conversion.python)
    decision = conversion.decided(platform)
    ground = lines.Ground(decision=decision, frameworks=frozenset(), catalog=catalog)
    told = (replace(line, platforms=()) for line in conversion.on(platform))
    return replace(
        conversion,
        platforms=(platform,),
        python=(python and python.after) or conversion.python,
        lines=tuple(_line(line, changes, ground) for line in told),
        cuda=_cuda(decision, changes, proof.solution),
        elsewhere={},
    )


def _cuda(
    decision: CudaDecision, changes: Mapping[str, Repair], solution: Solution | None
) -> CudaDecision:
    """Return the decision with the release that was solved: a range would let it drift."""
    made = [changes[spec] for spec in decision.specs if spec in changes]
    if not made:
        return decision
    specs = tuple(_pinned(spec, changes, solution) for spec in decision.specs)
    found = (_RELEASE.search(spec.partition("=")[2]) for spec in specs)
    release = next((match[0] for match in found if match), decision.release)
    said = f"no channel has all of it for {decision.release}, and {release} is of the same major"
    return replace(decision, release=release, specs=specs, because=(*decision.because, said))


def _pinned(spec: str, changes: Mapping[str, Repair], solution: Solution | None) -> str:
    after = changes[spec].after if spec in changes else None
    record = solution.record(CondaSpec.parse(spec).name) if solution else None
    release = _RELEASE.match(record.version) if record else None
    if after and record and release:
        return f"{record.name}={release[0]}"
    return after or spec


def _line(line: Line, changes: Mapping[str, Repair], ground: Ground) -> Line:
    match line:
        case Converted():
            return _converted(line, changes, ground)
        case Kept():
            made = [changes[spec] for spec in line.needs if spec in changes]
            needs = tuple(_after(line.needs, changes))
            return replace(line, needs=needs, notes=(*line.notes, *map(_says, made)))
        case Dropped():
            return line


def _converted(line: Converted, changes: Mapping[str, Repair], ground: Ground) -> Line:
    made = [changes[spec] for spec in line.specs if spec in changes]
    if not made:
        return line
    moved = {repair.name for repair in made if repair.after is None}
    # Of what pip is to install, conda is asked for nothing more.
    kept = [spec for spec in line.specs if CondaSpec.parse(spec).name not in moved]
    specs = tuple(_after(kept, changes))
    told = tuple(_says(repair) for repair in made)
    if specs and (line.confidence is Confidence.GIVEN or not moved):
        return replace(line, specs=specs, notes=(*line.notes, *told))
    if specs:
        return replace(line, specs=specs, rest=line.requirement, notes=(*line.notes, *told))
    if line.confidence is Confidence.GIVEN:
        return _given(line, made[0], ground)
    return _kept(line, line.requirement, line.name, made[0], ground)


def _kept(line: Converted, requirement: str, name: str, repair: Repair, ground: Ground) -> Kept:
    consumer = ground.catalog.consumer("pip", name)
    more = lines.second_cuda(consumer, ground.catalog) if ground.is_cuda else ()
    return Kept(
        requirement=requirement,
        at=line.at,
        name=name,
        reason=_reason(repair),
        notes=(*line.notes, *more),
    )


def _after(specs: Sequence[str], changes: Mapping[str, Repair]) -> list[str]:
    found = [changes[spec].after if spec in changes else spec for spec in specs]
    return [_PARTS.sub(r"\1=\2=\3", spec) for spec in found if spec is not None]


def _says(repair: Repair) -> str:
    return repair.says.rstrip(".")


def _reason(repair: Repair) -> str:
    if repair.kind is RepairKind.ABSENT:
        return f"none of the channels has a package {repair.name}"
    return f"conda cannot give {repair.before} beside the others"


def _given(line: Converted, repair: Repair, ground: Ground) -> Line:
    """Return what becomes of a line that asked conda itself: PyPI's project, where it is known."""
    spec = CondaSpec.parse(repair.before)
    names = ground.catalog.distributions_of(spec.name)
    # A name that is only assumed to be the same is never taken over.
    known = [name for name in names if ground.catalog.naming.on_conda_forge(name) == spec.name]
    version = to_pip.pep_440(spec)
    if known and version is not None and spec.name not in SELECTORS:
        return _kept(line, f"{known[0]}{version}", known[0], repair, ground)
    reason = f"{_reason(repair)}, and no project of PyPI is known to be the same"
    return Dropped(requirement=line.requirement, at=line.at, name=line.name, reason=reason)
