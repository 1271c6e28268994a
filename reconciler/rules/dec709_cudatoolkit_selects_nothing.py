"""A file asks for a CUDA package of conda that no build of its framework depends on.

Builds of the channel `pytorch` depend on `cudatoolkit` up to 1.12.1 (and never on one above 11.6),
and on `pytorch-cuda` from 1.13 to 2.5.1; each version on some releases of it. Those of conda-forge
depend on `cudatoolkit` 11.2 to 11.8 up to 2.3. TensorFlow knows CUDA 11 from 2.4 on.

Silent where the file says that the CPU is meant, where a build is named by its build string, where
`cudatoolkit` stands beside the `pytorch-cuda` that selects the build, and where it is not known
what a channel has.

Why it matters
--------------
The solver is free to answer with a build for the CPU, and does: it installs the CUDA package, which
nothing uses, beside it. Nothing fails until `torch.cuda.is_available()` says False.

Fix safety
----------
What selects a build is written in place of what selects none: `pytorch-cuda`, `cudatoolkit` or
`cuda-version`, in the release of the same CUDA major that is nearest; with conda-forge's
`pytorch-gpu`, and with the channels that it needs. It is unsafe: an older or newer framework may be
meant instead. Where no build is for that CUDA major, the choice is shown.

References
----------
- pytorch/pytorch#69202: pytorch=1.9.0 with cudatoolkit=11.3 is a build for the CPU
- pytorch/pytorch#32369: conda chose PyTorch for the CPU
- SupreethN/HOISTFormer#3: the environment of the README has PyTorch for the CPU

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conda_side import Asked, Served
    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="DEC709",
    name="cudatoolkit-selects-nothing",
    severity=Severity.ERROR,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  channels: [pytorch, conda-forge]
  dependencies:
    - python=3.10
    - pytorch
    - cudatoolkit=11.8
"""

GOOD = """\
environment.yml: |
  channels: [pytorch, nvidia]
  dependencies:
    - python=3.10
    - pytorch=2.3.1
    - pytorch-cuda=11.8
"""

_FEW = 5


def check(world: World) -> Iterator[Finding]:
    """Hold what selects a framework's CUDA against the builds that its channel has."""
    for install in world.install_sets:
        if world.files.meant(install).cpu:
            continue
        for selector, framework in world.files.selections(install):
            found = world.files.served(install, framework, selector)
            wanted = world.files.releases(selector)
            if found is None or not found.is_complete or not wanted:
                continue
            if {*wanted} & {*found.releases(selector.spec.name)}:
                continue
            yield _finding(world, install, selector, framework, found)
            break


def _finding(
    world: World, install: InstallSet, selector: Asked, framework: Asked, found: Served
) -> Finding:
    name = selector.spec.name
    where = f" of the channel {found.channel}" if found.is_of_channel else ""
    return RULE.finding(
        f"{install.name} asks for {selector}, and no build of {framework}{where} depends on it:"
        f" {_has(found, name)}",
        at=selector.line.location,
        related=(framework.line.location,),
        shows_as=f"{framework.spec.name} is installed in a build for the CPU, beside a {name} that"
        " nothing uses; no GPU is found, without an error",
        remedy=_remedy(world, selector, framework, found),
        evidence=tuple(dict.fromkeys(row.source for _, row in reversed(found.rows)))[:2],
        fix=_fix(world, install, selector, framework, found),
        cause=cause_of(RULE.name, install.name, framework.spec.name),
        explained_by=(
            cause_of("channels-clash", install.name, name),
            cause_of("cpu-build", install.name, world.files.project(framework)),
        ),
    )


def _fix(
    world: World, install: InstallSet, selector: Asked, framework: Asked, found: Served
) -> Fix:
    edits = world.files.selecting(install).from_channel(selector, framework, found)
    what = f"ask for the CUDA that a build of {framework} depends on, in place of {selector}"
    return Fix(
        title=what if edits else _remedy(world, selector, framework, found),
        applicability=Applicability.UNSAFE if edits else Applicability.DISPLAY,
        edits=edits,
    )


def _has(found: Served, name: str) -> str:
    parts = [
        f"{needs} {_listed(found.releases(needs))}"
        for needs in sorted(found.needs, key=lambda needs: needs != name)
    ]
    return f"its builds for CUDA are for {' or '.join(parts)}"


def _listed(releases: tuple[str, ...]) -> str:
    if len(releases) > _FEW:
        return f"{releases[0]} to {releases[-1]}"
    return ", ".join(releases[:-1]) + (" or " if releases[1:] else "") + releases[-1]


def _remedy(world: World, selector: Asked, framework: Asked, found: Served) -> str:
    name = selector.spec.name
    if not found.is_of_channel:
        return (
            f"ask for the {name} that {framework} depends on: `conda search '{framework.spec.name}"
            f"={framework.spec.pinned_version}' --info` lists its builds with it; or for a newer"
            f" {framework.spec.name}"
        )
    newest = found.newest
    needs = newest.needs[0]
    instead = f" in place of {name}" if needs != name else ""
    wanted = world.files.releases(selector)
    has = newest.releases(needs)
    release = next((release for release in has if release in wanted), has[-1])
    version = f"{framework.spec.name} {newest.newest_version}"
    more = _more(world, found.channel, needs)
    ways = [f"ask for `{needs}={release}`{instead}, which {version} has a build for{more}"]
    if needs != name and name in found.needs:
        ways.append(
            f"for a release of {name} that an older version has a build for, and for that one"
        )
    return "; or ".join(ways) + f"; `conda list {framework.spec.name}` then shows cuda in its build"


def _more(world: World, channel: str, needs: str) -> str:
    row = world.catalog.channels.known.get(channel)
    if row is None or needs not in row.alone_has:
        return ""
    return f", with the channels {channel} and {', '.join(row.needs_channels)} in front"
