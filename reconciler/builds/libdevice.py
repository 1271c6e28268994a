"""Who looks for libdevice in vain, where it lies, and which wheel brings it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.model.libdevice import FILE, FOLDER, Libdevice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.loader_view import LoaderView
    from reconciler.model.run import Run

#: The component that libdevice is packaged with.
_NVVM = "nvvm"
_DRIVER = "libcuda"


def libdevice(
    loading: Loading, view: LoaderView, known: Mapping[str, CudaBuild], catalog: Catalog
) -> Libdevice:
    """Return what came of the search for libdevice in each start."""
    lacking = tuple(run for run in loading.alone if _lacks(run) and _finds_cuda(run))
    if any(path.endswith(f"/{FOLDER}") for path in loading.tree.unknown):
        # A snapshot of an older envfix has not looked there.
        lacking = ()
    majors = {name: build.cuda.major for name, build in known.items() if build.cuda}
    return Libdevice(
        lacking=lacking,
        elsewhere=tuple(_roots(view)),
        loose=next(_loose(view), None),
        wheels={name: wheel for name, major in majors.items() if (wheel := _wheel(catalog, major))},
    )


def _lacks(run: Run) -> bool:
    return not run.failures and any(path is None for _, path in run.looked_up)


def _finds_cuda(run: Run) -> bool:
    """Tell whether all of CUDA that is asked for is there; the driver is taken for granted."""
    asked = {posixpath.basename(link.soname).partition(".so")[0] for link in run.cuda_links}
    found = {
        posixpath.basename(link.soname).partition(".so")[0]
        for link in run.cuda_links
        if link.path is not None
    }
    return bool(found - {_DRIVER}) and asked - {_DRIVER} <= found


def _roots(view: LoaderView) -> Iterator[str]:
    for directory, names in view.directories.items():
        if directory.endswith(f"/{FOLDER}") and posixpath.basename(FILE) in names:
            yield directory.removesuffix(f"/{FOLDER}")


def _loose(view: LoaderView) -> Iterator[str]:
    name = posixpath.basename(FILE)
    for directory, names in view.directories.items():
        if name in names and not directory.endswith(f"/{FOLDER}"):
            yield posixpath.join(directory, name)


def _wheel(catalog: Catalog, major: int) -> str | None:
    """Return the requirement of the wheel that brings it for a CUDA major."""
    rows = [p for p in catalog.cuda_packages.values() if p.manager == "pip" and _NVVM in p.brings]
    own = next((row.name for row in rows if row.cuda_major == major), None)
    # The wheel whose name has no major is of the majors that have no wheel of their own.
    any_major = next((row.name for row in rows if row.cuda_major is None), None)
    return own or (f"{any_major}=={major}.*" if any_major else None)
