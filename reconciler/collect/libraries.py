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
    for path in sorted(set(_paths(snapshot, ground.wanted))):
        try:
            found.append(files.with_pread(f"{prefix}/{path}", lambda pread: elf.read(path, pread)))  # noqa: B023
        except files.MissingError:
            # Recorded and not there: that is for a rule to say, not a gap.
            continue
        except (files.UnreadableError, elf.NotElfError) as error:
            gaps.append(Gap(fact=Fact.LIBRARIES, item=path, reason=str(error)))
    return Found(value=tuple(found), gaps=tuple(gaps))


def _paths(snapshot: Snapshot, wanted: EvidenceWanted) -> Iterator[str]:
    """Yield the paths of evidence, relative to the prefix."""
    places = snapshot.python.site_packages if snapshot.python else ()
    globs = (f"{place}/{glob}" for place in places for glob in wanted.library_paths)
    is_wanted = path_pattern(globs).fullmatch
    for path in ownership(snapshot.records, snapshot.distributions).libraries:
        if stem_of(path) in wanted.libraries or is_wanted(path):
            yield path


def stem_of(path: str) -> str:
    """Return a library's file name up to ``.so``: ``libcudart``."""
    return path.rpartition("/")[2].partition(".so")[0]
