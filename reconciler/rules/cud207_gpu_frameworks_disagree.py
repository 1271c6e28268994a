"""Two frameworks of one installation bring wheels of different CUDA majors.

PyPI's PyTorch is built for CUDA 13 by default, while `tensorflow[and-cuda]` and `jax[cuda12]` take
wheels of CUDA 12. Each loads its own; both are downloaded, and both lie in the process.

Silent where only one of them brings CUDA, where an index or a label gives all of them one major, and
for conda's packages, which the solver holds together. What is installed so works, as long as no file
is claimed by two of the wheels: that is DUP104's to tell.

Why it matters
--------------
The environment is some gigabytes larger than it need be. The wheels of cuDNN, NCCL and NVSHMEM of
both majors write the same files, so that an update or an uninstall of one breaks the other; and
what one framework has mapped first, the other may be given.

Fix safety
----------
No fix is applied: which of them is to give way is the user's choice.

References
----------
- ucd-dare/CarDreamer#29: TensorFlow for CUDA 11.8 and JAX for CUDA 12 in one set of requirements
- apple/axlearn#858: PyTorch and JAX want two releases of nvidia-cudnn-cu12
- jax-ml/jax#18032: with PyTorch imported first, JAX finds its cuDNN, and no GPU
- sgl-project/sglang#31035: wheels of CUDA 12 and 13 own the same files

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.cuda import Variant
from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="CUD207",
    name="gpu-frameworks-disagree",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
requirements.txt: |
  torch==2.12.0
  tensorflow[and-cuda]==2.20.0
"""

GOOD = """\
requirements.txt: |
  torch==2.8.0
  tensorflow[and-cuda]==2.20.0
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the frameworks that bring CUDA against each other, in each file."""
    # What is installed so, and works, is no fault of its file.
    for install in () if world.wheels else world.install_sets:
        asked = (*world.declared_builds(install), *world.files.open_builds(install))
        if finding := _judge(world, install.name, [b for b in asked if b.brings]):
            yield finding


def _judge(world: World, place: str, builds: Iterable[CudaBuild]) -> Finding | None:
    found = {
        build.component: build
        for build in builds
        if build.manager == "pip" and build.major and build.variant is Variant.CUDA
        if world.is_framework(build)
    }
    ordered = sorted(found.values(), key=lambda build: build.major or 0)
    if len({build.major for build in ordered}) < 2:
        return None
    older, newer = ordered[0], ordered[-1]
    names = " and ".join(f"{build} for CUDA {build.major}" for build in (older, newer))
    return RULE.finding(
        f"{place} has {names}: each brings wheels of CUDA of its own",
        at=newer.at,
        related=(older.at,),
        shows_as="two CUDA runtimes in one process and on the disk; after an update of one, the other"
        " may miss its libcudnn or libnccl",
        remedy=_remedy(world, older, newer),
        evidence=tuple(f"{build}: {build.evidence}" for build in (older, newer)),
        cause=cause_of(RULE.name, place),
        explained_by=(cause_of("cuda-majors-mixed", place),),
    )


def _remedy(world: World, older: CudaBuild, newer: CudaBuild) -> str:
    ours, theirs = (world.catalog.title(build.component) for build in (newer, older))
    consumer = world.consumer(newer)
    index = (
        f" from the PyTorch index, in a folder that begins with cu{older.major}"
        if consumer and consumer.on_pytorch_index
        else ""
    )
    return (
        f"take {ours} in a build for CUDA {older.major}{index}; or keep {theirs} and {ours} in"
        " environments of their own"
    )
