"""Which package answers an import: the entries of sys.path against the environment's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.host import Shadow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.catalog import Catalog
    from reconciler.model.distribution import Distribution
    from reconciler.model.host import ImportPath
    from reconciler.model.snapshot import Snapshot


class _Own(NamedTuple):
    """One distribution of the prefix, or a conda package that has no dist-info."""

    words: str
    version: str
    #: Its place in sys.path.
    place: int
    is_condas: bool
    #: None for a conda package without dist-info.
    distribution: Distribution | None


def shadows(snapshot: Snapshot, catalog: Catalog) -> Iterator[Shadow]:
    """Yield each package that sys.path finds outside before it reaches the prefix's own."""
    if not snapshot.outside and not any(entry.modules for entry in snapshot.import_paths):
        return
    places = {entry.path: n for n, entry in enumerate(snapshot.import_paths)}
    own = _own(snapshot, catalog, places)
    outside: dict[int, list[Distribution]] = {}
    for distribution in snapshot.outside:
        outside.setdefault(places.get(distribution.location, len(places)), []).append(distribution)
    seen: set[str] = set()
    for place, entry in enumerate(snapshot.import_paths):
        root = _root(entry, snapshot.import_paths)
        for distribution in outside.get(place, ()):
            mine = own.get(distribution.key)
            if mine is None or place > mine.place or distribution.key in seen:
                continue
            seen.add(distribution.key)
            if _differs(distribution, mine, catalog):
                yield _shadow(distribution.key, str(distribution), mine, entry, root)
        for module in entry.modules:
            name = module.partition("/")[0].partition(".")[0]
            names = catalog.import_names.get(name, ())
            mine = next((own[n] for n in names if n in own and _installs(own[n], name)), None)
            if mine is None or place > mine.place or seen & {name, *names}:
                continue
            seen.add(name)
            yield _shadow(name, f"{entry.path}/{module}", mine, entry, root)


def _own(snapshot: Snapshot, catalog: Catalog, places: Mapping[str, int]) -> Mapping[str, _Own]:
    last = len(places)
    own: dict[str, _Own] = {}
    place = min((places.get(path, last) for path in _site_packages(snapshot)), default=last)
    records = {record.name: record for record in snapshot.records}
    for group in catalog.import_groups:
        for record in (records[name] for name in group.conda if name in records):
            words = f"conda's {record}"
            mine = _Own(words, record.version, place, is_condas=True, distribution=None)
            own |= dict.fromkeys(group.pypi, mine)
    for distribution in snapshot.distributions:
        # What is installed in place is developed: the newest of it may lie anywhere.
        if distribution.editable:
            own.pop(distribution.key, None)
            continue
        place = places.get(distribution.location, last)
        is_condas = distribution.installer == "conda"
        words = f"{'conda' if is_condas else 'pip'}'s {distribution}"
        own[distribution.key] = _Own(
            words, distribution.version, place, is_condas=is_condas, distribution=distribution
        )
    return own


def _site_packages(snapshot: Snapshot) -> tuple[str, ...]:
    return snapshot.python.site_packages if snapshot.python else ()


def _differs(outside: Distribution, own: _Own, catalog: Catalog) -> bool:
    if outside.version != own.version:
        return True
    # One version of what is built against CUDA is another build in a wheel than in conda.
    return own.is_condas and catalog.consumer("pip", outside.key) is not None


def _installs(own: _Own, name: str) -> bool:
    return own.distribution is None or own.distribution.installs(name)


def _root(entry: ImportPath, entries: tuple[ImportPath, ...]) -> ImportPath:
    folder = (entry.via or "").rpartition("/")[0]
    return next((e for e in entries if entry.via and e.path == folder), entry)


def _shadow(name: str, taken: str, own: _Own, by: ImportPath, root: ImportPath) -> Shadow:
    return Shadow(name=name, taken=taken, instead_of=own.words, by=by, root=root)
