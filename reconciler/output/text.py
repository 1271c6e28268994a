"""The report for a terminal: legible at 80 columns, and without color."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.model.look import PLAIN
from reconciler.model.os_name import printable
from reconciler.output.loads import add_loads
from reconciler.output.page import (
    FEW,
    Page,
    add_details,
    add_passed_over,
    counted,
    counts_of,
    few,
    fixable_of,
    last_line,
    place_of,
    what_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.look import Look
    from reconciler.model.pip_view import Difference, LiveView
    from reconciler.model.report import Report

_NO_CUDA = "No package of this environment has to do with CUDA."
# NVIDIA ended it with CUDA 10.2.
_NO_CUDA_FOR_MACOS = "There is no CUDA for macOS: the environment is judged in all but CUDA."


def render(report: Report, look: Look = PLAIN, *, verbose: bool = False) -> str:
    """Return the report as text: the CUDA at hand, the findings, what was passed over, a summary."""
    page = Page(look)
    _target(page, report, verbose=verbose)
    _builds(page, report, verbose=verbose)
    for finding in report.findings:
        _finding(page, report, finding, verbose=verbose)
    if report.live:
        _live(page, report.live, verbose=verbose)
    if verbose:
        add_loads(page, report)
    add_passed_over(page, report, verbose=verbose)
    page.add(_summary(page, report))
    if fixable := fixable_of(report):
        page.add(page.inked(fixable))
    return "\n".join(page.lines) + "\n"


def render_quiet(report: Report, *, strict: bool = False) -> str:
    """Return one line a finding: place, code and message; crashes too, and gaps where they count."""
    lines = [f"{place_of(report, f.at)}: {f.code} {printable(f.message)}" for f in report.findings]
    lines += [f"{crash.code}: {last_line(crash)}" for crash in report.crashes]
    if strict:
        lines += [f"{skip.code}: not judged: {printable(skip.reason)}" for skip in report.skips]
        lines += [f"{what_of(gap)}: not seen: {printable(gap.reason)}" for gap in report.gaps]
    return "".join(f"{line}\n" for line in lines)


def _target(page: Page, report: Report, *, verbose: bool) -> None:
    target = report.target
    page.paragraph(
        f"{target.project} ({target.platform})", label="project      ", indent=0, style="dim"
    )
    prefix = (
        f"{target.prefix} ({target.kind}; {target.because})"
        if target.prefix
        else (f"none ({target.because})")
    )
    page.paragraph(prefix, label="environment  ", indent=0, style="dim")
    if report.machine and (verbose or target.driver or target.gpus):
        page.paragraph("; ".join(report.machine), label="machine      ", indent=0, style="dim")
    for note in target.notes:
        page.paragraph(note, label="note         ", indent=0, style="warning")
    page.add()


def _builds(page: Page, report: Report, *, verbose: bool) -> None:
    rows = list(_build_rows(report.builds, verbose=verbose))
    if not rows:
        is_macos = report.target.platform.startswith("osx") and report.target.prefix
        nothing = _NO_CUDA if report.target.prefix else "No environment was looked at."
        page.add(_NO_CUDA_FOR_MACOS if is_macos else nothing)
        page.add()
        return
    page.add(page.style(f"{'CUDA':8}{'from':8}{'what':10}packages", "bold"))
    for cuda, manager, role, packages in rows:
        head = f"{cuda:8}{manager:8}{role:10}"
        page.paragraph(", ".join(packages), label=head, indent=0, style="plain", keep=packages)
    page.add()


def _build_rows(
    builds: Sequence[CudaBuild], *, verbose: bool
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    grouped: dict[tuple[tuple[int, int], str, str, str], list[str]] = defaultdict(list)
    for build in builds:
        role = build.role if build.variant is Variant.CUDA else "built for"
        release = (build.cuda.major, build.cuda.minor or 0) if build.cuda else (0, 0)
        grouped[release, _cuda(build), build.manager, role].append(str(build))
    for (_, cuda, manager, role), names in sorted(grouped.items()):
        yield cuda, manager, role, tuple(few(names, FEW, verbose=verbose))


def _cuda(build: CudaBuild) -> str:
    if build.variant is not Variant.CUDA:
        return "ROCm" if build.variant is Variant.ROCM else "CPU"
    if build.releases:
        majors = dict.fromkeys(str(cuda.major) for cuda in build.releases)
        return "-".join([*majors][:: max(len(majors) - 1, 1)])
    return str(build.cuda) if build.cuda else "CUDA ?"


def _finding(page: Page, report: Report, finding: Finding, *, verbose: bool) -> None:
    severity = page.style(finding.severity, finding.severity)
    page.add(f"{severity} {page.style(f'{finding.code} {finding.name}', 'bold')}")
    page.paragraph(finding.message + ".")
    page.paragraph(place_of(report, finding.at), label="at      ", style="dim")
    add_details(page, report, finding, verbose=verbose)


def _live(page: Page, live: LiveView, *, verbose: bool) -> None:
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


def _summary(page: Page, report: Report) -> str:
    brought = sum(bool(build.brings) for build in report.builds)
    passed = f", {counted(len(report.skips), 'rule')} not judged" if report.skips else ""
    ignored = f", {len(report.ignored)} ignored" if report.ignored else ""
    found = ", ".join(counts_of(page, report)) or page.style("Nothing found", "good")
    beside = f"(CUDA in {counted(brought, 'package')}{passed}{ignored})"
    return f"{found} {page.style(beside, 'dim')}"
