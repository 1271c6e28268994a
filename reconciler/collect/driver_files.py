"""Where the driver keeps its libraries, and which release their names and contents tell."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.collect import files
from reconciler.loader import ld_cache
from reconciler.model.host import DriverRelease
from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CACHE = "/etc/ld.so.cache"
CACHE_LIMIT = 16 * files.MEGABYTE
#: What Windows puts into every distribution of WSL 2: docs.nvidia.com/cuda/wsl-user-guide.
WSL = "/usr/lib/wsl/lib"
#: Debian's, Fedora's, Arch's, that of GKE's containers, NixOS' and Tegra's.
PLACES = (
    WSL,
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/local/nvidia/lib64",
    "/run/opengl-driver/lib",
    "/usr/lib/aarch64-linux-gnu/tegra",
    "/usr/lib/aarch64-linux-gnu/nvidia",
)
#: 450.80.02, 580.65.06 or 551.61: libcuda.so.1.1 of WSL and Tegra tells none.
_RELEASE = r"\d{3}\.\d{2,3}(?:\.\d{2,3})?"
_NAMED = re.compile(rf"\.so\.({_RELEASE})")
_EMBEDDED = re.compile(rb"(?<=\0)" + _RELEASE.encode() + rb"(?=\0)")
#: libcuda of 610 has 100 MB; a release behind that would not be found, and is a gap.
LIMIT = 256 * files.MEGABYTE
_BLOCK = 4 * files.MEGABYTE


class DriverFile(NamedTuple):
    """One of the driver's libraries."""

    #: Absolute, as the machine itself names it.
    path: str
    #: Where the file lies for us, its links resolved.
    real: str


def find(root: str, soname: str) -> DriverFile | None:
    """Find a library of the driver in its usual places, then where ld.so.cache leads."""
    for path in (*(f"{place}/{soname}" for place in PLACES), *cached(root, soname)):
        if not _is_stand_in(path) and (real := resolved(root, path)) and files.exists(real):
            return DriverFile(path=path, real=real)
    return None


def _is_stand_in(path: str) -> bool:
    # stubs are to be linked with; compat is of cuda-compat, and tells nothing of the driver
    return bool({"stubs", "compat", "cuda-compat"} & {*path.split("/")})


def cached(root: str, soname: str) -> Iterator[str]:
    """Yield the paths that ld.so.cache has for a name."""
    try:
        found = ld_cache.read(files.read(f"{root}{CACHE}", limit=CACHE_LIMIT))
    except (files.UnreadableError, ld_cache.NotCacheError):
        # Whether the loader's cache can be read is for loader_system to say.
        return
    yield from (entry.path for entry in found.get(soname, ()))


def resolved(root: str, path: str) -> str | None:
    """Follow the links of a file, absolute ones below the root; None for a circle of them."""
    for _ in range(40):
        here = f"{root}{path}"
        if not os.path.islink(to_os(here)):
            return here
        target = from_os(os.readlink(to_os(here)))
        path = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return None


def release_of(file: DriverFile) -> DriverRelease | None:
    """Return the release in a library's name, else the only one in its bytes; None for no such."""
    if match := _NAMED.search(os.path.basename(file.real)):
        return DriverRelease.parse(match[1])
    try:
        found = files.with_pread(file.real, _embedded)
    except files.UnreadableError:
        return None
    return DriverRelease.parse(found.pop().decode()) if len(found) == 1 else None


def _embedded(pread: Callable[[int, int], bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for start in range(0, LIMIT, _BLOCK):
        # The blocks overlap, so that none cuts a release in two.
        block = pread(start, _BLOCK + 32)
        found.update(_EMBEDDED.findall(block))
        if len(block) < _BLOCK:
            break
    return found
