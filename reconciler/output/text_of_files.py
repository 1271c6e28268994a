"""The report on declared files for a terminal: file by file, each finding with its line.

It has no word on an environment, because none was looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.look import PLAIN
from reconciler.output.page import (
    Page,
    add_details,
    add_passed_over,
    counted,
    counts_of,
    fixable_of,
    place_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.look import Look
    from reconciler.model.report import Report


def render(report: Report, look: Look = PLAIN, *, verbose: bool = False) -> str:
    """Return the findings of each file by their lines, what was passed over, and a summary."""
    page = Page(look)
    for finding in _by_place(report):
        severity = page.style(finding.severity, finding.severity)
        name = page.style(f"{finding.code} {finding.name}", "bold")
        page.add(f"{page.style(place_of(report, finding.at), 'bold')}: {severity} {name}")
        page.paragraph(finding.message + ".")
        add_details(page, report, finding, verbose=verbose)
    add_passed_over(page, report, verbose=verbose)
    page.add(_summary(page, report))
    if fixable := fixable_of(report):
        page.add(page.inked(fixable))
    return "\n".join(page.lines) + "\n"


def _by_place(report: Report) -> list[Finding]:
    """Return the findings in the order of the files as they were asked for, then by line."""
    order = {path: number for number, path in enumerate(report.target.files)}

    def place(finding: Finding) -> tuple[int, str, int, int]:
        at = finding.at
        return order.get(at.path or "", len(order)), at.path or "", at.line or 0, at.column or 0

    return sorted(report.findings, key=place)


def _summary(page: Page, report: Report) -> str:
    unread = {gap.item for gap in report.gaps}
    paths = {*report.target.files} - {*report.left_alone} - unread
    beside = ", ".join(_beside(report))
    beside = page.style(f" ({beside})", "dim") if beside else ""
    if found := ", ".join(counts_of(page, report)):
        return f"{found} in {counted(len(paths), 'file')}{beside}"
    if not paths:
        return f"Nothing to judge{beside}"
    return f"{page.style('All clear', 'good')}: {counted(len(paths), 'file')}{beside}"


def _beside(report: Report) -> Iterator[str]:
    if report.ignored:
        yield f"{counted(len(report.ignored), 'finding')} ignored"
    if report.gaps:
        yield f"{len(report.gaps)} not seen"
    if report.left_alone:
        yield f"{counted(len(report.left_alone), 'file')} left alone"
