"""Every rule keeps its promises: its own examples are its first tests."""

import re

import msgspec
import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Finding
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


def test_codes_and_names_are_unique():
    cards = [rule.RULE for rule in all_rules().values()]
    assert len({card.code for card in cards}) == len({card.name for card in cards}) == len(cards)
    assert len({card.code[3:] for card in cards}) == len(cards)
