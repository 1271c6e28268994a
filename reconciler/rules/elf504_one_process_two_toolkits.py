"""One process maps libraries of two CUDA toolkits.

A framework opens each library by itself, and each search ends where it first finds one: NVRTC comes
from the environment, and NVVM from the system's toolkit, since the environment has none or is not
activated; or CuPy for CUDA 12 takes the NVRTC 13 that PyTorch's wheels brought, while its jitify is
linked with libnvrtc.so.12. Each start is played, and the majors of what is mapped in the end are
compared.

It is an error in an activated shell, in the present one if that is inside of the environment, and
where a variable of it leads there; where only a shell without activation is concerned, it is
information. So it is where two frameworks have a CUDA of their own, and one gets the other's file
of the same name when both are imported; that is a warning where a symbol is missing in it.

Silent where all is of one major, whose minor releases NVIDIA keeps compatible; for parts that are
numbered by themselves (cuDNN, NCCL); for the driver; and for what is linked statically.

Why it matters
--------------
Nothing says so: the import works, `pip check` is content, and no version is wrong. Then what one
toolkit compiles is handed to the other, whose linker refuses it, or a handle of one library to its
namesake; the error names neither toolkit.

Fix safety
----------
No fix is applied: which CUDA is meant, and whether the environment is to be activated or completed,
is the user's to say. Where a wheel has a sibling for the other CUDA, it is named.

References
----------
- tinygrad/tinygrad#15709: NVRTC, its builtins and nvJitLink of different CUDA installations in one process
- NVIDIA/cuda-python#1038: cuda-pathfinder searches each library by itself, and NVVM, NVRTC and nvJitLink have to fit
- NVIDIA/cuda-python#1691: nvJitLink of the system's toolkit refuses what a wheel of another release brought

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.mixture import Crossing, Mixture, Part
    from reconciler.world import World

RULE = Rule(
    code="ELF504",
    name="one-process-two-toolkits",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: [python=3.11.7=h1, cuda-nvrtc=12.4.127=0]
pip: [cupy-cuda12x==14.2.0, cuda-pathfinder==1.9.0, nvidia-cuda-nvrtc==13.2.51]
loader:
  bin/python3.11: {rpath: $ORIGIN/../lib}
  lib/libnvrtc.so.12: {of: cuda-nvrtc}
  lib/python3.11/site-packages/nvidia/cu13/lib/libnvrtc.so.13: {of: nvidia-cuda-nvrtc}
  lib/python3.11/site-packages/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {of: cupy-cuda12x}
  lib/python3.11/site-packages/cupy/cuda/jitify.cpython-311-x86_64-linux-gnu.so:
    {of: cupy-cuda12x, needed: [libnvrtc.so.12]}
"""

GOOD = """\
python: 3.11.7
conda: [python=3.11.7=h1, cuda-nvrtc=12.4.127=0]
pip: [cupy-cuda12x==14.2.0, cuda-pathfinder==1.9.0]
loader:
  bin/python3.11: {rpath: $ORIGIN/../lib}
  lib/libnvrtc.so.12: {of: cuda-nvrtc}
  lib/python3.11/site-packages/cupy/_core/core.cpython-311-x86_64-linux-gnu.so: {of: cupy-cuda12x}
  lib/python3.11/site-packages/cupy/cuda/jitify.cpython-311-x86_64-linux-gnu.so:
    {of: cupy-cuda12x, needed: [libnvrtc.so.12]}
"""


def check(world: World) -> Iterator[Finding]:
    """Report each framework once, in the shell that is worst; then what two do to each other."""
    loading = world.loading
    found: dict[str, list[Mixture]] = {}
    for mixture in loading.mixtures if loading else ():
        found.setdefault(mixture.framework, []).append(mixture)
    for mixtures in found.values():
        yield _mixed(world, mixtures)
    crossed: dict[tuple[str, str], list[Crossing]] = {}
    for one in loading.crossings if loading else ():
        crossed.setdefault((_owner(one.alone), _owner(one.together)), []).append(one)
    for crossings in crossed.values():
        yield _crossed(crossings)


def _mixed(world: World, mixtures: Sequence[Mixture]) -> Finding:
    is_inside = world.shell.is_in_environment
    used = [one for one in mixtures if one.run.situation.is_in_use(is_inside=is_inside)]
    worst = max(used or mixtures, key=lambda one: len(one.run.situation.names))
    title = world.catalog.title(worst.framework)
    names = tuple(name for one in mixtures for name in one.run.situation.names)
    shells = Situation(names=names, variables=())
    majors = " and ".join(f"CUDA {m}" for m in sorted({p.major for p in (*worst.own, *worst.odd)}))
    return RULE.finding(
        f"a process that uses {title} maps libraries of {majors}, {shells}:"
        f" {_some(worst.own)}, and {_some(worst.odd)}",
        severity=None if used else Severity.INFO,
        at=Location(subject=worst.odd[0].name, path=worst.odd[0].link.path),
        related=tuple(Location(subject=part.name, path=part.link.path) for part in worst.own[:1]),
        shows_as="nothing at import; then `NVRTC_ERROR_...`, `ERROR_INVALID_INPUT` of nvJitLink, an"
        " undefined symbol, or a crash where one toolkit's result meets the other",
        remedy=_remedy(world, worst),
        evidence=tuple(map(_seen, (*worst.odd[:4], *worst.own[:2]))),
        cause=cause_of(RULE.name, INSTALLED, worst.framework),
        explained_by=tuple(dict.fromkeys(_explaining(world, worst))),
    )


def _owner(part: Part) -> str:
    return part.link.owner.title if part.link.owner else ""


def _some(parts: Sequence[Part]) -> str:
    by_owner: dict[str, list[str]] = {}
    for part in parts:
        by_owner.setdefault(_owner(part), []).append(part.name)
    texts = [f"{', '.join(names[:4])} of {owner}" for owner, names in by_owner.items()]
    return " and ".join(texts[:3])


def _seen(part: Part) -> str:
    link = part.link
    return f"{link.path}, for {link.asked_by}: {link.step or link.because}"


def _remedy(world: World, mixture: Mixture) -> str:
    entries = dict.fromkeys(
        part.link.entry for part in mixture.odd if part.link.reason == "LD_LIBRARY_PATH"
    )
    if entries:
        names = " and ".join(f"`{entry}`" for entry in entries)
        return f"take {names} out of LD_LIBRARY_PATH where it is set"
    if mixture.is_cured_by_activation:
        return (
            "activate the environment first: IDE kernels, cron and a bare `bin/python` skip that;"
            " `conda run` does it for a single command"
        )
    siblings = tuple(_siblings(world, mixture))
    if siblings:
        return f"{' or '.join(siblings)}, so that one CUDA is in the process"
    names = ", ".join(dict.fromkeys(part.name.partition(".so")[0] for part in mixture.odd))
    return (
        f"install what is of another CUDA ({names}) for CUDA {mixture.major} in this environment, so"
        f" that nothing is taken from {_owner(mixture.odd[0])}"
    )


def _siblings(world: World, mixture: Mixture) -> Iterator[str]:
    """Yield the wheels of the framework that are for the CUDA which its process meets."""
    packaged = [part for part in mixture.odd if part.link.owner and part.link.owner.is_package]
    builds = [build for build in world.builds if build.component == mixture.framework]
    for build in builds if packaged else ():
        consumer = world.consumer(build)
        major = packaged[0].major
        name = consumer.sibling(build.package, major) if consumer else None
        if name:
            yield f"take {name} in place of {build}, for the CUDA {major} of {_owner(packaged[0])}"


def _explaining(world: World, mixture: Mixture) -> Iterator[str]:
    """Yield the causes of what says already why the libraries are there."""
    captures = world.loading.captures if world.loading else ()
    owners = [part.link.owner for part in mixture.odd]
    files = {part.link.real for part in mixture.odd}
    if all(owner and owner.is_package for owner in owners):
        yield cause_of("cuda-majors-mixed", INSTALLED)
    yield from (
        cause_of("ld-library-path-captures", INSTALLED, one.variable, one.entry)
        for one in captures
        if one.link.real in files
    )
    names = {owner.package for owner in owners if owner}
    yield from (
        cause_of("files-owned-twice", INSTALLED, "+".join(sorted(pair.names)))
        for pair in world.rivals
        if names & set(pair.names)
    )


def _crossed(crossings: Sequence[Crossing]) -> Finding:
    first = max(crossings, key=lambda one: bool(one.together.link.errors))
    ours, theirs = first.alone, first.together
    names = ", ".join(dict.fromkeys(one.together.name for one in crossings))
    errors = theirs.link.errors
    return RULE.finding(
        f"where {first.run.title} are imported into one process, {theirs.link.asker.title} gets"
        f" {names} of CUDA {theirs.major} from {_owner(theirs)}, while it is linked with the one of"
        f" CUDA {ours.major} of {_owner(ours)}",
        severity=Severity.WARNING if errors else Severity.INFO,
        at=Location(subject=theirs.name, path=theirs.link.path),
        related=(Location(subject=ours.name, path=ours.link.path),),
        shows_as=f"`{errors[0]}`"
        if errors
        else "nothing at import: both files bear one name, and the one that came first answers",
        remedy="keep them in processes, or in environments, of their own; or take both in builds for"
        " one CUDA",
        evidence=tuple(_seen(one.together) for one in crossings[:4]),
        cause=cause_of(RULE.name, INSTALLED, _owner(ours), _owner(theirs)),
        explained_by=(cause_of("cuda-majors-mixed", INSTALLED),),
    )
