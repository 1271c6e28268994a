"""Builds for AMD's ROCm and for NVIDIA's CUDA meet in one installation.

A `+rocm` wheel of PyTorch beside a wheel of CuPy or ONNX Runtime for CUDA, an index of ROCm beside
packages of CUDA.

Silent where all is of ROCm, where a file gives both as extras or groups of which one is installed,
and where a wheel works without its CUDA.

Why it matters
--------------
A machine has GPUs of one maker: half of what is installed finds none. A PyTorch of ROCm calls its
GPU `cuda` too, so that packages built for CUDA load, and fail at their first library.

Fix safety
----------
No fix is applied: only the user knows which GPU it is.

References
----------
- pytorch/pytorch#122880: PyTorch for CUDA and for ROCm are one name, and cannot both be installed
- pytorch/pytorch#54570: what depends on PyTorch gets its build for CUDA, whichever GPU there is
- pytorch/pytorch#31197: PyTorch of ROCm calls everything `cuda`, with a CUDA toolkit left over

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="CUD209",
    name="rocm-and-cuda",
    severity=Severity.WARNING,
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS, Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  --index-url https://download.pytorch.org/whl/rocm6.0
  torch==2.4.0+rocm6.0
  cupy-cuda12x
"""

GOOD = """\
requirements.txt: |
  --index-url https://download.pytorch.org/whl/rocm6.0
  torch==2.4.0+rocm6.0
  torchvision==0.19.0+rocm6.0
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the builds for ROCm against those for CUDA, in each file and installed."""
    written: list[str] = []
    for install in world.install_sets:
        if finding := _judge(world, install.name, world.declared_builds(install), ()):
            written.append(finding.cause)
            yield finding
    if finding := _judge(world, INSTALLED, world.builds, written):
        yield finding


def _judge(
    world: World, place: str, builds: Sequence[CudaBuild], written: Sequence[str]
) -> Finding | None:
    rocm = [build for build in builds if build.variant is Variant.ROCM]
    cuda = [b for b in builds if b.variant is Variant.CUDA and world.meets_others(b)]
    if not rocm or not cuda:
        return None
    ours = ", ".join(str(build) for build in rocm[:3])
    theirs = ", ".join(str(build) for build in cuda[:3])
    return RULE.finding(
        f"{ours} for ROCm and {theirs} for CUDA meet in {place}",
        at=cuda[0].at,
        related=(rocm[0].at, *(build.at for build in cuda[1:3])),
        shows_as="what is built for the other maker's GPU finds none, or stops at a library that is not"
        " there: `libcudart.so: cannot open shared object file`",
        remedy=f"for an NVIDIA GPU take {rocm[0].package} in a build for CUDA; for one of AMD leave"
        f" {cuda[0].package} out, or take its build for ROCm",
        evidence=tuple(f"{build}: {build.evidence}" for build in (rocm[0], cuda[0])),
        cause=cause_of(RULE.name, place),
        explained_by=tuple(written),
    )
