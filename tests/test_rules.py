"""Every rule keeps its promises: its own examples are its first tests."""

import re

import msgspec
import pytest

from reconciler import catalog, manifests, pipeline
from reconciler.check import run_rules
from reconciler.model.finding import Finding, Severity, flat
from reconciler.model.fix import Applicability
from reconciler.model.report import Skip
from reconciler.model.snapshot import Gap
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

EACH = pytest.mark.parametrize("rule", all_rules().values(), ids=all_rules())
KNOWN = catalog.load()
THREAD = re.compile(r"^- [\w.-]+/[\w.-]+#\d+: \S", re.MULTILINE)


def results(rule, snapshot):
    return list(run_rules([rule], World(snapshot, KNOWN)))


@EACH
def test_file_name_is_code_and_name(rule):
    stem = rule.__name__.rpartition(".")[2]
    assert stem == f"{rule.RULE.code.lower()}_{rule.RULE.name.replace('-', '_')}"


@EACH
@pytest.mark.parametrize("heading", ["Why it matters", "Fix safety", "References"])
def test_page_has_every_heading(rule, heading):
    assert f"\n{heading}\n{'-' * len(heading)}\n" in rule.__doc__


@EACH
def test_page_cites_real_threads(rule):
    assert THREAD.search(rule.__doc__.partition("References")[2])


@EACH
def test_bad_is_found_once_and_good_is_silent(rule):
    found = results(rule, sketch(rule.BAD))
    assert [type(result) for result in found] == [Finding]
    assert found[0].code == rule.RULE.code
    assert results(rule, sketch(rule.GOOD)) == []


@EACH
def test_finding_says_what_how_and_what_to_do(rule):
    (finding,) = results(rule, sketch(rule.BAD))
    for sentence in (finding.message, finding.shows_as, finding.remedy):
        assert len(sentence) > 20
        assert not sentence.endswith(".")


@EACH
def test_rule_is_skipped_aloud_when_a_fact_that_it_needs_is_missing(rule):
    known = sketch(rule.BAD)
    for fact in rule.RULE.needs:
        gaps = (Gap(fact=fact, reason="no such thing here"),)
        assert results(rule, msgspec.structs.replace(known, gaps=gaps)) == [
            Skip(code=rule.RULE.code, reason=f"no such thing here (wanted: {fact})")
        ]


@EACH
def test_rule_is_skipped_aloud_when_none_of_its_worlds_is_there(rule):
    if not rule.RULE.needs_any:
        return
    gaps = tuple(Gap(fact=fact, reason="no such thing here") for fact in rule.RULE.needs_any)
    blind = msgspec.structs.replace(sketch(rule.BAD), gaps=gaps)
    facts = ", ".join(sorted(rule.RULE.needs_any))
    assert results(rule, blind) == [
        Skip(code=rule.RULE.code, reason=f"no such thing here (wanted: {facts})")
    ]


@EACH
def test_what_explains_a_finding_is_a_rule(rule):
    names = {known.RULE.name for known in all_rules().values()}
    (finding,) = results(rule, sketch(rule.BAD))
    for cause in (finding.cause, *finding.explained_by):
        assert cause.partition("@")[0] in names


def fix_of(rule):
    """Return the fix of files that BAD asks for, where one can be made."""
    (finding,) = results(rule, sketch(rule.BAD))
    fix = finding.fix
    return fix if fix and fix.edits and fix.applicability is not Applicability.DISPLAY else None


FIXING = pytest.mark.parametrize(
    "rule",
    [pytest.param(rule, id=code) for code, rule in all_rules().items() if fix_of(rule)],
)


def mended(rule, snapshot):
    return pipeline.fix(snapshot, unsafe=True, select=[rule.RULE.code])


def with_texts(snapshot, texts):
    read = (
        manifests.read(manifest.format, manifest.path, texts.get(manifest.path, manifest.text))
        for manifest in snapshot.manifests
    )
    return msgspec.structs.replace(snapshot, manifests=tuple(read))


@EACH
def test_commands_are_never_safe(rule):
    (finding,) = results(rule, sketch(rule.BAD))
    if finding.fix and finding.fix.commands:
        assert finding.fix.applicability is not Applicability.SAFE


@FIXING
def test_a_fix_closes_its_finding_and_does_no_harm(rule):
    repair = mended(rule, sketch(rule.BAD))

    assert (len(repair.made), repair.left_out, repair.unclosed) == (1, (), ())
    assert repair.after.findings == ()


@FIXING
def test_a_fix_causes_nothing_that_another_rule_would_find(rule):
    bad = sketch(rule.BAD)
    texts = {file.path: file.after for file in mended(rule, bad).files}

    before, after = (
        {f.cause for f in flat(pipeline.scan(s).findings) if f.severity is not Severity.INFO}
        for s in (bad, with_texts(bad, texts))
    )

    assert after <= before


@FIXING
def test_a_safe_fix_turns_bad_into_good(rule):
    if fix_of(rule).applicability is not Applicability.SAFE:
        return
    repair = mended(rule, sketch(rule.BAD))

    good = {manifest.path: manifest.text for manifest in sketch(rule.GOOD).manifests}
    assert {file.path: file.after for file in repair.files} == good


@FIXING
def test_a_second_run_changes_nothing(rule):
    bad = sketch(rule.BAD)
    texts = {file.path: file.after for file in mended(rule, bad).files}

    assert mended(rule, with_texts(bad, texts)).files == ()


def test_codes_and_names_are_unique():
    cards = [rule.RULE for rule in all_rules().values()]
    assert len({card.code for card in cards}) == len({card.name for card in cards}) == len(cards)
    assert len({card.code[3:] for card in cards}) == len(cards)
