"""The report as SARIF 2.1.0, for code scanning and for editors.

http://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from reconciler.model.finding import Severity
from reconciler.model.os_name import to_os
from reconciler.output import rule_page
from reconciler.output.anchor import anchor_of, from_root, in_words, is_declared, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding, Location
    from reconciler.model.report import Crash, Report
    from reconciler.model.rule import RuleModule
    from reconciler.model.snapshot import Gap
    from reconciler.world import World

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
#: Where the list of rules can be read; each rule's own page travels in the report.
HOME = "https://pypi.org/project/envfix-cuda/"
_LEVELS: Mapping[Severity, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}


def render(report: Report, rules: Sequence[RuleModule[World]], *, root: str) -> str:
    """Return the report with the pages of the rules that found something; paths are below ``root``."""
    found = {finding.code for finding in report.findings}
    pages = [module for module in rules if module.RULE.code in found]
    run = {
        "tool": {
            "driver": {
                "name": "envfix",
                "semanticVersion": report.envfix,
                "informationUri": HOME,
                "rules": [_rule(module) for module in pages],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": list(_results(report, [module.RULE.code for module in pages], root)),
    }
    whole = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _rule(module: RuleModule[World]) -> Mapping[str, Any]:
    card = module.RULE
    page = inspect.cleandoc(module.__doc__ or "")
    summary = page.partition("\n\n")[0]
    full = page.partition("\nWhy it matters\n")[0]
    return {
        "id": card.code,
        "name": "".join(word.capitalize() for word in card.name.split("-")),
        "shortDescription": {"text": " ".join(summary.split())},
        "fullDescription": {"text": " ".join(full.split())},
        "helpUri": HOME,
        "help": {"text": page, "markdown": rule_page.render(module)},
        "defaultConfiguration": {"level": _LEVELS[card.severity]},
        "properties": {"tags": ["cuda", "dependencies", card.code[:3]]},
    }


def _invocation(report: Report) -> Mapping[str, Any]:
    told = [_notification(gap) for gap in report.gaps]
    crashed = [_crash(crash) for crash in report.crashes]
    return {
        "executionSuccessful": not report.crashes,
        "toolExecutionNotifications": [*told, *crashed],
    }


def _notification(gap: Gap) -> Mapping[str, Any]:
    what = f"{gap.fact}: {gap.item}" if gap.item else gap.fact
    return {"level": "note", "message": {"text": f"not seen: {what}: {gap.reason}"}}


def _crash(crash: Crash) -> Mapping[str, Any]:
    return {"level": "error", "message": {"text": f"{crash.code} has a bug: {crash.traceback}"}}


def _results(report: Report, codes: Sequence[str], root: str) -> Iterator[Mapping[str, Any]]:
    alike: Counter[str] = Counter()
    for finding in report.findings:
        fingerprint = _fingerprint(report, finding)
        alike[fingerprint] += 1
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": _LEVELS[finding.severity],
            "message": {"text": in_words(report, finding)},
            "partialFingerprints": {"envfix/v1": f"{fingerprint}:{alike[fingerprint]}"},
        }
        if location := _location(report, finding, root):
            result["locations"] = [location]
        if related := list(_related(report, finding, root)):
            result["relatedLocations"] = related
        yield result


def _fingerprint(report: Report, finding: Finding) -> str:
    """Return what stays the same while other lines come and go: the cause, and the line's words."""
    from hashlib import sha256  # noqa: PLC0415 - takes 3 ms, and no other output needs it

    anchor = anchor_of(report, finding)
    words = " ".join(text_of(report, anchor.path, anchor.line).split())
    return sha256(f"{finding.code}\0{finding.cause}\0{words}".encode()).hexdigest()[:32]


def _location(report: Report, finding: Finding, root: str) -> Mapping[str, Any]:
    anchor = anchor_of(report, finding)
    logical = {"name": finding.at.subject, "kind": "package"}
    if report.target.prefix and not is_declared(report, finding.at):
        name = f"{report.target.prefix}::{finding.at.subject}"
        logical["fullyQualifiedName"] = name
    if not anchor.path:
        return {"logicalLocations": [logical]}
    place = _physical(report, anchor.path, anchor.line, anchor.column, root)
    return {"physicalLocation": place, "logicalLocations": [logical]}


def _related(report: Report, finding: Finding, root: str) -> Iterator[Mapping[str, Any]]:
    symptoms = (symptom.at for symptom in finding.symptoms)
    # A file of the environment is on no disk but this one: only declared files are shown.
    places = (place for place in (*finding.related, *symptoms) if is_declared(report, place))
    for number, place in enumerate(places):
        yield {
            "id": number,
            "message": {"text": place.subject},
            "physicalLocation": _of_place(report, place, root),
        }


def _of_place(report: Report, place: Location, root: str) -> Mapping[str, Any]:
    return _physical(report, place.path or "", place.line or 1, place.column or 1, root)


def _physical(report: Report, path: str, line: int, column: int, root: str) -> Mapping[str, Any]:
    shown = from_root(report, path, root)
    region: dict[str, Any] = {"startLine": line, "startColumn": column}
    if words := text_of(report, path, line)[column - 1 :]:
        region["snippet"] = {"text": words}
    artifact = (
        {"uri": f"file://{_quoted(shown)}"}
        if shown.startswith("/")
        else {"uri": _quoted(shown), "uriBaseId": "%SRCROOT%"}
    )
    return {"artifactLocation": artifact, "region": region}


def _quoted(path: str) -> str:
    """Return a path as a part of a URI (RFC 3986)."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "-._~/") else _percent(c) for c in path
    )


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in to_os(character).encode("utf-8", "surrogateescape"))
