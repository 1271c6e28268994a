"""The GPUs of the machine: from the driver's management library, else by name from /proc."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from reconciler.collect import driver_files, files
from reconciler.collect.ground import Found
from reconciler.model.host import DriverRelease, Gpu, Gpus
from reconciler.model.os_name import from_os, to_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

_log = logging.getLogger(__name__)

NVML = "libnvidia-ml.so.1"
FOLDER = "/proc/driver/nvidia/gpus"
#: Without persistence mode a driver takes seconds to wake up eight GPUs.
SECONDS = 10.0


class _Answer(msgspec.Struct, frozen=True):
    """What nvml.py prints."""

    error: str | None = None
    release: str | None = None
    cuda: str | None = None
    devices: tuple[Gpu, ...] = ()


class SilentError(Exception):
    """The library gave no answer; ``str()`` says why."""


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Ask the driver's library where there is one, and take the names in /proc where it is silent."""
    if snapshot.target.platform.startswith("osx"):
        return Found(value=None)
    library = _library(ground, snapshot.target.platform)
    gaps: tuple[Gap, ...] = ()
    if library and not ground.root:
        try:
            return Found(value=ask(library))
        except SilentError as error:
            reason = f"{library} does not tell of the GPUs: {error}"
            gaps = (Gap(fact=Fact.GPUS, item=library, reason=reason),)
    return Found(value=Gpus(devices=tuple(_named(ground.root))), gaps=gaps)


def _library(ground: Ground, platform: str) -> str | None:
    if platform.startswith("win"):
        # What is looked at may be another machine's environment, unpacked here.
        folder = ground.environ.get("SystemRoot", "") if sys.platform == "win32" else ""
        path = f"{folder}\\System32\\nvml.dll"
        return path if folder and files.exists(path) else None
    found = driver_files.find(ground.root, NVML)
    return found.path if found else None


def ask(library: str, *, seconds: float = SECONDS) -> Gpus:
    """Ask NVML in a child, isolated from the shell's variables; raises SilentError."""
    program = os.path.join(os.path.dirname(__file__), "nvml.py")
    command = [sys.executable, "-I", "-S", program, to_os(library)]
    try:
        answer = msgspec.json.decode(_said(command, seconds), type=_Answer)
    except (OSError, ValueError) as error:
        raise SilentError("it cannot be started, or its answer be read") from error
    if answer.error:
        raise SilentError(answer.error)
    release = DriverRelease.known(answer.release)
    return Gpus(devices=answer.devices, release=str(release) if release else None, cuda=answer.cuda)


def _said(command: Sequence[str], seconds: float) -> bytes:
    child = subprocess.Popen(  # noqa: S603 - our own file, by our own interpreter
        command,
        env={name: os.environ[name] for name in ("SystemRoot",) if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        return child.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired as error:
        child.kill()
        _leave(child)
        raise SilentError(f"no answer within {seconds:.0f} s") from error


def _leave(child: subprocess.Popen[bytes]) -> None:
    """Take leave of a child that was killed: inside a driver that hangs it may never end."""
    try:
        child.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        _log.debug("the child %s is still inside the driver", child.pid)


def _named(root: str) -> Iterator[Gpu]:
    try:
        folders = files.names(f"{root}{FOLDER}")
    except files.UnreadableError:
        return
    for name in folders:
        try:
            raw = files.read(f"{root}{FOLDER}/{name}/information", limit=files.PROC)
        except files.UnreadableError:
            continue
        for line in from_os(raw.decode("utf-8", "surrogateescape")).splitlines():
            field, _, value = line.partition(":")
            if field == "Model" and value.strip():
                yield Gpu(name=value.strip())
