"""A build has no machine code for this GPU, only PTX, which the driver compiles at the first start.

Silent where there is machine code for the GPU, of its own architecture or of an older one of its major
(sm_80 on sm_86), where there is no code for it at all (DRV603), and where the driver cannot
compile the PTX (DRV602).

Why it matters
--------------
The first start takes minutes, and each start where the driver's cache (`~/.nv/ComputeCache`) is
too small for it, or lost with a container. Kernels that are made for a new GPU are missing, and
other libraries of the same age may have no code for the GPU at all.

Fix safety
----------
No fix is applied: it works, and another release is for the user to choose.

References
----------
- tensorflow/tensorflow#22043: one to three minutes at the first start of each session, of compiling PTX
- emgucv/emgutf#71: PTX for compute_80 on an RTX A4000 (sm_86), 90 to 120 seconds at each start
- microsoft/onnxruntime#10781: a warning after 30 seconds of compiling, since users took it for a fault

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.machine import Coverage
    from reconciler.world import World

RULE = Rule(
    code="DRV604",
    name="arch-only-by-ptx",
    severity=Severity.WARNING,
    needs=frozenset({Fact.GPUS}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
gpus: [{name: NVIDIA GeForce RTX 5090, capability: "12.0"}]
pip: [torch==2.6.0+cu124]
gpu_code: {lib/python3.11/site-packages/torch/lib/libtorch_cuda.so: [sm_80, sm_90, compute_90]}
"""

GOOD = """\
python: 3.11.7
gpus: [{name: NVIDIA H100, capability: "9.0"}]
pip: [torch==2.6.0+cu124]
gpu_code: {lib/python3.11/site-packages/torch/lib/libtorch_cuda.so: [sm_80, sm_90, compute_90]}
"""


def check(world: World) -> Iterator[Finding]:
    """Look at each project that has PTX alone for a GPU."""
    for place, found in world.machine.coverages.items():
        for one in found:
            cuda = one.build.cuda
            if one.by == "ptx" and (cuda is None or world.machine.compiles(cuda)):
                yield _finding(place, one)


def _finding(place: str, one: Coverage) -> Finding:
    usable = [str(code) for code in one.code if code.runs_on(one.gpu.architecture)]
    return RULE.finding(
        f"{one.build} of {place} has no machine code for {one.gpu.title}; the driver compiles its"
        f" PTX for {', '.join(usable)}",
        at=one.build.at,
        shows_as="the first start takes minutes, and so may each one in a container",
        remedy=f"install a build of {one.build.package} with code for sm_{one.gpu.architecture};"
        " until then keep the cache: CUDA_CACHE_PATH in a folder that stays, CUDA_CACHE_MAXSIZE at"
        " 4294967296",
        evidence=(f"it has code for {', '.join(map(str, one.code))}",),
        cause=cause_of(RULE.name, place, one.build.component, str(one.gpu.architecture)),
    )
