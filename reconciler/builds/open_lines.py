"""What pip takes today for the frameworks that a file does not pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.builds import indexes
from reconciler.builds.declared import extras_of, pinned_version
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role
from reconciler.model.manifest import Section
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.channels import PlatformBuild
    from reconciler.model.conda_side import CondaSide
    from reconciler.model.consumer import Consumer
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared

#: The Pythons that pip may be of, the newest first.
_PYTHONS = tuple(f"3.{minor}" for minor in range(15, 4, -1))


def open_builds(install: InstallSet, side: CondaSide, catalog: Catalog) -> Iterator[CudaBuild]:
    """Yield the CUDA builds that PyPI has today for a set's unpinned lines of frameworks."""
    for line in install.requirements(Section.PIP):
        consumer = catalog.consumer("pip", line.name)
        if consumer is None or consumer.kind != "framework" or pinned_version(line):
            continue
        if "@" in line.text or not _is_of_pypi(install, line, catalog):
            continue
        extras = extras_of(line)
        known = _by_extra(consumer, extras) or _by_releases(install, line, side, catalog)
        if known:
            cuda, evidence = known
            yield CudaBuild(
                manager="pip",
                package=line.name,
                version="",
                role=Role.NEEDS,
                component=consumer.name,
                brings=consumer.brought_by(extras) or consumer.bundles,
                cuda=cuda,
                known_by=KnownBy.RELEASE,
                evidence=evidence,
                at=line.location,
            )


def cpu_wheels(
    install: InstallSet, side: CondaSide, catalog: Catalog
) -> Iterator[tuple[Declared, PlatformBuild]]:
    """Yield the lines for which PyPI has nothing but a build for the CPU on a set's platform."""
    for line in install.requirements(Section.PIP):
        if (line.name, install.platform) not in catalog.channels.cpu_builds:
            continue
        version = pinned_version(line) or _newest(line, side, catalog)
        row = catalog.channels.is_for_cpu(line.name, install.platform, version)
        if row and not {"@", "+"} & {*line.text} and _is_of_pypi(install, line, catalog):
            yield line, row


def _newest(line: Declared, side: CondaSide, catalog: Catalog) -> str:
    """Return the newest release that a line allows; "" where that is not known."""
    return next(reversed(_allowed(line, side, catalog)), "")


def _is_of_pypi(install: InstallSet, line: Declared, catalog: Catalog) -> bool:
    offers = indexes.offers(install, catalog.published, line)
    return all(offer.site and offer.site.mirrors_pypi for offer in offers)


def _by_extra(consumer: Consumer, extras: Sequence[str]) -> tuple[CudaVersion, str] | None:
    for extra in extras:
        major = consumer.cuda_of_extra.get(extra.replace("_", "-").lower())
        if major:
            return CudaVersion(int(major)), f"its extra {extra} is for CUDA {major} today"
    return None


def _by_releases(
    install: InstallSet, line: Declared, side: CondaSide, catalog: Catalog
) -> tuple[CudaVersion, str] | None:
    """Return the CUDA of every release that a line allows, else of the newest one."""
    allowed = _allowed(line, side, catalog)
    rows = [catalog.release(line.name, version, install.platform) for version in allowed]
    built = [(row.version, CudaVersion.parse(row.cuda)) for row in rows if row and row.cuda]
    found = [(version, cuda) for version, cuda in built if cuda]
    if not found or not allowed or found[-1][0] != allowed[-1]:
        return None
    newest, cuda = found[-1]
    if len(found) == len(allowed) and len({cuda.major for _, cuda in found}) == 1:
        every = f"every release that {line.text} allows is for CUDA {cuda.major}"
        return CudaVersion(cuda.major), every
    return cuda, f"the newest release that {line.text} allows, {newest}, is for CUDA {cuda}"


def _allowed(line: Declared, side: CondaSide, catalog: Catalog) -> list[str]:
    """Return the releases that a line allows, for the newest Python that has one of them."""
    asked, clauses = side.of("python"), clauses_of(line.text)
    for python in asked.releases(_PYTHONS) if asked else _PYTHONS:
        releases = catalog.published.releases_for(line.name, python)
        if found := [v for v in releases if all(c.allows(numbers(v)) for c in clauses)]:
            return found
    return []
