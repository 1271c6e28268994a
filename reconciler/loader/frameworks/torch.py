"""What ``import torch`` opens: torch/__init__.py, ``_load_global_deps`` and ``_preload_cuda_deps``.

libtorch_global_deps.so first, by which the loader finds the rest through its RPATH. Where that fails
for the lack of a library of CUDA, the wheels on sys.path are opened one by one. Newer releases open
some of them even so, since what is loaded already wins over LD_LIBRARY_PATH.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loading import LoadingStep

NAME = "torch"


def play(stage: Stage) -> None:
    """Import torch."""
    package = stage.package("torch")
    if package is None:
        stage.fail("torch is not installed")
    if not stage.variable("TORCH_USE_RTLD_GLOBAL"):
        _load_global_deps(stage, posixpath.join(package, "lib", "libtorch_global_deps.so"))
    stage.module(package, "_C", because="import torch loads torch._C")


def _load_global_deps(stage: Stage, path: str) -> None:
    if not stage.has(path):
        return
    because = "import torch loads libtorch_global_deps first, for its symbols and its RPATH"
    if stage.ctypes(path, because=because, is_global=True, is_optional=True):
        _preload_after(stage)
        return
    error = stage.outcomes[-1].error or ""
    row = stage.step(NAME, "preload")
    if row is None or not any(one in error for one in row.if_missing or map(_stem, row.opens)):
        stage.fail(error)
    _preload(stage, row)
    again = "import torch loads libtorch_global_deps again, now that its wheels are loaded"
    stage.ctypes(path, because=again, is_global=True)


def _preload_after(stage: Stage) -> None:
    """Open what would else be taken from LD_LIBRARY_PATH; it may fail without a word."""
    row = stage.step(NAME, "after")
    mapped = (stage.tree.real_path(path) for path in stage.process.mapped)
    if row is not None and any((row.if_mapped or "") in path for path in mapped):
        _preload(stage, row, is_optional=True)


def _preload(stage: Stage, row: LoadingStep, *, is_optional: bool = False) -> None:
    because = "import torch preloads the libraries of CUDA's wheels"
    for item in row.opens:
        path = _wheel_file(stage, item)
        if path is not None:
            # one that is there and cannot be opened ends the step, even where it may be missing
            if stage.ctypes(path, because=because, is_optional=is_optional) is None:
                return
        elif not row.goes_on and item not in row.may_lack:
            if is_optional:
                return
            stage.fail(f"{posixpath.basename(item)} not found on sys.path")


def _wheel_file(stage: Stage, item: str) -> str | None:
    """Return the file that glob.glob gives first; which of several that is, the disk decides."""
    row = stage.step(NAME, "preload")
    directories = stage.site.directories
    if row and row.together:
        whole = (d for d in directories if all(_found(stage, d, one) for one in row.opens))
        directories = tuple(whole)
    found = (_found(stage, directory, item) for directory in directories)
    return next((path for path in found if path is not None), None)


def _found(stage: Stage, directory: str, item: str) -> str | None:
    folder, _, pattern = item.partition("/")
    row = stage.step(NAME, "places")
    major = stage.major(NAME)
    places = [p.format(folder=folder, major=major) for p in (row.opens if row else ())]
    for place in places:
        if found := stage.glob(posixpath.join(directory, place, pattern)):
            return found[0]
    return None


def _stem(item: str) -> str:
    return posixpath.basename(item).partition(".")[0]
