"""Which file answers for the driver's library, where another than the driver's own may.

The CUDA runtime opens libcuda by its name as it starts, whoever has linked it: where that is a
library by itself, its own search path counts first.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.builds import runs
from reconciler.builds.origins import STUBS, version_in
from reconciler.loader import frameworks
from reconciler.model.driver_library import Kind, WrongDriver
from reconciler.model.host import DriverRelease

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.loader.frameworks.stage import Stage
    from reconciler.model.loader_view import LoaderView
    from reconciler.model.run import Link
    from reconciler.model.which import Situation

#: The second is asked for by who knows no better, as numba does first.
NAMES = ("libcuda.so.1", "libcuda.so")
#: What Windows puts into every distribution of WSL 2: docs.nvidia.com/cuda/wsl-user-guide.
WSL = "/usr/lib/wsl/lib"
_OF_WSL = "/usr/lib/wsl/"
#: /usr/local/cuda/compat, and conda's folder of its package.
_COMPAT = frozenset({"compat", "cuda-compat"})
_RUNTIME = "libcudart.so"
#: The release of a driver begins with its branch, 450 or 580; libcuda.so.1.1 is Tegra's and WSL's.
_LEAST_BRANCH = 100


def wrong_drivers(
    loading: Loading, view: LoaderView, started: Mapping[str, str], driver: DriverRelease | None
) -> Iterator[WrongDriver]:
    """Yield what each start gets in the place of the driver's own library.

    ``started`` are the titles of what is started, by consumer. Where the machine has no driver,
    nothing is in its place.
    """
    kinds = {path: _kind(loading, view, path, driver) for path in _libraries(view)}
    own = [path for path, kind in kinds.items() if kind is None]
    if len(own) == len(kinds) or (not own and driver is None):
        return
    due = next((path for path in own if path.startswith(f"{WSL}/")), own[0] if own else None)
    for situation in loading.situations:
        for name, title in started.items():
            stage = loading.stage(situation)
            if stage is None:
                return
            frameworks.start(stage, name)
            _start_runtime(stage)
            yield from _wrong(runs.links_of(loading, stage, 0), kinds, title, situation, due)
    for run in loading.modules:
        yield from _wrong(run.links, kinds, run.title, run.situation, due)


def _libraries(view: LoaderView) -> Iterator[str]:
    """Yield the real paths of the files that may answer for the driver's library."""
    for file in view.files:
        if file.soname in NAMES or posixpath.basename(file.path) in NAMES:
            yield file.path


def _kind(
    loading: Loading, view: LoaderView, real: str, driver: DriverRelease | None
) -> Kind | None:
    """Return what is wrong with a file; None of the driver's own, and of what may do for it."""
    folders = {*posixpath.dirname(real).split("/")}
    if STUBS in folders:
        return Kind.STUB
    if folders & _COMPAT:
        return Kind.COMPAT if _is_older(version_in(real), driver) else None
    if loading.origins.of(real).is_package:
        # The driver's library is of one release with its kernel module: no package can bring it.
        return Kind.STUB
    has_wsl = NAMES[0] in view.directories.get(WSL, ())
    return Kind.NOT_OF_WSL if has_wsl and not real.startswith(_OF_WSL) else None


def _is_older(version: str | None, driver: DriverRelease | None) -> bool:
    if version is None or driver is None:
        return False
    release = DriverRelease.parse(version)
    return release.parts[0] >= _LEAST_BRANCH and release.parts < driver.parts


def _start_runtime(stage: Stage) -> None:
    caller = stage.mapped(_RUNTIME)
    because = "the CUDA runtime asks for the driver"
    if caller is None:
        stage.ctypes(NAMES[0], because=because, is_optional=True)
    else:
        stage.open(NAMES[0], caller=caller, because=because, is_optional=True)


def _wrong(
    links: Iterable[Link],
    kinds: Mapping[str, Kind | None],
    title: str,
    situation: Situation,
    due: str | None,
) -> Iterator[WrongDriver]:
    """Yield the first file that is not the driver's, as it stays for the rest of the process."""
    for link in links:
        kind = kinds.get(link.real or "")
        if kind is None or link.path is None or link.real is None or link.owner is None:
            continue
        yield WrongDriver(
            kind=kind,
            path=link.path,
            real=link.real,
            owner=link.owner,
            reason=link.reason,
            entry=link.entry,
            because=link.because,
            started=title,
            asked_by=link.asked_by,
            situation=situation,
            due=due,
        )
        return
