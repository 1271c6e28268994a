"""What the frameworks, and the extensions of frameworks, ask the loader for in vain."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.builds.origins import DRIVER_LIBRARY
from reconciler.model.library import SharedLibrary
from reconciler.model.location import Location
from reconciler.model.missing import Copy, Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.loader_view import LoaderView
    from reconciler.model.run import Link, Run

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
#: Of CUDA's own folders: what the linker wants, and no process may be given.
_STUBS = "stubs"
_SEARCH = "LD_LIBRARY_PATH"
#: The folder of NVIDIA's wheels in site-packages, as search paths name it.
_WHEELS = "/nvidia/"


class _Starts:
    """The starts of one environment, with what is known of whoever starts."""

    def __init__(
        self, loading: Loading, view: LoaderView, known: Mapping[str, CudaBuild], catalog: Catalog
    ) -> None:
        self.loading, self.view, self.known, self.catalog = loading, view, known, catalog

    def missing(self) -> Iterator[Missing]:
        """Yield what is missing, each with all shells in which it is."""
        found: dict[tuple[str, str], Missing] = {}
        for run in (*self.loading.alone, *self.loading.modules):
            consumer = self._consumer(run)
            for start, link in self._lacking(run) if consumer else ():
                one = self._missing(start, link, consumer)
                if not run.frameworks and not _is_certain(one):
                    continue
                # What two starts lack because of one package is that package's fault alone.
                asks = link.asker.package if link.asker.is_package else None
                key = (asks or run.title, link.soname)
                known = found.setdefault(key, one)
                if run.situation not in known.situations:
                    situations = (*known.situations, run.situation)
                    found[key] = replace(known, situations=situations)
        yield from _without_other_ways(found.values())

    def _lacking(self, run: Run) -> Iterator[tuple[Run, Link]]:
        """Yield what is missing, and what will be as soon as that is found: the loader stops there."""
        start, seen = run, set[str]()
        folders: dict[str, None] = {}
        while True:
            links = [link for link in _unanswered(start) if link.soname not in seen]
            for link in links:
                yield from ((start, each) for each in (link, *self._needed_beside(link)))
            seen |= {link.soname for link in links}
            known = len(folders)
            for link in links:
                folders |= dict.fromkeys(map(_folder, self._copies(link.soname)))
            if len(folders) == known or not run.frameworks:
                return
            start = self._led_to(folders, run)

    def _led_to(self, folders: Iterable[str], run: Run) -> Run:
        """Play a start again in a shell that leads the loader to these folders."""
        former = run.situation.get(_SEARCH)
        path = ":".join((*folders, *([former] if former else [])))
        others = (pair for pair in run.situation.variables if pair[0] != _SEARCH)
        shell = replace(run.situation, variables=(*others, (_SEARCH, path)))
        again = self.loading.in_shells((shell,)).alone
        same = next(one for one in again if one.frameworks == run.frameworks)
        return replace(same, situation=run.situation)

    def _needed_beside(self, link: Link) -> Iterator[Link]:
        """Yield what a library needs after the one that is missing, and that lies nowhere at all."""
        needed = self.loading.needed_by(link.asked_by)
        if link.soname not in needed:
            return
        for name in needed[needed.index(link.soname) + 1 :]:
            component = self.loading.component_of(name)
            if component and self._is_nowhere(name) and not DRIVER_LIBRARY.match(name):
                because = link.because.replace(link.soname, name)
                yield replace(link, soname=name, component=component, because=because)

    def _is_nowhere(self, soname: str) -> bool:
        listed = any(soname in names for names in self.view.directories.values())
        return not listed and soname not in self.view.system.cache

    def _consumer(self, run: Run) -> Consumer | None:
        if run.frameworks:
            return self.catalog.consumers[run.frameworks[0]]
        manager, package = run.owner.kind, run.owner.package or ""
        known = self.catalog.consumer("conda" if manager == "conda" else "pip", package)
        # Others open their CUDA by themselves before they need it, or do without.
        return known if known and known.kind == "extension" else None

    def _missing(self, run: Run, link: Link, consumer: Consumer | None) -> Missing:
        assert consumer is not None  # noqa: S101 - only such runs are asked
        is_needed = _is_needed(run, link)
        is_preloaded = self._is_preloaded(run, link.soname, consumer)
        own_paths = self._own_paths(link)
        return Missing(
            soname=link.soname,
            component=link.component or "",
            title=run.title if not run.frameworks else consumer.title,
            user=run.owner,
            consumer=consumer.name,
            major=self._build(run).major if run.frameworks else None,
            preload_call=(consumer.preload_call or "") if is_preloaded else "",
            asked_by=link.asked_by,
            asker=link.asker,
            at=self._at(run),
            step=_step_of(run, link),
            error=link.because,
            is_needed=is_needed,
            is_meant=self._is_meant(run, link, consumer, is_needed=is_needed),
            situations=(run.situation,),
            copies=self._copies(link.soname),
            namesakes=tuple(self._namesakes(link.soname)),
            after=tuple(self._after(run, link.soname)),
            why=self._why(link),
            looks_in_wheels=any(_WHEELS in path for path in own_paths)
            or (is_preloaded and not consumer.preload_call),
            has_runpath=link.asker.is_package and bool(own_paths[0]),
        )

    def _build(self, run: Run) -> CudaBuild:
        return self.known[run.frameworks[0]]

    def _is_preloaded(self, run: Run, soname: str, consumer: Consumer) -> bool:
        """Tell whether the release opens such a wheel's file by its path, by itself or when told to."""
        if not run.frameworks:
            return False
        build = self._build(run)
        row = self.catalog.loadings.step(consumer.name, "preload", build.version, build.major)
        names = (posixpath.basename(item) for item in (row.opens if row else ()))
        return any(fnmatchcase(soname, name) for name in names)

    def _at(self, run: Run) -> Location:
        if run.frameworks:
            return self._build(run).at
        return Location(subject=run.owner.title)

    def _is_meant(self, run: Run, link: Link, consumer: Consumer, *, is_needed: bool) -> bool:
        if not run.frameworks:
            return True
        build = self._build(run)
        if is_needed:
            return not consumer.does_without(build)
        is_for_gpu = build.package in consumer.gpu_only
        return is_for_gpu and link.component in {*consumer.opens, *consumer.extra_brings}

    def _after(self, run: Run, soname: str) -> Iterator[str]:
        """Yield who else loads the file, in a shell of this run's: it stays loaded for all."""
        for other in self.loading.alone:
            shares = set(other.situation.names) >= set(run.situation.names)
            has_it = any(link.soname == soname and link.path for link in other.links)
            if shares and has_it and other.frameworks != run.frameworks and not other.failures:
                yield from other.frameworks

    def _copies(self, soname: str) -> tuple[Copy, ...]:
        found: dict[str, Copy] = {}
        for directory, names in self.view.directories.items():
            path = f"{directory}/{soname}"
            if soname in names and self._fits(path):
                copy = Copy(path=path, owner=self.loading.origins.of(path))
                found.setdefault(self.loading.tree.real_path(path), copy)
        return tuple(found.values())

    def _fits(self, path: str) -> bool:
        tree = self.loading.tree
        file, program = tree.elf(path), tree.elf(self.view.executable)
        if not isinstance(file, SharedLibrary) or not isinstance(program, SharedLibrary):
            return False
        is_alike = (file.machine, file.bits) == (program.machine, program.bits)
        return is_alike and posixpath.basename(posixpath.dirname(path)) != _STUBS

    def _namesakes(self, soname: str) -> Iterator[Copy]:
        stem, _, number = soname.partition(".so.")
        for directory, names in self.view.directories.items():
            for name in names:
                own, _, other = name.partition(".so.")
                if own == stem and other != number and _NUMBER.fullmatch(other):
                    path = f"{directory}/{name}"
                    owner = self.loading.origins.of(path)
                    if owner.is_package:
                        yield Copy(path=path, owner=owner)

    def _own_paths(self, link: Link) -> tuple[str, str]:
        """Return the RUNPATH and the RPATH of what asks, as written; "" where it has none."""
        file = self.loading.tree.elf(link.asked_by)
        if not isinstance(file, SharedLibrary):
            return "", ""
        return file.runpath or "", file.rpath or ""

    def _why(self, link: Link) -> str:
        """Say where the loader looks in place of the copies."""
        runpath, rpath = self._own_paths(link)
        program = self.loading.tree.elf(self.view.executable)
        of_python = program.rpath if isinstance(program, SharedLibrary) else None
        name = posixpath.basename(link.asked_by)
        if runpath:
            passed = ", and in its favor passes over the RPATH of Python" if of_python else ""
            return f"for {name} the loader looks into the RUNPATH of that file, `{runpath}`{passed}"
        is_python = link.asked_by == self.view.executable
        paths = [f"the RPATH of {name}, `{rpath}`"] if rpath and not is_python else []
        paths += [f"the RPATH of {self.view.executable}, `{of_python}`"] if of_python else []
        if paths:
            return f"the loader looks into {' and '.join(paths)}"
        none = "" if is_python else f"neither {name} nor "
        has = "has no" if is_python else "has an"
        return f"{none}{self.view.executable} {has} RPATH"


def missing(
    loading: Loading, view: LoaderView, known: Mapping[str, CudaBuild], catalog: Catalog
) -> Iterator[Missing]:
    """Yield the libraries of CUDA that are asked for in vain; the driver's own are not among them."""
    yield from _Starts(loading, view, known, catalog).missing()


def _folder(copy: Copy) -> str:
    return posixpath.dirname(copy.path)


def _is_certain(one: Missing) -> bool:
    """Tell whether an extension will miss it: not what its framework loads, or it itself from a wheel."""
    return not one.after and all(copy.owner.kind != "pip" for copy in one.copies)


def _unanswered(run: Run) -> Iterator[Link]:
    """Yield what of CUDA is not found, and was not found by another way either."""
    found = {link.soname for link in run.links if link.path}
    ways = {(link.step, _stem(link.soname)) for link in run.links if link.path and link.step}
    for link in run.links:
        if link.path or not link.component or "/" in link.soname or link.soname in found:
            continue
        if (link.step, _stem(link.soname)) not in ways and not DRIVER_LIBRARY.match(link.soname):
            yield link


def _step_of(run: Run, link: Link) -> str:
    """Return what opens a library, or the one that needs it."""
    asked = next(n for n, one in enumerate(run.links) if one.asked_by == link.asked_by)
    before = run.links[: run.links.index(link) + 1 if link in run.links else asked + 1]
    return next((one.step for one in reversed(before) if one.step), "")


def _is_needed(run: Run, link: Link) -> bool:
    """Tell whether what was started does not run without it."""
    if not run.failures:
        return False
    required = any(not one.is_optional for one in run.links if one.path is None)
    # torch tries one way, then another, and ends where neither does.
    return not link.is_optional or not required


def _without_other_ways(found: Iterable[Missing]) -> Iterator[Missing]:
    """Yield each but those of which another release, that is there, would have done as well."""
    known = tuple(found)
    there = {(one.title, one.step, _stem(one.soname)) for one in known if one.step and one.copies}
    for one in known:
        if one.copies or (one.title, one.step, _stem(one.soname)) not in there:
            yield one


def _stem(soname: str) -> str:
    return soname.partition(".so")[0]
