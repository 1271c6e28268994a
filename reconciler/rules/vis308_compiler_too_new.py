"""The host's compiler is newer than this nvcc takes.

Each CUDA release takes gcc and clang up to a major; `crt/host_config.h` refuses a later one. nvcc
takes the compiler that `-ccbin`, CC or NVCC_CCBIN names, else the first gcc on PATH; torch holds `c++`,
or CXX, against the same limits. conda's nvcc comes with a compiler of its own, which activation sets.

Releases are read of the compilers' files, and none is started; one that only a run would tell, as that
of a wrapper's script, is not judged. Silent with `-allow-unsupported-compiler` in NVCC_PREPEND_FLAGS, and of
torch's own check with TORCH_DONT_CHECK_COMPILER_ABI. Judged only where nvcc is of the right major; what
is judged, and when, is as for VIS305. It is information where all that is compiled looks for a wheel of
its own first.

Why it matters
--------------
A system's upgrade brings a later gcc, and what was compiled for years is not any more. The way around
the check compiles code that nobody has tried.

Fix safety
----------
Where conda looks after the environment, its command for a compiler that fits is given, as a fix that
is not safe. A compiler that fits and lies beside the other is named by CC and CXX, in words.

References
----------
- pytorch/pytorch#136556: gcc 13 and later, with an nvcc that takes 12
- Turoad/lanedet#77: unsupported GNU version, with PyTorch's wheel for CUDA 10.2 in conda's environment
- qwopqwop200/GPTQ-for-LLaMa#33: torch refuses g++ 12.2.1 for CUDA 11.7; cured by CC, CXX and an older one
- conda-forge/conda-forge-pinning-feedstock#6736: it is the major that nvcc holds

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
    from reconciler.model.toolchain import Compiler, CudaRoot
    from reconciler.world import World

RULE = Rule(
    code="VIS308",
    name="compiler-too-new",
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
    path: /usr/local/cuda
    found_by: its own name
    nvcc: {path: /usr/local/cuda/bin/nvcc, kind: nvcc, release: "12.1"}
    headers: {include: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]}
    runtimes: [lib64]
  host: {path: /usr/bin/gcc, kind: gcc, release: 13.2.0, found_by: PATH}
  cxx: {path: /usr/bin/c++, kind: gcc, release: 13.2.0, found_by: PATH}
"""

GOOD = """\
python: 3.11.7
build: true
pip: [torch==2.1.2+cu121]
toolchain:
  root:
    path: /usr/local/cuda
    found_by: its own name
    nvcc: {path: /usr/local/cuda/bin/nvcc, kind: nvcc, release: "12.1"}
    headers: {include: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]}
    runtimes: [lib64]
  host: {path: /usr/bin/gcc, kind: gcc, release: 12.2.0, found_by: PATH}
  cxx: {path: /usr/bin/c++, kind: gcc, release: 12.2.0, found_by: PATH}
"""


def check(world: World) -> Iterator[Finding]:
    """Hold the compilers that nvcc and torch take against the newest that nvcc knows."""
    building = world.building
    root = building.toolchain.root if building.toolchain else None
    if root is None:
        return
    for compilation in building.compilations:
        if not building.is_of_major(compilation):
            continue
        for compiler, newest in building.too_new(root):
            yield _finding(world, compilation, root, compiler, newest)


def _finding(
    world: World, compilation: Compilation, root: CudaRoot, compiler: Compiler, newest: int
) -> Finding:
    release = root.nvcc.release if root.nvcc else ""
    fitting = world.building.fitting_compiler(newest, compiler.kind)
    cure = world.building.compiler_cure(newest)
    words = _named(fitting) if fitting else cure.words
    may_fetch = compilation.fetches_wheels
    unless = ", unless its setup finds a wheel of its own for this torch" if may_fetch else ""
    return RULE.finding(
        f"{compiler}, which {compiler.found_by or 'PATH'} leads to, is too new for the nvcc of CUDA"
        f" {release}, which takes {compiler.kind} {newest} at most: {compilation.title} cannot be"
        f" compiled{unless}",
        severity=Severity.INFO if may_fetch else None,
        at=compilation.at,
        related=compilation.related,
        shows_as=_shows_as(compiler, newest),
        remedy=words,
        evidence=(
            compilation.because,
            f"the release of {compiler.path} is told by {compiler.told_by or 'its files'}",
        ),
        fix=None if fitting else cure.fix,
        cause=cause_of(RULE.name, compilation.place, compiler.kind, compiler.release or ""),
    )


def _shows_as(compiler: Compiler, newest: int) -> str:
    if compiler.kind == "clang":
        return f"`unsupported clang version! clang version must be less than {newest + 1}`"
    return f"`unsupported GNU version! gcc versions later than {newest} are not supported!`"


def _named(fitting: Compiler) -> str:
    """Return how a compiler beside the other is taken, with the one of C of the same name."""
    folder, _, name = fitting.path.rpartition("/")
    of_c = name.replace("clang++", "clang").replace("g++", "gcc")
    return f"`export CC={folder}/{of_c} CXX={fitting.path}` before you install"
