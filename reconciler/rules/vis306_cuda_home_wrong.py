"""CUDA_HOME, or what stands in for it, is not the folder of the toolkit that a build needs.

It is one folder, with `bin/nvcc` in it, of the CUDA major that PyTorch is built for. Reported are a
folder that is not there, a list of several as if it were PATH, one without nvcc while another has it,
and an nvcc of another major, be it that of CUDA_HOME, the first on PATH, or /usr/local/cuda's. A
stray nvcc on PATH is found before /usr/local/cuda.

An nvcc of another minor release is fine: torch.utils.cpp_extension warns, and goes on. What is judged,
and when, is as for VIS305. It is information where all that is compiled looks for a wheel of its own
first, as flash-attn does, which need not be compiled then.

Why it matters
--------------
torch refuses to compile with another major, after pip has downloaded everything; a list of folders
becomes one path that does not exist.

Fix safety
----------
Where the environment's own nvcc is the right one, conda is told to set CUDA_HOME on activation, which
is not a safe fix; else the commands are given in words, since a variable of the shell is the user's.

References
----------
- vllm-project/vllm#1453: the detected CUDA 11.8 mismatches PyTorch's 12.1, cured by conda's cuda-nvcc
- numba/numba#9216: CUDA_HOME was `$CUDA_HOME:/usr/local/cuda-11.8`, a list
- pytorch/pytorch#73047: the nvcc that is found is of another major than PyTorch
- lipzh5/ResearchProgress#11: a stray nvcc on PATH is taken

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.compilation import Compilation
    from reconciler.model.finding import Finding
    from reconciler.model.toolchain import CudaRoot
    from reconciler.world import World

RULE = Rule(
    code="VIS306",
    name="cuda-home-wrong",
    severity=Severity.WARNING,
    needs=frozenset({Fact.TOOLCHAIN}),
    needs_any=frozenset({Fact.MANIFESTS, Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
build: true
pip: [torch==2.1.2+cu121]
toolchain:
  root:
    path: /usr/local/cuda-11.8
    found_by: CUDA_HOME
    nvcc: {path: /usr/local/cuda-11.8/bin/nvcc, kind: nvcc, release: "11.8"}
  host: {path: /usr/bin/gcc, kind: gcc, release: 11.4.0}
"""

GOOD = """\
python: 3.11.7
build: true
pip: [torch==2.1.2+cu121]
toolchain:
  root:
    path: /usr/local/cuda-12.4
    found_by: CUDA_HOME
    nvcc: {path: /usr/local/cuda-12.4/bin/nvcc, kind: nvcc, release: "12.4"}
    headers: {include: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]}
    runtimes: [lib64]
  host: {path: /usr/bin/gcc, kind: gcc, release: 11.4.0}
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the folder that torch takes against the CUDA of the framework."""
    chain = world.building.toolchain
    root = chain.root if chain else None
    if root is None:
        return
    for compilation in world.building.compilations:
        if root.nvcc is None:
            yield from _without_nvcc(world, compilation, root)
        elif not world.building.is_of_major(compilation):
            yield _of_other_major(world, compilation, root)


def _without_nvcc(world: World, compilation: Compilation, root: CudaRoot) -> Iterator[Finding]:
    if not root.found_by.startswith("CUDA_"):
        return
    other = world.building.other_root(compilation.cuda)
    if root.is_list:
        what = "is a list of folders, where one is meant"
    elif not root.exists:
        what = "is not there"
    elif other:
        what = f"has no nvcc, which {other.path} has"
    else:
        # that there is no nvcc at all is for nvcc-missing-for-build to tell
        return
    yield _finding(
        world,
        compilation,
        f"{root.found_by} leads to {root.path}, which {what}: {compilation.title} cannot be compiled"
        " with it",
        shows_as=f"`No such file or directory: '{root.path}/bin/nvcc'`",
    )


def _of_other_major(world: World, compilation: Compilation, root: CudaRoot) -> Finding:
    release = root.nvcc.release if root.nvcc else ""
    return _finding(
        world,
        compilation,
        f"{compilation.title} will be compiled for {compilation.framework}, of CUDA"
        f" {compilation.cuda}, and the nvcc of {root.path}, which {root.found_by} leads to, is of"
        f" CUDA {release}",
        shows_as=f"`The detected CUDA version ({release}) mismatches the version that was used to"
        f" compile PyTorch ({compilation.cuda})`",
        is_avoidable=compilation.fetches_wheels,
    )


def _finding(
    world: World,
    compilation: Compilation,
    message: str,
    *,
    shows_as: str,
    is_avoidable: bool = False,
) -> Finding:
    cure = world.building.cure(compilation)
    unless = ", unless its setup finds a wheel of its own for this torch" if is_avoidable else ""
    return RULE.finding(
        f"{message}{unless}",
        severity=Severity.INFO if is_avoidable else None,
        at=compilation.at,
        related=compilation.related,
        shows_as=shows_as,
        remedy=cure.words,
        evidence=compilation.evidence,
        fix=cure.fix,
        cause=cause_of(RULE.name, compilation.place),
    )
