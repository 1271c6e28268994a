"""What LD_LIBRARY_PATH and LD_PRELOAD capture: every start, beside the same without these variables."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.builds.origins import version_in
from reconciler.model.capture import Capture, FileRelease
from reconciler.model.cuda import CudaVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.run import Link, Run
    from reconciler.model.which import Origin, Situation

PATHS, PRELOAD = "LD_LIBRARY_PATH", "LD_PRELOAD"
_BY_PATH = "LD_LIBRARY_PATH"
_SEPARATOR = re.compile("[ :]+")


def bare(situations: Iterable[Situation]) -> tuple[Situation, ...]:
    """Return the shells in which one of the variables is set, each without them."""
    return tuple(
        replace(one, variables=tuple(v for v in one.variables if v[0] not in {PATHS, PRELOAD}))
        for one in situations
        if one.get(PATHS) or one.get(PRELOAD)
    )


def captures(loading: Loading, plain: Loading) -> Iterator[Capture]:
    """Yield each library of CUDA that a variable puts in the place of a package's.

    ``plain`` is the same environment in the same shells without the variables.
    """
    for run, without in _pairs(loading, plain):
        yield from _captured(loading, run, without)


def leaning(loading: Loading, plain: Loading) -> Iterator[tuple[str, str, Link]]:
    """Yield what is found through a variable alone, with the variable and the element of it."""
    for run, without in _pairs(loading, plain):
        in_vain = {(one.asked_by, one.soname) for one in without.links if one.path is None}
        for key, link in _answered(run).items():
            if key in in_vain and link.asker.is_package:
                yield (*_led_by(run, link), link)


def _pairs(loading: Loading, plain: Loading) -> Iterator[tuple[Run, Run]]:
    """Yield each start with the same one without the variables."""
    due = {
        (*_started(run), name): run
        for run in (*plain.alone, *plain.modules)
        for name in run.situation.names
    }
    for run in (*loading.alone, *loading.modules):
        without = due.get((*_started(run), run.situation.names[0]))
        if without is not None:
            yield run, without


def _started(run: Run) -> tuple[object, ...]:
    """Return what was started: many packages have a module of one name, such as ``_C.so``."""
    opened = run.links[0].path if run.links and not run.frameworks else None
    return run.title, run.frameworks, run.owner, opened


def _captured(loading: Loading, run: Run, without: Run) -> Iterator[Capture]:
    answered = _answered(without)
    for (asked_by, soname), link in _answered(run).items():
        due = answered.get((asked_by, soname))
        if due is None or due.owner is None or not due.owner.is_package or link.real == due.real:
            continue
        # What a captured file needs in turn is a part of the same capture.
        if link.component and (link.asker.is_package or link.asker.kind == "python"):
            variable, entry = _led_by(run, link)
            yield Capture(
                variable=variable,
                entry=entry,
                started=run.title,
                situation=run.situation,
                link=link,
                release=loading.release_of(link.real or "", link.soname),
                due=due,
                due_release=loading.release_of(due.real or "", due.soname),
                built_for=loading.cuda_of(link.asker if link.asker.is_package else run.owner),
            )


def _answered(run: Run) -> Mapping[tuple[str, str], Link]:
    found: dict[tuple[str, str], Link] = {}
    for link in run.links:
        if link.real is not None:
            found.setdefault((link.asked_by, link.soname), link)
    return found


def _led_by(run: Run, link: Link) -> tuple[str, str]:
    """Return the variable, and the element of it, that leads the loader to a file."""
    led = [one for one in reversed(run.links) if one.entry]
    known = {path: one for one in led for path in (one.real, one.path)}
    first, seen = known.get(link.real), 0
    # A file that was captured may lead to others beside it.
    while first is not None and first.reason != _BY_PATH and seen < len(known):
        first, seen = known.get(first.asked_by), seen + 1
    if first is not None and first.reason == _BY_PATH:
        return PATHS, first.entry or ""
    name = posixpath.basename(link.path or "")
    preloaded = _SEPARATOR.split(run.situation.get(PRELOAD))
    own = next((one for one in preloaded if posixpath.basename(one) == name), "")
    return (PRELOAD, own) if own else (PATHS, run.situation.get(PATHS))


def release_of(
    path: str,
    soname: str,
    origin: Origin,
    builds: Iterable[CudaBuild],
    catalog: Catalog,
) -> FileRelease:
    """Return the release of a library of CUDA, by its real path and where it comes from."""
    component = next(
        (c.name for c in catalog.components.values() if soname.partition(".so")[0] in c.libraries),
        "",
    )
    key = (origin.kind, origin.package)
    build = next((b for b in builds if (b.manager, b.package) == key), None)
    # libnvrtc.so.11.2 is the name of every NVRTC from 11.2 on: a soname tells no version.
    is_numbered = posixpath.basename(path) != soname
    number = (version_in(path) if is_numbered else None) or ""
    if build is not None:
        version = build.version if build.component == component else number
        return FileRelease(version=version, cuda=build.cuda or cuda_of(component, version, catalog))
    if origin.kind == "toolkit" and not number:
        return FileRelease(cuda=CudaVersion.parse(origin.version or ""))
    return FileRelease(version=number, cuda=cuda_of(component, number, catalog))


#: What a number of a file may be of: some parts bear one of their own, as libnvvm.so.4.0.0 and
#: libcupti.so.2025.3.1 do.
CUDA_MAJORS = range(9, 100)


def cuda_of(component: str, version: str, catalog: Catalog) -> CudaVersion | None:
    """Return the CUDA release that a version of a part came with."""
    own = (p for p in catalog.cuda_packages.values() if p.component == component)
    if any(package.cuda_in == "version" for package in own):
        told = CudaVersion.parse(version)
        return told if told and told.major in CUDA_MAJORS else None
    release = catalog.part_release(component, version) if version else None
    return CudaVersion.parse(release) if release else None
