"""The only code that reads a machine. One file, one fact; nothing is executed or imported.

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
    libraries,
    manifest_files,
    python,
    pythonpath,
    records,
    variables,
)
from reconciler.model.snapshot import Fact, Snapshot

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
    Fact.VARIABLES: variables.collect,
    Fact.PYTHONPATH: pythonpath.collect,
    Fact.DRIVER: driver.collect,
}


def collect(ground: Ground, asked: Collection[Fact], *, envfix: str) -> Snapshot:
    """Return the snapshot of a machine with the facts that were asked for."""
    wanted = tuple(fact for fact in COLLECTORS if fact in asked)
    snapshot = Snapshot(envfix=envfix, target=ground.target, asked=wanted)
    for fact in wanted:
        found = COLLECTORS[fact](ground, snapshot)
        snapshot = msgspec.structs.replace(
            snapshot, **{fact.value: found.value}, gaps=snapshot.gaps + found.gaps
        )
    return msgspec.structs.replace(
        snapshot,
        target=msgspec.structs.replace(
            snapshot.target, platform=records.platform(snapshot) or ground.target.platform
        ),
    )
