"""Machines that are made up: the driver's files below a folder that stands for /."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import collect
from reconciler.collect.ground import Ground
from reconciler.model.snapshot import Fact, Target

from .trees import NOTHING_WANTED, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.snapshot import Snapshot

LIB = "usr/lib/x86_64-linux-gnu"


def module_of(release: str) -> str:
    """Write what the driver's kernel module says of itself."""
    return (
        f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {release}  Sat Aug 19 01:15:15 UTC 2023\n"
        "GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)\n"
    )


def machine(root: Path, release: str, *gpus: str) -> Path:
    """Write a machine with a driver and GPUs of these names."""
    files = {"proc/driver/nvidia/version": module_of(release), "dev/nvidiactl": ""}
    files |= {
        f"proc/driver/nvidia/gpus/0000:0{n}:00.0/information": f"Model: \t\t {name}\nIRQ:   \t 42\n"
        for n, name in enumerate(gpus)
    }
    return library(write(root, files), release)


def library(root: Path, release: str, folder: str = LIB, content: bytes = b"\x7fELF") -> Path:
    """Write the driver's library with the link that leads to it."""
    write(root, {f"{folder}/libcuda.so.{release}": content})
    (root / folder / "libcuda.so.1").symlink_to(f"libcuda.so.{release}")
    return root


def seen(
    root: Path, *facts: Fact, environ: Mapping[str, str] | None = None, platform: str = "linux-64"
) -> Snapshot:
    """Look at a machine; by default at its driver, its GPUs and what is around."""
    target = Target(project="/project", platform=platform)
    ground = Ground(target=target, environ=environ or {}, wanted=NOTHING_WANTED, root=str(root))
    asked = facts or (Fact.DRIVER, Fact.GPUS, Fact.SURROUNDINGS, Fact.ARCHITECTURES)
    return collect.collect(ground, asked, envfix="0")
