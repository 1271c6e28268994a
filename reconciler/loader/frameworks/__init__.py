"""How each framework loads CUDA, repeated in a process that is modelled."""

from __future__ import annotations

import posixpath
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.loader.frameworks import (
    bitsandbytes,
    ctranslate2,
    cuda_python,
    cupy,
    jax,
    numba,
    onnxruntime,
    pathfinder,
    tensorflow,
    torch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loading import Loadings, Site

#: What starts each consumer, by its name in the catalog.
FRAMEWORKS: Mapping[str, Callable[[Stage], None]] = MappingProxyType(
    {
        bitsandbytes.NAME: bitsandbytes.play,
        ctranslate2.NAME: ctranslate2.play,
        cuda_python.NAME: cuda_python.play,
        cupy.NAME: cupy.play,
        jax.NAME: jax.play,
        numba.CUDA_NAME: numba.play_numba_cuda,
        numba.NAME: numba.play,
        onnxruntime.NAME: onnxruntime.play,
        tensorflow.NAME: tensorflow.play,
        torch.NAME: torch.play,
    }
)


def start(stage: Stage, framework: str) -> bool:
    """Start a framework in the process as it is; tell whether it runs."""
    return stage.start(framework, FRAMEWORKS[framework])


def directories(site: Site, known: Loadings) -> tuple[str, ...]:
    """Return the directories outside of packages whose names decide what a framework opens.

    The directories of packages, and those that the loader searches, are not among them.
    """
    found = (
        *pathfinder.directories(site, known),
        *numba.directories(site),
        *tensorflow.directories(site),
    )
    return tuple(sorted({posixpath.normpath(one) for one in found}))


def doubles(stage: Stage) -> Mapping[str, tuple[str, ...]]:
    """Return the files of each library that is mapped in several releases, by its name up to .so.

    That libnvrtc.so.12 and libnvrtc.so.13 are in one process is no error that anything would tell.
    """
    known: dict[str, dict[str, str]] = {}
    for path in stage.process.mapped:
        name = getattr(stage.tree.elf(path), "soname", None) or posixpath.basename(path)
        stem, is_library, _ = name.partition(".so")
        if is_library:
            known.setdefault(stem, {}).setdefault(name, path)
    return {stem: tuple(found.values()) for stem, found in known.items() if len(found) > 1}
