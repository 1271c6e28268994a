"""Of several sections of an environment file, conda reads the last alone.

Two `- pip:` blocks under `dependencies:`, or a key such as `dependencies:` that stands twice.

Why it matters
--------------
Both are valid YAML, and conda says nothing: each later block takes the place of the one before, and
what the earlier one lists is never installed. What is missing shows itself at the first import.

Fix safety
----------
The lines of the earlier pip section are moved to the front of the last one. That is what is meant
nearly always, and unsafe: now and then the earlier one was a leftover, and what it lists was never
installed. Of a key such as `dependencies:` that stands twice, a person has to choose.

References
----------
- conda/conda#11113: of several `pip:` entries only the last is read, with no error and no warning
- conda/conda#10911: a pull request to keep them all, open since 2021
- conda/conda#8815: two sections, asked for so that each may have its own options

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Mend
from reconciler.model.manifest import FaultKind
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.manifest import Fault
    from reconciler.world import World

RULE = Rule(
    code="DEC715",
    name="several-pip-sections",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.11
    - pip
    - pip:
      - torch==2.1.2
    - pip:
      - numpy==1.26.4
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.11
    - pip
    - pip:
      - torch==2.1.2
      - numpy==1.26.4
"""


def check(world: World) -> Iterator[Finding]:
    """Report what the readers of the files have seen to be lost."""
    for manifest in world.snapshot.manifests:
        for fault in manifest.faults:
            if fault.kind is FaultKind.SECTION_LOST:
                yield RULE.finding(
                    f"{manifest.path}:{fault.line}: {fault.why}",
                    at=fault.location(manifest.path),
                    shows_as="nothing is said when the environment is made; what is missing shows"
                    " itself as `ModuleNotFoundError`, or as a version that nobody asked for",
                    remedy=fault.better or "move its lines into the last one, and remove it",
                    fix=_fix(manifest.path, fault) if fault.corrections else None,
                    cause=cause_of(RULE.name, manifest.path, str(fault.line)),
                )


def _fix(path: str, fault: Fault) -> Fix:
    return Fix(
        title=f"move the lines of the pip section of line {fault.line} into the last one",
        applicability=Applicability.UNSAFE,
        edits=(Mend(path=path, fault=fault),),
    )
