"""The report for a terminal: legible at 80 columns, and without color."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.model.finding import Severity
from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding, Location
    from reconciler.model.pip_view import Difference, LiveView
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
_NO_CUDA = "No package of this environment has to do with CUDA."
# NVIDIA ended it with CUDA 10.2.
_NO_CUDA_FOR_MACOS = "There is no CUDA for macOS: the environment is judged in all but CUDA."


class _Page:
    """Lines as they are written; whatever came from an environment is made printable here."""

    def __init__(self, *, width: int, color: bool) -> None:
        self.lines: list[str] = []
        self._width = width
        self._color = color

    def style(self, text: str, style: str) -> str:
        code = STYLES[style] if self._color else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def add(self, text: str = "") -> None:
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


def render(report: Report, *, width: int = 80, color: bool = False, verbose: bool = False) -> str:
    """Return the report as text: the CUDA at hand, the findings, what was passed over, a summary."""
    page = _Page(width=width, color=color)
    _target(page, report)
    _builds(page, report, verbose=verbose)
    for finding in report.findings:
        _finding(page, report, finding, verbose=verbose)
    if report.live:
        _live(page, report.live, verbose=verbose)
    _passed_over(page, report)
    page.add(_summary(page, report))
    return "\n".join(page.lines) + "\n"


def render_quiet(report: Report, *, strict: bool = False) -> str:
    """Return one line a finding: place, code and message; crashes too, and gaps where they count."""
    lines = [f"{_place(report, f.at)}: {f.code} {printable(f.message)}" for f in report.findings]
    lines += [f"{crash.code}: {_last_line(crash)}" for crash in report.crashes]
    if strict:
        lines += [f"{skip.code}: not judged: {printable(skip.reason)}" for skip in report.skips]
        lines += [f"{_what(gap)}: not seen: {printable(gap.reason)}" for gap in report.gaps]
    return "".join(f"{line}\n" for line in lines)


def _target(page: _Page, report: Report) -> None:
    target = report.target
    page.paragraph(f"{target.project} ({target.platform})", label="project      ", indent=0)
    prefix = (
        f"{target.prefix} ({target.kind}; {target.because})"
        if target.prefix
        else (f"none ({target.because})")
    )
    page.paragraph(prefix, label="environment  ", indent=0)
    for note in target.notes:
        page.paragraph(note, label="note         ", indent=0)
    page.add()


def _builds(page: _Page, report: Report, *, verbose: bool) -> None:
    rows = list(_build_rows(report.builds, verbose=verbose))
    if not rows:
        is_macos = report.target.platform.startswith("osx") and report.target.prefix
        nothing = _NO_CUDA if report.target.prefix else "No environment was looked at."
        page.add(_NO_CUDA_FOR_MACOS if is_macos else nothing)
        page.add()
        return
    page.add(page.style(f"{'CUDA':8}{'from':8}{'what':10}packages", "bold"))
    for cuda, manager, role, packages in rows:
        page.paragraph(packages, label=f"{cuda:8}{manager:8}{role:10}", indent=0, style="plain")
    page.add()


def _build_rows(
    builds: Sequence[CudaBuild], *, verbose: bool
) -> Iterator[tuple[str, str, str, str]]:
    grouped: dict[tuple[tuple[int, int], str, str, str], list[str]] = defaultdict(list)
    for build in builds:
        role = build.role if build.variant is Variant.CUDA else "built for"
        release = (build.cuda.major, build.cuda.minor or 0) if build.cuda else (0, 0)
        grouped[release, _cuda(build), build.manager, role].append(str(build))
    for (_, cuda, manager, role), names in sorted(grouped.items()):
        yield cuda, manager, role, ", ".join(_few(names, FEW, verbose=verbose))


def _few(items: Sequence[str], few: int, *, verbose: bool) -> Iterator[str]:
    """Yield the first of the items, and how many more there are."""
    shown = items if verbose or len(items) <= few + 1 else items[:few]
    yield from shown
    if len(shown) < len(items):
        yield f"and {len(items) - len(shown)} more (-v)"


def _cuda(build: CudaBuild) -> str:
    if build.variant is not Variant.CUDA:
        return "ROCm" if build.variant is Variant.ROCM else "CPU"
    if build.releases:
        majors = dict.fromkeys(str(cuda.major) for cuda in build.releases)
        return "-".join([*majors][:: max(len(majors) - 1, 1)])
    return str(build.cuda) if build.cuda else "CUDA ?"


def _finding(page: _Page, report: Report, finding: Finding, *, verbose: bool) -> None:
    severity = page.style(finding.severity, finding.severity)
    page.add(f"{severity} {page.style(f'{finding.code} {finding.name}', 'bold')}")
    page.paragraph(finding.message + ".")
    page.paragraph(_place(report, finding.at), label="at      ")
    places = [_place(report, location) for location in finding.related]
    for place in _few(places, FEW, verbose=verbose):
        page.paragraph(place, label="and     ")
    page.paragraph(finding.shows_as + ".", label="shows   ")
    for number, evidence in enumerate(_few(finding.evidence, FEW + 1, verbose=verbose)):
        page.paragraph(evidence, label="        " if number else "seen    ")
    page.paragraph(finding.remedy + ".", label="do      ")
    for symptom in finding.symptoms:
        page.paragraph(f"{symptom.code} {symptom.message}.", label="hence   ")
        # The same rule in another place has the same cure; another rule's may not be.
        if symptom.code != finding.code and symptom.severity is Severity.ERROR:
            page.paragraph(symptom.remedy + ".", label="        ")
    page.add()


def _live(page: _Page, live: LiveView, *, verbose: bool) -> None:
    count = len(live.differences)
    said = f"{count} difference{'s' if count > 1 else ''}" if count else "as on the disk"
    page.add(page.style(f"pip's own view: {live.seen} distributions, {said}", "bold"))
    beside: dict[str, list[str]] = defaultdict(list)
    for difference in live.differences:
        if difference.pip and not difference.disk and not difference.conda:
            name = f"{difference.pip.name} {difference.pip.version}"
            beside[difference.pip.location].append(name)
        else:
            page.paragraph(f"{difference.name}: {_views(difference)}.")
    for location, names in beside.items():
        shown = names if verbose or len(names) <= FEW else names[:FEW]
        more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
        page.paragraph(f"{', '.join(shown)}{more}: pip alone sees it, in {location or '?'}.")
    page.add()


def _views(difference: Difference) -> str:
    listed = difference.pip
    place = f" in {listed.location}" if listed and listed.is_outside else ""
    pip = f"pip sees {listed.version}{place}" if listed else "pip sees none"
    disk = f"on the disk is {' and '.join(difference.disk) or 'none'}"
    conda = f"; conda has recorded {' and '.join(difference.conda)}" if difference.conda else ""
    return f"{pip}; {disk}{conda}"


def _place(report: Report, location: Location) -> str:
    path = report.path_of(location)
    if path is None:
        return printable(location.subject)
    at = "".join(f":{part}" for part in (location.line, location.column) if part is not None)
    return printable(f"{path}{at}")


def _what(gap: Gap) -> str:
    return printable(f"{gap.fact}: {gap.item}" if gap.item else gap.fact)


def _last_line(crash: Crash) -> str:
    return printable(f"has a bug: {crash.traceback.strip().splitlines()[-1]}")


def _passed_over(page: _Page, report: Report) -> None:
    for skip in report.skips:
        page.paragraph(f"{skip.code}: {skip.reason}", label="not judged  ", indent=0)
    # What a rule was passed over for is said with the rule.
    gaps = [g for g in report.gaps if not any(g.reason in skip.reason for skip in report.skips)]
    for gap in gaps:
        page.paragraph(f"{_what(gap)}: {gap.reason}", label="not seen    ", indent=0)
    for crash in report.crashes:
        page.paragraph(f"{crash.code} {_last_line(crash)}", label="crashed     ", indent=0)
    if report.skips or gaps or report.crashes:
        page.add()


def _summary(page: _Page, report: Report) -> str:
    severities = [finding.severity for finding in report.findings]
    counts = [
        page.style(_count(count, severity) if severity != "info" else f"{count} info", severity)
        for severity in Severity
        if (count := severities.count(severity))
    ]
    brought = sum(bool(build.brings) for build in report.builds)
    passed = f", {_count(len(report.skips), 'rule')} not judged" if report.skips else ""
    found = ", ".join(counts) or "Nothing found"
    return f"{found} (CUDA in {_count(brought, 'package')}{passed})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
