"""nvcc is there, and the headers or libraries that a build needs are not where it looks.

torch.utils.cpp_extension leads the compiler of C++ to `include` of CUDA_HOME, and the linker to its
`lib64`, or to `lib` where there is no `lib64`. conda keeps headers and libraries in
`targets/x86_64-linux`: nvcc looks there by itself, the compiler of C++ only once conda's nvcc was
activated. PyTorch's own headers include those of cuBLAS, cuSPARSE and cuSOLVER too, which do not come
with nvcc; NVIDIA's wheels have them, where nobody looks. What is linked with `-lcuda` needs the stub of libcuda, or the driver's library under
that name.

Looked into are, beside these, the folders of the system, of CPATH, LIBRARY_PATH and the compiler's
flags. Judged only where nvcc is of the right major; what is judged, and when, is as for VIS305. It is
information where all that is compiled looks for a wheel of its own first.

Why it matters
--------------
It fails after minutes of compiling, with the name of a header that `find` does find in the environment;
or at the very end, in the linker.

Fix safety
----------
No fix is applied: folders are named by variables of the shell, and given as commands.

References
----------
- NVIDIA/apex#1591: the headers lie in `targets/x86_64-linux/include`
- conda-forge/pytorch-cpu-feedstock#487: cuda_runtime headers are not found with conda's nvcc
- deepspeedai/DeepSpeed#6567: cannot find -lcuda
- ar4/deepwave#51: libcudart in `lib` while `lib64` is looked into
- mapillary/inplace_abn#232: links of lib64 in conda's environment

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
    code="VIS307",
    name="headers-or-stubs-not-found",
    severity=Severity.WARNING,
    needs=frozenset({Fact.TOOLCHAIN}),
    needs_any=frozenset({Fact.MANIFESTS, Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
build: true
conda: [cuda-nvcc=12.4.131=h0]
pip: [torch==2.5.1+cu124]
toolchain:
  root:
    path: /prefix
    found_by: CUDA_HOME
    nvcc: {path: /prefix/bin/nvcc, kind: nvcc, release: "12.4"}
    headers:
      targets/x86_64-linux/include: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]
    runtimes: [lib, targets/x86_64-linux/lib]
    library_folder: lib
  host: {path: /usr/bin/gcc, kind: gcc, release: 12.2.0}
"""

GOOD = """\
python: 3.11.7
build: true
conda: [cuda-nvcc=12.4.131=h0]
pip: [torch==2.5.1+cu124]
toolchain:
  root:
    path: /prefix
    found_by: CUDA_HOME
    nvcc: {path: /prefix/bin/nvcc, kind: nvcc, release: "12.4"}
    headers:
      targets/x86_64-linux/include: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]
    runtimes: [lib, targets/x86_64-linux/lib]
    library_folder: lib
  headers_elsewhere: [cuda_runtime_api.h, cublas_v2.h, cusparse.h, cusolverDn.h]
  host: {path: /usr/bin/gcc, kind: gcc, release: 12.2.0}
"""


def check(world: World) -> Iterator[Finding]:
    """Look for what is included and linked, in the folder that torch takes."""
    building = world.building
    root = building.toolchain.root if building.toolchain else None
    if root is None:
        return
    for compilation in building.compilations:
        if not building.is_of_major(compilation):
            continue
        if missing := building.missing_headers(root):
            yield _no_headers(world, compilation, root, missing)
        if building.misses_runtime(root):
            yield _no_runtime(world, compilation, root)
        if compilation.links_driver and building.misses_driver(root):
            yield _no_driver(world, compilation, root)


def _no_headers(
    world: World, compilation: Compilation, root: CudaRoot, missing: tuple[str, ...]
) -> Finding:
    folder = next((f for f, has in root.headers.items() if {*missing} <= {*has}), None)
    names = ", ".join(missing)
    if folder:
        where = f"lie in {root.path}/{folder} alone, where no compiler of C++ is led to"
        remedy = (
            f"`export CPATH={root.path}/{folder}`, or activate the environment, before you install"
        )
        return _finding(
            compilation, "headers", f"{names} {where}", f"fatal error: {missing[0]}", remedy
        )
    wheels = world.building.folders_of_wheels(missing)
    return _finding(
        compilation,
        "headers",
        f"{names} {'is' if len(missing) == 1 else 'are'} not in {root.path}/include, beside its nvcc",
        f"fatal error: {missing[0]}",
        f"NVIDIA's wheels beside {compilation.framework} have them: `export CPATH={':'.join(wheels)}`"
        if wheels
        else f"take a whole toolkit: {world.building.cure(compilation).words}",
    )


def _no_runtime(world: World, compilation: Compilation, root: CudaRoot) -> Finding:
    looked, error = f"{root.path}/{root.library_folder}", "cannot find -lcudart"
    if root.runtimes:
        folder = f"{root.path}/{root.runtimes[0]}"
        message = f"libcudart.so lies in {folder}, and the linker is led to {looked}"
        remedy = f"`export LIBRARY_PATH={folder}` before you install"
        return _finding(compilation, "runtime", message, error, remedy)
    message = f"{looked} has no libcudart.so, by whose name the linker looks for the runtime"
    remedy = f"take a whole toolkit: {world.building.cure(compilation).words}"
    return _finding(compilation, "runtime", message, error, remedy, is_symptom=True)


def _no_driver(world: World, compilation: Compilation, root: CudaRoot) -> Finding:
    if root.stubs:
        remedy = f"`export LIBRARY_PATH={root.path}/{root.stubs[0]}` for the build alone"
    else:
        remedy = f"take a whole toolkit, which has a stub: {world.building.cure(compilation).words}"
    return _finding(
        compilation,
        "driver",
        "the linker finds no libcuda.so, neither the driver's nor a stub of it",
        "cannot find -lcuda",
        remedy,
    )


def _finding(  # noqa: PLR0913 - what differs between the findings, by name
    compilation: Compilation,
    what: str,
    message: str,
    error: str,
    remedy: str,
    *,
    is_symptom: bool = False,
) -> Finding:
    may_fetch = compilation.fetches_wheels
    unless = ", unless its setup finds a wheel of its own for this torch" if may_fetch else ""
    # where the headers are missing too, the folder is not that of a whole toolkit
    headers = (cause_of(RULE.name, compilation.place, "headers"),) if is_symptom else ()
    return RULE.finding(
        f"{message}: {compilation.title} cannot be compiled{unless}",
        severity=Severity.INFO if may_fetch else None,
        at=compilation.at,
        related=compilation.related,
        shows_as=f"`{error}`, as it is built",
        remedy=remedy,
        evidence=(compilation.because,),
        cause=cause_of(RULE.name, compilation.place, what),
        explained_by=headers,
    )
