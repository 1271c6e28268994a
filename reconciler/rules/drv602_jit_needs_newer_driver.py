"""PTX has to be compiled by the driver, and it is of a newer CUDA than the driver knows.

Minor-version compatibility is about machine code. PTX is compiled by the driver, which reads that of
its own CUDA and of older ones alone. Two cases: a build has nothing but PTX for this GPU, which is an
error; or a package compiles to PTX as it runs, with the toolkit of the environment, which is a
warning.

Silent where the build has machine code for the GPU, where the driver is of that CUDA or newer, where
the driver's CUDA is not known, and where nvJitLink is there, which compiles without the driver.

Why it matters
--------------
The driver is new enough for everything else, so that each check of versions passes; the first kernel
fails with an error of the compiler, which names neither of the two versions.

Fix safety
----------
No fix is applied: whether the driver or the toolkit gives way is for the user to say.

References
----------
- openmm/openmm#3598: driver 450.142 with CUDA 11.0, conda's toolkit is newer: CUDA_ERROR_UNSUPPORTED_PTX_VERSION
- openmm/openmm#3585: the same; `conda install cudatoolkit=11.6` to match `nvidia-smi` cures it
- NVIDIA/nvbandwidth#61: driver 580 and PTX of CUDA 13.2, though CUDA 13 is compatible
- NVIDIA/numba-cuda#192: numba-cuda on driver 550.120 with a toolkit 12.8, PTX version mismatch

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.machine import Coverage
    from reconciler.world import World

RULE = Rule(
    code="DRV602",
    name="jit-needs-newer-driver",
    severity=Severity.WARNING,
    needs=frozenset({Fact.DRIVER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
driver: "450.142.00"
conda: [numba=0.56.4=py311h9a5f24b_0, cudatoolkit=11.8.0=h4ba93d1_13]
"""

GOOD = """\
python: 3.11.7
driver: "520.61.05"
conda: [numba=0.56.4=py311h9a5f24b_0, cudatoolkit=11.8.0=h4ba93d1_13]
"""

#: The component that turns a program into PTX, and the one that links it without the driver.
_COMPILER, _LINKER = "nvvm", "nvjitlink"
_SHOWN = "`CUDA_ERROR_UNSUPPORTED_PTX_VERSION` (222): the provided PTX was compiled with an"
_SHOWN += " unsupported toolchain"


def check(world: World) -> Iterator[Finding]:
    """Look at builds with PTX alone for a GPU, and at what compiles as it runs."""
    for place, found in world.machine.coverages.items():
        for one in found:
            cuda = one.build.cuda
            if one.by == "ptx" and cuda and not world.machine.compiles(cuda):
                yield _of_build(world, place, one)
    if any(_COMPILER in build.brings for build in world.builds):
        yield from _of_compiler(world)


def _of_build(world: World, place: str, one: Coverage) -> Finding:
    return RULE.finding(
        f"{one.build} of {place} has only PTX of {one.build.words} for {one.gpu.title}, and"
        f" {world.machine.driver} compiles none so new",
        severity=Severity.ERROR,
        at=one.build.at,
        shows_as=_SHOWN,
        remedy=f"install a driver of {one.build.words} or later{_branch(world, one.build)}, or a"
        f" build with machine code for sm_{one.gpu.architecture}",
        evidence=(f"it has code for {', '.join(map(str, one.code))}",),
        cause=cause_of(RULE.name, place, one.build.component),
        explained_by=(_too_old(place, one.build),),
    )


def _of_compiler(world: World) -> Iterator[Finding]:
    compilers = [b for b in world.builds if _COMPILER in b.brings and b.cuda]
    users = [name for name, who in world.catalog.consumers.items() if who.compiles_to_ptx]
    titles = [world.catalog.title(name) for name in users if _is_there(world, name)]
    is_linked = any(_LINKER in build.brings for build in world.builds)
    for build in compilers if titles and not is_linked else ():
        if build.cuda is None or world.machine.compiles(build.cuda):
            continue
        yield RULE.finding(
            f"{titles[0]} compiles with {build} of {INSTALLED}, and {world.machine.driver} takes no"
            f" PTX of {build.words}",
            at=build.at,
            shows_as=_SHOWN,
            remedy=f"install the toolkit of CUDA {_driver_cuda(world)}, as the driver has it, or a"
            f" driver of {build.words} or later{_branch(world, build)}",
            evidence=(build.evidence,),
            cause=cause_of(RULE.name, INSTALLED, build.component),
            explained_by=(_too_old(INSTALLED, build),),
        )
        return


def _is_there(world: World, name: str) -> bool:
    consumer = world.catalog.consumers[name]
    is_of_conda = any(package in world.records for package in consumer.conda)
    return is_of_conda or any(wheel in world.wheels for wheel in consumer.pypi)


def _driver_cuda(world: World) -> str:
    driver = world.machine.driver
    return str(driver.cuda) if driver and driver.cuda else "an older release"


def _branch(world: World, build: CudaBuild) -> str:
    branch = world.catalog.machines.branch_of(build.cuda) if build.cuda else None
    return f" ({branch})" if branch else ""


def _too_old(place: str, build: CudaBuild) -> str:
    return cause_of("driver-older-than-family", place, str(build.major))
