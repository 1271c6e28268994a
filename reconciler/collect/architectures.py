"""The GPU architectures that an environment's libraries hold code for.

Read only where a GPU is known, or asked about: else nothing is judged by it. What was read is kept
in the user's cache folder, which is all that a scan writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.collect import files
from reconciler.collect.ground import EvidenceWanted, Found
from reconciler.collect.libraries import evidence_paths
from reconciler.model.gpu_code import LibraryGpuCode
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot


class Architectures(Struct, frozen=True, kw_only=True):
    """What was read of the wanted libraries."""

    #: In order of their paths.
    libraries: tuple[LibraryGpuCode, ...] = ()
    #: The reason of each library that could not be read, by its path: gaps of those items.
    unread: Mapping[str, str] = {}


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the libraries that hold the code of frameworks and their extensions."""
    known = snapshot.gpus.devices if snapshot.gpus else ()
    if not (known or snapshot.target.gpus):
        return Found(value=())
    from reconciler.collect import architecture_cache  # noqa: PLC0415 - few machines have a GPU

    kernels = EvidenceWanted(
        libraries=ground.wanted.kernel_libraries, library_paths=ground.wanted.kernel_modules
    )
    folder = None if ground.root else architecture_cache.user_folder()
    found = read_architectures(snapshot, kernels, cache=folder)
    gaps = (
        Gap(fact=Fact.ARCHITECTURES, item=path, reason=reason)
        for path, reason in found.unread.items()
    )
    return Found(value=found.libraries, gaps=tuple(gaps))


def read_architectures(
    snapshot: Snapshot, wanted: EvidenceWanted, *, cache: str | None
) -> Architectures:
    """Read the fat binaries of the libraries that are wanted, and that somebody owns.

    ``cache`` is the folder of what earlier scans have read, such as
    ``architecture_cache.user_folder()``; None for no cache.
    """
    from reconciler.collect import architecture_cache  # noqa: PLC0415 - few machines have a GPU
    from reconciler.loader import fatbin  # noqa: PLC0415 - as above

    prefix = snapshot.target.prefix
    paths = sorted(set(evidence_paths(snapshot, wanted)))
    if prefix is None or not paths:
        return Architectures()
    known = architecture_cache.load(cache, prefix)
    stamps = {path: architecture_cache.stamp_of(f"{prefix}/{path}") for path in paths}
    libraries: list[LibraryGpuCode] = []
    unread: dict[str, str] = {}
    for path, stamp in stamps.items():
        code = known.get(stamp) if stamp else None
        try:
            if code is None:
                code = files.with_pread(f"{prefix}/{path}", fatbin.read)
        except files.MissingError:
            # Recorded and not there: that is for a rule to say, not a gap.
            continue
        except (files.UnreadableError, fatbin.FatbinError) as error:
            unread[path] = str(error)
            continue
        libraries.append(LibraryGpuCode(path=path, code=code))
    now = {stamp: each.code for each in libraries if (stamp := stamps[each.path])}
    if now.keys() != known.keys():
        architecture_cache.save(cache, prefix, now)
    return Architectures(libraries=tuple(libraries), unread=unread)
