"""An environment file pins conda packages to builds of one platform.

`conda env export` writes `numpy=1.26.4=py311h64a7726_0`: name, version and build. A build string
belongs to one platform, and to what the channel served on that day.

Silent on patterns (`jaxlib=*=*cuda*`), on builds that name nothing but CUDA or the CPU
(`pytorch=2.5=cuda126*`), and on lock files, which are made for one platform each.

Why it matters
--------------
On another platform none of these builds exists: `ResolvePackageNotFound`, or today
`PackagesNotFoundError`, with a list of them all. On the same platform a channel that rebuilds or
withdraws one of them breaks the file as well.

Fix safety
----------
The builds are dropped, the versions stay, as `conda env export --no-builds` would have it. What a
build string says of CUDA, of the CPU or of the kind of BLAS is kept as a pattern (`=*cuda11.8*`).
It is unsafe: the very build may be meant, and packages of one platform alone stay in the file.

References
----------
- conda/conda#7311: ResolvePackageNotFound for an exported environment.yml
- ContinuumIO/anaconda-issues#10183: an export of macOS, on Linux
- med-air/FL-COVID#2: an export of Linux, on Windows: a page of packages that are not found

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, cause_of
from reconciler.model.fix import Applicability, Fix, Replace
from reconciler.model.manifest import Section
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.world import World

RULE = Rule(
    code="DEC713",
    name="platform-locked-builds",
    severity=Severity.WARNING,
    needs=frozenset({Fact.MANIFESTS}),
    since="0.1.0",
)

BAD = """\
environment.yml: |
  dependencies:
    - python=3.11.7=hab00c5b_1_cpython
    - numpy=1.26.4=py311h64a7726_0
"""

GOOD = """\
environment.yml: |
  dependencies:
    - python=3.11.7
    - numpy=1.26.4
    - jaxlib=*=*cuda*
"""

# cuda118py310_0, py3.9_cuda11.3_cudnn8_0, gpu_py38h_0, cpu_mkl_0, mkl_py36h_0 (TensorFlow for the
# CPU), 1_openblas, nompi_h_100, mpi_openmpi_h_0, external_0 and 1_kmp_llvm.
_MEANT = re.compile(
    r"cu(?:da)?_?\d[\d.]*|cuda|[cg]pu|rocm[\d.]*|(?:^|(?<=_))(?:mkl|eigen|openblas|netlib|blis"
    r"|accelerate|kmp_llvm|nompi|mpi_[a-z]+|external)(?=_|$|\d)"
)


def check(world: World) -> Iterator[Finding]:
    """Count the exact builds of each file."""
    for install in world.install_sets:
        conda = install.requirements(Section.CONDA)
        locked = [] if install.is_lock else [line for line in conda if _build(line)]
        if locked:
            yield _finding(install, locked, len(conda))


def _build(line: Declared) -> str:
    build = (line.spec.build if line.spec else None) or ""
    return "" if set(build) & set("*^$") else build


def _finding(install: InstallSet, locked: Sequence[Declared], total: int) -> Finding:
    few = ", ".join(line.text for line in locked[:3])
    more = f" and {len(locked) - 3} more" if len(locked) > 3 else ""
    return RULE.finding(
        f"{install.name} pins {len(locked)} of {total} conda packages to builds of one platform:"
        f" {few}{more}",
        at=locked[0].location,
        related=tuple(line.location for line in locked[1:4]),
        shows_as="on another platform, or when the channel has rebuilt one of them, conda says"
        " `PackagesNotFoundError` or `ResolvePackageNotFound` for each",
        remedy="drop the builds and keep the versions: `conda env export --no-builds`, or"
        " `conda env export --from-history` for what was asked for alone; a file that is to be exact"
        " is a lock file's work (conda-lock, pixi)",
        fix=_fix(locked),
        cause=cause_of(RULE.name, install.name),
    )


def _fix(locked: Sequence[Declared]) -> Fix | None:
    edits = [edit for line in locked if (edit := _without_build(line))]
    patterns = sum(edit.text.endswith("*") for edit in edits)
    kept = f", keep what {patterns} of them say of CUDA, the CPU, BLAS or MPI" if patterns else ""
    if not edits:
        return None
    return Fix(
        title=f"drop the {'build of 1 package' if len(edits) == 1 else f'builds of {len(edits)} packages'}{kept}",
        applicability=Applicability.UNSAFE,
        edits=tuple(edits),
    )


def _without_build(line: Declared) -> Replace | None:
    build = _build(line)
    if not line.text.endswith(build):
        return None
    head = line.text.removesuffix(build)
    match = _MEANT.search(build)
    if match is None:
        return Replace(line=line, text=head.rstrip("= "))
    star = "*" if match.start() else ""
    return Replace(line=line, text=f"{head}{star}{match[0]}*")
