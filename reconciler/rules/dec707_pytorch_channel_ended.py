"""A file asks a channel of PyTorch for what it will never have, or takes one that was given up.

The channel `pytorch` ended with 2.5.1, its nightly builds a few weeks later. `pytorch-lts` was
given up at 1.8.2: what it has can still be installed, and nobody mends it.

Silent where another channel of the file may serve what is asked for.

Why it matters
--------------
The solver says that nothing provides the version; or, where `pytorch-cuda` or a channel of the
file stays behind, PyTorch comes from elsewhere, in a build that the rest does not fit.

Fix safety
----------
conda-forge takes the channel's place, with `pytorch-gpu` and the `cuda-version` that is nearest to
what `pytorch-cuda` asked for. It is unsafe, since pip is another way on. A channel that was given
up stays: its versions are nowhere else.

References
----------
- pytorch/pytorch#138506: the end of the channel, and what to use instead
- ilastik/ilastik#2954: a move from the pytorch channel to conda-forge
- Slicer/light-the-torch#116: the support of PyTorch LTS has ended
- pytorch/pytorch.github.io#1181: LTS is taken from the page of commands

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conda_side import Asked
    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="DEC707",
    name="pytorch-channel-ended",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  channels: [pytorch, nvidia]
  dependencies:
    - python=3.11
    - pytorch=2.6.0
    - pytorch-cuda=12.4
"""

GOOD = """\
environment.yml: |
  channels: [pytorch, nvidia]
  dependencies:
    - python=3.11
    - pytorch=2.5.1
    - pytorch-cuda=12.4
"""


def check(world: World) -> Iterator[Finding]:
    """Hold what is asked of a channel that ended against the last that it has."""
    for install in world.install_sets:
        asked = world.files.conda(install).of("pytorch")
        too_new = _too_new(world, install, asked) if asked else None
        if finding := too_new or _discontinued(world, install, asked):
            yield finding


def _too_new(world: World, install: InstallSet, asked: Asked) -> Finding | None:
    side, known = world.files.conda(install), world.catalog.channels.known
    ended = [row for c in side.sources(asked) if (row := known.get(c)) and row.ended_with]
    others = [
        channel
        for channel in side.sources(asked)
        if channel not in known or world.catalog.channels.may_serve(channel, "pytorch")
    ]
    if not ended or others or not all(asked.lies_above(row.ended_with or "") for row in ended):
        return None
    row = ended[0]
    return RULE.finding(
        f"{install.name} asks the channel {row.name} for {asked}, and it ended with PyTorch"
        f" {row.ended_with}",
        at=asked.line.location,
        shows_as=f"the solver says that nothing provides {asked}",
        remedy=f"take PyTorch from conda-forge (`pytorch-gpu{_version(asked)}` with `cuda-version`, in"
        " place of `pytorch-cuda` and without the channels pytorch and nvidia) or from pip with the"
        " PyTorch index; or stay with"
        f" `pytorch={row.ended_with}`",
        evidence=(f"{row.name}: {row.source}",),
        fix=_fix(world, install, asked),
        cause=cause_of(RULE.name, install.name),
    )


def _fix(world: World, install: InstallSet, asked: Asked) -> Fix | None:
    side = world.files.conda(install)
    edits = world.files.selecting(install).from_conda_forge(asked, side.of("pytorch-cuda"))
    if not edits or side.of("cpuonly"):
        return None
    return Fix(
        title=f"take {asked} from conda-forge", applicability=Applicability.UNSAFE, edits=edits
    )


def _discontinued(world: World, install: InstallSet, asked: Asked | None) -> Finding | None:
    side, known = world.files.conda(install), world.catalog.channels.known
    row = next((r for c in side.channels if (r := known.get(c)) and r.is_discontinued), None)
    line = next((c for c in install.channels if row and row.name in c.name), None)
    at = line.location if line else asked.line.location if asked else None
    if row is None or at is None:
        return None
    return RULE.finding(
        f"{install.name} takes packages from the channel {row.name}, which was given up at PyTorch"
        f" {row.ended_with}",
        severity=Severity.WARNING,
        at=at,
        shows_as="an old PyTorch without any repair since, for the Pythons of its time alone",
        remedy="take PyTorch from conda-forge in place of it, and pin the version that the project"
        " was tested with",
        evidence=(f"{row.name}: {row.source}",),
        cause=cause_of(RULE.name, install.name),
    )


def _version(asked: Asked) -> str:
    pinned = asked.spec.pinned_version
    return f"={pinned}" if pinned else ""
