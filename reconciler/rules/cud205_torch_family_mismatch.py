"""A framework's extension was made for another release of it, or for another build.

TorchVision 0.20.1 is for PyTorch 2.5.1, wheels of torch-scatter name theirs in their version
(`+pt24cu124`), and all of them are built for the CPU or for one CUDA. `torch`, `torchvision` and
`torchaudio` from three indexes, or an upgrade of one of them alone, do not fit each other.

bitsandbytes has a library for each of some CUDA releases, and none for others: it is a warning
where none of them is of the framework's CUDA major.

Silent where exact pairing is over (torchvision from 0.29.1, torchaudio 2.11), where the builds
differ in a minor release of CUDA that the extension accepts, and for what conda's solver has put
together; for builds for the CPU of what works beside a GPU (TorchCodec, DGL); and for wheels of
which PyPI has one for everybody, which do without its kernels where they do not fit (torchao,
AutoGPTQ). It is a warning where only the patch release differs.

Why it matters
--------------
Extensions call the C++ interface of PyTorch, which changes with each release, and register their
kernels with it. One that does not fit fails at import (`operator torchvision::nms does not exist`,
an undefined symbol, `compiled with different CUDA versions`), or at the first call on a GPU
(`Not compiled with CUDA support`). pip installs it where it is told to look no further: with
`--no-deps`, or when PyTorch is exchanged afterwards.

Fix safety
----------
For what is installed, a command is proposed, and never run: wheels of the extensions are installed again, in the release
and the build that fit the framework, where both are known. Else which of the two stays is for the
user to choose. Lines of a file are pinned to such a release and build, which is unsafe: it may be the
framework that is to give way.

References
----------
- vladmandic/sdnext#3531: torch 2.4.0+cu121 beside torchvision 0.20.1+cu124
- pytorch/vision#9174: `operator torchvision::nms does not exist` in a new environment
- mli/autocut#106: PyTorch for CUDA 11.8 whereas TorchAudio is for 11.7
- m-bain/whisperX#320: PyTorch and torchvision compiled with different CUDA versions
- NVIDIA-NeMo/Speech#3637: torchaudio 0.10 with torch 1.11 loses its CUDA backend
- ace-step/ACE-Step-1.5#1078: PyPI's torchcodec wants libnvrtc.so.13 beside PyTorch for CUDA 12.8
- bitsandbytes-foundation/bitsandbytes#631: a release that has no library for the CUDA of PyTorch
- Comfy-Org/ComfyUI#14232: no torchaudio 2.11 for a PyTorch for CUDA 13.2

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from reconciler.model.cuda import KnownBy, Variant
from reconciler.model.family import Member
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.family import Family
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="CUD205",
    name="torch-family-mismatch",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - torch==2.4.0+cu121
  - torchvision==0.20.1+cu124
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - torch==2.4.0+cu121
  - torchvision==0.19.0+cu121
"""


class _Misfit(Struct, frozen=True):
    member: Member
    why: str
    #: The cause of another finding that says it too; "" where none does.
    cause: str
    is_slight: bool = False
    #: Whether it is another release that it is for, rather than another build.
    is_of_release: bool = False


def check(world: World) -> Iterator[Finding]:
    """Hold each extension against its framework, in each file and installed."""
    written: list[str] = []
    for install in world.install_sets:
        for family in world.declared_families(install):
            if misfits := [*_misfits(world, family, install.name)]:
                written.append(cause_of(RULE.name, install.name, family.framework.component))
                found = _finding(world, install.name, family.framework, misfits)
                yield structs.replace(found, fix=_of_lines(world, install, family, misfits))
    for family in world.families:
        if misfits := [*_misfits(world, family, INSTALLED)]:
            yield _finding(world, INSTALLED, family.framework, misfits, written)


def _misfits(world: World, family: Family, place: str) -> Iterator[_Misfit]:
    framework = family.framework
    for member in family.extensions:
        pairing = member.pairing
        if pairing and not pairing.fits(framework.version):
            why = f"is for {world.catalog.title(framework.component)} {pairing.release}"
            is_slight = pairing.is_near(framework.version)
            cause = _majors(member, framework, place)
            yield _Misfit(member, why, cause, is_slight, is_of_release=True)
        elif why := _other_build(world, member, framework):
            yield _Misfit(member, why, _explained(member, framework, place))
        elif why := _no_library(member, framework):
            yield _Misfit(member, why, "", is_slight=True)


def _other_build(world: World, member: Member, framework: Member) -> str:
    """Return for what an extension was built, where its framework is of another build."""
    ours, theirs = member.build, framework.build
    consumer = world.catalog.consumers[member.component]
    if ours is None or theirs is None or not consumer.has_cuda or consumer.does_without(ours):
        return ""
    if ours.variant is not theirs.variant:
        # mmcv-lite and fbgemm-gpu-cpu were chosen by their names.
        by_name = ours.known_by is KnownBy.NAME
        if ours.variant is Variant.CPU and (by_name or consumer.cpu_fits):
            return ""
        return "is a build for the CPU" if ours.variant is Variant.CPU else f"is for {ours.words}"
    if ours.cuda is None or theirs.cuda is None or ours.cuda == theirs.cuda:
        return ""
    span = consumer.refuses_other_minor
    minors_matter = None not in {ours.cuda.minor, theirs.cuda.minor} and bool(
        span and span.holds(member.version)
    )
    differs = ours.cuda.major != theirs.cuda.major or minors_matter
    return f"is for {ours.words}" if differs else ""


def _no_library(member: Member, framework: Member) -> str:
    """Return which libraries an extension has, where none is for its framework's CUDA."""
    ours, theirs = member.build, framework.build
    majors = {cuda.major for cuda in ours.releases} if ours else set()
    if ours is None or theirs is None or not majors or theirs.variant is not Variant.CUDA:
        return ""
    # Of one major it takes what is nearest, or says which one it misses.
    return "" if theirs.major in {None, *majors} else f"has libraries for {ours.words} alone"


def _explained(member: Member, framework: Member, place: str) -> str:
    if member.build and member.build.variant is Variant.CPU:
        return cause_of("windows-pypi-is-cpu", place)
    if framework.build and framework.build.variant is Variant.CPU:
        return cause_of("cpu-build", place, framework.component)
    return _majors(member, framework, place)


def _majors(member: Member, framework: Member, place: str) -> str:
    majors = {build.major for build in (member.build, framework.build) if build}
    return cause_of("cuda-majors-mixed", place) if len(majors - {None}) > 1 else ""


def _finding(
    world: World,
    place: str,
    framework: Member,
    misfits: Sequence[_Misfit],
    written: Sequence[str] = (),
) -> Finding:
    title = world.catalog.title(framework.component)
    # What PyPI's wheel is for depends on the platform; which release it is for does not.
    by_release = framework.build and framework.build.known_by is KnownBy.RELEASE
    is_told = not by_release or any(not misfit.is_of_release for misfit in misfits)
    build = f" for {framework.build.words}" if framework.build and is_told else ""
    which = " and ".join(f"{misfit.member} {misfit.why}" for misfit in misfits[:4])
    causes = {misfit.cause for misfit in misfits}
    return RULE.finding(
        f"{which}, but {place} has {title} {framework.version}{build}",
        severity=Severity.WARNING if all(misfit.is_slight for misfit in misfits) else None,
        at=misfits[0].member.at,
        related=(framework.at, *(misfit.member.at for misfit in misfits[1:4])),
        shows_as=f"an import fails (`operator torchvision::nms does not exist`, an undefined symbol,"
        f" `compiled with different CUDA versions`), or {title} finds no kernel for the GPU",
        remedy=_remedy(world, framework, misfits),
        evidence=(*(_seen(misfit.member) for misfit in misfits[:4]), _seen(framework)),
        fix=_fix(world, framework, misfits) if place == INSTALLED else None,
        cause=cause_of(RULE.name, place, framework.component),
        explained_by=(*written, *(causes if "" not in causes else ())),
    )


def _seen(member: Member) -> str:
    told = [known.evidence for known in (member.pairing, member.build) if known]
    return f"{member}: {', '.join(dict.fromkeys(told)) or 'by its version'}"


def _fix(world: World, framework: Member, misfits: Sequence[_Misfit]) -> Fix:
    pins = [_pin(world, misfit.member, framework) for misfit in misfits]
    wheels = {misfit.member.package for misfit in misfits} & world.wheels.keys()
    if not all(pins) or len(wheels) < len({misfit.member.package for misfit in misfits}):
        which = " and ".join(str(misfit.member) for misfit in misfits)
        return world.mending.choice(f"keep {framework}, or what {which} was made for")
    why = f"{framework} is what they are loaded into"
    return world.mending.install_alone(pins, why)


def _of_lines(world: World, install: InstallSet, family: Family, misfits: Sequence[_Misfit]) -> Fix:
    fixing, framework = world.files.fixing(install), family.framework
    fix = fixing.paired(framework, [misfit.member for misfit in misfits])
    which = " and ".join(str(misfit.member) for misfit in misfits)
    return fix or fixing.choice(f"keep {framework}, or what {which} was made for")


def _pin(world: World, member: Member, framework: Member) -> str:
    """Return the release and build of an extension that fit; "" where they are not known."""
    version = world.catalog.paired(member.package, framework.version)
    label = framework.version.partition("+")[2]
    consumer = world.catalog.consumers[member.component]
    if version is None or (label and not consumer.on_pytorch_index):
        return ""
    return f"{member.package}=={version}" + (f"+{label}" if label else "")


def _remedy(world: World, framework: Member, misfits: Sequence[_Misfit]) -> str:
    pins = [
        f"{misfit.member.package}=={version}"
        for misfit in misfits
        if (version := world.catalog.paired(misfit.member.package, framework.version))
    ]
    build = f"for {framework.build.words}" if framework.build else "of the same build"
    title = world.catalog.title(framework.component)
    if len(pins) == len(misfits):
        return (
            f"keep {title} {framework.version}, and run `pip install --force-reinstall --no-deps"
            f" {' '.join(pins)}` with the index of the builds {build}"
        )
    names = " ".join(dict.fromkeys(misfit.member.package for misfit in misfits))
    return (
        f"install {names} again in a release for {title} {framework.version} and a build {build};"
        " or install all of them anew with one command from one index"
    )
