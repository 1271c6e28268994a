"""Run the rules over a world, and fold symptoms under their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from reconciler.model.finding import Severity
from reconciler.model.ignore import Ignored, Judged
from reconciler.model.report import Crash, Skip
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.ignore import Ignore
    from reconciler.model.rule import Rule, RuleModule
    from reconciler.model.snapshot import Snapshot
    from reconciler.world import World


class Platforms(NamedTuple):
    """The platforms of one declared file, by conda's names."""

    #: Those that can have CUDA, of those that it was judged for.
    judged: tuple[str, ...]
    #: Those that it is known or likely to be for.
    likely: tuple[str, ...]


def run_rules(rules: Iterable[RuleModule[World]], world: World) -> Iterator[Finding | Skip | Crash]:
    """Ask every rule; one whose facts are missing is skipped aloud, never passed."""
    for module in rules:
        if not _is_asked(module.RULE, world.snapshot):
            continue
        if reason := _missing(module.RULE, world.snapshot):
            yield Skip(code=module.RULE.code, reason=reason)
            continue
        try:
            yield from tuple(module.check(world))
        except Exception:  # noqa: BLE001 - a bug in one rule must not silence the others
            import traceback  # noqa: PLC0415 - and few rules have one

            yield Crash(code=module.RULE.code, traceback=traceback.format_exc())


def asked_of(rules: Iterable[RuleModule[World]], snapshot: Snapshot) -> set[str]:
    """Return the rules that a snapshot has all facts for."""
    cards = (module.RULE for module in rules)
    return {c.code for c in cards if _is_asked(c, snapshot) and not _missing(c, snapshot)}


def judged_so_far(
    known: Mapping[str, RuleModule[World]],
    rules: Iterable[RuleModule[World]],
    world: World,
    ignored: tuple[Ignored, ...],
) -> Judged:
    """Return what the rule that is asked last may know of the others."""
    cards = {code: module.RULE for code, module in known.items() if not module.RULE.is_last}
    of_files = {
        code for code, card in cards.items() if Fact.MANIFESTS in card.needs | card.needs_any
    }
    asked = asked_of(rules, world.snapshot)
    return Judged(
        known=frozenset(known),
        asked=frozenset(of_files & asked),
        unasked=frozenset(of_files - asked),
        ignored=ignored,
    )


def silence(
    findings: Iterable[Finding], ignores: Sequence[Ignore]
) -> tuple[tuple[Finding, ...], tuple[Ignored, ...]]:
    """Part the findings from those that the user's own files silence."""
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        by = next((ignore for ignore in ignores if ignore.silences(finding)), None)
        if by is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding=finding, by=by))
    return tuple(kept), tuple(ignored)


def merge_repeats(
    findings: Iterable[tuple[str, Finding]], files: Mapping[str, Platforms]
) -> Iterator[Finding]:
    """Yield each finding once, of pairs of a platform and what was found for it.

    What the same lines do to several combinations of a file's parts is said of the first. What
    holds for fewer than the platforms that its file was judged for names those, and is no more
    than information where the file need not be for any of them.
    """
    told: set[object] = set()
    first: dict[object, Finding] = {}
    platforms: dict[object, list[str]] = {}
    for platform, finding in findings:
        places = tuple((p.path, p.line, p.column) for p in (finding.at, *finding.related))
        lines = (platform, finding.code, places)
        key = (finding.code, finding.cause, finding.message, finding.severity)
        if finding.at.line and lines in told and key not in first:
            continue
        told.add(lines)
        first.setdefault(key, finding)
        platforms.setdefault(key, []).append(platform)
    for said, finding in first.items():
        file, holds_for = files.get(finding.at.path or ""), {*platforms[said]}
        if file is None or holds_for >= {*file.judged}:
            yield finding
            continue
        severity = finding.severity if holds_for & {*file.likely} else Severity.INFO
        names = tuple(dict.fromkeys(platforms[said]))
        yield msgspec.structs.replace(finding, severity=severity, platforms=names)


def fold_symptoms(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the root findings, the worst first, each with the findings that it explains."""
    ordered = sorted(findings, key=lambda f: (f.severity.rank, f.code, f.cause))
    by_cause = {finding.cause: finding for finding in reversed(ordered)}
    roots = {id(finding): _root(finding, by_cause) for finding in ordered}
    folded = (_with_symptoms(f, ordered, roots) for f in ordered if roots[id(f)] is f)
    return tuple(sorted(folded, key=lambda f: f.severity.rank))


def _with_symptoms(
    root: Finding, findings: Sequence[Finding], roots: Mapping[int, Finding]
) -> Finding:
    """Fold a root's symptoms under it; it is as bad as the worst of them."""
    symptoms = tuple(f for f in findings if f is not root and roots[id(f)] is root)
    worst = min((root, *symptoms), key=lambda finding: finding.severity.rank)
    return msgspec.structs.replace(root, symptoms=symptoms, severity=worst.severity)


def _root(finding: Finding, by_cause: Mapping[str, Finding]) -> Finding:
    """Follow ``explained_by`` upwards; a circle ends where it began."""
    seen = [finding]
    while above := next((by_cause[c] for c in seen[-1].explained_by if c in by_cause), None):
        if above in seen:
            return finding
        seen.append(above)
    return seen[-1]


def _is_asked(rule: Rule, snapshot: Snapshot) -> bool:
    # A fact that was not asked for is no skip: the user, or the command, left it out.
    asked = set(snapshot.asked)
    return rule.needs <= asked and (not rule.needs_any or bool(rule.needs_any & asked))


def _missing(rule: Rule, snapshot: Snapshot) -> str:
    """Return why a rule cannot be asked; "" where it can."""
    if not snapshot.gaps:
        return ""
    missing = {gap.fact: gap.reason for gap in snapshot.gaps if gap.item is None}
    reasons = {fact: missing[fact] for fact in sorted(rule.needs) if fact in missing}
    possible = rule.needs_any & set(snapshot.asked)
    if possible and possible <= missing.keys():
        reasons |= {fact: missing[fact] for fact in sorted(possible)}
    said: dict[str, list[str]] = {}
    for fact, reason in reasons.items():
        said.setdefault(reason, []).append(fact)
    return "; ".join(f"{reason} (wanted: {', '.join(facts)})" for reason, facts in said.items())
