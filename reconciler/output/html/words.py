"""The sentences at the top of the page: what is wrong, and who brings which CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.model.finding import Severity
from reconciler.model.snapshot import Fact
from reconciler.output.page import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.report import Report

_MOST_CODES = 6
#: As many releases of CUDA are told; of more, their majors.
_MOST_RELEASES = 3


def headline(report: Report) -> tuple[str, str]:
    """Return what is the matter in a few words, and the sentence that goes on."""
    worst = report.findings[0] if report.findings else None
    if worst is None:
        return f"No conflict found{_in_what(report)}", _calm(report)
    sides = _sides(report, worst)
    if len(sides) > 1:
        majors = [f"CUDA {major}" for major in sides]
        beside = ", and ".join(_side(*side) for side in sides.items())
        return f"{majors[0]} clashes with {' and '.join(majors[1:])}", f"{sentence(beside)}"
    return sentence(worst.message), ""


def sentence(clause: str) -> str:
    """Return a clause as a sentence; it may begin with a name, which stays as it is."""
    return f"{clause}."


def verdict(report: Report) -> tuple[str, str]:
    """Return the state of it all: a severity or ``clear``, and how much was found."""
    severities = [finding.severity for finding in report.findings]
    said = [
        f"{count} info" if severity is Severity.INFO else counted(count, severity)
        for severity in Severity
        if (count := severities.count(severity))
    ]
    if said:
        return severities[0], ", ".join(said)
    if report.crashes:
        return "unsure", "not all was judged"
    passed = len({skip.code for skip in report.skips})
    told = f"nothing found; {counted(passed, 'rule')} could not judge" if passed else "all clear"
    return "clear", told


def sources(report: Report) -> Iterator[tuple[str, str]]:
    """Yield who, and which CUDA it brings, in words."""
    verb = "brings " if report.target.prefix else ""
    for manager in ("conda", "pip"):
        builds = [b for b in report.builds if b.manager == manager and b.cuda]
        brought = [b for b in builds if b.brings or report.target.prefix is None]
        if releases := _releases(brought):
            yield manager, f"{verb}CUDA {joined(releases)}"
        else:
            yield manager, f"{verb}no CUDA"
    for toolkit in report.toolkits:
        yield "system", f"has CUDA {toolkit.version or '?'} in {toolkit.path}"
    driver = report.driver
    if driver is None and report.target.prefix is None:
        return
    if driver is None:
        yield "driver", "none was seen"
    elif driver.cuda:
        yield f"driver {driver.release or ''}".rstrip(), f"runs up to CUDA {driver.cuda}"
    else:
        yield "driver", str(driver.release)


def brings(report: Report) -> tuple[str, str, str]:
    """Return what stands below the titles of the three columns."""
    said = dict(sources(report))
    driver = report.driver
    unseen = "no driver seen" if report.target.prefix else ""
    up_to = f"driver up to {driver.cuda}" if driver and driver.cuda else unseen
    toolkits = (f"toolkit {toolkit.version or '?'}" for toolkit in report.toolkits)
    return said.get("conda", ""), said.get("pip", ""), ", ".join(filter(None, (*toolkits, up_to)))


def others(report: Report) -> tuple[tuple[int, Finding], ...]:
    """Return the findings beside the worst that are more than told, each with its number."""
    numbered = list(enumerate(report.findings, 1))[1:]
    return tuple((n, found) for n, found in numbered if found.severity is not Severity.INFO)


def passed_over(report: Report) -> tuple[tuple[str, str], ...]:
    """Return which rules could not judge, and why."""
    codes: dict[str, list[str]] = {}
    for skip in report.skips:
        codes.setdefault(skip.reason, []).append(skip.code)
    return tuple(
        (f"{', '.join(each[:_MOST_CODES])}{_more(len(each) - _MOST_CODES)}", reason)
        for reason, each in codes.items()
    )


def judged(report: Report) -> str:
    """Return how many rules have judged, and how many could not."""
    where = "this environment" if report.target.prefix else "what is declared"
    passed = len({skip.code for skip in report.skips})
    said = f"{counted(report.judged, 'rule')} judged {where}"
    return f"{said}; {passed} could not" if passed else said


def unproven(report: Report) -> str:
    """Return why no arrow is by the loader's search; "" where one may be."""
    if report.loads or not report.target.prefix:
        return ""
    gaps = (gap.reason for gap in report.gaps if gap.fact is Fact.LOADER and gap.item is None)
    why = next(gaps, "no library of these packages is there to be followed")
    if not report.target.platform.startswith("linux"):
        why = "only that of Linux is drawn"
    return f"from the packages' own words; the loader's search was not done here, because {why}."


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _calm(report: Report) -> str:
    """Return in one sentence which CUDA is there, and what the driver runs."""
    brought = [
        f"{releases.partition('CUDA ')[2]} from {manager}"
        for manager, releases in sources(report)
        if manager in {"conda", "pip"} and "no CUDA" not in releases
    ]
    if not brought:
        return ""
    driver = report.driver
    unseen = "no driver was seen" if report.target.prefix else ""
    runs = f"the driver runs up to {driver.cuda}" if driver and driver.cuda else unseen
    return sentence("; ".join(filter(None, (f"CUDA {joined(brought)}", runs))))


def _in_what(report: Report) -> str:
    files = [manifest.path for manifest in report.manifests]
    if report.target.prefix:
        return " in this environment"
    return f" in {files[0] if len(files) == 1 else counted(len(files), 'file')}" if files else ""


def joined(words: Sequence[str]) -> str:
    """Return words as they are listed in a sentence."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _sides(report: Report, finding: Finding) -> Mapping[int, Sequence[CudaBuild]]:
    """Return what a finding names of each CUDA major."""
    places = {finding.at, *finding.related}
    found: dict[int, list[CudaBuild]] = {}
    for build in report.builds:
        if build.at in places and build.major and build.variant is Variant.CUDA:
            found.setdefault(build.major, []).append(build)
    return dict(sorted(found.items()))


def _side(major: int, builds: Sequence[CudaBuild]) -> str:
    first = builds[0]
    more = len(builds) - 1
    who = (
        f"{first.manager}'s {first} and {more} more are"
        if more
        else f"{first.manager}'s {first} is"
    )
    return f"{who} for CUDA {major}"


def _releases(builds: Sequence[CudaBuild]) -> list[str]:
    """Return the releases, the oldest first; of a major whose minor is known, not the major alone."""
    known = {b.cuda for b in builds if b.cuda}
    exact = {c.major for c in known if c.minor is not None}
    told = {c for c in known if c.minor is not None or c.major not in exact}
    if len(told) > _MOST_RELEASES:
        return [str(major) for major in sorted({c.major for c in known})]
    return [str(c) for c in sorted(told, key=lambda c: (c.major, c.minor or 0))]
