from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import msgspec
import pytest

from reconciler import catalog
from reconciler.check import Platforms, fold_symptoms, merge_repeats, run_rules
from reconciler.model.finding import Finding, Location, Severity
from reconciler.model.report import Crash, Skip
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact, Gap, Snapshot, Target
from reconciler.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def finding(cause: str, *explained_by: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(
        code="XYZ901",
        name="example",
        severity=severity,
        message=cause,
        at=Location(subject=cause),
        shows_as="nothing",
        remedy="nothing",
        cause=cause,
        explained_by=explained_by,
    )


def rule(
    check: Callable[[World], Iterable[Finding]] = lambda _: [finding("a")],
    *,
    code: str = "XYZ901",
    needs: Iterable[Fact] = (),
    needs_any: Iterable[Fact] = (),
) -> SimpleNamespace:
    card = Rule(
        code=code,
        name="example",
        severity=Severity.ERROR,
        needs=frozenset(needs),
        needs_any=frozenset(needs_any),
        since="0.1.0",
    )
    return SimpleNamespace(RULE=card, check=check)


def world(*missing: Fact, asked: Iterable[Fact] = Fact, item: str | None = None) -> World:
    gaps = tuple(Gap(fact=fact, reason=f"no word of {fact}", item=item) for fact in missing)
    target = Target(project="/project", platform="linux-64")
    return World(Snapshot(envfix="0", target=target, asked=tuple(asked), gaps=gaps), catalog.load())


def results(*rules: SimpleNamespace, at: World) -> list[Finding | Skip | Crash]:
    return list(run_rules(rules, at))


def test_a_rule_that_needs_nothing_is_asked() -> None:
    assert results(rule(), at=world()) == [finding("a")]


def test_a_rule_whose_fact_is_missing_is_skipped_with_the_reason() -> None:
    asked = rule(needs=[Fact.DRIVER])

    assert results(asked, at=world(Fact.DRIVER)) == [
        Skip(code="XYZ901", reason="no word of driver (wanted: driver)")
    ]


def test_a_rule_is_asked_where_another_fact_is_missing() -> None:
    asked = rule(needs=[Fact.RECORDS])

    assert results(asked, at=world(Fact.DRIVER)) == [finding("a")]


def test_a_rule_is_asked_where_one_item_of_its_fact_is_missing() -> None:
    asked = rule(needs=[Fact.RECORDS])

    assert results(asked, at=world(Fact.RECORDS, item="conda-meta/x.json")) == [finding("a")]


def test_a_rule_whose_fact_was_not_asked_for_is_passed_over() -> None:
    asked = rule(needs=[Fact.DRIVER])

    assert results(asked, at=world(asked=[Fact.RECORDS])) == []


def test_a_rule_is_asked_where_one_of_its_worlds_is_there() -> None:
    asked = rule(needs_any=[Fact.RECORDS, Fact.MANIFESTS])

    assert results(asked, at=world(Fact.RECORDS)) == [finding("a")]


def test_a_rule_all_of_whose_worlds_are_missing_is_skipped_with_every_reason() -> None:
    asked = rule(needs_any=[Fact.RECORDS, Fact.MANIFESTS])

    (skip,) = results(asked, at=world(Fact.RECORDS, Fact.MANIFESTS))

    assert isinstance(skip, Skip)
    assert skip.reason == (
        "no word of manifests (wanted: manifests); no word of records (wanted: records)"
    )


def test_a_world_that_was_not_asked_for_is_no_reason() -> None:
    asked = rule(needs_any=[Fact.RECORDS, Fact.MANIFESTS])

    (skip,) = results(asked, at=world(Fact.RECORDS, asked=[Fact.RECORDS]))

    assert isinstance(skip, Skip)
    assert skip.reason == "no word of records (wanted: records)"


def test_a_rule_none_of_whose_worlds_was_asked_for_is_passed_over() -> None:
    asked = rule(needs_any=[Fact.RECORDS, Fact.MANIFESTS])

    assert results(asked, at=world(asked=[Fact.DRIVER])) == []


def test_a_needed_fact_is_needed_beside_a_world() -> None:
    asked = rule(needs=[Fact.DRIVER], needs_any=[Fact.RECORDS])

    (skip,) = results(asked, at=world(Fact.DRIVER))

    assert isinstance(skip, Skip)


def test_facts_that_are_missing_for_one_reason_are_said_together() -> None:
    gaps = tuple(Gap(fact=f, reason="no environment") for f in (Fact.PYTHON, Fact.RECORDS))
    without = msgspec.structs.replace(world().snapshot, gaps=gaps)

    (skip,) = results(rule(needs=[Fact.PYTHON, Fact.RECORDS]), at=World(without, catalog.load()))

    assert isinstance(skip, Skip)
    assert skip.reason == "no environment (wanted: python, records)"


def crash(_: World) -> Iterator[Finding]:
    yield finding("half")
    raise KeyError("torch")


def test_a_rule_that_crashes_finds_nothing_and_the_others_are_asked() -> None:
    broken, healthy = results(rule(crash, code="XYZ902"), rule(), at=world())

    assert isinstance(broken, Crash)
    assert broken.code == "XYZ902"
    assert broken.traceback.endswith("KeyError: 'torch'\n")
    assert healthy == finding("a")


def test_a_rule_that_is_interrupted_is_no_crash() -> None:
    def interrupt(_: World) -> Iterator[Finding]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results(rule(interrupt), at=world())


def tree(findings: Sequence[Finding]) -> dict[str, list[str]]:
    return {root.cause: [s.cause for s in root.symptoms] for root in fold_symptoms(findings)}


def test_findings_that_explain_nothing_stand_alone() -> None:
    assert tree([finding("a"), finding("b")]) == {"a": [], "b": []}


def test_a_symptom_is_folded_under_its_cause() -> None:
    assert tree([finding("symptom", "cause"), finding("cause")]) == {"cause": ["symptom"]}


def test_a_symptom_of_a_cause_that_is_not_there_stands_alone() -> None:
    assert tree([finding("symptom", "cause")]) == {"symptom": []}


def test_a_chain_is_folded_under_its_root() -> None:
    findings = [finding("c", "b"), finding("b", "a"), finding("a")]

    assert tree(findings) == {"a": ["b", "c"]}


def test_of_two_causes_the_first_that_is_there_explains() -> None:
    findings = [finding("a"), finding("b"), finding("s", "absent", "b", "a")]

    assert tree(findings) == {"a": [], "b": ["s"]}


@pytest.mark.parametrize(
    "findings",
    [
        [finding("a", "a")],
        [finding("a", "b"), finding("b", "a")],
        [finding("a", "b"), finding("b", "c"), finding("c", "a")],
        [finding("s", "a"), finding("a", "b"), finding("b", "a")],
    ],
    ids=["itself", "two", "three", "two and a symptom"],
)
def test_nothing_is_lost_in_a_circle(findings: Sequence[Finding]) -> None:
    folded = tree(findings)

    assert sorted([*folded, *(s for below in folded.values() for s in below)]) == sorted(
        f.cause for f in findings
    )


def test_two_findings_of_one_cause_are_both_kept() -> None:
    first, second = finding("a"), msgspec.structs.replace(finding("a"), message="another")

    assert len(fold_symptoms([first, second])) == 2


def test_equal_findings_are_all_kept() -> None:
    assert len(fold_symptoms([finding("a"), finding("a")])) == 2


def test_the_worst_comes_first() -> None:
    findings = [
        finding("c", severity=Severity.INFO),
        finding("b"),
        finding("d", severity=Severity.WARNING),
        finding("a"),
    ]

    assert list(tree(findings)) == ["a", "b", "d", "c"]


def test_folding_does_not_depend_on_the_order_that_it_is_given() -> None:
    findings = [finding("c", "b"), finding("b", "a"), finding("a"), finding("x")]

    assert fold_symptoms(findings) == fold_symptoms(findings[::-1])


EVERYWHERE = ("linux-64", "win-64", "linux-aarch64")


def merged(*found: tuple[str, Finding], said: tuple[str, ...] = ()) -> list[Finding]:
    file = Platforms(judged=said or EVERYWHERE, likely=said or EVERYWHERE[:1])
    return [*merge_repeats(found, {"environment.yml": file})]


def at_line(line: int, cause: str = "a") -> Finding:
    place = Location(subject="x", path="environment.yml", line=line)
    return msgspec.structs.replace(finding(cause), at=place)


def test_what_holds_for_every_platform_is_said_once() -> None:
    assert merged(*((platform, at_line(1)) for platform in EVERYWHERE)) == [at_line(1)]


def test_what_holds_for_some_platforms_names_them() -> None:
    (said,) = merged(("linux-64", at_line(1)), ("win-64", at_line(1)))

    assert (said.platforms, said.severity) == (("linux-64", "win-64"), Severity.ERROR)


def test_what_holds_only_where_the_file_need_not_be_for_is_information() -> None:
    (said,) = merged(("win-64", at_line(1)))

    assert (said.platforms, said.severity) == (("win-64",), Severity.INFO)


def test_a_platform_that_the_file_names_is_meant() -> None:
    (said,) = merged(("win-64", at_line(1)), said=("win-64", "linux-64"))

    assert said.severity is Severity.ERROR


def test_the_same_lines_of_another_combination_are_said_once() -> None:
    assert merged(("linux-64", at_line(1)), ("linux-64", at_line(1, "b")), said=("linux-64",)) == [
        at_line(1)
    ]
