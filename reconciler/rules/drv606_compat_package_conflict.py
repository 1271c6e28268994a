"""A library of cuda-compat stands in for the driver's, and cannot on this machine.

cuda-compat has the libcuda of a newer driver, for data centers where the driver itself stays old.
Two cases, each where the loader is led there by LD_LIBRARY_PATH or ld.so.cache: the driver is the
newer of the two and refuses it; or the GPU is a GeForce, for which it is not made.

Silent where nothing leads there, as where the container toolkit decides by itself, and where the
driver is a named one.

Why it matters
--------------
Images of CUDA bring it, and work in the data center; on a newer driver, or a PC, the GPU is gone.

Fix safety
----------
No fix is applied: the search path is the user's, or the image's.

References
----------
- llm-d/llm-d#706: `system has unsupported display driver / cuda driver combination` (803)
- ggml-org/llama.cpp#17542: error 803 with cuda-compat on the search path, none without
- wheelos/apollo-lite#80: `forward compatibility was attempted on non supported HW` (804)
- SYSTRAN/faster-whisper#653: the same

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.host import DriverRelease
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import CompatLibrary
    from reconciler.world import World

RULE = Rule(
    code="DRV606",
    name="compat-package-conflict",
    severity=Severity.WARNING,
    needs=frozenset({Fact.DRIVER, Fact.SURROUNDINGS}),
    since="0.1.0",
)

BAD = """\
driver: "580.65.06"
surroundings:
  has_module: true
  compat:
    - path: /usr/local/cuda-12.4/compat/libcuda.so.550.54.15
      release: 550.54.15
      reached_by: LD_LIBRARY_PATH
"""

GOOD = """\
driver: "535.104.05"
surroundings:
  has_module: true
  compat:
    - path: /usr/local/cuda-12.4/compat/libcuda.so.550.54.15
      release: 550.54.15
      reached_by: LD_LIBRARY_PATH
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the library that stands in against the driver, and against the GPUs."""
    compat, driver = world.machine.stand_in, world.machine.driver
    if compat is None or driver is None or driver.release is None or driver.said_by:
        return
    released = DriverRelease.known(compat.release) or driver.release
    if released.parts < driver.release.parts:
        why = f"the driver {driver.release} is newer, and refuses it"
        yield _finding(
            compat,
            why,
            "`system has unsupported display driver / cuda driver combination` (error 803)",
        )
        return
    games = next((gpu.title for gpu in world.machine.gpus if gpu.is_for_games), None)
    if games and released.branch != driver.release.branch:
        why = f"it is made for GPUs of data centers, and this is {games}"
        yield _finding(
            compat, why, "`forward compatibility was attempted on non supported HW` (error 804)"
        )


def _finding(compat: CompatLibrary, why: str, shows_as: str) -> Finding:
    folder = compat.path.rpartition("/")[0]
    cure = (
        f"take {folder} out of LD_LIBRARY_PATH"
        if compat.reached_by == "LD_LIBRARY_PATH"
        else f"take {folder} out of /etc/ld.so.conf.d and run `ldconfig`, or remove cuda-compat"
    )
    return RULE.finding(
        f"{compat.reached_by} leads to the cuda-compat library {compat.path}: {why}",
        at=Location(subject="cuda-compat", path=compat.path),
        shows_as=shows_as,
        remedy=f"{cure}: the driver's own library does for this machine",
        cause=cause_of(RULE.name, INSTALLED, compat.path),
        explained_by=(
            cause_of("libcuda-stub-first", INSTALLED, compat.path, compat.reached_by or ""),
        ),
    )
