"""The parts that the reports for a terminal share."""

from __future__ import annotations

import re
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
    from reconciler.model.look import Look
    from reconciler.model.report import Crash, Report
    from reconciler.model.snapshot import Gap

#: ANSI's select-graphic-rendition codes (ECMA-48).
STYLES: Mapping[str, str] = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "good": "1;32",
    "bold": "1",
    # What can be passed over: labels, evidence, what is in brackets.
    "dim": "2",
    # As dim, and nothing in it stands out.
    "quiet": "2",
    # What is to be copied.
    "command": "36",
    "plain": "",
}
# A command in a sentence, the code of a rule, and a severity behind it.
_INLINE = re.compile(
    r"(?P<command>`[^`]+`)|(?P<bold>\b[A-Z]{3}\d{3}\b)|(?<=\()(?P<severity>error|warning|info)(?=\))"
)
_COMMAND = re.compile(r"`[^`]+`")
# Stands for a space that is not to be broken at; printable() lets no such character through.
_GLUE = "\x00"
#: Without --verbose, as many packages of one side and CUDA are named.
FEW = 3
_LEFT_ALONE = "it does not declare a Python environment"


class Page:
    """Lines as they are written; whatever came from an environment is made printable here."""

    def __init__(self, look: Look) -> None:
        self.lines: list[str] = []
        self.width = look.width
        self._color = look.color
        self._whole = look.whole or look.color

    def style(self, text: str, style: str) -> str:
        """Return text in a style, where there is color."""
        code = STYLES[style] if self._color and text else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def add(self, text: str = "") -> None:
        """Add a line as it is."""
        self.lines.append(text)

    def paragraph(  # noqa: PLR0913 - each is how a part of the text is shown
        self,
        text: str,
        *,
        label: str = "",
        indent: int = 2,
        style: str = "bold",
        body: str = "plain",
        keep: Sequence[str] = (),
    ) -> None:
        """Add wrapped text, its label hanging at the left; what is to be kept whole is so."""
        hanging = " " * (indent + len(label))
        for number, line in enumerate(self._wrapped(text, hanging, hanging, keep)):
            head = hanging if number else " " * indent + self.style(label, style)
            self.lines.append(f"{head}{self.inked(line, body)}")

    def comment(self, text: str, style: str = "plain") -> None:
        """Add wrapped text as a comment of YAML, of TOML and of requirements."""
        for number, line in enumerate(self._wrapped(text, "# ", "#   ")):
            head = self.style("#   " if number else "# ", "dim")
            self.lines.append(f"{head}{self.inked(line, style)}")

    def _wrapped(
        self, text: str, first: str, other: str, keep: Sequence[str] = ()
    ) -> Iterator[str]:
        """Yield the lines of a text, without what they begin with."""
        lines = textwrap.wrap(
            self._glued(printable(text), keep),
            width=self.width,
            initial_indent=first,
            subsequent_indent=other,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, line in enumerate(lines):
            yield line[len(other if number else first) :].replace(_GLUE, " ")

    def inked(self, text: str, style: str = "plain") -> str:
        """Return text in a style, with its commands and codes in theirs, where there is color."""
        if style == "quiet" or not self._color:
            return self.style(text, style)
        said, end = "", 0
        for match in _INLINE.finditer(text):
            kind = match["severity"] or match.lastgroup or style
            said += self.style(text[end : match.start()], style) + self.style(match[0], kind)
            end = match.end()
        return said + self.style(text[end:], style)

    def _glued(self, text: str, keep: Sequence[str]) -> str:
        """Return text whose commands, and what is to be kept, have no space to be broken at."""
        if not self._whole:
            return text
        for whole in map(printable, keep):
            text = text.replace(whole, whole.replace(" ", _GLUE))
        return _COMMAND.sub(lambda match: match[0].replace(" ", _GLUE), text)


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
        page.paragraph(place, label="and     ", style="dim")
    if finding.platforms:
        page.paragraph(", ".join(finding.platforms), label="on      ", style="dim")
    page.paragraph(finding.shows_as + ".", label="shows   ", style="dim")
    for number, evidence in enumerate(few(finding.evidence, FEW + 1, verbose=verbose)):
        label = "        " if number else "seen    "
        page.paragraph(evidence, label=label, style="dim", body="quiet")
    page.paragraph(finding.remedy + ".", label="do      ", style="good")
    if finding.fix:
        _add_fix(page, report, finding, finding.fix)
    for symptom in finding.symptoms:
        page.paragraph(f"{symptom.code} {symptom.message}.", label="hence   ", style="dim")
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
        page.paragraph(f"{fix.title} ({how}).", label="fix     ", style="good")
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
        page.paragraph(fix.title + ".", label="but     ", style="warning")
    lines = [line_of(command) for command in fix.commands for _ in range(command.times)]
    for number, line in enumerate(lines):
        label = "        " if number else page.style("run     ", "good")
        page.add(f"  {label}{page.style(printable(line), 'command')}")


def add_passed_over(page: Page, report: Report, *, verbose: bool) -> None:
    """Add what was not judged, what was not seen, and what is ignored."""
    codes: dict[str, list[str]] = {}
    for skip in report.skips:
        codes.setdefault(skip.reason, []).append(skip.code)
    for reason, passed in codes.items():
        page.paragraph(
            f"{', '.join(passed)}: {reason}",
            label="not judged  ",
            indent=0,
            style="dim",
            body="quiet",
        )
    # What a rule was passed over for is said with the rule.
    gaps = [g for g in report.gaps if not any(g.reason in skip.reason for skip in report.skips)]
    for gap in gaps:
        page.paragraph(
            f"{what_of(gap)}: {gap.reason}",
            label="not seen    ",
            indent=0,
            style="dim",
            body="quiet",
        )
    for crash in report.crashes:
        page.paragraph(
            f"{crash.code} {last_line(crash)}", label="crashed     ", indent=0, style="error"
        )
    for ignored in report.ignored if verbose else ():
        by = place_of(report, ignored.by.at)
        why = ignored.by.reason or "no reason is given"
        said = f"{ignored.finding.code} {place_of(report, ignored.finding.at)}: {why} ({by})"
        page.paragraph(said, label="ignored     ", indent=0, style="dim", body="quiet")
    for path in report.left_alone if verbose else ():
        page.paragraph(
            f"{path}: {_LEFT_ALONE}", label="left alone  ", indent=0, style="dim", body="quiet"
        )
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
