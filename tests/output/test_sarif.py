"""The report as SARIF: of its schema, and the same finding again when other lines have moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest

from reconciler import pipeline, rules
from reconciler.output import sarif
from reconciler.testing import sketch

from .reports import BAD, EMPTY, ESCAPE, report
from .test_github import in_environment

if TYPE_CHECKING:
    from reconciler.model.report import Report

MODULES = tuple(rules.all_rules().values())
SCHEMA = json.loads((Path(__file__).parent / "sarif.schema.json").read_text("utf-8"))
ROOT = Path(__file__).parent.parent.parent


def render(said: Report, root: str = "/project") -> Any:
    whole = json.loads(sarif.render(said, MODULES, root=root))
    jsonschema.validate(whole, SCHEMA)
    return whole["runs"][0]


@pytest.mark.parametrize("code", BAD)
def test_a_report_is_of_the_schema(code: str) -> None:
    run = render(BAD[code])

    assert len(run["results"]) == len(BAD[code].findings)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_report_without_findings_is_of_the_schema() -> None:
    assert render(EMPTY)["results"] == []


def test_what_was_not_seen_and_what_crashed_are_notifications() -> None:
    said = msgspec.structs.replace(report(ESCAPE), findings=())
    (invocation,) = render(said)["invocations"]

    assert invocation["executionSuccessful"] is False
    assert [n["level"] for n in invocation["toolExecutionNotifications"]] == [
        "note",
        "note",
        "error",
    ]


def test_a_rule_brings_its_page() -> None:
    (rule,) = render(BAD["CUD201"])["tool"]["driver"]["rules"][:1]

    assert rule["id"] == "CUD201"
    assert rule["name"] == "CudaMajorsMixed"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert "Why it matters" not in rule["fullDescription"]["text"]
    assert rule["help"]["markdown"] == (ROOT / "docs" / "rules" / "CUD201.md").read_text("utf-8")


LINES = ["cudatoolkit=11.8", "pip", "{pip: [torch==2.1.2+cu121]}"]


def declared(*lines: str) -> list[dict[str, Any]]:
    text = "environment.yml: |\n  dependencies:\n" + "".join(f"    - {line}\n" for line in lines)
    results: list[dict[str, Any]] = render(pipeline.scan(sketch(text), select=["CUD201"]))[
        "results"
    ]
    return results


def test_a_finding_has_its_place_its_words_and_its_others() -> None:
    (result,) = declared(*LINES)
    place = result["locations"][0]["physicalLocation"]

    assert place["artifactLocation"] == {"uri": "environment.yml", "uriBaseId": "%SRCROOT%"}
    assert place["region"]["snippet"]["text"].startswith(LINES[0])
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 4


def test_the_fingerprint_stays_when_lines_move_and_is_another_s_own() -> None:
    ((before,), (moved,), (other,)) = (
        declared(*LINES),
        declared("python", "numpy", *LINES),
        declared("cudatoolkit=11.7", *LINES[1:]),
    )

    assert before["partialFingerprints"] == moved["partialFingerprints"]
    assert before["partialFingerprints"] != other["partialFingerprints"]


def test_two_findings_of_one_line_have_two_fingerprints() -> None:
    said = report("x")
    said = msgspec.structs.replace(said, findings=said.findings * 2)

    prints = {r["partialFingerprints"]["envfix/v1"] for r in render_unknown(said)["results"]}

    assert len(prints) == 2


def render_unknown(said: Report) -> Any:
    """Render findings of a code that no rule has: as if CUD201 had made them."""
    findings = tuple(msgspec.structs.replace(f, code="CUD201") for f in said.findings)
    return render(msgspec.structs.replace(said, findings=findings))


def test_what_lives_in_an_environment_says_in_which() -> None:
    (result,) = render_unknown(in_environment("conda cudatoolkit 11.8.0", "environment.yml"))[
        "results"
    ]
    (location,) = result["locations"]

    assert location["physicalLocation"]["region"]["startLine"] == 4
    name = location["logicalLocations"][0]["fullyQualifiedName"]
    assert name == "/prefix::conda cudatoolkit 11.8.0"
    assert "relatedLocations" not in result


def test_what_has_no_file_has_a_logical_place() -> None:
    (result,) = render_unknown(in_environment("the variable PATH"))["results"]

    assert "physicalLocation" not in result["locations"][0]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/r\N{LATIN SMALL LETTER E WITH ACUTE}qs.txt", "a%20b/r%C3%A9qs.txt"),
        ("\U0010ffff.txt", "%FF.txt"),
        ("../x.txt", "file:///x.txt"),
    ],
)
def test_a_path_is_a_uri(path: str, uri: str) -> None:
    said = report("x")
    places = (msgspec.structs.replace(said.findings[0].at, path=path),)
    findings = tuple(msgspec.structs.replace(f, at=places[0]) for f in said.findings)
    target = msgspec.structs.replace(said.target, project="/project", files=(path,))

    (result,) = render_unknown(msgspec.structs.replace(said, findings=findings, target=target))[
        "results"
    ]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
