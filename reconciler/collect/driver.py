"""The NVIDIA driver that the kernel has loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.model.host import DriverRelease
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

#: Written by the driver's kernel module on Linux, WSL excepted.
VERSION = "/proc/driver/nvidia/version"
# Its first line: NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release ...
_RELEASE = r"(?m)^NVRM version:.*?Kernel Module\D*?(?:x86_64|aarch64)?\s+(\d+(?:\.\d+)+)"


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the driver's release; a machine without the module's file is a gap."""
    if snapshot.target.platform.startswith("osx"):
        # There is no CUDA to drive: not having looked is no gap.
        return Found(value=None)
    try:
        text = files.read_head(VERSION, end=b"\n\n", limit=1 << 14).decode("utf-8", "replace")
    except files.UnreadableError:
        reason = f"no NVIDIA driver was found: {VERSION} is not there (WSL keeps it elsewhere)"
        return Found(value=None, gaps=(Gap(fact=Fact.DRIVER, reason=reason),))
    release = parse(text)
    if release is None:
        reason = f"{VERSION} names no release: {text[:80]!r}"
        return Found(value=None, gaps=(Gap(fact=Fact.DRIVER, reason=reason),))
    return Found(value=release)


def parse(text: str) -> DriverRelease | None:
    """Read the release out of the text of the module's file; None where it names none."""
    match = re.search(_RELEASE, text)
    return DriverRelease.parse(match[1]) if match else None
