"""The driver is older than the least that runs what was built for this CUDA major.

A driver runs what was built for any minor release of a CUDA major from the first driver of that major
on: CUDA 11.8 on a driver 450.80.02, CUDA 12.9 on 525.60.13, CUDA 13.1 on 580.65.06. So it is not the
*CUDA Version* of `nvidia-smi` that counts: 12.9 runs on a driver that shows 12.4, and all that is
older runs on a newer driver. Before CUDA 11 each release needs its own driver.

What is installed is held against this machine's driver, or the one that is named: `--driver 550`,
`CONDA_OVERRIDE_CUDA`. What files declare is held against a named one alone, as it may be for any
machine. Silent where the loader comes to a library of cuda-compat, which is there to stand in, for
packages that work as well without a GPU, and where the machine has no driver.

Why it matters
--------------
Nothing fails to install and nothing fails to import: the GPU is passed over with a warning, or the
first call fails. It is common on clusters and in containers, where the driver is the host's.

Fix safety
----------
No fix is applied: a driver is not of the environment, and which release of a framework may be taken
instead is for the user to say.

References
----------
- IEIT-Yuan/Yuan-2.0#65: a container for CUDA 12.1, and `The NVIDIA driver on your system is too old (found version 11000)`
- lllyasviel/Fooocus#1313: driver 470.86, found version 11040
- nagadomi/nunif#702: CUDA driver version is insufficient for CUDA runtime version
- Slicer/light-the-torch#111: the driver that comes with a toolkit is not the least that runs its builds

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.machine import Driver
    from reconciler.world import World

RULE = Rule(
    code="DRV601",
    name="driver-older-than-family",
    severity=Severity.ERROR,
    needs=frozenset({Fact.DRIVER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
driver: "470.86"
pip: [torch==2.5.1+cu124]
"""

GOOD = """\
python: 3.11.7
driver: "525.60.13"
pip: [torch==2.5.1+cu124]
"""


def check(world: World) -> Iterator[Finding]:
    """Group what the driver does not run by its place and its CUDA major."""
    driver = world.machine.driver
    if driver is None or _stands_in(world, driver):
        return
    for place, builds in world.machine.builds.items():
        old = [b for b in builds if b.cuda and not world.machine.serves(b.cuda)]
        for major in sorted({build.cuda.major for build in old if build.cuda}):
            group = [build for build in old if build.major == major]
            yield _finding(world, driver, place, major, group)


def _stands_in(world: World, driver: Driver) -> bool:
    return driver.said_by is None and world.machine.stand_in is not None


def _finding(
    world: World, driver: Driver, place: str, major: int, group: Sequence[CudaBuild]
) -> Finding:
    group = sorted(group, key=lambda build: not world.is_framework(build))
    first = group[0]
    least = world.machine.least_driver(first.cuda) if first.cuda else None
    names = ", ".join(dict.fromkeys(str(build) for build in group))
    said = f", as {driver.said_by} has it," if driver.said_by else ""
    return RULE.finding(
        f"{driver}{said} is too old for {names} of {place}, built for {first.words}:"
        f" CUDA {major} needs the driver {least} or later",
        at=first.at,
        shows_as="`The NVIDIA driver on your system is too old`, `CUDA driver version is insufficient"
        " for CUDA runtime version`, or `torch.cuda.is_available()` is False",
        remedy=f"{_where(world)} a driver from {least} on, or {_instead(driver, place)}",
        evidence=tuple(build.evidence for build in group),
        related=tuple(build.at for build in group[1:]),
        cause=cause_of(RULE.name, place, str(major)),
    )


def _where(world: World) -> str:
    around = world.snapshot.surroundings
    if around and around.is_wsl:
        return "install on Windows, not in WSL,"
    if around and around.container:
        return "have the container's host install"
    return "install"


def _instead(driver: Driver, place: str) -> str:
    verb = "install" if place == INSTALLED else "ask for"
    if driver.cuda is None:
        return f"{verb} builds for an older CUDA"
    return f"{verb} builds for CUDA {driver.cuda.major} or older, which this driver runs"
