"""Small text files of installed packages that say what these were built for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.library import EvidenceText
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

LIMIT = files.MEGABYTE


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read each wanted text that is there, from the environment's own site-packages."""
    prefix, python = snapshot.target.prefix, snapshot.python
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.EVIDENCE, reason=reason),))
    found: list[EvidenceText] = []
    gaps: list[Gap] = []
    for location in python.site_packages if python else ():
        for path in sorted(f"{location}/{text}" for text in ground.wanted.texts):
            try:
                raw = files.read(f"{prefix}/{path}", limit=LIMIT)
                text = masked(from_os(raw.decode("utf-8", "surrogateescape")))
                found.append(EvidenceText(path=path, text=text))
            except files.MissingError:
                continue
            except files.UnreadableError as error:
                gaps.append(Gap(fact=Fact.EVIDENCE, item=path, reason=str(error)))
    return Found(value=tuple(found), gaps=tuple(gaps))
