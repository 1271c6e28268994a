"""The distributions that this Python also sees outside of its prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect import distributions
from reconciler.collect.ground import Found
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the heads of the distributions in each entry of sys.path that lies outside."""
    if snapshot.target.prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.OUTSIDE, reason=reason),))
    paths = (
        entry.path
        for entry in snapshot.import_paths
        # The project's own folder is what is being worked on.
        if entry.path.startswith("/") and entry.origin != "working directory"
    )
    read = [distributions.in_folder(path, path, Fact.OUTSIDE) for path in dict.fromkeys(paths)]
    return Found(
        value=tuple(d for found in read for d in found.value),
        gaps=tuple(gap for found in read for gap in found.gaps),
    )
