"""A build has no code that this GPU can run: neither machine code nor PTX.

Machine code for sm_80 runs on GPUs of the same major and a minor not below, as sm_86, and no other;
that for sm_90a on sm_90 alone; PTX is compiled for any later GPU. What is installed is read in the
fat binaries of its own libraries, and where these are not told, PyTorch's releases have lists of
their own.

Judged are the GPUs of this machine, or the one that is named, `--gpu sm_90`; what files declare for a
named one alone. An extension is a warning, as the rest works without it. Silent for libraries of
which no code is known, since some keep their kernels elsewhere.

Why it matters
--------------
The driver sees the GPU, `torch.cuda.is_available()` is True, memory can be allocated; the first
kernel fails. It happens with each new generation of GPUs, and when a release drops the old ones.

Fix safety
----------
No fix is applied: another release, or another CUDA, is for the user to choose.

References
----------
- pytorch/pytorch#167244: an RTX 5090 (sm_120) with a build for CUDA 12.4, whose newest code is for sm_90
- pytorch/pytorch#31285: no kernel image is available, since the wheel has no code for the GPU
- HybridRobotics/berkeley-humanoid-lite#49: sm_120 with torch 2.5.1 for CUDA 12.1
- facebookresearch/detectron2#512: an extension was compiled for other GPUs than the machine's

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
    code="DRV603",
    name="arch-not-in-build",
    severity=Severity.ERROR,
    needs=frozenset({Fact.GPUS}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
gpus: [{name: NVIDIA GeForce RTX 5090, capability: "12.0"}]
pip: [torch==2.6.0+cu124]
gpu_code: {lib/python3.11/site-packages/torch/lib/libtorch_cuda.so: [sm_50, sm_80, sm_90]}
"""

GOOD = """\
python: 3.11.7
gpus: [{name: NVIDIA GeForce RTX 5090, capability: "12.0"}]
pip: [torch==2.7.0+cu128]
gpu_code: {lib/python3.11/site-packages/torch/lib/libtorch_cuda.so: [sm_80, sm_90, sm_120]}
"""


def check(world: World) -> Iterator[Finding]:
    """Look at each project that is known to have code, and none for a GPU."""
    for place, found in world.machine.coverages.items():
        for one in found:
            if one.by == "nothing":
                yield _finding(world, place, one)


def _finding(world: World, place: str, one: Coverage) -> Finding:
    architecture = f"sm_{one.gpu.architecture}"
    is_whole = world.is_framework(one.build)
    return RULE.finding(
        f"{one.build} of {place} has no code for {one.gpu.title}, only for"
        f" {', '.join(map(str, one.code))}",
        severity=None if is_whole else Severity.WARNING,
        at=one.build.at,
        shows_as="`no kernel image is available for execution on the device`, or the warning that"
        f" {architecture} is not compatible with the current installation",
        remedy=f"install {_another(one)} of {one.build.package} that has {architecture}",
        evidence=_evidence(one),
        cause=cause_of(RULE.name, place, one.build.component, str(one.gpu.architecture)),
    )


def _another(one: Coverage) -> str:
    newest = max((c.architecture.number for c in one.code), default=0)
    if one.gpu.architecture.number > newest:
        return "a later release, for a later CUDA,"
    return "an earlier release, for an earlier CUDA,"


def _evidence(one: Coverage) -> tuple[str, ...]:
    told = f"read in {', '.join(one.paths)}" if one.paths else "by the list of that release"
    parted = (f"{one.gpu.title} is parted (MIG); its parts are of the same architecture",)
    return (told, *(parted if one.gpu.is_parted else ()))
