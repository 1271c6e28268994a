"""A message held against where its files lie: outside of the environment, as a rule found it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.explain.replaying import origin_of, owner_of
from reconciler.model.diagnosis import Culprit
from reconciler.model.ownership import installed_paths
from reconciler.model.which import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.diagnosis import Diagnosis
    from reconciler.model.finding import Finding
    from reconciler.model.recognized import Recognized
    from reconciler.world import World


#: The environment in whose site-packages a file lies.
_SITE = re.compile(r"(/.+?)/lib(?:64)?/python\d[\d.]*t?/(?:site|dist)-packages/")


def of_place(plain: Diagnosis, findings: Sequence[Finding], world: World) -> Diagnosis | None:
    """Return the finding on a folder from which the file that a message names was imported."""
    prefix = world.snapshot.target.prefix
    for path in _paths(plain.recognized):
        if path.startswith(f"{prefix}/"):
            continue
        for finding in findings:
            if any(path == one or path.startswith(f"{one}/") for one in _folders(finding)):
                return replace(
                    plain,
                    certainty="proven",
                    cause=sentence(finding.message),
                    culprit=Culprit(path=path, owner=_owner(path, world)),
                    evidence=(f"{path} is what was imported", *finding.evidence),
                    remedy=finding.remedy,
                    findings=(finding,),
                )
    return None


def elsewhere(one: Recognized, world: World) -> tuple[str, ...]:
    """Return, as evidence, the other environment whose packages a message goes through.

    Nothing where any of its files is one that this environment's Python may import.
    """
    prefix = world.snapshot.target.prefix
    here = [f"{path.path}/" for path in world.snapshot.import_paths if path.path.startswith("/")]
    own = (f"{prefix}/", f"{world.snapshot.target.project}/", *here)
    named = (*one.frames, one.captured.get("file", ""), one.captured.get("folder", ""))
    found = [match for path in named if (match := _SITE.match(path))]
    if prefix is None or not found or any(path.startswith(own) for path in named):
        return ()
    root = found[-1][1]
    # It may be a link that leads here.
    if posixpath.basename(root) == posixpath.basename(prefix):
        return ()
    told = f"the message goes through {root}, and what is looked at is {prefix}"
    return (f"{told}: another environment is named with `-p {root}`",)


def sentence(message: str) -> str:
    """Return a finding's message as a sentence; the name of a file keeps its letters."""
    first = message.partition(" ")[0]
    is_name = not first.isalpha()
    return f"{message if is_name else message[:1].upper() + message[1:]}."


def _paths(one: Recognized) -> Iterator[str]:
    named = one.captured.get("file", "")
    yield from (path for path in (named, one.caller) if path.startswith("/"))


def _folders(finding: Finding) -> Iterator[str]:
    """Yield the folders, and files, that a finding is on."""
    yield from (word for word in finding.at.subject.split() if word.startswith("/"))
    if finding.at.path and finding.at.path.startswith("/"):
        yield finding.at.path


def _owner(path: str, world: World) -> Origin:
    """Return the distribution outside of the environment that a file is of."""
    if owner := owner_of(path, world):
        return origin_of(owner)
    for distribution in world.snapshot.outside:
        if path in installed_paths(distribution):
            return origin_of(distribution)
    return Origin(title="no package", kind="unknown")
