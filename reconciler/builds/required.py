"""What a distribution requires where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.marker import holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.distribution import Distribution
    from reconciler.model.snapshot import Snapshot


def required_on(distribution: Distribution, snapshot: Snapshot) -> Iterator[str]:
    """Yield the requirements that hold for the target without an extra, without their markers."""
    version = snapshot.python.version if snapshot.python else ""
    for line in distribution.requires:
        requirement, _, marker = line.partition(";")
        if not marker or holds(marker.strip(), snapshot.target.platform, version):
            yield requirement.strip()
