"""The only code that reads a machine. One file, one fact; nothing is executed or imported.

Two files are exceptions: ``pip_view`` is collected only where the user allows it (``--live``), and
``gpus`` asks the driver's own library, of the machine and not of the environment, in a child.

To add a fact: a file here with ``collect(ground, snapshot) -> Found``, a member of Fact with its
field on Snapshot, and a line of COLLECTORS.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from reconciler.model.snapshot import Fact, Snapshot, Target

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.collect.ground import Found, Ground
    from reconciler.model.look import Tell

#: The module of each fact. In order: a collector may read what those above it have found. Each is
#: imported when it is asked for, because a hook that judges declared files wants one of them.
COLLECTORS: Mapping[Fact, str] = {
    Fact.MANIFESTS: "manifest_files",
    Fact.RECORDS: "records",
    Fact.PYTHON: "python",
    Fact.DISTRIBUTIONS: "distributions",
    Fact.LIBRARIES: "libraries",
    Fact.EVIDENCE: "evidence",
    Fact.PAYLOAD: "payload",
    Fact.STATE: "state",
    Fact.PIP_OPTIONS: "pip_options",
    Fact.VARIABLES: "variables",
    Fact.PYTHONPATH: "pythonpath",
    Fact.VARIABLE_PATHS: "variable_paths",
    Fact.IMPORT_PATHS: "import_paths",
    Fact.OUTSIDE: "outside",
    Fact.KERNELS: "kernels",
    Fact.GPUS: "gpus",
    Fact.DRIVER: "driver",
    Fact.SURROUNDINGS: "surroundings",
    Fact.ARCHITECTURES: "architectures",
    Fact.TOOLKITS: "toolkits",
    Fact.TOOLCHAIN: "toolchain",
    Fact.LOADER: "loader_view",
    Fact.WINDOWS_LOADER: "windows_view",
    Fact.PIP_VIEW: "pip_view",
}


def collect(
    ground: Ground, asked: Collection[Fact], *, envfix: str, tell: Tell | None = None
) -> Snapshot:
    """Return the snapshot of a machine with the facts that were asked for."""
    from reconciler.collect import platforms  # noqa: PLC0415 - as the collectors

    wanted = tuple(fact for fact in COLLECTORS if fact in asked)
    target = ground.target
    if target.prefix is not None:
        target = _for(target, platforms.of_shape(target.prefix, target.platform))
    snapshot = Snapshot(envfix=envfix, target=target, asked=wanted)
    for fact in wanted:
        collector = import_module(f"{__name__}.{COLLECTORS[fact]}")
        if tell:
            tell(f"reading the environment: {fact.replace('_', ' ')} ...")
        found: Found = collector.collect(ground, snapshot)
        snapshot = msgspec.structs.replace(
            snapshot, **{fact.value: found.value}, gaps=snapshot.gaps + found.gaps
        )
        if fact is Fact.RECORDS and (platform := platforms.of_records(snapshot.records)):
            # What is read after this is read as it lies on the records' platform.
            snapshot = msgspec.structs.replace(snapshot, target=_for(snapshot.target, platform))
    return snapshot


def _for(target: Target, platform: str) -> Target:
    return msgspec.structs.replace(target, platform=platform)
