"""An environment file names the folder that it was exported from.

`conda env export` ends its output with `prefix:` and the path of the environment on the machine
where it ran.

Why it matters
--------------
conda itself passes the line over and goes by `name:`, so that it does no harm there. It tells every
reader a user's name and folders, it differs on every machine and so in every commit, and other
tools that read the file take it for the place to install into.

Fix safety
----------
The line is dropped: that is safe, since conda goes by `name:` and does nothing with it.

References
----------
- conda/conda#11114: the last line of an export is a local path, and no option leaves it out
- conda/conda#13061: `prefix` in environment.yml is ignored
- calico/basenji#126: the path of a developer's machine in a published file

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Remove
from reconciler.model.manifest import Kind
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC712",
    name="exported-prefix",
    severity=Severity.INFO,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  name: gpu
  dependencies:
    - python=3.11
  prefix: /home/ann/miniconda3/envs/gpu
"""

GOOD = """\
environment.yml: |
  name: gpu
  dependencies:
    - python=3.11
"""


def check(world: World) -> Iterator[Finding]:
    """Look for the line in each file."""
    for manifest in world.snapshot.manifests:
        for line in manifest.declared:
            if line.kind is Kind.PREFIX:
                yield RULE.finding(
                    f"{manifest.path} names the folder that it was exported from: {line.name}",
                    at=line.location,
                    shows_as="conda ignores it; it tells where somebody's environment lies, and"
                    " changes with every machine that exports the file",
                    remedy="remove the line; `conda env export | grep -v ^prefix:` leaves it out",
                    fix=Fix(
                        title="drop `prefix:`",
                        applicability=Applicability.SAFE,
                        edits=(Remove(line=line),),
                    ),
                    cause=cause_of(RULE.name, manifest.path),
                )
