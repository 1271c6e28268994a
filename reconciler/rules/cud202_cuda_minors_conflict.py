"""Two parts of one CUDA major are of minor releases that are known not to work together.

`nvidia-nvjitlink-cu12` older than the release of `nvidia-cusparse-cu12`, or conda's `cudatoolkit`
11.3 beside a `libcublas` of 11.8, of which each puts its half into one folder. And before CUDA 11 no
minor release serves another: a wheel for 10.2 takes nothing of conda's `cudatoolkit` 10.1. A whole
`cudatoolkit` 11.3 over the parts that `pytorch-cuda` 11.7 brings is a clash of files as well.

Every other difference is fine, and not judged: a newer nvJitLink serves an older cuSPARSE, a build
for CUDA 11.2 runs on 11.8, and a runtime of 12.9 on a driver for 12.4.

Why it matters
--------------
NVIDIA keeps the releases of one major compatible from the application's side, not between its own
libraries: cuSPARSE calls functions of libnvJitLink that bear its own release in their names, and
the two halves of cuBLAS call each other without a promise. It shows itself when the library is
loaded, often as late as `import torch` on another machine.

Fix safety
----------
For what is installed, a command is proposed, and never run: the older part is brought to the release that the other one
needs, or to what another wheel pins. Which of two halves or runtimes is to stay is for the user to
choose where something of conda depends on both. Lines of files are left alone.

References
----------
- pytorch/pytorch#111469: undefined symbol `__nvJitLinkAddData_12_1`
- pytorch/pytorch#134929: undefined symbol `__nvJitLinkComplete_12_4`
- pytorch/pytorch#131312: the same, and the first question is which nvidia-* wheels are installed
- vios-s/DiffAN#7: conda's cudatoolkit 11.3.1 below a PyTorch for another minor release of cuBLAS
- pytorch/pytorch#51080: conda's PyTorch conflicts with cudatoolkit 11.0.221

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.clash import Clash
    from reconciler.model.cuda import CudaBuild, Manager
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.world import World

RULE = Rule(
    code="CUD202",
    name="cuda-minors-conflict",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.1.105
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - nvidia-cusparse-cu12==12.1.0.106
  - nvidia-nvjitlink-cu12==12.4.127
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the parts that one manager brings against each known clash."""
    written: list[str] = []
    for install in world.install_sets:
        for finding in _judge(world, install.name, world.declared_builds(install)):
            written.append(finding.cause)
            yield finding
    yield from _judge(world, INSTALLED, world.builds, written)


def _judge(
    world: World, place: str, builds: Sequence[CudaBuild], written: Sequence[str] = ()
) -> Iterator[Finding]:
    if pair := _unserved(world, builds):
        yield _foreign(place, pair, written)
    if pair := _two_runtimes(world, builds):
        yield _overlaid(world, place, pair, written)
    for clash in world.catalog.clashes:
        # The parts of one manager share a folder; pip's and conda's beside each other are DUP101's.
        for manager in ("conda", "pip"):
            if pair := _clashing(clash, builds, manager):
                yield _finding(world, place, clash, pair, written)


def _unserved(world: World, builds: Sequence[CudaBuild]) -> tuple[CudaBuild, CudaBuild] | None:
    """Return a wheel and conda's runtime of another minor release, which does not serve it."""
    runtimes = [b for b in builds if b.manager == "conda" and "cuda-runtime" in b.brings and b.cuda]
    wheels = [b for b in builds if b.manager == "pip" and b.cuda and world.is_framework(b)]
    for wheel in wheels:
        for runtime in runtimes:
            if wheel.cuda and runtime.cuda and wheel.major == runtime.major:
                return None if runtime.cuda.serves(wheel.cuda) else (wheel, runtime)
    return None


def _two_runtimes(world: World, builds: Sequence[CudaBuild]) -> tuple[CudaBuild, CudaBuild] | None:
    """Return what conda brings whole, and what it brings in parts, of two minor releases."""
    conda = [b for b in builds if b.manager == "conda" and b.cuda and b.cuda.minor is not None]
    whole = [b for b in conda if {"cuda-runtime", "cublas"} <= {*b.brings}]
    parts = [b for b in conda if b not in whole and _is_runtime(world, b)]
    pairs = ((ours, theirs) for ours in whole for theirs in parts if ours.major == theirs.major)
    return next((pair for pair in pairs if pair[0].cuda != pair[1].cuda), None)


def _is_runtime(world: World, build: CudaBuild) -> bool:
    package = world.catalog.cuda_packages.get((build.manager, build.package))
    return package is not None and ("cuda-runtime" in package.brings or package.pulls_runtime)


def _overlaid(
    world: World, place: str, pair: tuple[CudaBuild, CudaBuild], written: Sequence[str]
) -> Finding:
    whole, part = pair
    return RULE.finding(
        f"conda brings the libraries of CUDA {whole.cuda} ({whole}) and of CUDA {part.cuda} ({part}) to"
        f" {place}: both install the same files",
        at=whole.at,
        related=(part.at,),
        shows_as="a ClobberWarning of conda, and then libraries of two releases side by side: which"
        " package wrote a file last, decides",
        remedy=f"leave {whole.package} out: what asks for {part.package} has all of its CUDA from there",
        evidence=tuple(f"{build}: {build.evidence}" for build in pair),
        fix=_without(world, whole, part) if place == INSTALLED else None,
        cause=cause_of(RULE.name, place, f"{whole.package}-{part.package}"),
        explained_by=tuple(written),
    )


def _without(world: World, whole: CudaBuild, part: CudaBuild) -> Fix:
    record = world.records[whole.package]
    files = frozenset(record.files)
    sharing = [r for r in world.records.values() if r is not record and files & {*r.files}]
    return world.mending.without(
        f"keep {part}, and leave {whole} out",
        (record,),
        f"{part} brings the same libraries of CUDA {part.cuda}",
        sharing or [world.records[part.package]],
    )


def _foreign(place: str, pair: tuple[CudaBuild, CudaBuild], written: Sequence[str]) -> Finding:
    wheel, runtime = pair
    return RULE.finding(
        f"pip's {wheel} is for CUDA {wheel.cuda}, and conda's {runtime} is of CUDA {runtime.cuda}, in"
        f" {place}: before CUDA 11 no minor release serves another",
        at=wheel.at,
        related=(runtime.at,),
        shows_as=f"`libcudart.so.{wheel.cuda}: cannot open shared object file`, or two CUDA runtimes"
        " in one process where the wheel brings its own",
        remedy=f"take {wheel.package} from conda, in a build for CUDA {runtime.cuda}; or leave"
        f" {runtime.package} out, where the wheel brings its own CUDA {wheel.cuda}",
        evidence=tuple(f"{build}: {build.evidence}" for build in pair),
        cause=cause_of(RULE.name, place, f"{wheel.package}-{runtime.package}"),
        explained_by=tuple(written),
    )


def _clashing(
    clash: Clash, builds: Sequence[CudaBuild], manager: Manager
) -> tuple[CudaBuild, CudaBuild] | None:
    """Return the part that fails and the one that it fails on; None where they get along."""
    own = [b for b in builds if b.manager == manager and b.cuda and b.cuda.minor is not None]
    for ours in (b for b in own if clash.component in b.brings):
        for theirs in (b for b in own if clash.needs in b.brings and b.package != ours.package):
            if ours.cuda is None or theirs.cuda is None or ours.major != theirs.major:
                continue
            gap = (ours.cuda.minor or 0) - (theirs.cuda.minor or 0)
            if gap > 0:
                return ours, theirs
    return None


def _finding(
    world: World,
    place: str,
    clash: Clash,
    pair: tuple[CudaBuild, CudaBuild],
    written: Sequence[str],
) -> Finding:
    ours, theirs = pair
    title = world.catalog.title(clash.component)
    message = (
        f"{place} has {title} twice from {ours.manager}, in halves of CUDA {ours.cuda} ({ours}) and"
        f" of CUDA {theirs.cuda} ({theirs})"
        if clash.component == clash.needs
        else f"{ours.manager}'s {theirs} is of CUDA {theirs.cuda}, older than CUDA {ours.cuda} of"
        f" {ours}, which needs it, in {place}"
    )
    return RULE.finding(
        message,
        at=theirs.at,
        related=(ours.at,),
        shows_as=f"{clash.shows_as}, when {title} is loaded",
        remedy=_remedy(clash, ours, theirs),
        evidence=tuple(f"{build}: {build.evidence}, CUDA {build.cuda}" for build in pair),
        fix=_fix(world, clash, ours, theirs) if place == INSTALLED else None,
        cause=cause_of(RULE.name, place, f"{clash.component}-{clash.needs}-{theirs.package}"),
        explained_by=tuple(written),
    )


def _fix(world: World, clash: Clash, ours: CudaBuild, theirs: CudaBuild) -> Fix:
    if clash.component == clash.needs:
        return world.mending.choice(f"keep one: {ours} or {theirs}")
    why = f"{ours} needs it of CUDA {ours.cuda} or newer, and {theirs} is of CUDA {theirs.cuda}"
    return world.mending.bring(theirs, _bounds(ours, theirs), why)


def _bounds(ours: CudaBuild, theirs: CudaBuild) -> str:
    return f"{theirs.package}>={ours.cuda},<{(ours.major or 0) + 1}"


def _remedy(clash: Clash, ours: CudaBuild, theirs: CudaBuild) -> str:
    if clash.component == clash.needs:
        return (
            f"keep one: remove {ours.package} or {theirs.package}, whichever the framework does not"
            " depend on, and install the other again, since they share their files"
        )
    return f"`{ours.manager} install '{_bounds(ours, theirs)}'`: a newer one serves older parts as well"
