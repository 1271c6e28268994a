"""A file asks for `cudatoolkit` in a version that conda never had: it ended with 11.8.

From CUDA 12 on, conda's CUDA comes in parts, such as `cuda-cudart` and `libcublas`, which
`cuda-version` holds together.

Why it matters
--------------
Every solver refuses the file: `cudatoolkit 12.1 does not exist`. It is written by hand, after a
command for pip or for `pytorch-cuda` that names CUDA 12.

Fix safety
----------
It is unsafe, since what takes its place depends on who uses the CUDA: what selects a build of the
PyTorch or TensorFlow that conda is asked for; nothing beside `pytorch-cuda`, or where pip's wheels
alone use CUDA; else `cuda-version`.

References
----------
- kreshuklab/panseg#228: cudatoolkit beside CUDA 12, until `cuda-version` took its place

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Edit, Fix, Remove, Replace
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conda_side import Asked
    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
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
                fix=_fix(world, install, asked, f"{ended.successor}={_release(cuda)}"),
                cause=cause_of(RULE.name, install.name, name),
            )


def _fix(world: World, install: InstallSet, asked: Asked, stated: str) -> Fix:
    selections = world.files.selections(install)
    framework = next((f for selector, f in selections if selector == asked), None)
    found = world.files.served(install, framework, asked) if framework else None
    edits: tuple[Edit, ...] = ()
    if framework and found:
        edits = world.files.selecting(install).from_channel(asked, framework, found)
    is_idle = world.files.users(install, "pip") and not world.files.users(install, "conda")
    if is_idle or world.files.conda(install).of("pytorch-cuda"):
        edits = (Remove(line=asked.line),)
    title = f"drop {asked}, which nothing uses" if is_idle else f"replace {asked}"
    edits = edits or (Replace(line=asked.line, text=stated),)
    return Fix(title=title, applicability=Applicability.UNSAFE, edits=edits)


def _release(version: str) -> str:
    return ".".join(version.split(".")[:2])
