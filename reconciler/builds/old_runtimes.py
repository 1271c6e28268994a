"""Which libraries get an older libstdc++ than they were compiled with, alone or after another one."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.builds.runs import links_of
from reconciler.model.outdated import Outdated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.library import SharedLibrary
    from reconciler.model.loader_view import LoaderView
    from reconciler.model.run import Link
    from reconciler.model.which import Situation

#: The runtimes of GCC that come as a library, without its number.
RUNTIMES = ("libstdc++", "libgcc_s")
#: One library of a package tells of all; more packages than that are not played.
MAX_PACKAGES = 40
#: How Python names a module that it opens by itself.
_MODULE = re.compile(r"\.(?:cpython-3\d+t?d?-[\w-]+|abi3)\.so$")


def outdated(loading: Loading, view: LoaderView, catalog: Catalog) -> Iterator[Outdated]:
    """Yield one library of each package that is refused so, in each shell."""
    needing = Counter(m.consumer for m in view.misfits if _is_runtime(m.soname))
    modules = (path for consumer in needing for path in _modules(loading, consumer))
    victims = _one_each(loading, sorted(modules, key=lambda path: (-needing[path], path)))
    cuda = {name for _, name in catalog.cuda_packages}
    asking = sorted(file.path for file in view.files if victims and _takes_by_itself(file))
    takers = _one_each(loading, asking, left_out=cuda)
    for situation in loading.situations:
        yield from _in_shell(loading, situation, victims, takers)


def _modules(loading: Loading, consumer: str) -> Iterator[str]:
    """Yield the modules of Python that a library is, or that need it; other programs have their own."""
    needing = loading.needing.get(posixpath.basename(consumer), ())
    yield from (path for path in (consumer, *needing) if _MODULE.search(path))


def _in_shell(
    loading: Loading, situation: Situation, victims: Sequence[str], takers: Sequence[str]
) -> Iterator[Outdated]:
    whole: list[str] = []
    for path in victims:
        found = _refused(loading, situation, _links(loading, situation, (path,))[-1])
        whole += [] if found else [path]
        yield from (found,) if found else ()
    for taker in takers if whole else ():
        # what has come first answers to all that follow, so that one process does for them
        first, *after = _links(loading, situation, (taker, *whole))
        foreign = (link for link in first if _is_runtime(link.soname))
        if all(link.owner is None or link.owner.is_package for link in foreign):
            continue
        for path, links in zip(whole, after, strict=True):
            found = _refused(loading, situation, links) if path != taker else None
            if found:
                owner = loading.origins.of(taker)
                yield replace(found, after=taker, after_owner=owner)


def _refused(loading: Loading, situation: Situation, links: Iterable[Link]) -> Outdated | None:
    """Return what is wrong with a module that is imported."""
    for link in links:
        better = (c for c in link.others if _fits(loading, link, c.path))
        one = Outdated(link=link, situation=situation, better=next(better, None))
        if _is_runtime(link.soname) and one.versions:
            return one
    return None


def _links(
    loading: Loading, situation: Situation, paths: Sequence[str]
) -> Sequence[tuple[Link, ...]]:
    """Return what each of the modules asks for that are imported into one process."""
    stage = loading.stage(situation)
    found: list[tuple[Link, ...]] = []
    for number, path in enumerate(paths):
        if stage is None:
            found.append(())
            continue
        caller = loading.importer(stage.process)
        stage.open(path, because="Python imports it", caller=caller, is_optional=True)
        found.append(tuple(links_of(loading, stage, number)))
    return found


def _fits(loading: Loading, link: Link, path: str) -> bool:
    return loading.misfit(link.asked_by, loading.tree.real_path(path), link.soname) is None


def _takes_by_itself(file: SharedLibrary) -> bool:
    """Tell whether a module does not ask the program's RPATH for a runtime: it has a RUNPATH."""
    is_module = file.runpath is not None and _MODULE.search(file.path)
    return bool(is_module) and any(map(_is_runtime, file.needed))


def _is_runtime(soname: str) -> bool:
    return soname.partition(".so")[0] in RUNTIMES


def _one_each(
    loading: Loading, paths: Iterable[str], left_out: Collection[str | None] = ()
) -> tuple[str, ...]:
    """Return the first library of each package."""
    chosen: dict[tuple[str, str], str] = {}
    for path in paths:
        owner = loading.origins.of(path)
        if owner.is_package and owner.package not in left_out:
            chosen.setdefault((owner.kind, owner.package or ""), path)
    return tuple(chosen.values())[:MAX_PACKAGES]
