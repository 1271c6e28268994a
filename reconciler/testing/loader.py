"""The part of a sketch that the dynamic loader sees."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.loader.system import debian
from reconciler.model.library import SharedLibrary
from reconciler.model.loader_view import LoaderView, Misfit
from reconciler.model.system import CacheEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.distribution import Distribution
    from reconciler.model.prefix import PrefixRecord

PREFIX = "/prefix"
LOADER = "/lib64/ld-linux-x86-64.so.2"
#: The keys of a file that are no field of SharedLibrary.
_WORDS = ("of", "cached")
Items = dict[str, dict[str, Any] | None]


def view(items: Items, minor: str, links: Mapping[str, str]) -> LoaderView:
    """Return what the loader may come to; paths are relative to the prefix, or absolute."""
    executable = f"{PREFIX}/bin/python{minor}"
    files = {LOADER: SharedLibrary(path=LOADER, soname="ld-linux-x86-64.so.2")}
    cache: dict[str, tuple[CacheEntry, ...]] = {}
    program: Items = {f"bin/python{minor}": {}}
    for name, given in (program | items).items():
        path, fields = placed(name), dict(given or {})
        soname = posixpath.basename(path)
        if fields.get("cached"):
            cache[soname] = (CacheEntry(path=path, flags=0x303),)
        known = {"path": path, "soname": soname, "interpreter": None}
        if path == executable:
            known |= {"soname": None, "interpreter": LOADER}
        files[path] = msgspec.convert(known | own_fields(fields), SharedLibrary)
    linked = {placed(link): target for link, target in links.items()}
    names = dict.fromkeys(debian().default_directories, ()) | directories((*files, *linked))
    return LoaderView(
        executable=executable,
        system=msgspec.structs.replace(debian(), cache=cache),
        directories=names,
        whole=tuple(names),
        files=tuple(files.values()),
        links=linked,
    )


def misfits(items: Sequence[dict[str, Any]]) -> Iterator[Misfit]:
    """Yield the libraries that do not fit others: the fields of Misfit, its paths as in a sketch."""
    for item in items:
        paths = {key: placed(item[key]) for key in ("consumer", "provider")}
        for fault in (*item.get("versions", ()), *item.get("symbols", ())):
            fault |= {"wanted_by": paths["consumer"], "provider": paths["provider"]}
        yield msgspec.convert(item | paths, Misfit)


def owned(
    items: Items, records: Sequence[PrefixRecord], wheels: Sequence[Distribution]
) -> tuple[tuple[PrefixRecord, ...], tuple[Distribution, ...]]:
    """Return the packages with the files that are ``of`` them among what they have recorded."""
    by_owner: dict[str, list[str]] = {}
    for path, fields in items.items():
        by_owner.setdefault((fields or {}).get("of", ""), []).append(path)
    unknown = by_owner.keys() - {""} - {r.name for r in records} - {w.name for w in wheels}
    if unknown:
        raise ValueError(f"no package of the sketch: {', '.join(sorted(unknown))}")
    return (
        tuple(
            msgspec.structs.replace(r, files=(*r.files, *by_owner.get(r.name, ()))) for r in records
        ),
        tuple(_recording(wheel, by_owner.get(wheel.name, ())) for wheel in wheels),
    )


def _recording(wheel: Distribution, paths: Sequence[str]) -> Distribution:
    lines = (f"{posixpath.relpath(path, wheel.location)},," for path in paths)
    record = "\n".join(filter(None, (wheel.record or "", *lines)))
    return msgspec.structs.replace(wheel, record=record) if paths else wheel


def placed(path: str) -> str:
    """Return an absolute path for one that is relative to the prefix."""
    return path if path.startswith("/") else f"{PREFIX}/{path}"


def own_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a file itself."""
    return {key: value for key, value in fields.items() if key not in _WORDS}


def directories(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the names in each directory that leads to one of the paths."""
    names: dict[str, set[str]] = {"/": set()}
    for path in paths:
        while path not in {"/", ""}:
            parent, name = posixpath.split(path)
            names.setdefault(parent, set()).add(name)
            path = parent  # noqa: PLW2901 - up to the root
    return {directory: tuple(sorted(inside)) for directory, inside in names.items()}
