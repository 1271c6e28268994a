"""Something is to be compiled for CUDA, and there is no nvcc, or no compiler of C++ at all.

Neither PyTorch's wheels nor conda's `cudatoolkit` have nvcc, CUDA's compiler; `nvidia-cuda-nvcc-cu12`
has a part of it. torch.utils.cpp_extension takes the folder that CUDA_HOME or CUDA_PATH names, else
that of the first nvcc on PATH, else /usr/local/cuda; nvcc hands the host's code to gcc.

Judged is what is declared for this environment, not yet installed, and compiled by pip, since PyPI or
its repository has sources alone; with `--build`, whatever is to be compiled. Silent where PyTorch is
not known to be for CUDA, where the files bring an nvcc themselves, where another index or a wheel's
URL serves it, and for Dockerfiles, which DEC722 judges. Without ninja a build is slow, and what
compiles as it is used fails: that is told beside a finding, and is none by itself.

Why it matters
--------------
pip downloads for minutes, prepares metadata and ends in a traceback; or goes on without CUDA, and
the first call on the GPU fails. Pip's isolation of builds hides no nvcc: without it, too, none is there.

Fix safety
----------
Where conda looks after the environment, its command for the toolkit of PyTorch's CUDA is given, as a
fix that is not safe, since it installs compilers.

References
----------
- Dao-AILab/flash-attention#509: the installation ends with CUDA_HOME not set
- Dao-AILab/flash-attention#948: nvcc was not found
- OpenBMB/CPM-Live#244: CUDA_HOME environment variable is not set, though PyTorch has CUDA

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
    from reconciler.model.toolchain import Toolchain
    from reconciler.world import World

RULE = Rule(
    code="VIS305",
    name="nvcc-missing-for-build",
    severity=Severity.WARNING,
    needs=frozenset({Fact.TOOLCHAIN}),
    needs_any=frozenset({Fact.MANIFESTS, Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip: [torch==2.5.1+cu124]
toolchain: {host: {path: /usr/bin/gcc, kind: gcc, release: 12.2.0}}
requirements.txt: |
  torch==2.5.1+cu124
  flash-attn==2.7.4.post1
"""

GOOD = """\
python: 3.11.7
pip: [torch==2.5.1+cu124]
toolchain:
  root:
    path: /usr/local/cuda
    found_by: CUDA_HOME
    nvcc: {path: /usr/local/cuda/bin/nvcc, kind: nvcc, release: "12.4"}
    headers: {include: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]}
    runtimes: [lib64]
  host: {path: /usr/bin/gcc, kind: gcc, release: 12.2.0}
requirements.txt: |
  torch==2.5.1+cu124
  flash-attn==2.7.4.post1
"""


def check(world: World) -> Iterator[Finding]:
    """Look for nvcc where torch does, and for the compiler that it calls."""
    chain = world.building.toolchain
    if chain is None:
        return
    for compilation in world.building.compilations:
        if _lacks_nvcc(world, chain, compilation):
            yield _no_nvcc(world, chain, compilation)
        if chain.host is None:
            yield _no_compiler(world, compilation)


def _lacks_nvcc(world: World, chain: Toolchain, compilation: Compilation) -> bool:
    root = chain.root
    if root is None:
        return True
    # A folder that a variable names, and that is wrong, is for cuda-home-wrong to tell.
    is_named = root.found_by.startswith("CUDA_")
    other = world.building.other_root(compilation.cuda)
    return root.exists and root.nvcc is None and not (is_named and other)


def _no_nvcc(world: World, chain: Toolchain, compilation: Compilation) -> Finding:
    root, cure = chain.root, world.building.cure(compilation)
    where = (
        f"{root.path}, which {root.found_by} leads to, has none"
        if root
        else "neither CUDA_HOME nor PATH leads to one, and there is no /usr/local/cuda"
    )
    ninja = "" if chain.ninja else "; and ninja, which compiles in parallel: `pip install ninja`"
    return RULE.finding(
        f"{compilation.title} will be compiled for {_cuda(compilation)}, and there is no nvcc: {where}",
        at=compilation.at,
        related=compilation.related,
        shows_as=_shows_as(compilation),
        remedy=f"{cure.words}{ninja}",
        evidence=tuple(_evidence(chain, compilation)),
        fix=cure.fix,
        cause=cause_of(RULE.name, compilation.place, "nvcc"),
    )


def _cuda(compilation: Compilation) -> str:
    framework = compilation.framework
    return f"{framework}, of {framework.words}" if framework else "CUDA"


def _shows_as(compilation: Compilation) -> str:
    if compilation.falls_back:
        return (
            "it is built for the CPU alone, and says so when it is used: `Not compiled with CUDA"
            " support`"
        )
    return "`CUDA_HOME environment variable is not set`, or `nvcc was not found`, as it is built"


def _evidence(chain: Toolchain, compilation: Compilation) -> Iterator[str]:
    yield from compilation.evidence
    if chain.ninja is None:
        yield "there is no ninja on PATH"


def _no_compiler(world: World, compilation: Compilation) -> Finding:
    cure = world.building.compiler_cure()
    return RULE.finding(
        f"{compilation.title} will be compiled, and there is no compiler of C++: no gcc or g++ is on"
        " PATH, and no variable names one",
        at=compilation.at,
        related=compilation.related,
        shows_as="`command 'gcc' failed: No such file or directory`, or nvcc's `Failed to preprocess"
        " host compiler properties`",
        remedy=cure.words,
        evidence=(compilation.because,),
        fix=cure.fix,
        cause=cause_of(RULE.name, compilation.place, "compiler"),
    )
