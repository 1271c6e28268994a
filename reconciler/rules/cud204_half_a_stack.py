"""Some of the libraries that a framework opens are installed, and the others are not.

A wheel of TensorFlow or of onnxruntime-gpu carries no CUDA and requires none: it opens the runtime,
cuBLAS, cuDNN and others where it finds them. With `nvidia-cudnn-cu12` alone, or conda's cudatoolkit
without cuDNN, it finds a part of them.

Silent where none of them is installed, since the CPU or the machine's own CUDA is meant then; where
the machine has a toolkit or LD_LIBRARY_PATH leads outside of the environment, which may hold the
rest; for frameworks whose wheels bring or require their CUDA; and for libraries that no package of
the environment opens, which somebody has for a use of his own.

Why it matters
--------------
The framework opens all of them or uses none: TensorFlow says "Cannot dlopen some GPU libraries.
Skipping registering GPU devices", without a word of which one, and runs on the CPU.

Fix safety
----------
For what is installed, a command is proposed, and never run, where an extra of the framework requires just the missing
parts: their releases are then those that it was tested with. Else, and for lines of files, the
remedy names what is missing.

References
----------
- tensorflow/tensorflow#69838: only nvidia-cudnn-cu11 is installed, and no runtime
- tensorflow/tensorflow#66987: the message does not say which library failed
- tensorflow/tensorflow#62328: cudatoolkit 11.8, cudnn 8.9 and LD_LIBRARY_PATH together solve it
- microsoft/onnxruntime#25609: libraries that the CUDA provider needs are not found

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Role, Variant
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.install_set import InstallSet
    from reconciler.world import World

RULE = Rule(
    code="CUD204",
    name="half-a-stack",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: []
pip:
  - tensorflow==2.14.1
  - nvidia-cudnn-cu11==8.7.0.84
"""

GOOD = """\
python: 3.11.7
conda:
  - cudatoolkit=11.8.0=h4ba93d1_13
pip:
  - tensorflow==2.14.1
  - nvidia-cudnn-cu11==8.7.0.84
"""


def check(world: World) -> Iterator[Finding]:
    """Hold what each wheel opens against what there is of it."""
    if world.has_other_cuda:
        return
    written: list[str] = []
    for install in world.install_sets:
        builds = world.declared_builds(install)
        if _tells_all(install, builds):
            for finding in _judge(world, install.name, builds):
                written.append(finding.cause)
                yield finding
    yield from _judge(world, INSTALLED, world.builds, written)


def _tells_all(install: InstallSet, builds: Iterable[CudaBuild]) -> bool:
    """Tell whether a file names all that brings CUDA: conda's packages bring others along."""
    return bool(install.requirements(Section.CONDA)) and not any(
        build.manager == "conda" for build in builds
    )


def _judge(
    world: World, place: str, builds: Sequence[CudaBuild], written: Sequence[str] = ()
) -> Iterator[Finding]:
    seen: set[str] = set()
    for user in builds:
        consumer = world.consumer(user)
        if consumer is None or not consumer.opens or consumer.name in seen:
            continue
        if user.manager != "pip" or user.variant is not Variant.CUDA or user.brings:
            continue
        there = [b for b in builds if b.role is Role.BRINGS and _may_serve(b, user)]
        found = {part for build in there for part in build.brings} & {*consumer.opens}
        if found and (missing := [part for part in consumer.opens if part not in found]):
            seen.add(consumer.name)
            parts = [build for build in there if {*build.brings} & found]
            yield _finding(world, place, user, parts, missing, written)


def _may_serve(part: CudaBuild, user: CudaBuild) -> bool:
    return None in {part.major, user.major} or part.major == user.major


def _finding(  # noqa: PLR0913, PLR0917 - what differs between a file and an environment
    world: World,
    place: str,
    user: CudaBuild,
    there: Sequence[CudaBuild],
    missing: Sequence[str],
    written: Sequence[str],
) -> Finding:
    titles = ", ".join(world.catalog.title(part) for part in missing)
    shown = ", ".join(f"{build.manager}'s {build}" for build in there[:3])
    title = world.catalog.title(user.component)
    return RULE.finding(
        f"{user.package} {user.version} opens {titles}, which {place} has not: of what it needs there"
        f" is {shown}",
        at=user.at,
        related=tuple(build.at for build in there[:4]),
        shows_as=f"{title} uses no GPU, and says little of why: `Cannot dlopen some GPU libraries."
        " Skipping registering GPU devices`, or `cannot open shared object file`",
        remedy=_remedy(world, user, missing),
        evidence=(
            f"{user}: {user.evidence}",
            *(f"{build}: {build.evidence}" for build in there[:4]),
        ),
        fix=_fix(world, user, missing) if place == INSTALLED else None,
        cause=cause_of(RULE.name, place, user.component),
        explained_by=tuple(written),
    )


def _fix(world: World, user: CudaBuild, missing: Sequence[str]) -> Fix:
    wheels = (
        {world.catalog.wheel_of(part, user.major) for part in missing} if user.major else {None}
    )
    for extra, names in world.mending.extras_of(user).items():
        if None not in wheels and wheels <= names:
            why = f"its extra requires what {user} opens, in the releases that it was tested with"
            return world.mending.install(f"{user.package}[{extra}]=={user.version}", why)
    titles = ", ".join(world.catalog.title(part) for part in missing)
    return world.mending.choice(f"install {titles}, or remove the part that is there")


def _remedy(world: World, user: CudaBuild, missing: Sequence[str]) -> str:
    wheels = [world.catalog.wheel_of(part, user.major) for part in missing] if user.major else []
    if wheels and all(wheels):
        names = " ".join(name for name in wheels if name)
        return (
            f"`pip install {names}` in the releases that {user.package} {user.version} was tested"
            " with (its extra for CUDA, where it has one, installs them all); or uninstall the part"
            " that is there, if the CPU is meant"
        )
    return (
        f"install the missing parts for {user.words} from the manager that brought the others; or"
        " uninstall these, if the CPU is meant"
    )
