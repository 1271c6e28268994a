"""XLA does not find libdevice, NVIDIA's library of mathematical functions for the GPU.

XLA, which compiles for JAX and TensorFlow, reads `nvvm/libdevice/libdevice.10.bc` of a toolkit when
it compiles: no library needs it, so that nothing else tells of its lack. Each start is played, and
looks where XLA would: what XLA_FLAGS names, /usr/local/cuda, /opt/cuda, NVIDIA's wheels, what lies
beside the plugin, and the root of a conda environment.

Silent where the libraries of CUDA are not all found, as nothing is compiled for the GPU then; and
where a folder was not looked into. Older releases of XLA do not look into NVIDIA's wheels, or into
conda's root: what lies there counts as found.

It is information where the environment has it as soon as it is activated.

Why it matters
--------------
The GPU is listed and simple operations work. The first function that needs an exponential, or the
first step of training, ends the program.

Fix safety
----------
Where the environment has libdevice in a folder that XLA does not look into, and XLA_FLAGS is not set,
a reversible hook has the activation name that folder. Else no fix is applied: which package brings
libdevice is for the user's manager, and is named.

References
----------
- tensorflow/tensorflow#58681: Can't find libdevice directory ${CUDA_DIR}/nvvm/libdevice
- tensorflow/tensorflow#56927: the GPU is located, and XLA does not find libdevice
- jax-ml/jax#989: libdevice is looked for in /usr/local/cuda, and CUDA_DIR is not asked
- jax-ml/jax#22590: a module's CUDA is found, its libdevice only with --xla_gpu_cuda_data_dir
- conda-forge/jaxlib-feedstock#283: libdevice comes with cuda-nvvm-tools, by cuda-nvcc-tools
- conda-forge/jax-feedstock#153: libdevice not found in an environment of conda-forge

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.libdevice import FILE
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.run import Run
    from reconciler.world import World

RULE = Rule(
    code="VIS309",
    name="libdevice-not-found",
    severity=Severity.WARNING,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip:
  - jax==0.4.30
  - jax-cuda12-pjrt==0.4.30
  - jaxlib==0.4.30
loader:
  lib/python3.11/site-packages/jaxlib/xla_extension.so: {of: jaxlib}
  lib/python3.11/site-packages/jax_plugins/xla_cuda12/xla_cuda_plugin.so: {of: jax-cuda12-pjrt}
  /usr/lib64/libcudart.so.12: {cached: true}
  /usr/lib64/libcublas.so.12: {cached: true}
  /usr/lib64/libcublasLt.so.12: {cached: true}
  /usr/lib64/libcusolver.so.11: {cached: true}
  /usr/lib64/libcusparse.so.12: {cached: true}
  /usr/lib64/libcufft.so.11: {cached: true}
  /usr/lib64/libcudnn.so.9: {cached: true}
"""

GOOD = """\
python: 3.11.7
pip:
  - jax==0.4.30
  - jax-cuda12-pjrt==0.4.30
  - jaxlib==0.4.30
  - nvidia-cuda-nvcc-cu12==12.4.131
loader:
  lib/python3.11/site-packages/jaxlib/xla_extension.so: {of: jaxlib}
  lib/python3.11/site-packages/jax_plugins/xla_cuda12/xla_cuda_plugin.so: {of: jax-cuda12-pjrt}
  lib/python3.11/site-packages/nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc: {}
  /usr/lib64/libcudart.so.12: {cached: true}
  /usr/lib64/libcublas.so.12: {cached: true}
  /usr/lib64/libcublasLt.so.12: {cached: true}
  /usr/lib64/libcusolver.so.11: {cached: true}
  /usr/lib64/libcusparse.so.12: {cached: true}
  /usr/lib64/libcufft.so.11: {cached: true}
  /usr/lib64/libcudnn.so.9: {cached: true}
"""

_FLAG = "XLA_FLAGS=--xla_gpu_cuda_data_dir"
_RARE = "; only where activation is skipped, as IDE kernels, cron and `path/to/python` do"


def check(world: World) -> Iterator[Finding]:
    """Group the starts that look for libdevice in vain by what was started."""
    found: dict[str, list[Run]] = {}
    for run in world.loading.libdevice.lacking if world.loading else ():
        found.setdefault(run.title, []).append(run)
    for title, runs in found.items():
        yield _finding(world, title, runs)


def _finding(world: World, title: str, runs: Sequence[Run]) -> Finding:
    names = tuple(dict.fromkeys(name for run in runs for name in run.situation.names))
    is_inside = world.shell.is_in_environment
    is_used = any(run.situation.is_in_use(is_inside=is_inside) for run in runs)
    when = Situation(names=names, variables=())
    return RULE.finding(
        f"{title} finds CUDA's libraries and no libdevice {when}: what it compiles for the GPU"
        " fails",
        severity=None if is_used else Severity.INFO,
        at=Location(subject=runs[0].owner.title),
        shows_as=f"`libdevice not found at ./libdevice.10.bc` when {title} compiles"
        f"{'' if is_used else _RARE}",
        remedy=_remedy(world, runs[0]),
        evidence=tuple(f"{why}: none has it" for why, path in runs[0].looked_up if path is None),
        fix=world.hooking.libdevice if is_used else None,
        cause=cause_of(RULE.name, INSTALLED, title),
    )


def _remedy(world: World, run: Run) -> str:
    """Return how libdevice comes to where it is looked for."""
    seen = world.loading.libdevice if world.loading else None
    if seen and seen.elsewhere:
        root = seen.elsewhere[0]
        return f"{root}/{FILE} is there: `export {_FLAG}={root}` leads to it"
    prefix = world.snapshot.target.prefix
    if seen and seen.loose:
        folder = f"{prefix}/{FILE}".rpartition("/")[0]
        return (
            f"copy it to where XLA looks, `mkdir -p {folder} && cp {seen.loose} {folder}/`, and"
            f" `export {_FLAG}={prefix}`, since older releases do not look into the environment"
        )
    wheel = seen.wheels.get(run.frameworks[0]) if seen else None
    if run.owner.kind == "conda" or not wheel:
        return (
            "install nvcc, the compiler of the CUDA release that is in use, into this environment,"
            f" and `export {_FLAG}={prefix}`, since older releases of XLA do not look there"
        )
    return f"`pip install '{wheel}'`, which brings it, into this environment"
