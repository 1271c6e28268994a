"""A process gets two copies of LLVM's OpenMP runtime, of which Intel's is one.

conda's MKL starts the libiomp5.so beside it, and a wheel brings a libiomp5 or a libomp of its own.
The second copy that is started sees the first, and aborts the process. Each package that comes to
such a runtime is played alone and with each other one, and what MKL opens by itself is followed.

Silent where all of them get one file, which a link of another name may lead to; where both are
conda's, whose solver has to see to it; and for GCC's libgomp beside any of them, and beside itself:
that is common, and no trouble with it is known on Linux but MKL's own refusal of it, where
MKL_THREADING_LAYER=INTEL is set. MKL takes a libgomp.so.1 that is loaded before it.

Why it matters
--------------
The program is ended, without a traceback, when the second package starts its first parallel loop:
`OMP: Error #15`. It depends on the order of the imports and on what is computed. The variable that
the message offers, KMP_DUPLICATE_LIB_OK, is called unsafe there, and may cause wrong results.

Fix safety
----------
No fix is applied: from which manager both are taken is the user's choice.

References
----------
- facebookresearch/faiss#471: `OMP: Error #15: Initializing libiomp5.so` on Linux, with conda's faiss-cpu
- pytorch/pytorch#78490: a libomp beside NumPy's libiomp5, from one nightly on
- dmlc/xgboost#1715: the OpenMP developers discourage KMP_DUPLICATE_LIB_OK
- HiLab-git/MIDeepSeg#4: a NumPy without MKL cures it
- pytorch/pytorch#37377: MKL_THREADING_LAYER=INTEL beside libgomp, of which MKL's own message tells

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.finding import Finding
    from reconciler.model.openmp import RuntimeTwice, RuntimeUse
    from reconciler.world import World

RULE = Rule(
    code="DUP107",
    name="openmp-runtimes-mixed",
    severity=Severity.WARNING,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
conda: [python=3.11.7=h1, numpy=1.26.4=0, mkl=2024.2.2=0, intel-openmp=2024.2.1=0]
pip: [paddlepaddle==2.6.2]
loader:
  bin/python3.11: {rpath: $ORIGIN/../lib}
  lib/libmkl_rt.so.2: {of: mkl}
  lib/libiomp5.so: {of: intel-openmp}
  lib/python3.11/site-packages/numpy/core/_umath.cpython-311-x86_64-linux-gnu.so:
    {of: numpy, needed: [libmkl_rt.so.2]}
  lib/python3.11/site-packages/paddle/base/libpaddle.cpython-311-x86_64-linux-gnu.so:
    {of: paddlepaddle, needed: [libiomp5.so], rpath: $ORIGIN/../libs}
  lib/python3.11/site-packages/paddle/libs/libiomp5.so: {of: paddlepaddle}
"""

GOOD = BAD.replace("needed: [libiomp5.so]", "needed: [libgomp-24e2ab19.so.1]").replace(
    "paddle/libs/libiomp5.so", "paddle/libs/libgomp-24e2ab19.so.1"
)


def check(world: World) -> Iterator[Finding]:
    """Report each two copies once."""
    found: dict[frozenset[str], list[RuntimeTwice]] = {}
    for one in world.loading.openmp_twice if world.loading else ():
        found.setdefault(frozenset({one.first.runtime, one.second.runtime}), []).append(one)
    for group in found.values():
        yield _finding(world, group)


def _finding(world: World, group: Sequence[RuntimeTwice]) -> Finding:
    one = group[0]
    first, second = one.first, one.second
    is_inside = world.shell.is_in_environment
    is_used = any(each.situation.is_in_use(is_inside=is_inside) for each in group)
    names = tuple(name for each in group for name in each.situation.names)
    return RULE.finding(
        f"a process that imports {first.owner.title}, then {second.owner.title}, gets two copies of one"
        f" OpenMP runtime, {Situation(names=names, variables=())}: {_copy(first)} and {_copy(second)}",
        severity=None if is_used else Severity.INFO,
        at=Location(subject=second.name, path=second.runtime),
        related=(Location(subject=first.name, path=first.runtime),),
        shows_as=f"`OMP: Error #15: Initializing {second.name}, but found {first.name} already"
        " initialized.`, and the process is aborted",
        remedy=_remedy(first, second),
        evidence=tuple(f"{use.module} starts {use.runtime}" for use in (first, second)),
        cause=cause_of(RULE.name, INSTALLED, *sorted((first.runtime, second.runtime))),
    )


def _copy(use: RuntimeUse) -> str:
    return f"{use.runtime} of {use.runtime_owner.title}"


def _remedy(first: RuntimeUse, second: RuntimeUse) -> str:
    kinds = {first.owner.kind, second.owner.kind}
    both = (
        f"take {first.owner.package} and {second.owner.package} from one manager: conda's packages"
        " share one runtime"
    )
    apart = "use them in processes of their own"
    ways = f"{both}; or {apart}" if kinds == {"conda", "pip"} else apart
    return f"{ways}. KMP_DUPLICATE_LIB_OK=TRUE only hides it, and its own message calls it unsafe"
