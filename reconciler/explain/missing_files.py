"""What is known of a library that is not found: where it lies after all, and what comes near it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.replay import Replay
    from reconciler.world import World

_FEW = 3


def copies_of(soname: str, world: World) -> Sequence[str]:
    """Return the files of a name that lie where nothing looks for them."""
    view = world.snapshot.loader
    listed = view.directories.items() if view else ()
    return [f"{folder}/{soname}" for folder, names in listed if soname in names]


def near(soname: str, world: World) -> str:
    """Return, as a sentence, which files of other releases are here; "" where there is none."""
    view, loading = world.snapshot.loader, world.loading
    stem = f"{soname.partition('.so')[0]}.so."
    if view is None or loading is None:
        return ""
    found: dict[str, str] = {}
    for folder, names in view.directories.items():
        for name in sorted(names):
            if name.startswith(stem) and name != soname and name.count(".") == soname.count("."):
                found.setdefault(name, loading.origins.of(f"{folder}/{name}").title)
    told = [f"{name} of {owner}" for name, owner in list(found.items())[:_FEW]]
    if not told:
        return ""
    return f" {' and '.join(told)} cannot serve instead: the number is a part of the name."


def remedy(replay: Replay, world: World) -> str:
    """Return what brings the library, or a build of its user that does without."""
    loading = world.loading
    copies = copies_of(replay.soname, world)
    if copies and loading:
        folder = posixpath.dirname(copies[0])
        return (
            f"Lead the loader to it: `LD_LIBRARY_PATH={folder}` before Python starts"
            " (`envfix hooks install` has the activation set it where that is proven to help)."
        )
    component = loading.component_of(replay.soname) if loading else None
    if component is None or replay.asker is None or loading is None:
        return ""
    asker = loading.origins.of(replay.asker)
    if not asker.is_package:
        return ""
    title = world.catalog.title(component)
    return (
        f"Install a build of {asker.package} for the CUDA that is in this environment; or bring"
        f" {title} with {asker.kind}, in the release that has {replay.soname}."
    )
