"""Which DLLs of CUDA are imported on Windows and not found."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.loader.windows_search import Search, base_name
from reconciler.model.cuda import Role, Variant
from reconciler.model.owner import name_of
from reconciler.model.prefix import PrefixRecord
from reconciler.model.windows_missing import MissingDll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.builds.windows_loading import WindowsLoading
    from reconciler.loader.answer import Answer
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.owner import Owner

#: More libraries of one package than that say nothing new.
MAX_OPENED = 40
#: Nor do more DLLs that one of them misses.
MAX_MISSING = 40


def missing(loading: WindowsLoading) -> Iterator[MissingDll]:
    """Yield each DLL of CUDA that what a build for CUDA must open does not find."""
    found: dict[tuple[str, str], MissingDll] = {}
    known = loading.catalog.consumers
    started = {b.component for b in loading.builds if _is_for_cuda(b)}
    for build in loading.builds:
        consumer, owner = known.get(build.component), _owner_of(loading, build)
        if consumer is None or owner is None or not _is_judged(build, consumer):
            continue
        # its framework's libraries are CUDA's, or nothing can be said
        if consumer.extends and consumer.extends not in started:
            continue
        for path in _opened(loading, owner, consumer)[:MAX_OPENED]:
            for answer in _unanswered(loading, path):
                if not _may_be_unseen(loading, owner, consumer, answer.name):
                    one = _missing(loading, owner, consumer, path, answer)
                    key = (one.user.title, base_name(one.name))
                    first = found.setdefault(key, one)
                    askers = dict.fromkeys((*first.askers, *one.askers))
                    found[key] = replace(first, askers=tuple(askers))
    yield from found.values()


def _is_judged(build: CudaBuild, consumer: Consumer) -> bool:
    return _is_for_cuda(build) and not (consumer.links_statically or consumer.gpu_optional)


def _is_for_cuda(build: CudaBuild) -> bool:
    return build.role is Role.NEEDS and build.variant is Variant.CUDA


def _owner_of(loading: WindowsLoading, build: CudaBuild) -> Owner | None:
    is_conda = build.manager == "conda"
    owners = (o for o in loading.owners.values() if isinstance(o, PrefixRecord) == is_conda)
    return next((owner for owner in owners if name_of(owner) == build.package), None)


def _opened(loading: WindowsLoading, owner: Owner, consumer: Consumer) -> list[str]:
    """Return the libraries of a package without which it does not start, as far as is known.

    They are the modules that every build has, and what lies in the folder from which it opens all.
    """
    modules = [f"*/{one.removesuffix('so')}pyd".casefold() for one in consumer.modules]
    mark = posixpath.basename(consumer.cuda_dll or "").casefold()
    if any(row.is_optional and row.module == consumer.name for row in loading.catalog.windows.rows):
        mark = ""
    own = [path for path, one in loading.owners.items() if one is owner]
    folders = {posixpath.dirname(path) for path in own if mark and posixpath.basename(path) == mark}
    wanted = {
        f"{loading.prefix}/{path}".casefold()
        for path in own
        if (path.endswith(".dll") and posixpath.dirname(path) in folders)
        or any(fnmatchcase(path, module) for module in modules)
    }
    found = (one.path for one in loading.view.images if one.path.casefold() in wanted)
    # as NTFS lists them, and so does a package that opens all of a folder
    return sorted(found, key=str.casefold)


def _unanswered(loading: WindowsLoading, path: str) -> Iterator[Answer]:
    process = loading.started()
    if process is not None:
        # a file of the name that cannot be mapped is another fault
        answers = process.open(path).answers
        lost = (answer for answer in answers if answer.error and not answer.candidates)
        yield from islice(lost, MAX_MISSING)


def _places(loading: WindowsLoading, consumer: Consumer, path: str) -> tuple[str, ...]:
    """Return the directories in which the imports of a library were looked for."""
    process = loading.started()
    rows = loading.catalog.windows.rows
    retries = any(row.retries and row.module == consumer.name for row in rows)
    searches = (Search.DEFAULT_DIRS, Search.STANDARD) if retries else (Search.DEFAULT_DIRS,)
    found = process.directories(path, searches) if process else ()
    return tuple(dict.fromkeys(one.directory for one in found))


def _may_be_unseen(loading: WindowsLoading, owner: Owner, consumer: Consumer, name: str) -> bool:
    """Tell whether a DLL may be found in a way that is not played, so that nothing is known.

    Where no Windows was seen, it may be in a toolkit that CUDA_PATH or PATH leads to. Conda's packages
    depend on all that they import, and a wheel that brings some of CUDA's DLLs brings all it needs.
    """
    if _is_beside_compiler(loading, name) or _is_arranged_by_conda(loading, owner, name):
        return True
    if loading.view.is_here or base_name(name) in loading.recorded:
        return False
    return _takes_a_toolkits(loading, consumer, name) or not _is_self_contained(loading, owner)


def _takes_a_toolkits(loading: WindowsLoading, consumer: Consumer, name: str) -> bool:
    """Tell whether a package adds a folder of the machine's where it does not bring a DLL itself."""
    rows = (row for row in loading.catalog.windows.rows if row.module == consumer.name)
    patterns = (pattern.casefold() for row in rows for pattern in row.adds_without)
    return any(fnmatchcase(base_name(name), pattern) for pattern in patterns)


def _is_beside_compiler(loading: WindowsLoading, name: str) -> bool:
    """Tell whether a toolkit has it: packages find one by its nvcc on PATH, and add its folder."""
    folders = {posixpath.dirname(path) for path in loading.named(base_name(name))}
    return any(posixpath.dirname(path) in folders for path in loading.named("nvcc.exe"))


def _is_arranged_by_conda(loading: WindowsLoading, owner: Owner, name: str) -> bool:
    """Tell whether conda's packages have it in another folder: how they come to it, they know."""
    origins = map(loading.origin, loading.named(base_name(name)))
    return isinstance(owner, PrefixRecord) and any(one.kind == "conda" for one in origins)


def _is_self_contained(loading: WindowsLoading, owner: Owner) -> bool:
    """Tell whether a package depends on the CUDA that it uses, or brings it."""
    return isinstance(owner, PrefixRecord) or owner.path in loading.bringing


def _missing(
    loading: WindowsLoading, owner: Owner, consumer: Consumer, path: str, answer: Answer
) -> MissingDll:
    base = base_name(answer.name)
    copies = loading.named(base)
    recorded = None if copies else loading.recorded.get(base)
    return MissingDll(
        name=answer.name,
        component=loading.catalog.windows.component_of(base) or "",
        consumer=consumer.name,
        title=consumer.title,
        user=loading.origin_of(owner),
        opened=path,
        askers=(answer.asked_by,),
        places=_places(loading, consumer, path),
        copies=tuple((copy, loading.origin(copy)) for copy in copies),
        recorded_by=loading.origin_of(recorded) if recorded else None,
        is_self_contained=_is_self_contained(loading, owner),
        extends=consumer.extends,
    )
