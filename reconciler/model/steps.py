"""The commands of several fixes as one list that can be run from first to last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.model.finding import Finding
from reconciler.model.fix import OF_CONDA, Applicability, Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.fix import Fix


class Step(Struct, frozen=True, kw_only=True):
    """A command, and the findings that want it."""

    command: Command
    #: The codes of their rules, without repeats.
    codes: tuple[str, ...]
    #: Why each of them wants it, without repeats.
    reasons: tuple[str, ...]


class LeftOut(Struct, frozen=True, kw_only=True):
    """A finding whose commands are in no list, and why."""

    finding: Finding
    why: str


class Steps(Struct, frozen=True, kw_only=True):
    """What to run, in order, for which findings; and whose commands were left out."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]


def merge(findings: Iterable[Finding]) -> Steps:
    """Merge the commands of the findings' fixes: the fix of an earlier one wins over a later one's.

    All that is taken away comes before what is brought, and conda before pip within each: what one
    package takes along when it goes, another brings back.
    """
    kept: list[Finding] = []
    left_out: list[LeftOut] = []
    removed: dict[str, str] = {}
    brought: dict[str, str] = {}
    for finding in findings:
        if finding.fix is None or not _is_of_environment(finding, finding.fix):
            continue
        if finding.fix.hooks:
            why = f"`envfix hooks install` does it: {finding.fix.title}"
            left_out.append(LeftOut(finding=finding, why=why))
            continue
        gone, there = outcome(finding.fix)
        why = _left_to_a_person(finding.fix) or _undone(gone, brought) or _undone(there, removed)
        if why:
            left_out.append(LeftOut(finding=finding, why=why))
            continue
        kept.append(finding)
        removed |= dict.fromkeys(gone, f"{finding.code} removes")
        brought |= dict.fromkeys(there, f"{finding.code} keeps")
    return Steps(steps=tuple(_steps(kept)), findings=tuple(kept), left_out=tuple(left_out))


def outcome(fix: Fix) -> tuple[frozenset[str], frozenset[str]]:
    """Return the packages that are gone after a fix, and those that it has brought."""
    there = {name for c in fix.commands if not c.destructive for name in c.packages}
    gone = {name for c in fix.commands if c.destructive for name in c.packages}
    return frozenset(gone - there), frozenset(there)


def _is_of_environment(finding: Finding, fix: Fix) -> bool:
    # What a person has to choose among lines of a file is not of the environment.
    return bool(fix.commands) or not (fix.edits or finding.at.line)


def _left_to_a_person(fix: Fix) -> str:
    return f"left to you: {fix.title}" if fix.applicability is Applicability.DISPLAY else ""


def _undone(names: Iterable[str], by: dict[str, str]) -> str:
    """Return what an earlier fix does to a package of which this one wants the opposite."""
    said = (f"{by[name]} {' '.join(name.split(':'))}" for name in sorted(names) if name in by)
    return next((f"it would undo another fix, since {words}" for words in said), "")


def _steps(findings: Iterable[Finding]) -> Iterator[Step]:
    """Yield each command once, however many findings want it."""
    found: dict[tuple[str, ...], Step] = {}
    for finding in findings:
        for command in finding.fix.commands if finding.fix else ():
            known = found.get(command.argv)
            step = Step(command=command, codes=(finding.code,), reasons=(command.why,))
            found[command.argv] = _both(known, step) if known else step
    yield from sorted(found.values(), key=_place)


def _both(first: Step, second: Step) -> Step:
    times = max(first.command.times, second.command.times)
    return Step(
        command=msgspec.structs.replace(first.command, times=times),
        codes=tuple(dict.fromkeys((*first.codes, *second.codes))),
        reasons=tuple(dict.fromkeys((*first.reasons, *second.reasons))),
    )


def _place(step: Step) -> tuple[bool, bool]:
    return (not step.command.destructive, step.command.manager not in OF_CONDA)


def line_of(command: Command) -> str:
    """Return a command as a POSIX shell takes it; whoever prints it makes it printable."""
    import shlex  # noqa: PLC0415 - few reports have a command

    return shlex.join(command.argv)
