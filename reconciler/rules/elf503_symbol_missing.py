"""A library of CUDA that is loaded lacks a symbol that another one binds to it.

What the libraries of packages were linked against is held against the files that the loader takes
for them, symbol by symbol with its version: libcusparse of CUDA 12.4 beside libnvJitLink of 12.1,
libcublas beside a libcublasLt of another minor release.

Where it is so when the environment is activated, or in the shell at hand, it is an error; where it is
so only without activation, it is information. Of a library whose symbols have no versions, such as
NCCL, those are judged that begin with its name. Other symbols without a version are not: no file
tells which library was to define them. What MKL has lost is DEC718's.

Why it matters
--------------
Each library is there, and of the right soname, so that all managers are content. The loader binds
symbols as the library is opened, and `import torch` stops with an ImportError; where the symbol is
bound at its first call, the process ends there.

Fix safety
----------
Where a package brings the library that lacks the symbol, a command is proposed, and never run: it
is brought to the release that is required, or needed. All else is left to the user.

References
----------
- pytorch/pytorch#111469: undefined symbol `__nvJitLinkAddData_12_1`, version libnvJitLink.so.12
- pytorch/pytorch#134929: undefined symbol `__nvJitLinkComplete_12_4`
- pytorch/pytorch#90692: `cusparseSpSM_analysis, version libcusparse.so.11` is not defined
- pytorch/pytorch#186591: undefined symbol `ncclCommResume`, as NCCL of another major was installed last
- rwth-i6/returnn#1802: undefined symbol `ncclMemFree`
- microsoft/onnxruntime#8594: `free_gemm_select, version libcublasLt.so.11` in a conda environment
- pytorch/pytorch#103832: `cublasLtGetStatusString, version libcublasLt.so.11`

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.mismatch import worst
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.mismatch import Mismatch
    from reconciler.world import World

RULE = Rule(
    code="ELF503",
    name="symbol-missing",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.1.105
  - torch==2.5.1: {requires: [nvidia-nvjitlink-cu12==12.4.127]}
loader:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so:
    {of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib}
  lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12:
    {of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: $ORIGIN/../../nvjitlink/lib}
  lib/python3.11/site-packages/nvidia/nvjitlink/lib/libnvJitLink.so.12:
    {of: nvidia-nvjitlink-cu12}
misfits:
  - consumer: lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12
    provider: lib/python3.11/site-packages/nvidia/nvjitlink/lib/libnvJitLink.so.12
    soname: libnvJitLink.so.12
    symbols:
      - symbol: __nvJitLinkComplete_12_4
        version: libnvJitLink.so.12
        outcome: refused
        error: "/prefix/lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12: undefined
          symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12"
"""

GOOD = """\
python: 3.11.7
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.9.86
  - torch==2.5.1
loader:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so:
    {of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib}
  lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12:
    {of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: $ORIGIN/../../nvjitlink/lib}
  lib/python3.11/site-packages/nvidia/nvjitlink/lib/libnvJitLink.so.12:
    {of: nvidia-nvjitlink-cu12}
"""


def check(world: World) -> Iterator[Finding]:
    """Group what is missing by the file that lacks it."""
    by_file: dict[str, list[Mismatch]] = {}
    for one in world.loading.lacking if world.loading else ():
        by_file.setdefault(one.link.real or "", []).append(one)
    for path, found in by_file.items():
        yield _finding(world, path, found)


def _finding(world: World, path: str, found: Sequence[Mismatch]) -> Finding:
    one = worst(found)
    link, errors = one.link, tuple(dict.fromkeys(e for each in found for e in each.link.errors))
    missing = [*link.versions, *link.symbols]
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    what = (
        f"`{link.symbols[0].symbol}`"
        if link.symbols
        else f"the version `{link.versions[0].version}`"
    )
    is_inside = world.shell.is_in_environment
    build = _build(world, one)
    return RULE.finding(
        f"{link.asked_by.rpartition('/')[2]} of {link.asker.title} takes {link.soname} {link.source},"
        f" which lacks {what}{more}, {one.when}",
        severity=min((each.severity(is_inside=is_inside) for each in found), key=lambda s: s.rank),
        at=Location(subject=link.soname, path=link.path),
        related=(Location(subject=link.asker.title, path=link.asked_by),),
        shows_as=f"`{errors[0]}`, when {one.started} is started",
        remedy=_remedy(world, one, build),
        evidence=(f"{path} answers, as {link.because}", *errors[:5]),
        fix=_fix(world, one, build) if build else None,
        cause=cause_of(RULE.name, INSTALLED, path),
        explained_by=(*_variables(found), *_installed(world, one, build)),
    )


def _variables(found: Sequence[Mismatch]) -> tuple[str, ...]:
    """Return the causes of PTH404, where a variable is behind all of it."""
    causes = [one.causes for one in found]
    return tuple(dict.fromkeys(c for each in causes for c in each)) if all(causes) else ()


def _installed(world: World, one: Mismatch, build: CudaBuild | None) -> tuple[str, ...]:
    """Return the causes of what the versions of the packages tell."""
    if build is None:
        return one.twice
    clashes = (
        cause_of(
            "cuda-minors-conflict", INSTALLED, f"{clash.component}-{clash.needs}-{build.package}"
        )
        for clash in world.catalog.clashes
        if clash.needs == one.link.component
    )
    owners = world.mending.owners_of((build,))
    return (*(c for owner in owners for c in world.disputes_of(owner)), *clashes, *one.twice)


def _build(world: World, one: Mismatch) -> CudaBuild | None:
    """Return what brings the file that lacks the symbol, where a package of CUDA does."""
    owner = one.link.owner
    builds = (b for b in world.builds if one.link.component in b.brings)
    keys = (owner.kind, owner.package) if owner else None
    return next((b for b in builds if (b.manager, b.package) == keys), None)


def _fix(world: World, one: Mismatch, build: CudaBuild) -> Fix | None:
    pin = world.mending.pinned(build.package) if build.manager == "pip" else ""
    if not pin:
        return None
    return world.mending.bring(build, pin, f"{one.link.asker.title} needs a symbol that it lacks")


def _remedy(world: World, one: Mismatch, build: CudaBuild | None) -> str:
    link = one.link
    if one.captured_by:
        variable, entry = one.captured_by
        return f"take `{entry}` out of {variable}, which leads the loader to it"
    if "activated" not in one.shells:
        return "activate the environment before Python is started: another file answers then"
    if build is None:
        title = world.catalog.title(link.component or "")
        return (
            f"bring {title} into this environment with {link.asker.kind}, in the release that"
            f" {link.asker.title} was built for; where it looks for it, no package has it now"
        )
    pin = world.mending.pinned(build.package) if build.manager == "pip" else ""
    if pin and pin.rpartition("==")[2] != build.version:
        return f"`pip install '{pin}'`"
    asker = (
        world.loading.release_of(link.asked_by, link.asked_by.rpartition("/")[2])
        if world.loading
        else None
    )
    since = f" of CUDA {asker.cuda} or newer" if asker and asker.cuda else ", in a newer release"
    return (
        f"`{build.manager} install` {build.package}{since}, which {link.asker.title} was built for"
    )
