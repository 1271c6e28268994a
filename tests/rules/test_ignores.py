"""What comments silence, and what is told of the comments themselves."""

from __future__ import annotations

import pytest

from reconciler import pipeline
from reconciler.rules import all_rules, dec725_unused_ignore
from reconciler.testing import sketch

MIXED = """\
environment.yml: |
  dependencies:
    - cudatoolkit=11.8{comment}
    - pip
    - pip:
        - torch==2.1.2+cu121
"""


def judged(text, **options):
    report = pipeline.scan(sketch(text), **options)
    found = [f for f in report.findings if f.code in {"CUD201", "DEC725"}]
    return [(f.code, f.message) for f in found], report


def mixed(comment, **options):
    return judged(MIXED.format(comment=comment), **options)


def test_without_a_comment_the_line_is_found():
    found, report = mixed("")
    assert [code for code, _ in found] == ["CUD201"]
    assert report.ignored == ()


@pytest.mark.parametrize(
    "comment",
    [
        "  # envfix: ignore[CUD201] by its path",
        "  # envfix:ignore [ cud201 , ] - by its path",
        "  # envfix: ignore[CUD2]: by its path",
        "  # ours # envfix: ignore[CUD] by its path",
    ],
)
def test_a_comment_silences_its_line(comment):
    found, report = mixed(comment)
    assert found == []
    assert [(i.finding.code, i.by.reason) for i in report.ignored] == [("CUD201", "by its path")]


def lines_of(code, text):
    """The line of each silenced finding of a code, and that of the comment."""
    report = judged("requirements.txt: |\n" + "".join(f"  {line}\n" for line in text))[1]
    ignored = (i for i in report.ignored if i.finding.code == code)
    return [(i.finding.at.line, i.by.at.line) for i in ignored]


def test_a_comment_that_stands_alone_silences_the_line_below():
    text = ["# envfix: ignore[DEC701] served here", "# by our own index", "torch==2.1.2+cu121"]
    assert lines_of("DEC701", text) == [(3, 1)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (["# envfix: ignore[DEC701] x", "torch==2.1.2+cu121 \\", "  --hash=sha256:0"], (2, 1)),
        (["torch==2.1.2+cu121 \\", "  --hash=sha256:0  # envfix: ignore[DEC701] x"], (1, 2)),
    ],
    ids=["above", "on its last line"],
)
def test_a_comment_is_of_the_whole_of_a_line_that_goes_on(text, places):
    assert lines_of("DEC701", text) == [places]


def test_a_comment_of_another_line_silences_nothing():
    found, _ = judged(
        MIXED.format(comment="").replace("- pip\n", "- pip  # envfix: ignore[CUD201] x\n")
    )
    assert [code for code, _ in found] == ["CUD201", "DEC725"]


def test_a_comment_without_a_reason_silences_and_is_told():
    assert mixed("  # envfix: ignore[CUD201]")[0] == [
        ("DEC725", "`# envfix: ignore[CUD201]` gives no reason")
    ]


@pytest.mark.parametrize(
    "comment", ["# envfix: ignore", "# envfix: ignore[] x", "# envfix:ignore x"]
)
def test_a_comment_without_a_code_silences_nothing_and_is_told(comment):
    found, _ = mixed(f"  {comment}")
    assert found[0][0] == "CUD201"
    assert found[1] == ("DEC725", f"`{comment}` names no rule, and silences nothing")


def test_a_code_that_no_rule_has_is_told_with_the_nearest():
    report = mixed("  # envfix: ignore[CUD2001] by its path")[1]
    finding = next(f for f in report.findings if f.code == "DEC725")
    assert finding.message.endswith("names CUD2001, which is no rule's code")
    assert finding.remedy.startswith("write `CUD201`, if that is meant; ")


def test_a_code_like_no_other_is_told_without_one():
    report = mixed("  # envfix: ignore[12] by its path")[1]
    finding = next(f for f in report.findings if f.code == "DEC725")
    assert finding.remedy == "`envfix rule` lists the codes of all rules"


def test_of_several_codes_the_idle_one_is_told():
    found, _ = mixed("  # envfix: ignore[CUD201, DEC712] by its path")
    assert [message.partition("` ")[2] for _, message in found] == [
        "silences nothing: its line has no finding of DEC712"
    ]


@pytest.mark.parametrize(
    "options",
    [{"select": ["CUD201", "DEC725"]}, {"ignore": ["DEC712"]}],
    ids=["not selected", "ignored"],
)
@pytest.mark.parametrize("code", ["DEC712", "DEC7", "DEC"])
def test_an_ignore_of_a_rule_that_was_not_asked_is_not_called_idle(code, options):
    found, _ = mixed(f"  # envfix: ignore[CUD201, {code}] by its path", **options)
    assert found == []


def test_an_ignore_of_a_rule_that_judges_no_file_is_not_called_idle():
    assert mixed("  # envfix: ignore[CUD201, PTH401] by its path")[0] == []


def test_what_is_told_of_a_comment_can_be_silenced_there():
    found, report = mixed("  # envfix: ignore[CUD201, DEC712, DEC725] by its path")
    assert found == []
    assert {i.finding.code for i in report.ignored} == {"CUD201", "DEC725"}


def test_what_a_silenced_finding_explained_comes_to_light():
    explained = {s.code for f in mixed("")[1].findings for s in f.symptoms}
    report = mixed("  # envfix: ignore[CUD201] by its path")[1]
    assert explained <= {f.code for f in report.findings} | {i.finding.code for i in report.ignored}


@pytest.mark.parametrize(
    "comment",
    ["# envfix: ignored", "# envfix: see below", "#envfix ignore[CUD201] x", "#!envfix: ignore"],
)
def test_what_is_no_ignore_is_left_alone(comment):
    assert [code for code, _ in mixed(f"  {comment}")[0]] == ["CUD201"]


def test_the_good_example_is_good_where_all_rules_are_asked():
    found, report = judged(dec725_unused_ignore.GOOD)
    assert found == []
    assert [i.finding.code for i in report.ignored] == ["CUD201"]


def test_one_rule_alone_is_asked_last():
    assert [code for code, m in all_rules().items() if m.RULE.is_last] == ["DEC725"]
