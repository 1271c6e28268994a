"""What a distribution requires where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.distribution import required_name
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


def dependents(name: str, snapshot: Snapshot) -> tuple[Distribution, ...]:
    """Return the distributions that require a package on the target, without an extra."""
    # To judge every marker of every wheel is slow: first, who names the package at all?
    naming = (d for d in snapshot.distributions if name in {required_name(r) for r in d.requires})
    return tuple(d for d in naming if name in {required_name(r) for r in required_on(d, snapshot)})
