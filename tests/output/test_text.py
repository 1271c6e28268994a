from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import pipeline
from reconciler.model.cuda import CudaVersion
from reconciler.model.finding import Severity
from reconciler.model.look import Look
from reconciler.model.report import Skip
from reconciler.model.steps import line_of
from reconciler.output import page, text
from reconciler.rules import all_rules
from reconciler.testing import sketch

from .reports import BAD, EMPTY, ESCAPE, WORDS, finding, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.report import Report

REPORTS = {**BAD, "empty": EMPTY, "everything": report()}
LONG = "/a/very/long/path" * 12

every_report = pytest.mark.parametrize("shown", REPORTS.values(), ids=REPORTS)
either_length = pytest.mark.parametrize("verbose", [False, True], ids=["short", "verbose"])


@every_report
@either_length
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_that_can_be_broken_is_longer_than_the_terminal(
    shown: Report, width: int, *, verbose: bool
) -> None:
    lines = text.render(shown, Look(width=width), verbose=verbose).splitlines()

    # a label and a path, which nothing can break; and what is to be copied
    long = [line for line in lines if len(line) > width and len(line.split()) > 2]
    assert [line for line in long if not line.endswith(commands(shown))] == []


def commands(shown: Report) -> tuple[str, ...]:
    fixes = [finding.fix for finding in shown.findings if finding.fix]
    return tuple(line_of(command) for fix in fixes for command in fix.commands)


def test_the_commands_of_a_fix_stand_under_the_finding_as_they_are_to_be_run() -> None:
    lines = text.render(BAD["DUP103"]).splitlines()

    start = next(number for number, line in enumerate(lines) if line.startswith("  run     "))
    assert lines[start : start + 3] == [
        "  run     conda remove -p /prefix --yes --force packaging",
        "          uv pip uninstall --python /prefix/bin/python packaging",
        "          conda install -p /prefix --yes --force-reinstall packaging=25.0=pyh29332c3_1",
    ]


def test_commands_that_are_left_to_a_person_stand_under_the_reason() -> None:
    sketched = sketch(all_rules()["DUP103"].BAD + "state: {frozen: true}\n")

    lines = text.render(pipeline.scan(sketched)).splitlines()

    (start,) = (number for number, line in enumerate(lines) if line.startswith("  but     keep"))
    assert "conda-meta/frozen says" in lines[start + 1]
    assert lines[start + 3].startswith("  run     conda remove ")


def test_only_a_word_that_cannot_be_broken_is_longer_than_the_terminal() -> None:
    lines = text.render(report(f"{WORDS} {LONG} {WORDS}")).splitlines()

    assert {line.split()[-1].strip(".:(),;") for line in lines if len(line) > 80} <= {
        LONG,
        f"{LONG}:12:5",
    }


@every_report
@either_length
def test_there_is_no_color_by_default(shown: Report, *, verbose: bool) -> None:
    assert "\x1b" not in text.render(shown, verbose=verbose)


@every_report
def test_color_changes_no_letter(shown: Report) -> None:
    plain = text.render(shown, Look(whole=True))
    colored = text.render(shown, Look(color=True))

    for code in {f"\x1b[{style}m" for style in page.STYLES.values()} | {"\x1b[0m"}:
        colored = colored.replace(code, "")
    assert colored == plain


def test_color_is_of_the_severity() -> None:
    assert "\x1b[1;33mwarning\x1b[0m" in text.render(
        report(WORDS, finding(severity=Severity.WARNING)), Look(color=True)
    )


@pytest.mark.parametrize(
    "render", [text.render, partial(text.render, verbose=True), text.render_quiet]
)
def test_nothing_that_a_terminal_would_obey_is_written(render: Callable[[Report], str]) -> None:
    written = render(report(ESCAPE))

    assert set(written) & set(ESCAPE) <= set("[31mred\n")


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_any_words_are_written_in_printable_lines(words: str) -> None:
    assert all(line.isprintable() for line in text.render(report(words)).split("\n"))


@given(st.text(max_size=30))
def test_any_finding_is_one_printable_line_of_quiet(words: str) -> None:
    shown = msgspec.structs.replace(report(words), crashes=())
    lines = text.render_quiet(shown).split("\n")

    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


@every_report
def test_every_finding_is_shown_with_its_code_and_severity(shown: Report) -> None:
    written = text.render(shown)

    assert all(f"{f.severity} {f.code} {f.name}" in written for f in shown.findings)


def test_a_finding_is_shown_with_its_place_and_symptoms() -> None:
    shown = finding("the cause", Severity.ERROR, finding("the symptom"))

    written = text.render(report(WORDS, shown))

    assert "at      the cause:12:5" in written
    assert "XYZ901 the symptom." in written


def test_further_places_and_evidence_are_shown_on_demand() -> None:
    short, verbose = (
        text.render(report("seen"), verbose=verbose).count("seen") for verbose in (False, True)
    )

    assert verbose > short


@either_length
def test_what_was_passed_over_is_shown(*, verbose: bool) -> None:
    written = " ".join(text.render(report(), verbose=verbose).split())

    assert "not judged XYZ902: the libraries" in written
    assert "not seen driver: the libraries" in written
    assert "crashed XYZ903 has a bug: KeyError" in written


def test_an_empty_environment_has_nothing_to_do_with_cuda() -> None:
    assert "No package of this environment has to do with CUDA." in text.render(EMPTY)


@pytest.mark.parametrize(
    ("severities", "summary"),
    [
        ([Severity.ERROR], "1 error ("),
        ([Severity.ERROR] * 2 + [Severity.INFO] * 2, "2 errors, 2 info ("),
        ([Severity.WARNING], "1 warning ("),
    ],
)
def test_the_last_line_counts(severities: list[Severity], summary: str) -> None:
    shown = report(WORDS, *(finding(severity=severity) for severity in severities))

    assert text.render(shown).splitlines()[-1].startswith(summary)


def test_without_findings_the_last_line_says_so() -> None:
    assert text.render(EMPTY).splitlines()[-1].startswith("Nothing found")


@every_report
def test_quiet_is_one_line_a_finding(shown: Report) -> None:
    lines = text.render_quiet(shown).splitlines()

    assert len(lines) == len(shown.findings) + len(shown.crashes)
    assert all(f.code in line for f, line in zip(shown.findings, lines, strict=False))


def test_quiet_says_what_counts_when_it_is_strict() -> None:
    lines = text.render_quiet(report(), strict=True).splitlines()

    assert [line.split(":")[0] for line in lines[1:]] == ["XYZ903", "XYZ902", "records", "driver"]


def test_quiet_is_silent_where_nothing_is_found() -> None:
    assert text.render_quiet(EMPTY) == ""


@every_report
def test_no_line_ends_in_white_space(shown: Report) -> None:
    written = text.render(shown)

    assert [line for line in written.splitlines() if line != line.rstrip()] == []
    assert written.endswith("\n")


@pytest.mark.parametrize(
    ("tags", "shown"), [(("11.8", "12.4", "13.0"), "11-13"), (("12.1", "12.4"), "12")]
)
def test_a_build_with_a_library_for_each_release_shows_their_majors(
    tags: tuple[str, ...], shown: str
) -> None:
    releases = tuple(filter(None, map(CudaVersion.parse, tags)))
    build = msgspec.structs.replace(report().builds[0], cuda=None, releases=releases)

    page = text.render(msgspec.structs.replace(EMPTY, builds=(build,)), Look(width=100))

    assert f"\n{shown:8}{build.manager:8}" in page


def test_rules_that_were_passed_over_for_one_reason_are_one_line() -> None:
    skips = tuple(Skip(code=code, reason="no interpreter") for code in ("ELF501", "VIS301"))
    other = Skip(code="DRV601", reason="no driver")

    said = text.render(msgspec.structs.replace(report(), skips=(*skips, other)))

    assert "not judged  ELF501, VIS301: no interpreter\nnot judged  DRV601: no driver\n" in said
