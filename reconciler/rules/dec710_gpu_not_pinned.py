"""A GPU is meant, and the solver may answer with a build for the CPU.

Three ways lead there. The newest PyTorch of the channel has no build for the CUDA that is asked for
(`pytorch-cuda=11.6` ends at 1.13.1, `cudatoolkit` of the channel `pytorch` at 1.12.1), and PyTorch
is not pinned. conda-forge stands before the channel `pytorch`, which alone has builds that
`pytorch-cuda` selects. Or a framework of conda-forge, which has builds of both kinds, is asked for
by its name alone, and the environment is solved on a machine without a GPU, such as a login node.

Silent where a version, a build string, `pytorch-gpu` or a channel (`pytorch::pytorch`) decides, and
where the CPU is meant.

Why it matters
--------------
The file works today, and gives PyTorch for the CPU after the next release, on another machine, or
with another solver. Nothing fails: no GPU is found, and everything is some fifty times slower.

Fix safety
----------
What leaves the solver no other answer is written, which is unsafe: the newest version that has a
build for the CUDA that is asked for, the channel that has such builds, or the build for CUDA by its
name, `pytorch-gpu` or `=*=cuda*`.

References
----------
- esa/AnomalyMatch#11: pytorch-cuda=12.4 was satisfied with PyTorch for the CPU from conda-forge
- Sygil-Dev/sygil-webui#1659: adding conda-forge turned PyTorch into a CPU build
- conda/conda#14761: PyTorch for the CPU although `__cuda` is there
- pyg-team/pytorch_geometric#8948: `pyg=*=*cu*` is the way to ask for the CUDA build

"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from reconciler.model import line_edits
from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Replace
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conda_side import Asked, Served
    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="DEC710",
    name="gpu-not-pinned",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  channels: [pytorch, nvidia, conda-forge]
  dependencies:
    - python=3.10
    - pytorch
    - pytorch-cuda=11.6
"""

GOOD = """\
environment.yml: |
  channels: [pytorch, nvidia, conda-forge]
  dependencies:
    - python=3.10
    - pytorch=1.13.1
    - pytorch-cuda=11.6
"""


def check(world: World) -> Iterator[Finding]:
    """Ask whether the solver's first choice is a build for CUDA."""
    for install in world.install_sets:
        if world.files.meant(install).cpu:
            continue
        if finding := _selected(world, install) or _by_name_alone(world, install):
            yield finding


def _selected(world: World, install: InstallSet) -> Finding | None:
    """Judge what `pytorch-cuda` or `cudatoolkit` is to select."""
    for selector, framework in world.files.selections(install):
        found = world.files.served(install, framework, selector)
        wanted = {*world.files.releases(selector)}
        if not (found and framework.is_open and selector.pins_release):
            continue
        name = selector.spec.name
        if not wanted & {*found.releases(name)}:
            continue
        if not wanted & {*found.newest.releases(name)}:
            # An old Python may have nothing newer than what is meant.
            if not _is_for_its_python(world, install, framework, found.newest_version):
                continue
            return _outdated(install, selector, framework, found, wanted)
        if rival := _first_rival(world, install, framework, found):
            return _outranked(install, selector, framework, found.channel, rival)
    return None


def _is_for_its_python(world: World, install: InstallSet, framework: Asked, version: str) -> bool:
    consumer = world.catalog.consumer("conda", framework.spec.name)
    projects = consumer.pypi if consumer else ()
    return all(world.supply.may_have(install, project, version) for project in projects)


def _first_rival(world: World, install: InstallSet, framework: Asked, found: Served) -> str | None:
    """Return the channel that is preferred to the one whose builds are meant, if it has others."""
    sources = world.files.conda(install).sources(framework)
    preferred = takewhile(lambda channel: channel != found.channel, sources)
    name = framework.spec.name
    return next((c for c in preferred if world.catalog.channels.builds(c, name)), None)


def _outdated(
    install: InstallSet, selector: Asked, framework: Asked, found: Served, wanted: set[str]
) -> Finding:
    name = selector.spec.name
    last = found.last_for(name, wanted)
    pinned = line_edits.pinned(framework.line, last)
    return RULE.finding(
        f"{install.name} leaves {framework} open beside {selector}: the newest of the channel"
        f" {found.channel}, {found.newest_version}, has no build for it, {last} was the last",
        at=framework.line.location,
        related=(selector.line.location,),
        shows_as=_shows_as(framework, name),
        remedy=f"pin `{framework.spec.name}={last}`; or ask for"
        f" `{found.newest.needs[0]}={found.newest.releases(found.newest.needs[0])[-1]}`, for which"
        f" {found.newest_version} has a build",
        fix=_fix(f"pin {framework.spec.name} to {last}", pinned),
        evidence=tuple(dict.fromkeys(row.source for _, row in found.newest.rows)),
        cause=cause_of(RULE.name, install.name, framework.spec.name),
    )


def _outranked(
    install: InstallSet, selector: Asked, framework: Asked, channel: str, rival: str
) -> Finding:
    name = framework.spec.name
    return RULE.finding(
        f"{install.name} prefers {rival} to the channel {channel}, and only {channel} has builds of"
        f" {name} that {selector} selects",
        at=framework.line.location,
        related=(selector.line.location,),
        shows_as=_shows_as(framework, selector.spec.name),
        remedy=f"put the channel {channel} first, or write `{channel}::{name}`; or take all from"
        f" {rival}: `pytorch-gpu` in place of {name} and {selector.spec.name}",
        fix=_fix(
            f"take {name} from the channel {channel}",
            line_edits.written(framework.line, channel=channel),
        ),
        evidence=(f"channels in this order: {rival}, {channel}",),
        cause=cause_of(RULE.name, install.name, name),
    )


def _by_name_alone(world: World, install: InstallSet) -> Finding | None:
    """Judge a framework that its channel has for both, and of which only the name is asked."""
    files, meant = world.files, world.files.meant(install)
    if not meant.is_for_gpu:
        return None
    for framework, spec in files.undecided(install):
        name = framework.spec.name
        return RULE.finding(
            f"{install.name} is meant for a GPU ({meant.gpu[0]}), and asks for {framework}, which"
            " conda-forge has for the CPU as well: what is solved where no GPU is seen is for the CPU",
            at=framework.line.location,
            related=meant.lines[:1],
            shows_as=_shows_as(framework, ""),
            remedy=f"ask for the build by name, `{spec}`; where it is solved without a GPU, set"
            " `CONDA_OVERRIDE_CUDA` to the CUDA release of the driver there",
            fix=_fix(f"ask for {name} in the build for CUDA", _by_build(framework, spec)),
            evidence=(f"a sign for a GPU: {meant.gpu[0]}", "no build string, and no `pytorch-gpu`"),
            cause=cause_of(RULE.name, install.name, name),
        )
    return None


def _by_build(framework: Asked, spec: str) -> Replace | None:
    name, _, rest = spec.partition("=")
    if name != framework.spec.name:
        return line_edits.written(framework.line, name=name)
    if framework.spec.version and not framework.spec.pinned_version:
        return line_edits.written(framework.line, spec=f" {framework.spec.version} *cuda*")
    return line_edits.written(framework.line, spec=f"={rest}")


def _fix(title: str, edit: Replace | None) -> Fix | None:
    edits = (edit,) if edit else ()
    return Fix(title=title, applicability=Applicability.UNSAFE, edits=edits) if edits else None


def _shows_as(framework: Asked, selector: str) -> str:
    beside = f", beside a {selector} that nothing uses" if selector else ""
    return f"{framework.spec.name} is installed in a build for the CPU{beside}, and finds no GPU"
