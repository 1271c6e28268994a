"""What Numba opens for its first kernel: the driver, and NVVM with libdevice.

numba/cuda/cudadrv/driver.py, libs.py, numba/cuda/cuda_paths.py and numba/misc/findlib.py of numba
0.60.0: a conda environment that has NVVM, CUDA_HOME or CUDA_PATH, /usr/local/cuda; the last file in
alphabetical order wins, and where there is none, the system is asked. numba-cuda knows NVIDIA's
wheels since 0.9, after the environment, and searches through cuda-pathfinder since 0.25. The
environment counts by its ``conda-meta``, activated or not.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reconciler.loader.frameworks import pathfinder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loading import Site

NAME, CUDA_NAME = "numba", "numba-cuda"
_SYSTEM = "/usr/local/cuda"
_DEBIAN_LIBDEVICE = "/usr/lib/nvidia-cuda-toolkit/libdevice"
_NVVM = re.compile(r"libnvvm\.so\.[0-9]*([_.][0-9]+)*")
_LIBDEVICE = re.compile(r"libdevice(\.\d+)*\.bc")


def play(stage: Stage) -> None:
    """Compile a first kernel with Numba's own CUDA target."""
    _load_driver(stage)
    _load_nvvm(stage)


def play_numba_cuda(stage: Stage) -> None:
    """Compile a first kernel with numba-cuda."""
    row, wheels = stage.step(CUDA_NAME, "searched"), stage.step(CUDA_NAME, "wheels")
    _load_driver(stage)
    if row is None:
        _load_nvvm(stage, wheels.opens if wheels else ())
        return
    for name in row.opens:
        pathfinder.load(stage, name, is_optional=True)


def directories(site: Site) -> Iterator[str]:
    """Yield the directories outside of packages that are looked into."""
    yield from (site.prefix, posixpath.join(site.prefix, "lib"))
    roots = (site.prefix, site.variables.get("CUDA_HOME"), site.variables.get("CUDA_PATH"), _SYSTEM)
    for root in roots:
        for part in ("nvvm", "nvvm/lib64", "nvvm/libdevice") if root else ():
            yield posixpath.join(root or "", part)
    yield from (posixpath.dirname(_SYSTEM), posixpath.dirname(_DEBIAN_LIBDEVICE), _DEBIAN_LIBDEVICE)


def _load_driver(stage: Stage) -> None:
    row = stage.step(NAME, "driver")
    named = stage.variable("NUMBA_CUDA_DRIVER")
    names = (named,) if named else row.opens if row else ()
    stage.ctypes(*names, is_optional=True, because="Numba asks for the driver")


def _load_nvvm(stage: Stage, wheels: tuple[str, ...] = ()) -> None:
    because = "Numba loads NVVM for its first kernel"
    stage.ctypes(_nvvm(stage, wheels) or "libnvvm.so", because=because)
    folder = next(_libdevice_folders(stage, wheels), None)
    device = _matching(stage, folder, _LIBDEVICE) if folder else None
    paths = (device,) if device else ()
    stage.look(*paths, because="Numba reads libdevice for its first kernel")


def _nvvm(stage: Stage, wheels: tuple[str, ...]) -> str | None:
    """Return the file of NVVM; of the toolkits, only the first is looked into."""
    conda = _conda_toolkit(stage)
    if conda is not None:
        return _matching(stage, conda, _NVVM)
    if wheel := _wheel_file(stage, wheels):
        return wheel
    folder = next(_toolkit_folders(stage, "nvvm/lib64"), None)
    return _matching(stage, folder, _NVVM) if folder else None


def _libdevice_folders(stage: Stage, wheels: tuple[str, ...]) -> Iterator[str]:
    conda = _conda_toolkit(stage)
    if conda is not None:
        inside = posixpath.join(posixpath.dirname(conda), "libdevice")
        yield inside if conda.endswith("nvvm/lib64") else conda
    if wheel := _wheel_file(stage, wheels):
        yield posixpath.normpath(posixpath.join(wheel, "../../libdevice"))
    yield from _toolkit_folders(stage, "nvvm/libdevice")
    if stage.has(_DEBIAN_LIBDEVICE):
        yield _DEBIAN_LIBDEVICE


def _toolkit_folders(stage: Stage, part: str) -> Iterator[str]:
    """Yield a folder of the toolkit that a variable names, then of the one in its usual place."""
    root = stage.variable("CUDA_HOME", "CUDA_PATH")
    if root:
        yield posixpath.join(root, part)
    if stage.has(_SYSTEM):
        yield posixpath.join(_SYSTEM, part)


def _wheel_file(stage: Stage, wheels: tuple[str, ...]) -> str | None:
    paths = (posixpath.join(d, one) for one in wheels for d in stage.site.directories)
    return next((path for path in paths if stage.has(path)), None)


def _conda_toolkit(stage: Stage) -> str | None:
    """Return the folder of NVVM in the environment: of cudatoolkit, or of NVIDIA's packages."""
    prefix = stage.site.prefix
    if "conda-meta" not in stage.tree.names(prefix):
        return None
    folders = (posixpath.join(prefix, one) for one in ("lib", "nvvm/lib64"))
    return next((one for one in folders if _matching(stage, one, _NVVM)), None)


def _matching(stage: Stage, folder: str, pattern: re.Pattern[str]) -> str | None:
    names = [name for name in stage.tree.names(folder) if pattern.fullmatch(name)]
    return posixpath.join(folder, max(names)) if names else None
