"""Which CUDA each package carries or expects, and how that is known. Run once a snapshot.

What a package depends on is believed before its build string, which lies both ways: faiss-cpu was
built as ``py36_cuda0.0_1``, and cupy's CUDA builds carry no tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.builds import records, wheels

if TYPE_CHECKING:
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.snapshot import Snapshot


def installed_builds(snapshot: Snapshot, catalog: Catalog) -> tuple[CudaBuild, ...]:
    """Return the build of every installed package that has to do with CUDA, conda's first."""
    return (*records.builds(snapshot.records, catalog), *wheels.builds(snapshot, catalog))
