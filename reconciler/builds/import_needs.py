"""The variables that keep Python from packages of elsewhere, where these are imported in place of own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.builds.required import required_on
from reconciler.builds.shadows import shadows
from reconciler.model.distribution import required_name
from reconciler.model.hook import SetVariable, Unset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.catalog import Catalog
    from reconciler.model.hook import HookVariable
    from reconciler.model.host import Shadow
    from reconciler.model.snapshot import Snapshot

USER_SITE, PYTHONPATH = "user site", "PYTHONPATH"


class ImportNeed(NamedTuple):
    """A variable that activation has to change for the sake of what is imported."""

    #: USER_SITE or PYTHONPATH.
    origin: str
    title: str
    variable: HookVariable
    code: str
    why: str
    proof: tuple[str, ...]


def import_needs(snapshot: Snapshot, catalog: Catalog) -> Iterator[ImportNeed]:
    """Yield what activation has to change so that the environment's own packages are imported."""
    taken = tuple(shadows(snapshot, catalog))
    for origin, variable, code in (
        (USER_SITE, SetVariable(name="PYTHONNOUSERSITE", value="1"), "PTH403"),
        (PYTHONPATH, Unset(name=PYTHONPATH), "PTH402"),
    ):
        own = [shadow for shadow in taken if shadow.root.origin == origin]
        rest = _without(snapshot, origin)
        if not own or _is_of_project(snapshot, origin) or _lost(snapshot, rest):
            continue
        if _more(taken, tuple(shadows(rest, catalog)), origin):
            continue
        first = own[0]
        yield ImportNeed(
            origin=origin,
            title=f"have the activation keep Python from {_words(origin)}",
            variable=variable,
            code=code,
            why=f"{first.taken} is imported in place of {first.instead_of}",
            proof=(f"without {_words(origin)}, {first.instead_of} is imported",),
        )


def _words(origin: str) -> str:
    return "the user site" if origin == USER_SITE else PYTHONPATH


def _without(snapshot: Snapshot, origin: str) -> Snapshot:
    """Return the same without the entries of sys.path that come from one source."""
    roots = {entry.path for entry in snapshot.import_paths if entry.origin == origin}
    gone = roots | {
        entry.path
        for entry in snapshot.import_paths
        if entry.via and entry.via.rpartition("/")[0] in roots
    }
    return replace(
        snapshot,
        import_paths=tuple(entry for entry in snapshot.import_paths if entry.path not in gone),
        outside=tuple(one for one in snapshot.outside if one.location not in gone),
    )


def _is_of_project(snapshot: Snapshot, origin: str) -> bool:
    """Tell whether the project's own source is found through what would go."""
    own = (entry.path for entry in snapshot.import_paths if entry.origin == origin)
    return any(snapshot.target.is_of_project(path) for path in own)


def _lost(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """Return what an installed package requires, and only what is gone brings."""
    here = {one.key for one in (*after.distributions, *after.outside)}
    needed = {
        required_name(line) for one in before.distributions for line in required_on(one, before)
    }
    return frozenset({one.key for one in before.outside} & needed) - here


def _more(before: tuple[Shadow, ...], after: tuple[Shadow, ...], origin: str) -> bool:
    """Tell whether what is to go is still imported, or something else instead."""
    known = {(shadow.name, shadow.taken) for shadow in before if shadow.root.origin != origin}
    return any((shadow.name, shadow.taken) not in known for shadow in after)
