"""The shared libraries that tell of CUDA: found through records and RECORD, not by walking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.loader import elf
from reconciler.model.library import path_pattern
from reconciler.model.ownership import ownership
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.collect.ground import EvidenceWanted, Ground
    from reconciler.model.library import SharedLibrary
    from reconciler.model.snapshot import Snapshot


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the dynamic section of each library that is evidence."""
    prefix = snapshot.target.prefix
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.LIBRARIES, reason=reason),))
    found: list[SharedLibrary] = []
    gaps: list[Gap] = []
    for path in sorted(set(evidence_paths(snapshot, ground.wanted))):
        try:
            found.append(files.with_pread(f"{prefix}/{path}", lambda pread: elf.read(path, pread)))  # noqa: B023
        except files.MissingError:
            # Recorded and not there: that is for a rule to say, not a gap.
            continue
        except (files.UnreadableError, elf.NotElfError) as error:
            gaps.append(Gap(fact=Fact.LIBRARIES, item=path, reason=str(error)))
    return Found(value=tuple(found), gaps=tuple(gaps))


def evidence_paths(snapshot: Snapshot, wanted: EvidenceWanted) -> Iterator[str]:
    """Yield the paths of the libraries that are wanted, relative to the prefix; some twice."""
    places = snapshot.python.site_packages if snapshot.python else ()
    is_wanted = path_pattern(wanted.library_paths).fullmatch
    paths = ownership(snapshot.records, snapshot.distributions).libraries
    yield from (path for path in paths if stem_of(path) in wanted.libraries)
    for start in (f"{place}/" for place in places):
        inside = (path for path in paths if path.startswith(start))
        yield from (path for path in inside if is_wanted(path, len(start)))


def stem_of(path: str) -> str:
    """Return a library's file name up to ``.so``: ``libcudart``."""
    return path.rpartition("/")[2].partition(".so")[0]
