"""A variable that tells a program where CUDA lies leads to nothing, or into another environment.

CUDNN_PATH, CUDA_HOME and its like, the `--xla_gpu_cuda_data_dir` of XLA_FLAGS, and the paths of
TRITON_*: each is looked at on the disk.

Silent where the folder is there and lies in this environment, in the one that is active, in the one
that a virtual environment was made of, or in no environment, as a system's toolkit does.

Why it matters
--------------
Such a line outlives what it was written for: it was copied out of a guide, or computed once for an
environment that has since been removed. What the program would find by itself it now does not look
for: XLA says "Can't find libdevice directory", numba "libNVVM cannot be found", a build that
CUDA_HOME is not set up. A path into another environment works until that one is changed, and mixes
two CUDA releases until then.

Fix safety
----------
No fix is applied: where the variable is set is not known.

References
----------
- numba/numba#9216: CUDA_HOME held a list of folders, `$CUDA_HOME:/usr/local/cuda-11.8`
- tensorflow/tensorflow#60183: the recipe computed CUDNN_PATH once, and not in the hook
- tensorflow/tensorflow#58681: libdevice is not found where XLA_FLAGS does not lead to it
- triton-lang/triton#6558: Triton looks for libcuda where TRITON_LIBCUDA_PATH says

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding
    from reconciler.model.host import VariablePath
    from reconciler.world import World

RULE = Rule(
    code="PTH408",
    name="cudnn-path-or-xla-flags-stale",
    severity=Severity.WARNING,
    needs=frozenset({Fact.VARIABLE_PATHS}),
    since="0.1.0",
)

BAD = """\
variable_paths:
  - variable: CUDNN_PATH
    path: /conda/envs/old/lib/python3.9/site-packages/nvidia/cudnn
    exists: false
"""

GOOD = """\
variable_paths:
  - variable: CUDNN_PATH
    path: /prefix/lib/python3.11/site-packages/nvidia/cudnn
    environment: /prefix
"""

#: What is seen at run time, by the beginning of the variable's name.
SHOWS = {
    "CUDNN": "cuDNN is not found, or is another environment's: `Could not load library libcudnn`",
    "CUDA": "builds of extensions and numba look for nvcc, headers and NVVM there:"
    " `libNVVM cannot be found`, or headers of another CUDA",
    "XLA": "XLA looks for libdevice and ptxas there first: `Can't find libdevice directory`",
    "TRITON": "Triton looks there alone for ptxas or libcuda, and the first kernel fails to compile",
}


def check(world: World) -> Iterator[Finding]:
    """Hold each path against the disk and against the environments at hand."""
    if not world.can_have_cuda:
        return
    for path in world.snapshot.variable_paths:
        shows_as = next(
            (text for name, text in SHOWS.items() if path.variable.startswith(name)), ""
        )
        if shows_as and (why := _why_stale(world, path)):
            yield _finding(path, why, shows_as)


def _why_stale(world: World, path: VariablePath) -> str:
    """Return why a path does not serve this environment; "" where it may."""
    if not path.exists:
        is_list = ":" in path.path and path.path[1:3] != ":\\"
        return "which is a list, and no folder" if is_list else "which does not exist"
    other = path.environment
    if other is None or other in _at_hand(world):
        return ""
    return f"which belongs to another environment, {other}"


def _at_hand(world: World) -> set[str | None]:
    python = world.snapshot.python
    named = (world.shell.named_by("CONDA_PREFIX"), world.shell.named_by("VIRTUAL_ENV"))
    home = python.home.rstrip("/").removesuffix("/bin") if python and python.home else None
    return {world.snapshot.target.prefix, home, *(n.environment for n in named if n)}


def _finding(path: VariablePath, why: str, shows_as: str) -> Finding:
    return RULE.finding(
        f"{path.variable} leads to {path.path}, {why}",
        at=Location(subject=f"the variable {path.variable}"),
        shows_as=shows_as,
        remedy=f"`unset {path.variable}` and take it out of where it is set (a shell's startup file,"
        " `conda env config vars list`, a script in etc/conda/activate.d), or correct it",
        cause=cause_of(RULE.name, path.variable),
    )
