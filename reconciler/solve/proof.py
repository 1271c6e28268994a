"""Solve what is asked for, and where that cannot be, what comes nearest: every attempt is kept. Pure.

The solver and the channels are given as functions, so that this is a question of order alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from reconciler.model.conda_spec import CondaSpec
from reconciler.model.solution import (
    Attempt,
    ChannelRecord,
    Complaint,
    NoSolution,
    NotProven,
    Outcome,
    Proof,
    Repair,
    RepairKind,
    Solution,
)
from reconciler.solve.relaxing import Known
from reconciler.solve.repairs import repaired, repairs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: Gives the outcome of specs.
Solver = Callable[[Sequence[str]], Outcome]
#: Gives what the channels have of some names.
Released = Callable[[Sequence[str]], Mapping[str, tuple[ChannelRecord, ...]] | NotProven]
#: Gives what is wrong with a solution that rests on some repairs.
Judge = Callable[[Solution, tuple[Repair, ...]], Sequence[Complaint]]
#: Gives what comes of some repairs.
Try = Callable[[tuple[Repair, ...]], Attempt]
#: A solve takes hundredths of a second on 24,000 records, tenths on all of conda-forge.
MOST = 200


def content(_solution: Solution, _repairs: tuple[Repair, ...]) -> Sequence[Complaint]:
    """Find nothing wrong with what a solver accepts."""
    return ()


def prove(  # noqa: PLR0913 - the three functions, and what the repairs go by
    specs: Sequence[str],
    platform: str,
    solve: Solver,
    released: Released,
    *,
    judge: Judge = content,
    gpu: Collection[str] = (),
    held: Collection[str] = (),
    most: int = MOST,
) -> Proof:
    """Solve specs, then their repairs in order until one solves; the last of the trail counts.

    ``gpu`` are the packages that must be built for CUDA, ``held`` those whose specs are decided.
    """
    asked = tuple(specs)

    def attempt(changes: tuple[Repair, ...]) -> Attempt:
        return _attempt(asked, changes, solve, judge)

    first = attempt(())
    if not isinstance(first.outcome, NoSolution):
        return Proof(platform=platform, trail=(first,))
    records = released([CondaSpec.parse(spec).name for spec in asked])
    if isinstance(records, NotProven):
        return Proof(platform=platform, trail=(first,))
    known = Known(released=records, gpu=frozenset(gpu), held=frozenset(held))
    trail = [first]
    for made in _attempts(first, known, attempt):
        trail.append(made)
        if not isinstance(made.outcome, NoSolution) or len(trail) >= most:
            break
    return Proof(platform=platform, trail=(*trail, *_restored(trail[-1], attempt)))


def _attempts(first: Attempt, known: Known, attempt: Try) -> Iterator[Attempt]:
    """Yield each repair, tried; whom later conflicts blame is repaired as well."""
    tried = {first.specs}
    blamed: set[str] = set()
    newly = set(_culprits(first))
    while newly - blamed or not blamed:
        blamed |= newly or {""}
        for changes in repairs(first.specs, blamed, known):
            specs = repaired(first.specs, changes)
            if specs in tried:
                continue
            tried.add(specs)
            made = attempt(changes)
            yield made
            newly |= _culprits(made)
            # What the records refute hides the true conflict: begin with that.
            if len(tried) == 2 and newly - blamed:
                break


def _attempt(
    asked: Sequence[str], changes: tuple[Repair, ...], solve: Solver, judge: Judge
) -> Attempt:
    """Solve repaired specs; what is wrong with the solution makes it none."""
    specs = repaired(asked, changes)
    outcome = solve(specs)
    if isinstance(outcome, Solution):
        wrong = (*_over(outcome, changes), *judge(outcome, changes))
        outcome = _refused(outcome, wrong) if wrong else outcome
    return Attempt(specs=specs, repairs=changes, outcome=outcome)


def _over(solution: Solution, changes: Sequence[Repair]) -> Iterator[Complaint]:
    """Yield what pip would install over conda's."""
    for change in changes:
        if change.after is None and (record := solution.record(change.name)):
            says = f"Others bring {record} with conda: pip would install over it."
            yield Complaint(packages=(change.name,), says=says)


def _refused(solution: Solution, wrong: Sequence[Complaint]) -> NoSolution:
    packages = dict.fromkeys(chain.from_iterable(complaint.packages for complaint in wrong))
    return NoSolution(
        platform=solution.platform,
        conflict="\n".join(complaint.says for complaint in wrong),
        culprits=tuple(packages),
    )


def _culprits(attempt: Attempt) -> set[str]:
    return {*attempt.outcome.culprits} if isinstance(attempt.outcome, NoSolution) else set()


def _restored(won: Attempt, attempt: Try) -> Iterator[Attempt]:
    """Yield the winner without the repairs that it does not need."""
    if not isinstance(won.outcome, Solution) or len(won.repairs) < 2:
        return
    best = won
    # The gravest first: whoever can stay with conda, or keep the GPU, shall.
    for repair in sorted(won.repairs, key=_gravity, reverse=True):
        if repair.kind is RepairKind.ABSENT:
            continue
        made = attempt(tuple(kept for kept in best.repairs if kept != repair))
        if isinstance(made.outcome, Solution):
            best = made
            yield made


def _gravity(repair: Repair) -> int:
    return [*RepairKind].index(repair.kind)
