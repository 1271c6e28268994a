"""What CuPy opens at its import and at a first use of everything that comes with CUDA.

``import cupy`` opens cuTENSOR's wheel and no library of CUDA since 13, whose runtime is linked
statically. NVRTC is opened at the first kernel: by name until 13, by cuda-pathfinder since 14, for
which any release will do, CUDA 13's before CUDA 12's. Its extension modules need their own sonames
all the same, so that jitify may bring a second NVRTC: github.com/cupy/cupy, cupy_backends/cuda/libs.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.loader.frameworks import pathfinder

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage

NAME = "cupy"
_NVRTC = "nvrtc"


def play(stage: Stage) -> None:
    """Import CuPy, compile a kernel, and use each library once."""
    package = stage.package("cupy")
    if package is None:
        stage.fail("cupy is not installed")
    root = posixpath.dirname(package)
    _preload_cutensor(stage)
    core = posixpath.join(package, "_core")
    stage.module(core, "core", because="import cupy loads its core")
    stage.ctypes("libcuda.so.1", is_optional=True, because="CuPy asks for the driver")
    _load_nvrtc(stage)
    row, searched = stage.step(NAME, "modules"), stage.step(NAME, "searched")
    for module in row.opens if row else ():
        folder, name = posixpath.split(posixpath.join(root, module))
        if stage.extension(folder, name) is None:
            continue
        if (
            searched
            and name in searched.opens
            and not pathfinder.load(stage, name, is_optional=True)
        ):
            continue
        stage.module(folder, name, is_optional=True, because=f"the first use of {name} in CuPy")


def _preload_cutensor(stage: Stage) -> None:
    """Open cuTENSOR's wheel, as only CuPy's own wheels do."""
    if "cupy" in stage.site.versions:
        return
    row = stage.step(NAME, "cutensor")
    for item in row.opens if row else ():
        folder = stage.package(*posixpath.dirname(item).split("/"))
        if folder is not None:
            path = posixpath.join(folder, posixpath.basename(item))
            stage.ctypes(path, is_optional=True, because="import cupy preloads cuTENSOR")


def _load_nvrtc(stage: Stage) -> None:
    because = "CuPy compiles its first kernel"
    searched, named = stage.step(NAME, "searched"), stage.step(NAME, _NVRTC)
    if searched and _NVRTC in searched.opens:
        pathfinder.load(stage, _NVRTC)
    elif named:
        stage.ctypes(*named.opens, because=because)
