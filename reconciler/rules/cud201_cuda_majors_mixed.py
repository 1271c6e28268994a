"""Packages that meet in one process or one installation carry different CUDA majors.

Libraries of two CUDA majors are not binary compatible. Wheels of PyTorch that were built for CUDA
12 beside conda's cudatoolkit 11.8, a stray `nvidia-cudnn-cu11` under a framework of CUDA 12, or an
extension built for CUDA 11 and loaded into PyTorch for CUDA 12 are such mixtures.

Wheels that each bring a CUDA of their own and are not loaded into one another, such as PyTorch for
CUDA 13 and JAX for CUDA 12, are not judged here, and neither are minor releases of one major, which
NVIDIA keeps compatible.

Why it matters
--------------
pip does not see what conda has installed, and conda does not see pip's wheels: each resolves its
own side, and neither warns. At run time the loader maps whichever file it meets first. It shows
itself as `libcudart.so.12: cannot open shared object file`, as an undefined symbol, as a cuDNN
that is not the one compiled against, or as nothing at all until the first kernel runs.

Fix safety
----------
No fix is applied: which side stays is the user's choice. The remedy names both ways.

References
----------
- pytorch/pytorch#186591: nvidia-nccl-cu12 and -cu13 in one environment
- rwth-i6/returnn#1802: nvidia-nccl-cu11 beside -cu12, `undefined symbol: ncclMemFree`
- VichyTong/CodeJudge#2: requirements that list cu11 and cu12 wheels together
- tdrussell/diffusion-pipe#21: flash-attn built for CUDA 11 in a PyTorch for CUDA 12
- kreshuklab/panseg#228: cudatoolkit 11.1 beside pytorch-cuda 12.1

"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.cuda import Role, Variant
from reconciler.model.finding import Severity
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="CUD201",
    name="cuda-majors-mixed",
    severity=Severity.ERROR,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - cudatoolkit=11.8.0=h4ba93d1_13
pip:
  - torch==2.1.2+cu121
  - nvidia-cuda-runtime-cu12==12.1.105
"""

GOOD = """\
python: 3.11.7
conda: []
pip:
  - torch==2.1.2+cu121
  - nvidia-cuda-runtime-cu12==12.1.105
"""

PLACE = "this environment"


def check(world: World) -> Iterator[Finding]:
    """Group what each file declares, and what is installed, by CUDA major."""
    declared = {s.name: _by_major(world.declared_builds(s)) for s in world.install_sets}
    mixed = {place: sides for place, sides in declared.items() if _is_mixed(world, sides)}
    for place, sides in mixed.items():
        yield _finding(world, place, sides)
    present = _by_major(build for build in world.builds if build.role is not Role.STATES)
    if _is_mixed(world, present):
        yield _finding(world, PLACE, present, written=mixed)


def _by_major(builds: Iterable[CudaBuild]) -> Mapping[int, Sequence[CudaBuild]]:
    sides: dict[int, list[CudaBuild]] = defaultdict(list)
    for build in builds:
        if build.variant is Variant.CUDA and build.major is not None:
            sides[build.major].append(build)
    return sides


def _is_mixed(world: World, sides: Mapping[int, Sequence[CudaBuild]]) -> bool:
    return len(sides) > 1 and not all(_stands_alone(world, side) for side in sides.values())


def _stands_alone(world: World, side: Sequence[CudaBuild]) -> bool:
    """Tell whether a side is wheels that load their own CUDA and meet no other side's."""
    consumers = [consumer for build in side if (consumer := world.consumer(build))]
    here = {consumer.name for consumer in consumers}
    return (
        all(build.manager == "pip" for build in side)
        and all(consumer.extends in here for consumer in consumers if consumer.extends)
        and any(consumer.kind == "framework" for consumer in consumers)
        | (bool(consumers) and any(build.brings for build in side))
    )


def _finding(
    world: World,
    place: str,
    sides: Mapping[int, Sequence[CudaBuild]],
    written: Iterable[str] = (),
) -> Finding:
    builds = [build for major in sorted(sides) for build in sides[major]]
    frameworks = (b for b in (*builds, *world.frameworks) if world.is_framework(b))
    chief = next((build for build in frameworks if build.major in sides), None)
    kept = chief.major if chief and chief.major else max(sides)
    others = [build for build in builds if build.major != kept]
    witnesses = [*([chief] if chief else sides[kept][:1]), *others]
    parts = " and ".join(f"CUDA {major} ({_names(sides[major])})" for major in sorted(sides))
    return RULE.finding(
        f"{parts} meet in {place}",
        at=others[0].at,
        related=tuple(build.at for build in [*witnesses[:1], *others[1:5]]),
        shows_as="a library of the other major is not found, or is mapped into the process:"
        " `cannot open shared object file`, `undefined symbol`, or a crash at the first kernel",
        remedy=_remedy(world, chief, others) if chief else _choice(sides),
        evidence=tuple(f"{build}: {build.evidence}" for build in witnesses[:6]),
        cause=f"{RULE.name}@{place}",
        explained_by=(*(f"{RULE.name}@{file}" for file in written), *_twins(world, place, others)),
    )


def _names(builds: Sequence[CudaBuild], few: int = 3) -> str:
    shown = ", ".join(f"{build.manager}'s {build}" for build in builds[:few])
    return f"{shown} and {len(builds) - few} more" if len(builds) > few else shown


def _remedy(world: World, chief: CudaBuild, others: Sequence[CudaBuild]) -> str:
    parts = [build for build in others if build.role is not Role.NEEDS]
    users = [build for build in others if build.role is Role.NEEDS]
    steps = [f"remove {_names(parts, 5)}"] if parts else []
    steps += [f"take {_names(users, 5)} in a build for CUDA {chief.major}"] if users else []
    survivors = {str(b): b for part in parts for b in world.overlapping(part) if b not in others}
    if survivors:
        pins = " ".join(f"{build.package}=={build.version}" for build in survivors.values())
        steps.append(
            f"run `pip install --force-reinstall --no-deps {pins}` afterwards, since a removed wheel"
            " owns the same files and takes them along"
        )
    return f"keep {chief} with its CUDA {chief.major}: {', and '.join(steps)}"


def _choice(sides: Mapping[int, Sequence[CudaBuild]]) -> str:
    ways = " or ".join(f"{_names(sides[major], 5)} (CUDA {major})" for major in sorted(sides))
    return f"no framework tells which CUDA is meant; keep one major, and remove {ways}"


def _twins(world: World, place: str, others: Sequence[CudaBuild]) -> tuple[str, ...]:
    """Return DUP105's causes where twins of one import are all that differs in its major."""
    groups = [world.import_group(build.package) for build in others]
    names = [group.import_name for group in groups if group]
    if len(names) < len(others):
        return ()
    return tuple(f"import-provided-twice@{place}:{name}" for name in names)
