"""What the environment runs in: a container or WSL, and which files of the driver reach it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reconciler.collect import driver_files, files
from reconciler.collect.driver import LIBRARY, VERSION
from reconciler.collect.ground import Found
from reconciler.model.host import CompatLibrary, Surroundings
from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: Docker's and Podman's; a shell of Apptainer has none.
MARKS = ("/.dockerenv", "/run/.containerenv")
#: Set in each container of Apptainer, of Singularity before it, and of Kubernetes.
VARIABLES = ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER", "KUBERNETES_SERVICE_HOST")
#: The driver's own device, that of WSL, and Tegra's.
DEVICES = ("/dev/nvidiactl", "/dev/dxg", "/dev/nvhost-ctrl-gpu", "/dev/nvmap")
#: NVIDIA's packages of cuda-compat put it there, conda's into the environment.
TOOLKITS = "/usr/local"
_TOOLKIT = re.compile(r"cuda(?:-\d+(?:\.\d+)*)?")
_COMPAT = re.compile(r"libcuda\.so\.(\d{3}\.\d{2,3}(?:\.\d{2,3})?)")


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Look for the marks of a container and of WSL, for the driver's files, and for cuda-compat."""
    if not snapshot.target.platform.startswith("linux"):
        return Found(value=None)
    root = ground.root
    marks = (path for path in MARKS if files.exists(f"{root}{path}"))
    named = (name for name in VARIABLES if ground.environ.get(name))
    library = driver_files.find(root, LIBRARY)
    return Found(
        value=Surroundings(
            container=next(marks, None) or next(named, None),
            # WSL mounts it from Windows, with the driver's libraries or without
            is_wsl=files.exists(f"{root}{driver_files.WSL}"),
            has_module=files.exists(f"{root}{VERSION}"),
            library=library.path if library else None,
            has_devices=any(files.exists(f"{root}{path}") for path in DEVICES),
            compat=tuple(_compat(ground, snapshot)),
        )
    )


def _compat(ground: Ground, snapshot: Snapshot) -> Iterator[CompatLibrary]:
    root, prefix = ground.root, snapshot.target.prefix
    paths = ground.environ.get("LD_LIBRARY_PATH", "").split(":")
    listed = {_real(root, from_os(path)) for path in paths if path}
    # the loader takes the first that the cache has
    first = next(driver_files.cached(root, LIBRARY), "")
    toolkits = [n for n in _names(f"{root}{TOOLKITS}") if _TOOLKIT.fullmatch(n)]
    # conda's package puts it into the environment, which lies below no root
    own = {_real("", f"{prefix}/cuda-compat"): ""} if prefix else {}
    for folder, top in (
        own | {_real(root, f"{TOOLKITS}/{n}/compat"): root for n in toolkits}
    ).items():
        by_cache = (
            "ld.so.cache" if first and folder == _real(root, os.path.dirname(first)) else None
        )
        reached = "LD_LIBRARY_PATH" if folder in listed else by_cache
        for name in _names(f"{top}{folder}"):
            if match := _COMPAT.fullmatch(name):
                yield CompatLibrary(path=f"{folder}/{name}", release=match[1], reached_by=reached)


def _real(root: str, path: str) -> str:
    """Return a folder without links, as the machine itself names it: cuda is one to cuda-12.4."""
    real = from_os(os.path.realpath(to_os(f"{root}{path}")))
    return real.removeprefix(root) if real.startswith(f"{root}/") else os.path.normpath(path)


def _names(folder: str) -> tuple[str, ...]:
    try:
        return files.names(folder)
    except files.UnreadableError:
        return ()
