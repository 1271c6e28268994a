"""What a repair does and what it leaves, for a terminal: told as a colleague tells a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, flat
from reconciler.model.fix import Applicability
from reconciler.model.look import PLAIN
from reconciler.model.os_name import printable
from reconciler.model.plan import Reason
from reconciler.model.steps import line_of, merge
from reconciler.output import diff
from reconciler.output.hooks import add_changes
from reconciler.output.page import Page, counted, place_of, says_more

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.look import Look
    from reconciler.model.plan import LeftOutFix, PlannedFix, Repair
    from reconciler.model.report import Report

_SURE = {Applicability.SAFE: "safe", Applicability.UNSAFE: "may not be what you mean"}


def render(
    repair: Repair,
    *,
    how: str,
    written: Sequence[str] | None = None,
    look: Look = PLAIN,
    verbose: bool = False,
) -> str:
    """Return the diff, what each fix does, what was left out and why, and what is left to do.

    ``how`` is the command that writes it; ``written`` are the files that were written, of which no
    diff is shown any more.
    """
    page = Page(look)
    _made(page, repair, "What this does" if written is None else "What was done")
    _left_out(page, repair)
    _hooks(page, repair, written is not None)
    _commands(page, repair)
    _left(page, repair, verbose=verbose)
    page.add(page.inked(_summary(repair, written, how), "bold"))
    story = "\n".join(page.lines) + "\n"
    if written is not None or not repair.files:
        return story
    return f"{diff.render(repair.files, color=look.color)}\n{story}"


def render_made(repair: Repair) -> str:
    """Return one line a finding that was mended, to stand above the report of the rest."""
    lines = (
        f"{place_of(repair.before, finding.at)}: mended {finding.code}: {planned.fix.title}"
        for planned in repair.made
        for finding in planned.findings
    )
    return "".join(f"{line}\n" for line in lines) + ("\n" if repair.made else "")


def _made(page: Page, repair: Repair, heading: str) -> None:
    if not repair.made:
        return
    page.add(page.style(heading, "bold"))
    for planned in repair.made:
        sure = _SURE.get(planned.fix.applicability, planned.fix.applicability)
        page.paragraph(f"{_capital(planned.fix.title)} ({sure}).", label="- ", indent=0)
        for finding in planned.findings:
            still = finding in repair.unclosed
            verb = "does not close" if still else "closes"
            page.paragraph(f"{verb} {_said(repair.before, finding)}", body="dim")
    for finding in repair.caused:
        page.paragraph(f"After it, {_said(repair.after, finding)}", label="- ", indent=0)
    page.add()


def _hooks(page: Page, repair: Repair, is_written: bool) -> None:  # noqa: FBT001 - one of two
    if not repair.hooks:
        return
    heading = "What activation does now" if is_written else "What activation is to do"
    page.add(page.style(heading, "bold"))
    changes = (change for planned in repair.hooks for change in planned.fix.hooks)
    add_changes(page, changes, repair.before.target)
    for planned in repair.hooks:
        for finding in planned.findings:
            page.paragraph(f"closes {_said(repair.before, finding)}", body="dim")
    page.add()


def _left_out(page: Page, repair: Repair) -> None:
    left_out = [left for left in repair.left_out if left.reason is not Reason.DISPLAY]
    if not left_out:
        return
    page.add(page.style("What it leaves out", "bold"))
    for left in left_out:
        page.paragraph(
            f"{_capital(left.fix.title)}: {left.why}{_hint(left)}.", label="- ", indent=0
        )
        for finding in left.findings:
            page.paragraph(_said(repair.after, finding))
    page.add()


def _hint(left: LeftOutFix) -> str:
    return "; --unsafe-fixes makes it" if left.reason is Reason.NOT_ALLOWED else ""


def _commands(page: Page, repair: Repair) -> None:
    steps = merge(flat(repair.after.findings)).steps
    if not steps:
        return
    page.add(page.style("What to run in the environment (--script FILE writes it)", "bold"))
    for step in steps:
        for _ in range(step.command.times):
            page.add(f"  {page.style(printable(line_of(step.command)), 'command')}")
        page.paragraph(f"{', '.join(step.codes)}: {'; '.join(step.reasons)}.", indent=6, body="dim")
    page.add()


def _left(page: Page, repair: Repair, *, verbose: bool) -> None:
    """Say what only a person can do: the roots alone, as their symptoms go with them."""
    told = {id(finding) for left in _others(repair.left_out) for finding in left.findings}
    findings = [f for f in repair.after.findings if id(f) not in told and not _has_commands(f)]
    shown = [f for f in findings if verbose or f.severity is not Severity.INFO]
    if not findings:
        return
    page.add(page.style("What is left for you", "bold"))
    for finding in shown:
        page.paragraph(_said(repair.after, finding), label="- ", indent=0)
        page.paragraph(f"{_todo(finding)}.", label="do  ", style="good")
    if hidden := len(findings) - len(shown):
        page.paragraph(f"{counted(hidden, 'finding')} of no harm (info): -v shows", indent=0)
    page.add()


def _others(left_out: Iterable[LeftOutFix]) -> Iterator[LeftOutFix]:
    yield from (left for left in left_out if left.reason is not Reason.DISPLAY)


def _has_commands(finding: Finding) -> bool:
    fix = finding.fix
    return bool(fix and fix.commands and fix.applicability is not Applicability.DISPLAY)


def _todo(finding: Finding) -> str:
    is_choice = finding.fix and finding.fix.applicability is Applicability.DISPLAY
    if finding.fix and is_choice and says_more(finding):
        return f"{finding.fix.title}. {_capital(finding.remedy)}"
    return finding.remedy


def _said(report: Report, finding: Finding) -> str:
    return f"{finding.code} ({finding.severity}) {place_of(report, finding.at)}: {finding.message}."


def _summary(repair: Repair, written: Sequence[str] | None, how: str) -> str:
    closed = counted(len(_closed((*repair.made, *repair.hooks), repair.unclosed)), "finding")
    if written:
        prefix = printable(repair.before.target.prefix or "")
        back = f"; `envfix hooks remove -p {prefix}` removes the hook" if repair.hooks else ""
        files = "`envfix undo` takes it back" if repair.files else "no file of the project changed"
        return f"Written: {', '.join(map(printable, written))} ({closed} closed); {files}{back}"
    if repair.files or repair.hooks:
        what = [counted(len(repair.files), "file")] if repair.files else []
        what += ["an activation hook"] if repair.hooks else []
        said = f"{' and '.join(what)} to write, which closes {closed}: `{how}`"
    else:
        said = "No file to change" if repair.after.findings else "Nothing found, no file to change"
    more = sum(left.reason is Reason.NOT_ALLOWED for left in repair.left_out)
    return f"{said}{f' ({more} more with --unsafe-fixes)' if more else ''}"


def _closed(made: Iterable[PlannedFix], unclosed: Sequence[Finding]) -> list[Finding]:
    return [f for planned in made for f in planned.findings if f not in unclosed]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
