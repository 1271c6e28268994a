"""The questions about what a loader does, each with its model, which is imported when it is asked.

Most runs that are in a hurry, a hook of a commit or a warning after a command, ask none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.builds.hook_audit import HookAudit
    from reconciler.builds.hooking import Hooking
    from reconciler.builds.loading import Loading
    from reconciler.builds.mending import Mending
    from reconciler.builds.windows_loading import WindowsLoading
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.snapshot import Snapshot


def loading_of(
    snapshot: Snapshot, catalog: Catalog, builds: tuple[CudaBuild, ...]
) -> Loading | None:
    """Return what the dynamic loader does; None where nothing is known of it."""
    if snapshot.loader is None:
        return None
    from reconciler.builds.loading import Loading  # noqa: PLC0415 - see above

    return Loading(snapshot, snapshot.loader, catalog, builds)


def windows_of(
    snapshot: Snapshot, catalog: Catalog, builds: tuple[CudaBuild, ...]
) -> WindowsLoading | None:
    """Return what the loader of Windows does; None on other systems, and where nothing uses CUDA."""
    if snapshot.windows is None:
        return None
    from reconciler.builds.windows_loading import WindowsLoading  # noqa: PLC0415 - see above

    return WindowsLoading(snapshot, snapshot.windows, catalog, builds)


def hooking_of(
    snapshot: Snapshot,
    loading: Loading | None,
    catalog: Catalog,
    mending: Mending,
    builds: tuple[CudaBuild, ...],
) -> Hooking:
    """Return what the environment's activation has to change, as far as that is proven."""
    from reconciler.builds.hooking import Hooking  # noqa: PLC0415 - see above

    return Hooking(snapshot, loading, catalog, mending, builds)


def hook_audit_of(
    snapshot: Snapshot, needs: Callable[[Snapshot], tuple[Loading | None, Hooking]]
) -> HookAudit:
    """Return the scripts of activation, held against what is proven to be needed."""
    from reconciler.builds.hook_audit import HookAudit  # noqa: PLC0415 - see above

    return HookAudit(snapshot, needs)
