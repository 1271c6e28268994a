"""The channels of a file do not fit what it asks for.

`pytorch-cuda` stands in the channel `pytorch` alone, and what it depends on in `nvidia`. And for
CUDA 12.0 to 12.4 the channels `nvidia` and `conda-forge` have packages of the same names, cut and
tied together in different ways: where `nvidia` is preferred, the parts of CUDA are of the one and
what is built on them of the other.

Silent where a line names its channel (`pytorch::pytorch`, `nvidia/label/cuda-12.1.0::cuda-toolkit`),
where conda-forge stands first, where the file lists no channel, and where one of them is an address
that may be a mirror of any.

Why it matters
--------------
The solver says that nothing provides `pytorch-cuda`, or takes libraries of CUDA that were never
tried with the packages built on them: a `cuda-version` of 12.6 beside libraries of 12.1.

Fix safety
----------
The channels that `pytorch-cuda` needs are listed, in front or behind the one that is there; where
nvidia is preferred to conda-forge, it is moved behind it. Both are unsafe: the order of the channels
changes every other package too.

References
----------
- rapidsai/integration#494: nvidia's and conda-forge's packages for CUDA 12 clash
- pytorch/pytorch.github.io#688: the channels that the command for conda names
- kreshuklab/panseg#228: nvidia's cudatoolkit beside pytorch-cuda
- esa/AnomalyMatch#11: pytorch-cuda with packages of conda-forge

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Add, Applicability, Edit, Fix, Remove
from reconciler.model.manifest import Kind, Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.channels import Channel
    from reconciler.model.conda_side import Asked
    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="DEC711",
    name="channels-clash",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  channels: [conda-forge, nvidia]
  dependencies:
    - python=3.11
    - pytorch-cuda=12.1
"""

GOOD = """\
environment.yml: |
  channels: [pytorch, nvidia]
  dependencies:
    - python=3.11
    - pytorch-cuda=12.1
"""


def check(world: World) -> Iterator[Finding]:
    """Hold what each file asks of conda against the channels that it lists."""
    for install in world.install_sets:
        side = world.files.conda(install)
        if not side.lists_channels or side.may_mirror:
            continue
        for name, homes in world.catalog.channels.homes.items():
            asked = side.of(name)
            if asked and asked.channel in {"", *(home.name for home in homes)}:
                yield from _homeless(world, install, asked, homes)
        if finding := _mixed(world, install):
            yield finding


def _homeless(
    world: World, install: InstallSet, asked: Asked, homes: tuple[Channel, ...]
) -> Iterator[Finding]:
    side, selecting = world.files.conda(install), world.files.selecting(install)
    listed = ", ".join(side.channels)
    home = next((home for home in homes if home.name in side.channels), None)
    if home is None:
        yield _finding(
            install,
            asked,
            f"asks for {asked}, which stands in the channel {homes[0].name} alone, and lists {listed}",
            f"put the channels {homes[0].name} and {', '.join(homes[0].needs_channels)} in front; or"
            f" take all from conda-forge: `pytorch-gpu` with `cuda-version` in place of {asked}",
            homes[0],
            Severity.ERROR,
            selecting.listing((homes[0].name, *homes[0].needs_channels)),
        )
        return
    missing = [channel for channel in home.needs_channels if channel not in side.channels]
    if missing:
        partly = any(channel in side.channels for channel in home.or_channels)
        yield _finding(
            install,
            asked,
            f"asks for {asked}, and lists no channel {', '.join(missing)}, which has what"
            f" {asked.spec.name} depends on",
            f"add the channel {', '.join(missing)} behind {home.name}",
            home,
            Severity.WARNING if partly else Severity.ERROR,
            selecting.listing(missing, behind=home.name),
        )


def _finding(  # noqa: PLR0913, PLR0917 - the parts of a finding
    install: InstallSet,
    asked: Asked,
    what: str,
    remedy: str,
    home: Channel,
    severity: Severity,
    edits: tuple[Edit, ...],
) -> Finding:
    names = " and ".join(edit.text for edit in edits if isinstance(edit, Add))
    return RULE.finding(
        f"{install.name} {what}",
        severity=severity,
        at=asked.line.location,
        shows_as=f"the solver says that nothing provides {asked}, or what it depends on",
        remedy=remedy,
        evidence=(f"{home.name}: {home.source}",),
        fix=Fix(title=f"list the channel {names}", applicability=Applicability.UNSAFE, edits=edits),
        cause=cause_of(RULE.name, install.name, asked.spec.name),
    )


def _mixed(world: World, install: InstallSet) -> Finding | None:
    """Judge parts of CUDA that come from nvidia, beside what conda-forge builds on its own."""
    parts, user = world.files.torn_apart(install)
    if not parts or user is None:
        return None
    shown = ", ".join(str(part) for part in parts[:3])
    return RULE.finding(
        f"{install.name} prefers the channel nvidia to conda-forge: {shown} are nvidia's, and {user}"
        " is built on conda-forge's packages of the same names",
        at=parts[0].line.location,
        related=(user.line.location, *(part.line.location for part in parts[1:3])),
        shows_as="libraries of several CUDA releases in one folder, or a solver that finds no way",
        remedy="put conda-forge before nvidia, or leave nvidia out: conda-forge has every part of"
        " CUDA 12; who needs nvidia's own packages names one of its labels,"
        " `nvidia/label/cuda-12.1.0::cuda-toolkit`, and nothing of conda-forge's CUDA",
        fix=_behind(world, install, "nvidia", "conda-forge"),
        evidence=tuple(f"{part}: from {part.channel or 'the first channel'}" for part in parts[:3]),
        cause=cause_of(RULE.name, install.name, "nvidia"),
    )


def _behind(world: World, install: InstallSet, channel: str, first: str) -> Fix | None:
    """Return what moves a channel behind another one, where each stands in the file once."""
    known = world.catalog.channels.name_of
    moved = [line for line in install.channels if known(line.name) == channel]
    after = [line for line in install.channels if known(line.name) == first]
    if len(moved) != 1 or len(after) != 1:
        return None
    line = moved[0]
    add = Add(
        path=line.path,
        section=Section.CONDA,
        kind=Kind.CHANNEL,
        text=line.name,
        scope=line.scope,
        after=after[0],
    )
    return Fix(
        title=f"put the channel {first} before {channel}",
        applicability=Applicability.UNSAFE,
        edits=(Remove(line=line), add),
    )
