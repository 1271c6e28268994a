"""An environment file has a pip section, and does not ask conda for pip.

Why it matters
--------------
conda runs the environment's own pip for the section. It adds pip by itself, with a warning at each
creation: "Conda may not use the correct pip to install your packages, and they may end up in the
wrong place". Python's own packages have long stopped to bring pip along.

Fix safety
----------
`- pip` is added behind `- python`, or behind the last package of conda: that is safe, since it is
what conda adds by itself.

References
----------
- NVIDIA/cudf#1576: "you have pip-installed dependencies in your environment file, but you do not
  list pip itself as one of your conda dependencies"
- junyanz/pytorch-CycleGAN-and-pix2pix#1280: the same warning, at each creation

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Add, Applicability, Fix
from reconciler.model.manifest import Kind, Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.manifest import Manifest
    from reconciler.world import World

RULE = Rule(
    code="DEC714",
    name="pip-section-without-pip",
    severity=Severity.INFO,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.11
    - pip:
      - requests
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.11
    - pip
    - pip:
      - requests
"""


def check(world: World) -> Iterator[Finding]:
    """Look for pip among what conda is asked for, where there is a pip section."""
    for manifest in world.snapshot.manifests:
        conda = {line.name for line in manifest.declared if line.section is Section.CONDA}
        pip = [line for line in manifest.declared if line.section is Section.PIP]
        if manifest.tool == "conda" and not manifest.is_lock and pip and "pip" not in conda:
            yield RULE.finding(
                f"{manifest.path} has a pip section, and does not ask conda for pip",
                at=pip[0].location,
                shows_as="conda warns that pip is not listed and adds one of its own choice; other"
                " tools stop, or run a pip from outside of the environment",
                remedy="add `- pip` to the dependencies, before the pip section",
                fix=_fix(manifest),
                cause=cause_of(RULE.name, manifest.path),
            )


def _fix(manifest: Manifest) -> Fix:
    required = (line for line in manifest.declared if line.kind is Kind.REQUIREMENT)
    conda = [line for line in required if line.section is Section.CONDA]
    python = next((line for line in conda if line.name == "python"), None)
    after = python or (conda[-1] if conda else None)
    return Fix(
        title="ask conda for pip",
        applicability=Applicability.SAFE,
        edits=(Add(path=manifest.path, section=Section.CONDA, text="pip", after=after),),
    )
