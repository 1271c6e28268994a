"""Packages that meet in one process or one installation carry different CUDA majors.

Libraries of two CUDA majors are not binary compatible. Wheels of PyTorch that were built for CUDA
12 beside conda's cudatoolkit 11.8, a stray `nvidia-cudnn-cu11` under a framework of CUDA 12, or an
extension built for CUDA 11 and loaded into PyTorch for CUDA 12 are such mixtures.

Silent where wheels each load a CUDA of their own, are not loaded into one another and overwrite no
file of one another; where a library links CUDA statically (XGBoost, LightGBM); and where only minor
releases of one major differ, which NVIDIA keeps compatible.

Why it matters
--------------
pip does not see what conda has installed, and conda does not see pip's wheels: each resolves its
own side, and neither warns. At run time the loader maps whichever file it meets first. It shows
itself as `libcudart.so.12: cannot open shared object file`, as an undefined symbol, as a cuDNN
that is not the one compiled against, or as nothing at all until the first kernel runs.

Fix safety
----------
For what is installed, commands are proposed, and never run: the CUDA of the framework stays, and
what belongs to another major is removed. So it is with the lines of a file, which is unsafe; a line
that has a sibling for the framework's CUDA (`cupy-cuda12x`) gives way to that one. Where no framework
tells which CUDA is meant, where something needs another build of its own, or where a package of conda
depends on what would go, the choice is shown.

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

from msgspec import structs

from reconciler.model.cuda import Role, Variant
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.install_set import InstallSet
    from reconciler.model.owner import Owner
    from reconciler.world import World

    #: The builds of each CUDA major.
    Sides = Mapping[int, Sequence[CudaBuild]]

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


def check(world: World) -> Iterator[Finding]:
    """Group what each file declares, and what is installed, by CUDA major."""
    installed = _by_major(world, world.builds)
    written: list[str] = []
    for install in world.install_sets:
        builds = world.files.builds_beside_conda(install)
        sides = _by_major(world, builds, _stated(world, builds))
        if _is_mixed(world, sides):
            found = _finding(world, install.name, sides)
            yield structs.replace(found, fix=_of_lines(world, install, sides))
            written += [install.name] if _covers(sides, installed) else []
    if _is_mixed(world, installed):
        yield _finding(world, INSTALLED, installed, written)


def _stated(world: World, builds: Sequence[CudaBuild]) -> Sequence[CudaBuild]:
    """Return what only says which CUDA conda is to bring, where conda is to bring any."""
    conda = [build for build in builds if build.manager == "conda"]
    if not any(build.major and world.meets_others(build) for build in conda):
        return ()
    return [build for build in conda if world.states_cuda(build)]


def _by_major(
    world: World, builds: Iterable[CudaBuild], stated: Sequence[CudaBuild] = ()
) -> Mapping[int, Sequence[CudaBuild]]:
    sides: dict[int, list[CudaBuild]] = defaultdict(list)
    for build in builds:
        meets = world.meets_others(build) or build in stated
        if build.variant is Variant.CUDA and build.major and meets:
            sides[build.major].append(build)
    return sides


def _covers(declared: Sides, installed: Sides) -> bool:
    """Tell whether a file declares a package of each installed side: it is why they are there."""
    names = {major: {build.package for build in builds} for major, builds in declared.items()}
    return all(
        names.get(major, set()) & {build.package for build in builds}
        for major, builds in installed.items()
    )


def _is_mixed(world: World, sides: Sides) -> bool:
    return len(sides) > 1 and not all(_stands_alone(world, side) for side in sides.values())


def _stands_alone(world: World, side: Sequence[CudaBuild]) -> bool:
    """Tell whether a side is wheels that load their own CUDA and meet no other side's."""
    consumers = [consumer for build in side if (consumer := world.consumer(build))]
    here = {consumer.name for consumer in consumers}
    brings = any(consumer.kind == "framework" for consumer in consumers) or (
        bool(consumers) and any(build.brings for build in side)
    )
    return (
        brings
        and all(build.manager == "pip" for build in side)
        and all(consumer.extends in here for consumer in consumers if consumer.extends)
        and not any(
            other.major != build.major for build in side for other in world.overlapping(build)
        )
    )


def _finding(world: World, place: str, sides: Sides, written: Iterable[str] = ()) -> Finding:
    majors = sorted(sides, reverse=True)
    chief = _chief(world, sides)
    kept = (chief.major if chief else None) or majors[0]
    others = [build for major in majors if major != kept for build in sides[major]]
    witness = chief or sides[kept][0]
    parts = " and ".join(f"CUDA {major} ({_names(sides[major])})" for major in reversed(majors))
    return RULE.finding(
        f"{parts} meet in {place}",
        at=others[0].at,
        related=tuple(build.at for build in [witness, *others[1:]]),
        shows_as="a library of the other major is not found, or is mapped into the process:"
        " `cannot open shared object file`, `undefined symbol`, or a crash at the first kernel",
        remedy=_remedy(world, chief, others) if chief else _choice(sides),
        evidence=tuple(f"{build}: {build.evidence}" for build in [witness, *others]),
        fix=_fix(world, chief, others, sides) if place == INSTALLED else None,
        cause=cause_of(RULE.name, place),
        explained_by=(
            *(cause_of(RULE.name, file) for file in written),
            *_twins(world, place, others),
            *_rivals(world, place, others),
        ),
    )


def _names(builds: Sequence[CudaBuild], few: int = 3) -> str:
    shown = ", ".join(f"{build.manager}'s {build}" for build in builds[:few])
    return f"{shown} and {len(builds) - few} more" if len(builds) > few else shown


def _remedy(world: World, chief: CudaBuild, others: Sequence[CudaBuild]) -> str:
    parts = [build for build in others if build.role is not Role.NEEDS]
    users = [build for build in others if build.role is Role.NEEDS]
    steps = [f"remove {_names(parts, 5)}"] if parts else []
    steps += [f"take {_successors(world, users, chief)} for CUDA {chief.major}"] if users else []
    survivors = {str(b): b for part in parts for b in world.overlapping(part) if b not in others}
    if survivors:
        pins = " ".join(f"{build.package}=={build.version}" for build in survivors.values())
        steps.append(
            f"run `pip install --force-reinstall --no-deps {pins}` afterwards, since a removed wheel"
            " owns the same files and takes them along"
        )
    return f"keep {chief} with its CUDA {chief.major}: {', and '.join(steps)}"


def _fix(world: World, chief: CudaBuild | None, others: Sequence[CudaBuild], sides: Sides) -> Fix:
    if chief is None:
        return world.mending.choice(_choice(sides))
    title = f"keep {chief} with its CUDA {chief.major}"
    siblings: list[Owner] = []
    users = [build for build in others if build.role is Role.NEEDS]
    for user in users:
        consumer = world.consumer(user)
        name = consumer.sibling(user.package, chief.major) if consumer else None
        if user.manager != "pip" or not name or name not in world.wheels:
            return world.mending.choice(
                f"{title}; left to you, since {user} has to give way to a build for CUDA {chief.major}",
                removes=[build for build in others if build not in users],
                replaces=users,
            )
        siblings += world.wheels[name]
    shared = [o for build in others for o in world.overlapping(build) if o not in others]
    sharing = dict.fromkeys((*siblings, *world.mending.owners_of(shared)))
    why = f"{chief} is for CUDA {chief.major}, and it is of another major"
    return world.mending.without(title, world.mending.owners_of(others), why, tuple(sharing))


def _of_lines(world: World, install: InstallSet, sides: Sides) -> Fix:
    fixing, chief = world.files.fixing(install), _chief(world, sides)
    if chief is None:
        return fixing.choice(_choice(sides))
    others = [build for major in sides if major != chief.major for build in sides[major]]
    return fixing.of_major(chief, others) or fixing.choice(_remedy(world, chief, others))


def _chief(world: World, sides: Sides) -> CudaBuild | None:
    """Return the framework that decides which CUDA is meant, that of the newest first."""
    own = [b for m in sorted(sides, reverse=True) for b in sides[m] if world.is_framework(b)]
    return next(iter((*own, *(b for b in world.frameworks if b.major in sides))), None)


def _successors(world: World, users: Sequence[CudaBuild], chief: CudaBuild) -> str:
    """Name what takes the place of each user: another name, or another build of its own."""
    consumers = [world.consumer(user) for user in users[:5]]
    named = [
        consumer.sibling(user.package, chief.major) if consumer else None
        for consumer, user in zip(consumers, users, strict=False)
    ]
    return ", ".join(
        f"{sibling} in place of {user}" if sibling else f"{user.package} in a build"
        for sibling, user in zip(named, users, strict=False)
    )


def _choice(sides: Sides) -> str:
    ways = " or ".join(f"{_names(sides[major], 5)} (CUDA {major})" for major in sorted(sides))
    return f"no framework tells which CUDA is meant; keep one major, and remove {ways}"


def _twins(world: World, place: str, others: Sequence[CudaBuild]) -> tuple[str, ...]:
    """Return DUP105's causes where twins of one import are all that differs in its major."""
    groups = [world.catalog.import_group(build.package) for build in others]
    names = [group.import_name for group in groups if group]
    if len(names) < len(others):
        return ()
    return tuple(cause_of("import-provided-twice", place, name) for name in names)


def _rivals(world: World, place: str, others: Sequence[CudaBuild]) -> tuple[str, ...]:
    """Return DUP104's causes where wheels that write the kept one's files are all that differs."""
    if not {build.major for build in others} <= world.rival_majors(place):
        return ()
    names = {build.package for build in others}
    pairs = (pair for pair in world.rival_pairs(place) if pair & names)
    return tuple(
        sorted(cause_of("files-owned-twice", place, "+".join(sorted(pair))) for pair in pairs)
    )
