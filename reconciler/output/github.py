"""The report as annotations of GitHub: commands that a workflow's log is searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity
from reconciler.model.os_name import printable
from reconciler.output.anchor import anchor_of, from_root, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.finding import Finding
    from reconciler.model.report import Report

# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
_COMMANDS: Mapping[Severity, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}


def render(report: Report, *, root: str) -> str:
    """Return one command a finding; paths are relative to ``root``, the folder of the checkout."""
    return "".join(f"{line}\n" for line in _commands(report, root))


def _commands(report: Report, root: str) -> Iterator[str]:
    for finding in report.findings:
        title = attribute(f"{finding.code} {finding.name}")
        place = _place(report, finding, root)
        words = data(in_words(report, finding))
        yield f"::{_COMMANDS[finding.severity]} {place}title={title}::{words}"
    for crash in report.crashes:
        title = attribute(f"envfix: {crash.code} has a bug")
        yield f"::error title={title}::{data(crash.traceback)}"
    # Of the ten annotations that GitHub shows of a step, none is lost on what was not looked at.
    for gap in report.gaps:
        yield f"not seen: {printable(f'{gap.item or gap.fact}: {gap.reason}')}"


def _place(report: Report, finding: Finding, root: str) -> str:
    anchor = anchor_of(report, finding)
    if not anchor.path:
        return ""
    path = attribute(from_root(report, anchor.path, root))
    return f"file={path},line={anchor.line},col={anchor.column},"


def data(text: str) -> str:
    """Return text as the message of a command has it."""
    # As @actions/core escapes it: packages/core/src/command.ts.
    lines = (printable(line).replace("%", "%25") for line in text.splitlines())
    return "%0A".join(lines)


def attribute(text: str) -> str:
    """Return text as an attribute of a command has it."""
    return data(text).replace(":", "%3A").replace(",", "%2C")
