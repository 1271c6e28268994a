"""A file that declares an environment cannot be read to its end, or holds a merge conflict.

Why it matters
--------------
conda and pip stop at such a file, or take the markers of the conflict for names of packages. Until
it is mended nothing else that it declares can be relied on, and envfix has judged only what could
be read.

Fix safety
----------
No fix is applied: which side of a conflict is meant is known to its author alone.

References
----------
- jofpin/trape#69: `Invalid requirement: '<<<<<<< HEAD'`
- GoogleCloudPlatform/python-docs-samples#1550: an unresolved conflict in a published requirements.txt
- CiscoDevNet/FMCAnsible#85: the markers break every container that is built from the file

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.manifest import FaultKind
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC716",
    name="merge-conflict-or-unreadable",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  <<<<<<< HEAD
  torch==2.1.2
  =======
  torch==2.5.1
  >>>>>>> main
"""

GOOD = """\
requirements.txt: |
  torch==2.5.1
"""


def check(world: World) -> Iterator[Finding]:
    """Report what the readers of the files could not read."""
    for manifest in world.snapshot.manifests:
        for fault in manifest.faults:
            if fault.kind not in {FaultKind.CONFLICT, FaultKind.UNREADABLE}:
                continue
            is_conflict = fault.kind is FaultKind.CONFLICT
            yield RULE.finding(
                f"{manifest.path}:{fault.line}: {fault.why}",
                at=fault.location(manifest.path),
                shows_as="the tool that installs from the file stops there with a syntax error, or"
                " with a package that it does not find",
                remedy=fault.better
                or (
                    "keep one side of the conflict, and remove its three markers"
                    if is_conflict
                    else f"mend line {fault.line}; what stands below it was not judged"
                ),
                cause=cause_of(RULE.name, manifest.path, str(fault.line)),
            )
