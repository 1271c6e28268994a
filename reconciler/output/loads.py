"""What the loader maps, for a terminal: each start, and the file behind each name of CUDA."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.model.os_name import printable
from reconciler.output.page import FEW, few

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.report import Report
    from reconciler.model.run import Link, Run
    from reconciler.output.page import Page

_SITE = "/site-packages/"


def add_loads(page: Page, report: Report) -> None:
    """Add the CUDA libraries of each start, what is missing first."""
    runs = [run for run in report.loads if run.cuda_links or run.failures]
    if not runs:
        return
    page.add(page.style("What the loader maps", "bold"))
    alike: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        key = (str(run.situation), _failures(run), tuple(_lines(report, run)))
        alike.setdefault(key, []).append(run)
    # What fails comes first, and keeps its order otherwise.
    for group in sorted(alike.values(), key=lambda one: not one[0].failures):
        titles = few([run.title for run in group], FEW, verbose=False)
        page.paragraph(f"{', '.join(titles)} {_shells(group[0])}", indent=2)
        for failure in _failures(group[0]):
            page.paragraph(failure, label="fails   ", indent=4, style="error")
        for name, said in _lines(report, group[0]):
            page.paragraph(said, label=f"{printable(name):22}  ", indent=4, style="plain")
    page.add()


def _failures(run: Run) -> tuple[str, ...]:
    return tuple(dict.fromkeys(why for _, why in run.failures))


def _shells(run: Run) -> str:
    words = str(run.situation)
    return words if words.startswith("in ") else f"({words})"


def _lines(report: Report, run: Run) -> Iterator[tuple[str, str]]:
    """Yield a name and the file that answers it, each once, what nothing answers first."""
    links = list(run.cuda_links)
    missing = [link for link in links if link.path is None]
    found = [link for link in links if link.path is not None]
    answered = {posixpath.basename(link.soname) for link in found}
    told: dict[tuple[str, str], None] = {}
    for link in missing:
        name = posixpath.basename(link.soname)
        if name not in answered:
            told[name, _not_found(run, link)] = None
    for (name, real), asked in _by_file(found).items():
        told[name, _found(report, real, asked)] = None
    yield from told


def _by_file(links: Sequence[Link]) -> dict[tuple[str, str], list[Link]]:
    files: dict[tuple[str, str], list[Link]] = {}
    for link in links:
        files.setdefault((posixpath.basename(link.soname), link.real or ""), []).append(link)
    return files


def _not_found(run: Run, link: Link) -> str:
    asker = posixpath.basename(link.asked_by)
    for_whom = f", for {asker}" if asker != run.title else ""
    # Of a lone library, that it is not loaded is all that is told.
    goes_on = " (goes on without)" if link.is_optional and run.frameworks else ""
    return f"not found{for_whom}{goes_on}"


def _found(report: Report, real: str, links: Sequence[Link]) -> str:
    first = links[0]
    owner = first.owner.title if first.owner else ""
    folder, name = posixpath.split(real)
    is_named_so = name == posixpath.basename(first.soname)
    place = f"in {_shown(report, folder)}" if is_named_so else _shown(report, real)
    return f"{owner} ({first.reason}), {place}"


def _shown(report: Report, real: str) -> str:
    """Return a path from site-packages on, or from the prefix on, where it lies in there."""
    inside = real.removeprefix(f"{report.target.prefix}/")
    _, site, below = inside.partition(_SITE)
    return f"…{_SITE}{below}" if site and inside != real else inside
