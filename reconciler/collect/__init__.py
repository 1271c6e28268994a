"""The only code that reads a machine. One file, one fact; nothing is executed or imported.

One file is an exception: ``pip_view`` is collected only where the user allows it (``--live``).

To add a fact: a file here with ``collect(ground, snapshot) -> Found``, a member of Fact with its
field on Snapshot, and a line of COLLECTORS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from reconciler.collect import (
    distributions,
    driver,
    evidence,
    import_paths,
    kernels,
    libraries,
    manifest_files,
    outside,
    payload,
    pip_options,
    pip_view,
    platforms,
    python,
    pythonpath,
    records,
    state,
    toolkits,
    variable_paths,
    variables,
)
from reconciler.model.snapshot import Fact, Snapshot, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from reconciler.collect.ground import Found, Ground

#: In order: a collector may read what those above it have found.
COLLECTORS: Mapping[Fact, Callable[[Ground, Snapshot], Found]] = {
    Fact.MANIFESTS: manifest_files.collect,
    Fact.RECORDS: records.collect,
    Fact.PYTHON: python.collect,
    Fact.DISTRIBUTIONS: distributions.collect,
    Fact.LIBRARIES: libraries.collect,
    Fact.EVIDENCE: evidence.collect,
    Fact.PAYLOAD: payload.collect,
    Fact.STATE: state.collect,
    Fact.PIP_OPTIONS: pip_options.collect,
    Fact.VARIABLES: variables.collect,
    Fact.PYTHONPATH: pythonpath.collect,
    Fact.VARIABLE_PATHS: variable_paths.collect,
    Fact.IMPORT_PATHS: import_paths.collect,
    Fact.OUTSIDE: outside.collect,
    Fact.KERNELS: kernels.collect,
    Fact.DRIVER: driver.collect,
    Fact.TOOLKITS: toolkits.collect,
    Fact.PIP_VIEW: pip_view.collect,
}


def collect(ground: Ground, asked: Collection[Fact], *, envfix: str) -> Snapshot:
    """Return the snapshot of a machine with the facts that were asked for."""
    wanted = tuple(fact for fact in COLLECTORS if fact in asked)
    target = ground.target
    if target.prefix is not None:
        target = _for(target, platforms.of_shape(target.prefix, target.platform))
    snapshot = Snapshot(envfix=envfix, target=target, asked=wanted)
    for fact in wanted:
        found = COLLECTORS[fact](ground, snapshot)
        snapshot = msgspec.structs.replace(
            snapshot, **{fact.value: found.value}, gaps=snapshot.gaps + found.gaps
        )
        if fact is Fact.RECORDS and (platform := platforms.of_records(snapshot.records)):
            # What is read after this is read as it lies on the records' platform.
            snapshot = msgspec.structs.replace(snapshot, target=_for(snapshot.target, platform))
    return snapshot


def _for(target: Target, platform: str) -> Target:
    return msgspec.structs.replace(target, platform=platform)
