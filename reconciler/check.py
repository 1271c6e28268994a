"""Run the rules over a world, and fold symptoms under their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from reconciler.model.report import Crash, Skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.rule import Rule, RuleModule
    from reconciler.model.snapshot import Snapshot
    from reconciler.world import World


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
    missing = {gap.fact: gap.reason for gap in snapshot.gaps if gap.item is None}
    reasons = {fact: missing[fact] for fact in sorted(rule.needs) if fact in missing}
    possible = rule.needs_any & set(snapshot.asked)
    if possible and possible <= missing.keys():
        reasons |= {fact: missing[fact] for fact in sorted(possible)}
    said: dict[str, list[str]] = {}
    for fact, reason in reasons.items():
        said.setdefault(reason, []).append(fact)
    return "; ".join(f"{reason} (wanted: {', '.join(facts)})" for reason, facts in said.items())
