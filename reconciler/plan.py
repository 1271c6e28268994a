"""Which fixes are made: those that are allowed, and do not clash with a better one.

A fix stands or falls whole. Where two want something else of one line, that of the worse finding is
made, or of the earlier line; what several want is done once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.finding import flat
from reconciler.model.fix import Add, Applicability, Mend, Replace
from reconciler.model.manifest import IndexRole, Kind
from reconciler.model.plan import LeftOutFix, Plan, PlannedFix, Reason

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Edit, Fix

_RANKS = (Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY)
# Of a requirement of either manager: conda's channel is no part of the name.
_NAME = re.compile(r"(?:\S+::)?([A-Za-z0-9_][\w.-]*)")


class _Claim(NamedTuple):
    """What a fix wants of one place."""

    edit: Edit | Mend
    fix: Fix


def plan_fixes(
    findings: Iterable[Finding], allowed: Applicability, barred: Iterable[LeftOutFix] = ()
) -> Plan:
    """Part the fixes of findings, and of their symptoms, into those to make and those to leave out.

    ``barred`` are those that were tried already, and left out. What is left to a person, and what
    is nothing but commands, changes no file.
    """
    known = {left.fix: left for left in barred}
    kept: list[PlannedFix] = []
    left_out: list[LeftOutFix] = []
    claims: dict[Hashable, _Claim] = {}
    asked = list(_fixes(findings))
    # What is not allowed is done all the same where those before it want all of its edits.
    for planned in sorted(asked, key=lambda p: not _is_allowed(p.fix, allowed)):
        fix = planned.fix
        reason, why = _refusal(fix, allowed, claims)
        if fix in known:
            left_out.append(known[fix])
        elif reason:
            left_out.append(LeftOutFix(fix=fix, findings=planned.findings, reason=reason, why=why))
        else:
            kept.append(planned)
            for edit in fix.edits:
                claims.setdefault(_place(edit), _Claim(edit, fix))
    return Plan(kept=tuple(kept), left_out=tuple(left_out))


def edits_of(fixes: Iterable[PlannedFix]) -> tuple[Edit | Mend, ...]:
    """Return what fixes that do not clash change; what several of them want is there once."""
    edits: dict[Hashable, Edit | Mend] = {}
    for planned in fixes:
        for edit in planned.fix.edits:
            edits.setdefault(_place(edit), edit)
    return tuple(edits.values())


def _fixes(findings: Iterable[Finding]) -> Iterator[PlannedFix]:
    """Yield each fix once, of the worst finding first, with all findings that ask for it."""
    asking: dict[Hashable, list[Finding]] = {}
    for finding in sorted(flat(findings), key=_badness):
        # What activation is to do is planned by itself: no line of a file is in its way.
        if finding.fix and not finding.fix.hooks and _is_of_files(finding.fix):
            same = finding.fix.edits or finding.fix
            asking.setdefault(same, []).append(finding)
    for several in asking.values():
        fixes = [finding.fix for finding in several if finding.fix]
        surest = min(fixes, key=lambda fix: _RANKS.index(fix.applicability))
        yield PlannedFix(fix=surest, findings=tuple(several))


def _is_of_files(fix: Fix) -> bool:
    return bool(fix.edits) or not fix.commands


def plan_hooks(findings: Iterable[Finding], allowed: Applicability, barred: str = "") -> Plan:
    """Part what findings want of the environment's activation into what is done and what is not.

    ``barred`` is why nothing may be written into the environment, in a clause.
    """
    asking: dict[Hashable, list[Finding]] = {}
    for finding in sorted(flat(findings), key=_badness):
        if finding.fix and finding.fix.hooks:
            asking.setdefault(finding.fix.hooks, []).append(finding)
    planned = [
        PlannedFix(fix=fix, findings=tuple(several))
        for several in asking.values()
        if (fix := several[0].fix)
    ]
    why = barred or "it may not be what you mean"
    reason = Reason.OUT_OF_BOUNDS if barred else Reason.NOT_ALLOWED
    kept = [one for one in planned if not barred and _is_allowed(one.fix, allowed)]
    return Plan(
        kept=tuple(kept),
        left_out=tuple(
            LeftOutFix(fix=one.fix, findings=one.findings, reason=reason, why=why)
            for one in planned
            if one not in kept
        ),
    )


def _badness(finding: Finding) -> tuple[object, ...]:
    at = finding.at
    return finding.severity.rank, at.path or "", at.line or 0, at.column or 0, finding.code


def _is_allowed(fix: Fix, allowed: Applicability) -> bool:
    return _RANKS.index(fix.applicability) <= _RANKS.index(allowed)


def _refusal(
    fix: Fix, allowed: Applicability, claims: dict[Hashable, _Claim]
) -> tuple[Reason | None, str]:
    """Return why a fix is left out; None where it is not."""
    if fix.applicability is Applicability.DISPLAY or not fix.edits:
        return Reason.DISPLAY, "you have to choose"
    rivals = [claims.get(_place(edit)) for edit in fix.edits]
    pairs = [(claim, edit) for claim, edit in zip(rivals, fix.edits, strict=True) if claim]
    others = [claim.fix for claim, edit in pairs if _wish(claim.edit) != _wish(edit)]
    if not _is_allowed(fix, allowed) and (others or not all(rivals)):
        return Reason.NOT_ALLOWED, "it may not be what you mean"
    if others:
        return Reason.CLASHES, f"it clashes with another fix: {others[0].title}"
    return None, ""


def _place(edit: Edit | Mend) -> Hashable:
    """Return what an edit is of: two that are of the same have to want the same."""
    if isinstance(edit, Add):
        # One explicit index may serve several requirements, each by an edit of its own.
        served = edit.after if edit.role is IndexRole.EXPLICIT else None
        what = (served.line, served.column) if served else _name(edit)
        return Add, edit.path, edit.section, edit.kind, edit.scope, what
    if isinstance(edit, Mend):
        return Mend, edit.path, edit.fault.line, edit.fault.column, edit.fault.kind
    line = edit.line
    return Replace, edit.path, line.line, line.column, line.kind


def _name(edit: Add) -> str:
    """Return what there is one of: a project, a variable, an index in place of PyPI."""
    if edit.kind is Kind.VARIABLE:
        return edit.text.partition("=")[0]
    if edit.kind is Kind.INDEX and edit.role is IndexRole.DEFAULT:
        return ""
    match = _NAME.match(edit.text) if edit.kind is Kind.REQUIREMENT else None
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else edit.text


def _wish(edit: Edit | Mend) -> Hashable:
    """Return what is to stand in the place of an edit; where an added line is to stand is no matter."""
    if isinstance(edit, Add):
        return edit.text, edit.role
    if isinstance(edit, Mend):
        return edit.fault
    return edit.text if isinstance(edit, Replace) else None
