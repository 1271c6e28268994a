"""Which fixes are made: whole ones, allowed ones, the better one of two that clash."""

from __future__ import annotations

import pytest

from reconciler.model.finding import Finding, Location, Severity
from reconciler.model.fix import Add, Applicability, Command, Edit, Fix, Mend, Remove, Replace
from reconciler.model.manifest import Declared, Fault, FaultKind, IndexRole, Kind, Section
from reconciler.model.plan import LeftOutFix, Reason
from reconciler.plan import edits_of, plan_fixes

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY
PATH = "environment.yml"


def line(number: int, text: str = "torch==2.1.2", kind: Kind = Kind.REQUIREMENT) -> Declared:
    return Declared(
        path=PATH,
        section=Section.PIP,
        kind=kind,
        text=text,
        name=text.partition("=")[0],
        line=number,
        column=5,
    )


def added(text: str, **how: object) -> Add:
    known = {"path": PATH, "section": Section.PIP, "text": text}
    return Add(**known | how)  # type: ignore[arg-type]  # the fields of an Add, by name


def fix(*edits: Edit | Mend, title: str = "mend it", how: Applicability = SAFE) -> Fix:
    return Fix(title=title, applicability=how, edits=edits)


def finding(
    mending: Fix | None,
    number: int = 1,
    severity: Severity = Severity.WARNING,
    symptoms: tuple[Finding, ...] = (),
) -> Finding:
    return Finding(
        code="XYZ901",
        name="example",
        severity=severity,
        message=f"line {number} is wrong",
        at=Location(subject="x", path=PATH, line=number, column=5),
        shows_as="a crash",
        remedy="mend it",
        cause=f"example@{PATH}:{number}",
        fix=mending,
        symptoms=symptoms,
    )


def test_nothing_is_planned_of_findings_without_a_fix() -> None:
    assert plan_fixes([finding(None)], SAFE).kept == ()


def test_commands_alone_change_no_file() -> None:
    command = Command(manager="pip", argv=("pip", "x"), why="it is so", destructive=False)
    mending = Fix(title="run it", applicability=UNSAFE, commands=(command,))

    plan = plan_fixes([finding(mending)], UNSAFE)

    assert (plan.kept, plan.left_out) == ((), ())


def test_the_fix_of_a_symptom_counts() -> None:
    below = finding(fix(Remove(line=line(2))), 2)

    (kept,) = plan_fixes([finding(None, symptoms=(below,))], SAFE).kept

    assert kept.findings == (below,)


@pytest.mark.parametrize(
    ("how", "allowed", "reason"),
    [
        (SAFE, SAFE, None),
        (UNSAFE, SAFE, Reason.NOT_ALLOWED),
        (UNSAFE, UNSAFE, None),
        (DISPLAY, UNSAFE, Reason.DISPLAY),
    ],
)
def test_only_what_is_allowed_is_made(
    how: Applicability, allowed: Applicability, reason: Reason | None
) -> None:
    plan = plan_fixes([finding(fix(Remove(line=line(1)), how=how))], allowed)

    assert [left.reason for left in plan.left_out] == ([reason] if reason else [])
    assert len(plan.kept) == (reason is None)


def test_a_choice_without_edits_is_left_to_a_person() -> None:
    (left,) = plan_fixes([finding(fix(how=DISPLAY))], UNSAFE).left_out

    assert (left.reason, left.why) == (Reason.DISPLAY, "you have to choose")


def test_the_same_fix_of_two_findings_is_one() -> None:
    findings = [finding(fix(Remove(line=line(1)), title=f"mend {n}"), n) for n in (1, 2)]

    (kept,) = plan_fixes(findings, SAFE).kept

    assert kept.findings == tuple(findings)


def test_the_same_edit_of_two_fixes_is_made_once() -> None:
    first, second = Remove(line=line(1)), Remove(line=line(2))
    findings = [finding(fix(first)), finding(fix(first, second), 2)]

    plan = plan_fixes(findings, SAFE)

    assert len(plan.kept) == 2
    assert edits_of(plan.kept) == (first, second)


def test_where_an_added_line_is_to_stand_makes_no_other_edit_of_it() -> None:
    first, second = added("pip"), added("pip", after=line(1))

    plan = plan_fixes([finding(fix(first)), finding(fix(second), 2)], SAFE)

    assert len(plan.kept) == 2
    assert edits_of(plan.kept) == (first,)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Remove(line=line(1)), Replace(line=line(1), text="torch==2.2")),
        (Replace(line=line(1), text="torch==2.1"), Replace(line=line(1), text="torch==2.2")),
        (added("torch==2.1"), added("Torch==2.2")),
        (
            added("conda-forge::pytorch=2.1", section=Section.CONDA),
            added("pytorch=2.2", section=Section.CONDA),
        ),
        (added("A=1", kind=Kind.VARIABLE), added("A=2", kind=Kind.VARIABLE)),
        (
            added("https://a.org", kind=Kind.INDEX, role=IndexRole.DEFAULT),
            added("https://b.org", kind=Kind.INDEX, role=IndexRole.DEFAULT),
        ),
        (
            Mend(path=PATH, fault=Fault(kind=FaultKind.BROKEN, text="a", why="b", line=1)),
            Mend(path=PATH, fault=Fault(kind=FaultKind.BROKEN, text="a", why="c", line=1)),
        ),
    ],
)
def test_of_two_that_want_something_else_of_a_line_the_worse_finding_s_is_made(
    first: Edit, second: Edit
) -> None:
    other = Remove(line=line(9))
    mild = finding(fix(first, title="the mild one"), 1)
    bad = finding(fix(other, second, title="the bad one"), 2, Severity.ERROR)

    plan = plan_fixes([mild, bad], SAFE)

    assert [kept.findings for kept in plan.kept] == [(bad,)]
    (left,) = plan.left_out
    assert (left.findings, left.reason) == ((mild,), Reason.CLASHES)
    assert left.why == "it clashes with another fix: the bad one"


def test_of_two_alike_the_earlier_line_s_is_made() -> None:
    late = finding(fix(Remove(line=line(1))), 8)
    early = finding(fix(Replace(line=line(1), text="torch")), 3)

    assert [kept.findings for kept in plan_fixes([late, early], SAFE).kept] == [(early,)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Remove(line=line(1)), Remove(line=line(2))),
        (Remove(line=line(1)), Remove(line=line(1, kind=Kind.INDEX))),
        (added("torch==2.1", scope="extra a"), added("torch==2.2", scope="extra b")),
        (added("a", kind=Kind.CHANNEL), added("b", kind=Kind.CHANNEL)),
        (
            added("https://a.org", kind=Kind.INDEX, role=IndexRole.EXTRA),
            added("https://b.org", kind=Kind.INDEX, role=IndexRole.EXTRA),
        ),
        (
            added("https://a.org", kind=Kind.INDEX, role=IndexRole.EXPLICIT, after=line(1)),
            added("https://a.org", kind=Kind.INDEX, role=IndexRole.EXPLICIT, after=line(2)),
        ),
        (added("-e ."), added("-e ./x")),
    ],
)
def test_what_is_of_different_places_does_not_clash(first: Edit, second: Edit) -> None:
    plan = plan_fixes([finding(fix(first)), finding(fix(second), 2)], SAFE)

    assert edits_of(plan.kept) == (first, second)


def test_what_is_not_allowed_is_closed_by_what_is_made_anyway() -> None:
    removed = Remove(line=line(1))
    sure = finding(fix(removed, Remove(line=line(2))), 1)
    unsure = finding(fix(removed, how=UNSAFE), 5, Severity.ERROR)

    plan = plan_fixes([sure, unsure], SAFE)

    assert [kept.findings for kept in plan.kept] == [(sure,), (unsure,)]


def test_of_two_with_the_same_edits_the_surer_word_counts() -> None:
    removed = Remove(line=line(1))
    findings = [finding(fix(removed, how=UNSAFE)), finding(fix(removed, how=SAFE), 2)]

    (kept,) = plan_fixes(findings, SAFE).kept

    assert kept.fix.applicability is SAFE
    assert len(kept.findings) == 2


def test_what_was_tried_and_left_out_makes_room_for_what_it_clashed_with() -> None:
    bad = finding(fix(Remove(line=line(1))), 1, Severity.ERROR)
    mild = finding(fix(Replace(line=line(1), text="torch")), 2)
    (kept,) = plan_fixes([bad], SAFE).kept
    barred = LeftOutFix(
        fix=kept.fix, findings=kept.findings, reason=Reason.HELD_BACK, why="it cannot be made"
    )
    plan = plan_fixes([bad, mild], SAFE, [barred])

    assert [kept.findings for kept in plan.kept] == [(mild,)]
    assert plan.left_out == (barred,)
