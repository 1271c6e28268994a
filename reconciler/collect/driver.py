"""The NVIDIA driver of the machine: its release, without starting any program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.collect import driver_files, files
from reconciler.collect.ground import Found
from reconciler.model.host import DriverRelease
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: Written by the driver's kernel module on Linux, WSL excepted.
VERSION = "/proc/driver/nvidia/version"
LIBRARY = "libcuda.so.1"
# Its first line: NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release ...
_RELEASE = r"(?m)^NVRM version:.*?Kernel Module\D*?(?:x86_64|aarch64)?\s+(\d+(?:\.\d+)+)"


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the driver's release of its module, else of its library; a machine may have no driver."""
    platform = snapshot.target.platform
    if platform.startswith("osx"):
        # There is no CUDA to drive: not having looked is no gap.
        return Found(value=None)
    if asked := DriverRelease.known(snapshot.gpus.release if snapshot.gpus else None):
        return Found(value=asked)
    try:
        head = files.read_head(f"{ground.root}{VERSION}", end=b"\n\n", limit=1 << 14)
    except files.MissingError:
        return _of_library(ground, platform)
    except files.UnreadableError as error:
        return _gap(f"{VERSION} cannot be read: {error}")
    text = head.decode("utf-8", "replace")
    release = parse(text)
    if release is None:
        return _gap(f"{VERSION} names no release: {text[:80]!r}")
    return Found(value=release)


def _of_library(ground: Ground, platform: str) -> Found:
    if platform.startswith("win"):
        return _gap("on Windows, only NVIDIA's own library tells of the driver, and it did not")
    library = driver_files.find(ground.root, LIBRARY)
    if library is None:
        # Known, and not a gap: the driver lies nowhere but in these places.
        return Found(value=None)
    release = driver_files.release_of(library)
    if release is None:
        return _gap(f"{library.path} tells no release of the driver, and there is no {VERSION}")
    return Found(value=release)


def _gap(reason: str) -> Found:
    return Found(value=None, gaps=(Gap(fact=Fact.DRIVER, reason=reason),))


def parse(text: str) -> DriverRelease | None:
    """Read the release out of the text of the module's file; None where it names none."""
    match = re.search(_RELEASE, text)
    return DriverRelease.parse(match[1]) if match else None
