"""A file asks for `cudatoolkit` in a version that conda never had: it ended with 11.8.

From CUDA 12 on, conda's CUDA comes in parts, such as `cuda-cudart` and `libcublas`, which
`cuda-version` holds together.

Why it matters
--------------
Every solver refuses the file: `cudatoolkit 12.1 does not exist`. It is written by hand, after a
command for pip or for `pytorch-cuda` that names CUDA 12.

Fix safety
----------
No fix is applied: what takes its place depends on who uses the CUDA.

References
----------
- kreshuklab/panseg#228: cudatoolkit beside CUDA 12, until `cuda-version` took its place

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DEC708",
    name="cudatoolkit-ended",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  channels: [conda-forge]
  dependencies:
    - python=3.11
    - cudatoolkit=12.1
"""

GOOD = """\
environment.yml: |
  channels: [conda-forge]
  dependencies:
    - python=3.11
    - cudatoolkit=11.8
"""


def check(world: World) -> Iterator[Finding]:
    """Look for a package of CUDA whose allowed versions all lie above its last one."""
    channels = world.catalog.channels
    for install in world.install_sets:
        for name, ended in channels.ended.items():
            asked = world.files.conda(install).of(name)
            if asked is None or not asked.lies_above(ended.last):
                continue
            cuda = asked.spec.pinned_version or f"{int(ended.last.split('.')[0]) + 1}"
            yield RULE.finding(
                f"{install.name} asks for {asked}, and conda's {name} ended with {ended.last}",
                at=asked.line.location,
                shows_as=f"the solver says that nothing provides {asked}",
                remedy=f"ask for `{ended.successor}={_release(cuda)}` from conda-forge in place of it,"
                " and for the CUDA build of the framework by its name (`pytorch-gpu`); with wheels"
                " of pip alone, which bring their own CUDA, leave the line out",
                evidence=(f"{name}: {ended.source}",),
                cause=cause_of(RULE.name, install.name, name),
            )


def _release(version: str) -> str:
    return ".".join(version.split(".")[:2])
