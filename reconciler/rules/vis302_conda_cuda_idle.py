"""conda's CUDA is used by nothing: the wheels of the environment bring their own.

`conda install cudatoolkit` before `pip install torch` is common advice, and does nothing: PyTorch's
wheels load the CUDA that they carry or require, wherever conda has put another.

Silent where a package of conda depends on it, where a wheel opens what CUDA there is (CuPy, Numba,
TensorFlow, onnxruntime-gpu), and where conda brings a compiler too, since it is for building then.
Where conda and pip bring the same parts, DUP101 says so, and this is folded under it.

Why it matters
--------------
It takes gigabytes, it may be mapped in place of a wheel's copy where LD_LIBRARY_PATH names the
prefix, and it makes one believe that its version is the one that PyTorch runs on.

Fix safety
----------
No fix is applied: something outside of the environment's packages may use it.

References
----------
- pytorch/pytorch#69202: `pytorch cudatoolkit=11.8` gives PyTorch for the CPU and an idle cudatoolkit
- cupy/cupy#7253: "you should not have cudatoolkit from conda-forge" beside wheels

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Role
from reconciler.model.finding import INSTALLED, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="VIS302",
    name="conda-cuda-idle",
    severity=Severity.INFO,
    needs=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda:
  - cudatoolkit=11.8.0=h4ba93d1_13
pip:
  - torch==2.1.2+cu118: {requires: [nvidia-cublas-cu11==11.11.3.6]}
"""

GOOD = """\
python: 3.11.7
conda:
  - cudatoolkit=11.8.0=h4ba93d1_13
pip:
  - torch==2.1.2+cu118: {requires: [nvidia-cublas-cu11==11.11.3.6]}
  - cupy-cuda11x==13.3.0
"""


def check(world: World) -> Iterator[Finding]:
    """Look for CUDA of conda where every user of CUDA is a wheel that has its own."""
    idle = [b for b in world.builds if b.manager == "conda" and b.role is Role.BRINGS]
    if not idle or world.compiles or world.is_depended_on(idle):
        return
    # What does without CUDA brings none.
    found = ((user, world.consumer(user)) for user in world.cuda_users("pip"))
    users = [user for user, consumer in found if not (consumer and consumer.does_without(user))]
    if users and not world.uses_foreign_cuda():
        # What is loaded into a framework uses the framework's.
        yield _finding(idle, [user for user in users if world.is_framework(user)] or users)


def _finding(idle: Sequence[CudaBuild], users: Sequence[CudaBuild]) -> Finding:
    names = ", ".join(str(build) for build in idle[:3])
    more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""
    wheels = " and ".join(str(build) for build in users[:3])
    requested = " ".join(build.package for build in idle[:6])
    return RULE.finding(
        f"no package uses conda's {names}{more}: what pip has installed ({wheels}) comes with its own"
        " CUDA",
        at=idle[0].at,
        related=tuple(build.at for build in users[:3]),
        shows_as="nothing changes with its version, which is not the one that"
        " `torch.version.cuda` and its like show",
        remedy=f"`conda remove {requested}`; keep it only if something outside of this environment's"
        " packages uses it",
        evidence=tuple(f"{build}: {build.evidence}" for build in users[:3]),
        cause=cause_of(RULE.name, INSTALLED),
        explained_by=(
            cause_of("cuda-majors-mixed", INSTALLED),
            cause_of("cuda-runtime-twice", INSTALLED),
        ),
    )
