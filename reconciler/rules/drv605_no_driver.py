"""There are builds for CUDA, and this machine has no NVIDIA driver.

Neither the kernel's module nor libcuda is there, where drivers are installed and where the loader
looks. Silent where a driver is named for which it is judged (`--driver`, `CONDA_OVERRIDE_CUDA`), and
where a container was not given the driver of its host, which is DRV607.

Why it matters
--------------
It is no fault where an image is built, on a login node, or where the CPU is meant. Where a GPU was
expected, it is the whole answer: PyTorch, JAX and TensorFlow fall back to the CPU, and say little.

Fix safety
----------
No fix is applied: a driver is not of the environment.

References
----------
- NVIDIA/nvidia-docker#1234: `Found no NVIDIA driver on your system`
- volkamerlab/teachopencadd#390: `nothing provides __cuda`, which conda has where there is a driver

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="DRV605",
    name="no-driver",
    severity=Severity.INFO,
    needs=frozenset({Fact.DRIVER, Fact.SURROUNDINGS}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
driver: null
surroundings: {}
pip: [torch==2.5.1+cu124]
"""

GOOD = """\
python: 3.11.7
driver: "550.54.15"
surroundings: {has_module: true}
pip: [torch==2.5.1+cu124]
"""


def check(world: World) -> Iterator[Finding]:
    """Say it once, of the framework before all others."""
    around, builds = world.snapshot.surroundings, world.machine.installed
    if world.machine.driver is not None or around is None or not builds:
        return
    first = min(builds, key=lambda build: not world.is_framework(build))
    others = f" and {len(builds) - 1} more are" if len(builds) > 1 else " is"
    yield RULE.finding(
        f"{first}{others} built for CUDA, and there is no NVIDIA driver"
        f" {'in this container' if around.container else 'on this machine'}",
        at=first.at,
        shows_as="`torch.cuda.is_available()` is False, `Found no NVIDIA driver on your system`, or"
        " everything runs on the CPU",
        remedy=_remedy(is_wsl=around.is_wsl, in_container=around.container is not None),
        evidence=(first.evidence,),
        cause=cause_of(RULE.name, INSTALLED),
    )


def _remedy(*, is_wsl: bool, in_container: bool) -> str:
    if in_container:
        return (
            "where a GPU is meant, start the container on a host with a driver, with `--gpus all` of"
            " Docker or `--nv` of Apptainer; where none is, leave it"
        )
    place = "on Windows, and not in WSL" if is_wsl else "on this machine"
    return (
        f"where a GPU is meant, install NVIDIA's driver {place}; where none is, leave it, or take"
        " the builds for the CPU, which are smaller"
    )
