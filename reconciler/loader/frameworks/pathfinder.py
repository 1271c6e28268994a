"""cuda-pathfinder: ``load_nvidia_dynamic_lib``, by which CuPy, Numba and CUDA Python find libraries.

Wheels of NVIDIA, the activated conda environment, the system's loader, then the variables that name
a toolkit; but what is loaded already wins over all of them, the newest soname first. Each library is
searched for itself: two of one process may come from two toolkits. Read in cuda-pathfinder 1.2.3,
1.3.0, 1.6.0, 1.7.0 and 1.9.0, ``cuda/pathfinder/_dynamic_libs``.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.loader.frameworks.stage import StartFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loading import FoundLibrary, Loadings, Site

_OWN = "cuda-python"
_FOUND_BEFORE = ("wheels", "conda")
#: What site.getsitepackages() and the user's own site-packages are called; sys.path has more.
_SITE = ("site-packages", "dist-packages")


def load(stage: Stage, name: str, *, is_optional: bool = False) -> str | None:
    """Load a library by pathfinder's name for it; return the file that serves it.

    Where one that it needs cannot be loaded, it is not tried at all.
    """
    try:
        return _load(stage, name, is_optional=is_optional)
    except StartFailedError:
        if is_optional:
            return None
        raise


def _load(stage: Stage, name: str, *, is_optional: bool) -> str:
    library = stage.known.found[name]
    steps = _opens(stage, "search")
    early = None if library.is_driver else _find(stage, library, steps, early=True)
    loaded = next((p for one in library.sonames if (p := stage.loaded(one))), None)
    for need in library.needs:
        if need in library.may_lack:
            load(stage, need, is_optional=True)
        else:
            _load(stage, need, is_optional=is_optional)
    because = f"cuda-pathfinder loads {name}"
    if loaded is not None:
        because = f"{because}, which is loaded already"
        path = stage.ctypes(posixpath.basename(loaded), because=because, is_optional=True)
    elif early is not None:
        path = _open(stage, library, early, because, is_optional=is_optional)
    else:
        path = _ask_system(stage, library, steps, because, is_optional=is_optional)
    if path is None:
        stage.fail(f"cuda-pathfinder does not find {' or '.join(library.sonames)}")
    return path


def _ask_system(
    stage: Stage, library: FoundLibrary, steps: Iterable[str], because: str, *, is_optional: bool
) -> str | None:
    """Ask the system's loader, then look where variables point."""
    names = _system_names(stage, library)
    path = stage.ctypes(*names, because=because, is_global=True, is_optional=True)
    if path is not None or library.is_driver:
        return path
    late = _find(stage, library, steps, early=False)
    return _open(stage, library, late, because, is_optional=is_optional) if late else None


def directories(site: Site, known: Loadings) -> Iterator[str]:
    """Yield the directories outside of packages that are looked into."""
    variables = {"CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX"}
    for library in known.found.values():
        roots = [site.variables.get(one) for one in sorted(variables)]
        yield from (posixpath.join(r, a) for r in roots if r for a in library.anchors)
        owned = [site.variables.get(one) for one in library.variables]
        yield from (posixpath.join(r, f) for r in owned if r for f in library.folders)


def _find(stage: Stage, library: FoundLibrary, steps: Iterable[str], *, early: bool) -> str | None:
    """Return the file of a library by the steps before, or after, the system is asked."""
    for step in steps:
        if step == "system" or (step in _FOUND_BEFORE) != early:
            continue
        names = "names" if step == "wheels" else "names-at-anchors"
        for directory in _directories(stage, library, step):
            if path := _in(stage, library, directory, names):
                return path
    return None


def _directories(stage: Stage, library: FoundLibrary, step: str) -> Iterator[str]:
    if step == "wheels":
        sites = [d for d in stage.site.directories if posixpath.basename(d) in _SITE]
        yield from (posixpath.join(site, one) for one in library.wheels for site in sites)
        return
    if step == "variables":
        roots = [v for one in library.variables if (v := stage.variable(one))]
        yield from (posixpath.join(root, one) for root in roots for one in library.folders)
        return
    root = _root(stage, library, step)
    yield from (posixpath.join(root, one) for one in library.anchors if root)


def _root(stage: Stage, library: FoundLibrary, step: str) -> str | None:
    if step == "conda":
        return stage.variable("CONDA_PREFIX")
    if step == "roots":
        return stage.variable(*_opens(stage, "roots"))
    return _canary_root(stage, library.canary) if library.canary else None


def _canary_root(stage: Stage, canary: str) -> str | None:
    """Return the toolkit from which a process of its own takes the canary, as the system has it."""
    other = stage.fresh()
    names = stage.known.found[canary].sonames
    because = f"cuda-pathfinder asks another process where {canary} is"
    path = other.ctypes(*names, because=because, is_optional=True) if other else None
    folder, name = posixpath.split(posixpath.dirname(stage.tree.real_path(path or "/")))
    if path is None or name not in {"lib", "lib64"}:
        return None
    above, name = posixpath.split(posixpath.dirname(folder))
    return above if name == "targets" else folder


def _in(stage: Stage, library: FoundLibrary, directory: str, names: str) -> str | None:
    """Return the file of a library in a directory, by the names that this release looks for."""
    plain = posixpath.join(directory, f"lib{library.name}.so")
    for way in _opens(stage, names):
        if way == "sonames":
            paths: tuple[str, ...] = tuple(posixpath.join(directory, s) for s in library.sonames)
        elif way == "plain":
            paths = (plain,)
        else:
            paths = stage.glob(f"{plain}*")
            paths = paths[::-1] if way == "newest" else paths
        if path := next((one for one in paths if stage.has(one)), None):
            return path
    return None


def _open(
    stage: Stage, library: FoundLibrary, path: str, because: str, *, is_optional: bool
) -> str | None:
    folder, name = posixpath.split(path)
    sibling = posixpath.join(folder, library.beside.get(name, ""))
    if name in library.beside and stage.has(sibling):
        stage.ctypes(sibling, because=because, is_global=True, is_optional=True)
    return stage.ctypes(path, because=because, is_global=True, is_optional=is_optional)


def _system_names(stage: Stage, library: FoundLibrary) -> tuple[str, ...]:
    plain = () if "sonames" in _opens(stage, "names") else (f"lib{library.name}.so",)
    return (*library.sonames, *plain)


def _opens(stage: Stage, step: str) -> tuple[str, ...]:
    row = stage.step(_OWN, step)
    return row.opens if row else ()
