"""The parts that the reports for a terminal share."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, flat
from reconciler.model.fix import Applicability
from reconciler.model.os_name import printable
from reconciler.model.steps import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.finding import Finding, Location
    from reconciler.model.fix import Fix
    from reconciler.model.report import Crash, Report
    from reconciler.model.snapshot import Gap

#: ANSI's select-graphic-rendition codes (ECMA-48).
STYLES: Mapping[str, str] = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "bold": "1",
    "plain": "",
}
#: Without --verbose, as many packages of one side and CUDA are named.
FEW = 3
_LEFT_ALONE = "it does not declare a Python environment"


class Page:
    """Lines as they are written; whatever came from an environment is made printable here."""

    def __init__(self, *, width: int, color: bool) -> None:
        self.lines: list[str] = []
        self._width = width
        self._color = color

    def style(self, text: str, style: str) -> str:
        """Return text in a style, where there is color."""
        code = STYLES[style] if self._color else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def add(self, text: str = "") -> None:
        """Add a line as it is."""
        self.lines.append(text)

    def paragraph(
        self, text: str, *, label: str = "", indent: int = 2, style: str = "bold"
    ) -> None:
        """Add wrapped text, its label hanging at the left."""
        head = " " * indent + label
        wrapped = textwrap.wrap(
            printable(text),
            width=self._width,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
        if label and wrapped:
            wrapped[0] = " " * indent + self.style(label, style) + wrapped[0][len(head) :]
        self.lines += wrapped


def few(items: Sequence[str], few: int, *, verbose: bool) -> Iterator[str]:
    """Yield the first of the items, and how many more there are."""
    shown = items if verbose or len(items) <= few + 1 else items[:few]
    yield from shown
    if len(shown) < len(items):
        yield f"and {len(items) - len(shown)} more (-v)"


def place_of(report: Report, location: Location) -> str:
    """Return a place as path, line and column; its subject where it has no file."""
    path = report.path_of(location)
    if path is None:
        return printable(location.subject)
    at = "".join(f":{part}" for part in (location.line, location.column) if part is not None)
    return printable(f"{path}{at}")


def what_of(gap: Gap) -> str:
    """Return what could not be looked at."""
    return printable(f"{gap.fact}: {gap.item}" if gap.item else gap.fact)


def last_line(crash: Crash) -> str:
    """Return the error that ended a rule."""
    return printable(f"has a bug: {crash.traceback.strip().splitlines()[-1]}")


def add_details(page: Page, report: Report, finding: Finding, *, verbose: bool) -> None:
    """Add what there is to say of a finding beside its message and its place."""
    places = [place_of(report, location) for location in finding.related]
    for place in few(places, FEW, verbose=verbose):
        page.paragraph(place, label="and     ")
    if finding.platforms:
        page.paragraph(", ".join(finding.platforms), label="on      ")
    page.paragraph(finding.shows_as + ".", label="shows   ")
    for number, evidence in enumerate(few(finding.evidence, FEW + 1, verbose=verbose)):
        page.paragraph(evidence, label="        " if number else "seen    ")
    page.paragraph(finding.remedy + ".", label="do      ")
    if finding.fix:
        _add_fix(page, report, finding, finding.fix)
    for symptom in finding.symptoms:
        page.paragraph(f"{symptom.code} {symptom.message}.", label="hence   ")
        # The same rule in another place has the same cure; another rule's may not be.
        if symptom.code != finding.code and symptom.severity is Severity.ERROR:
            page.paragraph(symptom.remedy + ".", label="        ")
        fix = symptom.fix
        # What a person is to choose is said of the root, and so are commands that mend both.
        is_another = fix and (fix.edits or (fix.hooks and fix != finding.fix))
        if fix and is_another and fix.applicability is not Applicability.DISPLAY:
            _add_fix(page, report, symptom, fix)
    page.add()


def says_more(finding: Finding) -> bool:
    """Tell whether the title of a finding's fix is more than its remedy says."""
    return bool(finding.fix and finding.fix.title not in finding.remedy)


def _add_fix(page: Page, report: Report, finding: Finding, fix: Fix) -> None:
    how = f"safe: `{_command(report)}`"
    if fix.applicability is Applicability.UNSAFE:
        how = f"if that is what you mean: `{_command(report)} --unsafe-fixes`"
    elif fix.applicability is Applicability.DISPLAY:
        how = "for you to choose"
    is_choice = fix.applicability is Applicability.DISPLAY and not fix.commands
    if says_more(finding) if is_choice else fix.edits or fix.hooks:
        page.paragraph(f"{fix.title} ({how}).", label="fix     ")
    _commands(page, fix)


def _command(report: Report) -> str:
    """Return what makes the fixes of a report: of the files that were asked about, or of a project."""
    return "envfix check --fix" if report.target.files else "envfix fix --write"


def fixable_of(report: Report) -> str:
    """Return how much of a report has a fix, and which command makes it; "" where nothing has."""
    fixes = [finding.fix for finding in flat(report.findings) if finding.fix]
    of_files = [fix.applicability for fix in fixes if fix.edits or fix.hooks]
    safe, unsafe = (of_files.count(a) for a in (Applicability.SAFE, Applicability.UNSAFE))
    by_commands = sum(
        bool(fix.commands and not fix.edits) and fix.applicability is not Applicability.DISPLAY
        for fix in fixes
    )
    command = _command(report)
    said = [f"{safe} fixable with `{command}`"] if safe else []
    if unsafe:
        with_what = "more with --unsafe-fixes" if safe else f"with `{command} --unsafe-fixes`"
        said.append(f"{unsafe} {'' if safe else 'fixable '}{with_what}")
    if by_commands:
        said.append(f"{by_commands} by commands (`envfix fix --script FILE`)")
    return ", ".join(said)


def _commands(page: Page, fix: Fix) -> None:
    """Add the commands of a fix, each on one line, as it is to be copied."""
    if fix.commands and fix.applicability is Applicability.DISPLAY:
        page.paragraph(fix.title + ".", label="but     ")
    lines = [line_of(command) for command in fix.commands for _ in range(command.times)]
    for number, line in enumerate(lines):
        label = "        " if number else page.style("run     ", "bold")
        page.add(f"  {label}{printable(line)}")


def add_passed_over(page: Page, report: Report, *, verbose: bool) -> None:
    """Add what was not judged, what was not seen, and what is ignored."""
    codes: dict[str, list[str]] = {}
    for skip in report.skips:
        codes.setdefault(skip.reason, []).append(skip.code)
    for reason, passed in codes.items():
        page.paragraph(f"{', '.join(passed)}: {reason}", label="not judged  ", indent=0)
    # What a rule was passed over for is said with the rule.
    gaps = [g for g in report.gaps if not any(g.reason in skip.reason for skip in report.skips)]
    for gap in gaps:
        page.paragraph(f"{what_of(gap)}: {gap.reason}", label="not seen    ", indent=0)
    for crash in report.crashes:
        page.paragraph(f"{crash.code} {last_line(crash)}", label="crashed     ", indent=0)
    for ignored in report.ignored if verbose else ():
        by = place_of(report, ignored.by.at)
        why = ignored.by.reason or "no reason is given"
        said = f"{ignored.finding.code} {place_of(report, ignored.finding.at)}: {why} ({by})"
        page.paragraph(said, label="ignored     ", indent=0)
    for path in report.left_alone if verbose else ():
        page.paragraph(f"{path}: {_LEFT_ALONE}", label="left alone  ", indent=0)
    if page.lines and page.lines[-1]:
        page.add()


def counts_of(page: Page, report: Report) -> Iterator[str]:
    """Yield how many findings there are of each severity that there are any of."""
    severities = [finding.severity for finding in report.findings]
    for severity in Severity:
        if count := severities.count(severity):
            noun = f"{count} info" if severity is Severity.INFO else counted(count, severity)
            yield page.style(noun, severity)


def counted(number: int, noun: str) -> str:
    """Return a number of things: ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
