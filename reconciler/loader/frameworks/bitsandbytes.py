"""What ``import bitsandbytes`` opens: the library for torch's CUDA, after torch itself.

bitsandbytes/cextension.py, before 0.43.2 bitsandbytes/cuda_setup/main.py. Which library that is,
torch.version.cuda says, or BNB_CUDA_VERSION. Its needs are in the process by then, since torch has
loaded them. A GPU is taken for granted: without one, the library for the CPU is opened.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reconciler.loader.frameworks import torch

if TYPE_CHECKING:
    from reconciler.loader.frameworks.stage import Stage

NAME = "bitsandbytes"
_LIBRARY = re.compile(r"libbitsandbytes_cuda(?P<major>\d\d)(?P<minor>\d)\.so")
Version = tuple[int, int]


def play(stage: Stage) -> None:
    """Import bitsandbytes."""
    if not stage.start(torch.NAME, torch.play):
        stage.fail(f"torch does not start: {stage.failures[torch.NAME]}")
    package = stage.package("bitsandbytes")
    if package is None:
        stage.fail("bitsandbytes is not installed")
    name = _library(stage, package)
    if name is None:
        return
    path = posixpath.join(package, name)
    stage.ctypes(path, because="import bitsandbytes loads the library for torch's CUDA")


def _library(stage: Stage, package: str) -> str | None:
    """Return the name of the library that is opened; None where no CUDA is known."""
    names = stage.tree.names(package)
    override = stage.variable("BNB_CUDA_VERSION")
    if override:
        return f"libbitsandbytes_cuda{override}.so"
    numbers = re.findall(r"\d+", stage.site.built_for.get(torch.NAME, ""))
    if len(numbers) < len(("major", "minor")):
        return None
    wanted = (int(numbers[0]), int(numbers[1]))
    found = (_LIBRARY.fullmatch(name) for name in names)
    there = {(int(one["major"]), int(one["minor"])) for one in found if one}
    row = stage.step(NAME, "select")
    ways = row.opens if row else ()
    taken = next((v for way in ways if (v := _taken(way, wanted, there)) is not None), None)
    if taken is None and "cpu" in ways:
        return "libbitsandbytes_cpu.so"
    major, minor = taken or wanted
    return f"libbitsandbytes_cuda{major}{minor}.so"


def _taken(way: str, wanted: Version, there: set[Version]) -> Version | None:
    same = [version for version in there if version[0] == wanted[0]]
    if way == "older":
        return max((version for version in same if version < wanted), default=None)
    if way == "newer":
        return min((version for version in same if version > wanted), default=None)
    return wanted if way == "exact" and wanted in there else None
