"""What a solver says of a conversion: as sentences, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.cuda import Role
from reconciler.model.solution import NoSolution, NotProven, Solution, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.conversion import Conversion
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.solution import Attempt, PlatformProof, Repair

#: How many of the changes that did not help are listed.
MOST = 8


def told(conversion: Conversion, *, verbose: bool = False) -> Iterator[str]:
    """Yield what there is to say of the proof, each a line of its own."""
    if conversion.unproven and conversion.channels:
        yield f"Not proven: {conversion.unproven}."
    yield from conversion.as_written
    for proof in conversion.proofs:
        yield from _of_platform(proof, verbose=verbose)


def _of_platform(proof: PlatformProof, *, verbose: bool) -> Iterator[str]:
    on = f"{proof.proof.platform} ({_machine(proof)})"
    match proof.proof.outcome:
        case Solution(records=records):
            yield from _changed(proof)
            yield f"Proven for {on}: a solver takes it, with {len(records)} packages."
            yield from _cuda(proof, records_of=_builds(proof))
        case NoSolution(conflict=conflict):
            yield f"It has no solution for {on}:"
            yield from (f"  {line}" for line in conflict.splitlines())
            yield from _in_vain(proof, verbose=verbose)
        case NotProven(why=why):
            yield f"Not proven for {on}: {why}."
    if verbose and len(proof.proof.trail) > 1:
        yield from (f"  {_step(attempt)}" for attempt in proof.proof.trail)


def _machine(proof: PlatformProof) -> str:
    there = {package.name: package.version for package in proof.machine}
    driver = f"a driver for CUDA {there['__cuda']}" if "__cuda" in there else "no GPU"
    return f"{driver}, glibc {there['__glibc']}" if "__glibc" in there else driver


def _changed(proof: PlatformProof) -> Iterator[str]:
    if proof.repairs:
        tried = len(proof.proof.trail)
        yield f"As converted it has no solution. Of {tried} attempts this is what solves:"
        yield from (f"  {repair.says}" for repair in proof.repairs)


def _in_vain(proof: PlatformProof, *, verbose: bool) -> Iterator[str]:
    changes = [change for attempt in proof.proof.trail for change in attempt.repairs]
    tried = list(dict.fromkeys(change.says for change in changes))
    if not tried:
        return
    yield f"In {len(proof.proof.trail)} attempts none of these changes helped, alone or together:"
    shown = tried if verbose else tried[:MOST]
    yield from (f"  {says}" for says in shown)
    if len(tried) > len(shown):
        yield f"  and {len(tried) - len(shown)} more, which -v lists."


def _step(attempt: Attempt) -> str:
    what = "; ".join(_arrow(change) for change in attempt.repairs) or "as converted"
    match attempt.outcome:
        case Solution():
            return f"tried {what}: it solves."
        case NoSolution(conflict=conflict):
            return f"tried {what}: {conflict.partition(chr(10))[0]}"
        case NotProven(why=why):
            return f"tried {what}: no answer, {why}."


def _arrow(change: Repair) -> str:
    return f"{change.before} -> {change.after or 'pip'}"


def _builds(proof: PlatformProof) -> dict[str, str]:
    records = proof.solution.records if proof.solution else ()
    return {record.name: str(record) for record in records}


def _cuda(proof: PlatformProof, *, records_of: dict[str, str]) -> Iterator[str]:
    """Yield what of the solution has to do with CUDA: what chooses it, uses it, and brings it."""
    for role, head in (
        (Role.STATES, "Its CUDA is chosen by"),
        (Role.NEEDS, "Built for it"),
        (Role.BRINGS, "CUDA's own libraries"),
    ):
        if mine := [build for build in proof.cuda if build.role is role]:
            yield f"  {head}: {', '.join(_named(mine, records_of, role))}."


def _named(builds: Iterable[CudaBuild], records_of: dict[str, str], role: Role) -> Iterator[str]:
    for build in builds:
        if role is Role.NEEDS:
            yield f"{records_of[build.package]} ({build.words})"
        else:
            yield str(build)


class _Part(Struct, frozen=True):
    name: str
    version: str
    build: str
    #: ``CUDA 12.1``, ``the CPU``.
    built_for: str


class _Change(Struct, frozen=True):
    kind: str
    name: str
    before: str
    #: Null where the package is moved to pip.
    after: str | None
    says: str


class _Attempt(Struct, frozen=True):
    changes: tuple[_Change, ...]
    status: str
    why: str


class _Platform(Struct, frozen=True):
    status: str
    why: str
    #: The virtual packages that were solved for.
    machine: dict[str, str]
    #: How many packages an installation brings.
    packages: int
    cuda: tuple[_Part, ...]
    #: The changes that the file rests on.
    repairs: tuple[_Change, ...]
    trail: tuple[_Attempt, ...]


class Solve(Struct, frozen=True):
    """``solve`` of the JSON that docs/cli.md promises."""

    status: str
    platforms: dict[str, _Platform]
    why: str
    #: What a solver gives for the source as it is written.
    as_written: tuple[str, ...]


def as_json(conversion: Conversion) -> Solve:
    """Return what a solver says, for programs."""
    found = {proof.proof.platform: _as_json(proof) for proof in conversion.proofs}
    status = conversion.status.value
    why = next((each.why for each in found.values() if each.status == status), "")
    return Solve(
        status=status,
        platforms=found,
        why=conversion.unproven or why,
        as_written=conversion.as_written,
    )


def _as_json(proof: PlatformProof) -> _Platform:
    records = {record.name: record for record in proof.solution.records} if proof.solution else {}
    return _Platform(
        status=proof.status.value,
        why=_why(proof.proof.outcome),
        machine={package.name: package.version for package in proof.machine},
        packages=len(records),
        cuda=tuple(
            _Part(
                name=build.package,
                version=build.version,
                build=records[build.package].build,
                built_for=build.words,
            )
            for build in proof.cuda
        ),
        repairs=_changes(proof.repairs),
        trail=tuple(
            _Attempt(
                changes=_changes(attempt.repairs),
                status=_status(attempt.outcome),
                why=_why(attempt.outcome),
            )
            for attempt in proof.proof.trail
        ),
    )


def _status(outcome: Solution | NoSolution | NotProven) -> str:
    match outcome:
        case Solution():
            return Status.SOLVED.value
        case NoSolution():
            return Status.UNSOLVED.value
        case NotProven():
            return Status.NOT_PROVEN.value


def _why(outcome: Solution | NoSolution | NotProven) -> str:
    match outcome:
        case NoSolution(conflict=conflict):
            return conflict
        case NotProven(why=why):
            return why
        case Solution():
            return ""


def _changes(repairs: Sequence[Repair]) -> tuple[_Change, ...]:
    return tuple(
        _Change(kind=r.kind.value, name=r.name, before=r.before, after=r.after, says=r.says)
        for r in repairs
    )
