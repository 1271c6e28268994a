"""The host has a driver, and this container was not given it.

The kernel's module is the host's and can be seen from within; libcuda and the devices are put into a
container as it starts, by the NVIDIA Container Toolkit or Apptainer's `--nv`. Here they are missing,
while builds for CUDA are installed.

Silent where no GPU is wanted (NVIDIA_VISIBLE_DEVICES is `none` or `void`), where the host has no
driver either (DRV605), and outside of containers.

Why it matters
--------------
The same image works elsewhere, and `nvidia-smi` works on the host; inside, frameworks fall back to
the CPU. Installing a driver in the container, as is often tried, makes it worse.

Fix safety
----------
No fix is applied: how a container is started is not of the environment.

References
----------
- zzzyuqing/DreamMat#14: CUDA not found in the image, cured by the NVIDIA Container Toolkit and `--gpus all`
- mlverse/torch#378: the same; `docker run` without `--gpus all`
- open-edge-platform/anomalib#584: `docker run` of an image for CUDA, without a GPU

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import Surroundings
    from reconciler.world import World

RULE = Rule(
    code="DRV607",
    name="container-without-gpu",
    severity=Severity.WARNING,
    needs=frozenset({Fact.SURROUNDINGS}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
surroundings: {container: /.dockerenv, has_module: true}
pip: [torch==2.5.1+cu124]
"""

GOOD = """\
python: 3.11.7
surroundings:
  container: /.dockerenv
  has_module: true
  has_devices: true
  library: /usr/lib/x86_64-linux-gnu/libcuda.so.1
pip: [torch==2.5.1+cu124]
"""

#: The values with which the NVIDIA Container Toolkit gives a container no GPU:
#: docs.nvidia.com/datacenter/cloud-native/container-toolkit, Environment variables.
_NOT_WANTED = frozenset({"none", "void"})


def check(world: World) -> Iterator[Finding]:
    """Look at what of the driver reaches the container."""
    around, builds = world.snapshot.surroundings, world.machine.installed
    if around is None or not around.container or not around.has_module or not builds:
        return
    wish = world.snapshot.variables.get("NVIDIA_VISIBLE_DEVICES", "")
    if (around.library and around.has_devices) or wish in _NOT_WANTED:
        return
    first = min(builds, key=lambda build: not world.is_framework(build))
    yield RULE.finding(
        f"this container has {_missing(around)}, while its host has a driver and {first} is built"
        " for CUDA",
        at=Location(subject="the container"),
        shows_as="`torch.cuda.is_available()` is False, `libcuda.so.1: cannot open shared object"
        " file`, or `Found no NVIDIA driver on your system`",
        remedy=_remedy(around),
        evidence=(f"{around.container} tells of a container", first.evidence),
        cause=cause_of(RULE.name, INSTALLED),
    )


def _missing(around: Surroundings) -> str:
    if around.has_devices:
        return "the GPU's devices and not the driver's library libcuda.so.1"
    if around.library:
        return "a libcuda.so.1 and none of the GPU's devices"
    return "neither the GPU's devices nor the driver's library libcuda.so.1"


def _remedy(around: Surroundings) -> str:
    if around.has_devices:
        return (
            "start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility, without which the container"
            " toolkit leaves out libcuda; install no driver inside"
        )
    return (
        "start it with `docker run --gpus all` (the host needs the NVIDIA Container Toolkit),"
        " `podman run --device nvidia.com/gpu=all` or `apptainer exec --nv`; install no driver inside"
    )
