"""Fixes made in memory, and judged before a byte is written.

Each round makes the fixes that a plan keeps and asks the rules again, of the files as they would be.
A fix that cannot be made whole, that would bring an error or a warning, or that would leave all that
it is for, is left out, and the rest is planned anew; until there is nothing more to make.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.manifests import rewriting
from reconciler.model.finding import Severity, flat
from reconciler.model.manifest import FaultKind
from reconciler.model.plan import FileRepair, LeftOutFix, PlannedFix, Reason, Repair
from reconciler.plan import edits_of, plan_fixes, plan_hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Applicability, Edit, Mend, Splice
    from reconciler.model.manifest import Manifest
    from reconciler.model.plan import Plan
    from reconciler.model.report import Report
    from reconciler.model.snapshot import Snapshot, Target

    Judge = Callable[[Snapshot], Report]

# More than fixes that uncover each other have been seen to need, which is two.
_MOST_ROUNDS = 10
# A cause may name the line of a fault, which moves where lines come and go.
_LINE = re.compile(r":\d+$")


class _Trial(NamedTuple):
    """What some fixes come to, made together."""

    plan: Plan
    snapshot: Snapshot
    splices: Mapping[str, tuple[Splice, ...]]
    report: Report | None = None


def rehearse(
    snapshot: Snapshot, allowed: Applicability, *, judge: Judge, watch: Judge | None = None
) -> Repair:
    """Make the fixes of what ``judge`` finds, in memory.

    ``watch`` sees the harm that a fix would do, if it should see more than ``judge``.
    """
    before = report = judge(snapshot)
    texts = {manifest.path: manifest.text for manifest in snapshot.manifests}
    rounds: dict[str, list[tuple[Splice, ...]]] = defaultdict(list)
    made: list[PlannedFix] = []
    for _ in range(_MOST_ROUNDS):
        trial = _Round(snapshot, report, allowed, judge, watch or judge).outcome()
        if not trial.plan.kept:
            break
        snapshot, report = trial.snapshot, trial.report or report
        made += trial.plan.kept
        for path, splices in trial.splices.items():
            rounds[path].append(splices)
    after = {manifest.path: manifest.text for manifest in snapshot.manifests}
    wanted = (finding for planned in made for finding in planned.findings)
    hooks = plan_hooks(report.findings, allowed, _barred(snapshot))
    answered = [finding for planned in hooks.kept for finding in planned.findings]
    return Repair(
        before=before,
        # Each of these was tried out in the model before it was proposed: builds/hooking.py.
        after=replace(
            report, findings=tuple(one for one in report.findings if one not in answered)
        ),
        files=tuple(
            FileRepair(path=path, before=texts[path], after=after[path], rounds=tuple(done))
            for path, done in rounds.items()
        ),
        made=tuple(made),
        hooks=hooks.kept,
        left_out=trial.plan.left_out + hooks.left_out,
        unclosed=tuple(_still(wanted, before, report)),
        caused=tuple(_more(report, before)),
    )


def _barred(snapshot: Snapshot) -> str:
    """Return why nothing is written into the environment; "" where it may be."""
    state = snapshot.state
    if state and state.frozen:
        return "the environment is frozen (conda-meta/frozen)"
    return "" if state is None or state.writable else "the environment is not yours to write"


class _Round:
    """One plan, and its fixes left out one by one until the others do good and no harm."""

    def __init__(
        self,
        snapshot: Snapshot,
        report: Report,
        allowed: Applicability,
        judge: Judge,
        watch: Judge,
    ) -> None:
        self._snapshot = snapshot
        self._report = report
        self._allowed = allowed
        self._judge = judge
        self._watch = watch
        self._seen: Report | None = None
        self._barred = list(_out_of_bounds(plan_fixes(report.findings, allowed), snapshot.target))

    def outcome(self) -> _Trial:
        """Return what the fixes come to that can all be made."""
        while True:
            plan = plan_fixes(self._report.findings, self._allowed, self._barred)
            if held := list(_held_back(self._snapshot.manifests, plan.kept)):
                self._barred += held
                continue
            trial = self._tried(plan)
            if not plan.kept:
                return trial
            trial = trial._replace(report=self._judge(trial.snapshot))
            left = self._harmful(trial) or list(self._vain(trial))
            if not left:
                return trial
            self._barred += left

    def _tried(self, plan: Plan, without: PlannedFix | None = None) -> _Trial:
        kept = [planned for planned in plan.kept if planned is not without]
        return _Trial(plan, *_made(self._snapshot, edits_of(kept)))

    def _harmful(self, trial: _Trial) -> list[LeftOutFix]:
        """Return the fix that brings an error or a warning, found by making the others alone."""
        harm = self._harm(trial)
        if not harm:
            return []
        kept = trial.plan.kept
        for planned in reversed(kept[1:]):
            less = Counter(map(_key, self._harm(self._tried(trial.plan, without=planned))))
            if gone := [finding for finding in harm if _key(finding) not in less]:
                return [_left_out(planned, Reason.HARMFUL, _brought(gone[0]))]
        return [_left_out(kept[0], Reason.HARMFUL, _brought(harm[0]))]

    def _harm(self, trial: _Trial) -> list[Finding]:
        if self._seen is None:
            self._seen = self._watch(self._snapshot)
        return list(_worse(self._watch(trial.snapshot), self._seen))

    def _vain(self, trial: _Trial) -> Iterator[LeftOutFix]:
        """Leave out the fixes that leave all of what they are for."""
        for planned in trial.plan.kept:
            still = list(_still(planned.findings, self._report, trial.report or self._report))
            if len(still) == len(planned.findings):
                why = "what it is for would still be found"
                yield _left_out(planned, Reason.IN_VAIN, why)


def _left_out(planned: PlannedFix, reason: Reason, why: str) -> LeftOutFix:
    return LeftOutFix(fix=planned.fix, findings=planned.findings, reason=reason, why=why)


def _brought(finding: Finding) -> str:
    return f"it would bring {finding.code} ({finding.severity}): {finding.message}"


def _out_of_bounds(plan: Plan, target: Target) -> Iterator[LeftOutFix]:
    """Leave out what changes a file that was not asked about, or that is not of the project."""
    for planned in plan.kept:
        for path in sorted({edit.path for edit in planned.fix.edits}):
            if path.startswith(("/", "../")):
                why = f"it changes {path}, which lies outside of the project {target.project}"
            elif target.files and path not in target.files:
                why = f"it changes {path}, which was not asked about"
            else:
                continue
            yield _left_out(planned, Reason.OUT_OF_BOUNDS, why)
            break


def _held_back(manifests: Sequence[Manifest], kept: Sequence[PlannedFix]) -> Iterator[LeftOutFix]:
    """Leave out the fixes of which an edit cannot be made beside those of the others."""
    known = {manifest.path: manifest for manifest in manifests}
    whole: list[PlannedFix] = []
    if not any(_refusals(known, edits_of(kept))):
        return
    for planned in kept:
        why = next(_refusals(known, edits_of([*whole, planned])), "")
        if why:
            yield _left_out(planned, Reason.HELD_BACK, why)
        else:
            whole.append(planned)


def _refusals(known: Mapping[str, Manifest], edits: Iterable[Edit | Mend]) -> Iterator[str]:
    """Yield why an edit is held back, and in which file."""
    for path, wanted in _by_path(edits).items():
        if path in known:
            yield from _refused(known[path], wanted)
        else:
            yield f"{path} is no file of the project"


def _refused(manifest: Manifest, edits: Sequence[Edit | Mend]) -> list[str]:
    path = manifest.path
    for fault in manifest.faults:
        if fault.kind is FaultKind.UNREADABLE:
            return [f"{path}:{fault.line}: {fault.why}"]
    return [f"{path}: {why}" for _, why in rewriting.rewrite(manifest, edits).held]


def _made(
    snapshot: Snapshot, edits: Iterable[Edit | Mend]
) -> tuple[Snapshot, Mapping[str, tuple[Splice, ...]]]:
    """Return a snapshot with files as edits make them, and the splices of each."""
    wanted = _by_path(edits)
    manifests: list[Manifest] = []
    splices: dict[str, tuple[Splice, ...]] = {}
    for manifest in snapshot.manifests:
        if manifest.path not in wanted:
            manifests.append(manifest)
            continue
        done = rewriting.rewrite(manifest, wanted[manifest.path])
        manifests.append(done.manifest)
        if done.splices:
            splices[manifest.path] = done.splices
    return replace(snapshot, manifests=tuple(manifests)), splices


def _by_path(edits: Iterable[Edit | Mend]) -> Mapping[str, list[Edit | Mend]]:
    found: dict[str, list[Edit | Mend]] = defaultdict(list)
    for edit in edits:
        found[edit.path].append(edit)
    return found


def _key(finding: Finding) -> tuple[str, str]:
    """Return what a finding is known by before and after a fix."""
    return finding.code, _LINE.sub("", finding.cause)


def _counted(report: Report, *severities: Severity) -> Counter[tuple[str, str]]:
    return Counter(_key(f) for f in flat(report.findings) if f.severity in severities)


def _worse(after: Report, before: Report) -> Iterator[Finding]:
    """Yield the errors and warnings of which there are more than before."""
    for severities in ((Severity.ERROR,), (Severity.ERROR, Severity.WARNING)):
        more = _counted(after, *severities) - _counted(before, *severities)
        for finding in flat(after.findings):
            if finding.severity in severities and more[_key(finding)] > 0:
                yield finding


def _more(after: Report, before: Report) -> Iterator[Finding]:
    """Yield the findings of which there are more than before."""
    more = _counted(after, *Severity) - _counted(before, *Severity)
    yield from (finding for finding in flat(after.findings) if more[_key(finding)] > 0)


def _still(wanted: Iterable[Finding], before: Report, after: Report) -> Iterator[Finding]:
    """Yield those of some findings that are there as often as before."""
    fewer = _counted(before, *Severity) - _counted(after, *Severity)
    yield from (finding for finding in wanted if not fewer[_key(finding)])
