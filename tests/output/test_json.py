from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.finding import Location, Severity
from reconciler.output import json as output

from .reports import BAD, EMPTY, ESCAPE, WORDS, finding, report

if TYPE_CHECKING:
    from reconciler.model.report import Report

REPORTS = {**BAD, "empty": EMPTY, "everything": report(), "escapes": report(ESCAPE)}
VALIDATOR = jsonschema.Draft202012Validator(output.schema())

every_report = pytest.mark.parametrize("shown", REPORTS.values(), ids=REPORTS)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(output.schema())


@every_report
def test_a_report_is_of_its_schema(shown: Report) -> None:
    assert list(VALIDATOR.iter_errors(json.loads(output.render(shown)))) == []


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_a_report_of_any_words_is_of_its_schema(words: str) -> None:
    written = json.loads(output.render(report(words)))

    assert list(VALIDATOR.iter_errors(written)) == []
    assert written["findings"][0]["message"] == words


@pytest.mark.parametrize("member", ["schema", "target", "findings", "skipped", "crashes"])
def test_a_report_without_a_member_is_not_of_its_schema(member: str) -> None:
    written = json.loads(output.render(EMPTY))
    del written[member]

    assert list(VALIDATOR.iter_errors(written)) != []


def test_a_report_of_another_schema_is_not_of_its_schema() -> None:
    written = json.loads(output.render(EMPTY)) | {"schema": 2}

    assert list(VALIDATOR.iter_errors(written)) != []


def test_the_contract_of_the_command_line_is_kept() -> None:
    written = json.loads(output.render(report()))

    assert written["schema"] == 1
    assert written["target"].keys() >= {"project", "prefix", "kind", "platform"}
    assert written["summary"] == {"error": 1, "warning": 0, "info": 0, "skipped": 1}
    assert written["builds"][0].keys() >= {
        "subject",
        "manager",
        "component",
        "cuda",
        "variant",
        "evidence",
    }
    assert written["findings"][0].keys() >= {
        *("code", "name", "severity", "message", "subject", "path", "line", "column"),
        *("related", "url"),
    }


def test_a_symptom_is_inside_its_cause() -> None:
    shown = finding("the cause", Severity.WARNING, finding("the symptom"))

    (written,) = json.loads(output.render(report(WORDS, shown)))["findings"]

    assert written["message"] == "the cause"
    assert [symptom["message"] for symptom in written["symptoms"]] == ["the symptom"]


def test_a_finding_without_a_fix_has_no_member_for_it() -> None:
    (written,) = json.loads(output.render(report()))["findings"]

    assert "fix" not in written


def test_a_fix_of_an_environment_has_its_commands() -> None:
    (found,) = json.loads(output.render(BAD["DUP106"]))["findings"]
    (again,) = json.loads(output.render(BAD["ELF506"]))["findings"]

    assert found["fix"]["commands"] == []
    assert again["fix"]["applicability"] == "unsafe"
    (command,) = again["fix"]["commands"]
    assert command["argv"][:3] == ["uv", "pip", "install"]
    assert (command["manager"], command["destructive"], command["times"]) == ("uv", False, 1)
    assert "its manager takes it to be installed" in command["why"]


def test_a_path_in_the_prefix_is_relative_to_the_project_where_it_lies_inside() -> None:
    place = Location(subject="x", path="lib/x", in_prefix=True)
    shown = msgspec.structs.replace(
        report(), findings=(msgspec.structs.replace(finding(), at=place),)
    )
    inside = msgspec.structs.replace(shown.target, project="/home/a", prefix="/home/a/.venv")
    outside = msgspec.structs.replace(shown.target, project="/home/a", prefix="/opt/env")

    paths = [
        json.loads(output.render(msgspec.structs.replace(shown, target=target)))["findings"][0][
            "path"
        ]
        for target in (inside, outside)
    ]

    assert paths == [".venv/lib/x", "/opt/env/lib/x"]


@every_report
def test_no_control_character_is_written_but_the_ends_of_lines(shown: Report) -> None:
    assert {c for c in output.render(shown) if c < " "} == {"\n"}


def test_the_text_ends_in_one_line_break() -> None:
    assert output.render(EMPTY).endswith("}\n")
