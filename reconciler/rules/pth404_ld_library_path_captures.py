"""A variable of the loader puts another CUDA library in the place of a package's.

LD_LIBRARY_PATH leads to a system's toolkit, to another environment or to conda's `lib`, and what a
wheel or a conda package needs is taken from there. PyTorch's own libraries have an RPATH, which the
variable does not beat; NVIDIA's wheels have a RUNPATH, which it does, so that libcusparse takes its
libnvJitLink, and libcublas its libcublasLt, from the wrong place. LD_PRELOAD does the same to all.

Each start is played with the variables and without them. Where the file that answers lacks a symbol
or a version, is of another major than the one that would have answered, or of an older release than
what asks was built for, it is an error. Where it is only older than the other one, it is a warning:
CuPy for CUDA 12 works with any minor release. Silent where both are of one release, where the other
one is newer within its major, where the releases are not known and nothing is missing, and where
nothing would answer without the variable.

It is as bad where only this shell has the variable, and information where neither this shell nor an
activated one has it.

Why it matters
--------------
The variable is read by every program, so that a line in ~/.bashrc for one of them decides what all
environments load. The wheels are right, `pip check` is content, and `import torch` stops with
`undefined symbol: __nvJitLinkAddData_12_1, version libnvJitLink.so.12`.

Fix safety
----------
The element is to be taken out where it is set, which only the user may know. With --unsafe-fixes, a
reversible hook has the activation of the environment take it out meanwhile, where the model of the
loader proves that the packages then find their own.

References
----------
- infiniflow/ragflow#4466: LD_LIBRARY_PATH leads the wheel's libcusparse to libnvJitLink of CUDA 12.1
- pytorch/pytorch#134929: undefined symbol `__nvJitLinkComplete_12_4` with LD_LIBRARY_PATH=/opt/conda/lib
- pytorch/pytorch#103832: libcublasLt.so.11 of an image in place of the wheel's
- jax-ml/jax#17497: JAX takes what LD_LIBRARY_PATH has first, not the wheels that pip installed
- jax-ml/jax#18027: cuBLAS 12.2.5 is found where 12.3.4 was built against, and pip has 12.4.2
- pytorch/pytorch#19309: the system's libcudart is loaded where LD_LIBRARY_PATH is set

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.capture import Capture
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="PTH404",
    name="ld-library-path-captures",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER, Fact.VARIABLES}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
env: {LD_LIBRARY_PATH: /usr/local/cuda-12.1/lib64}
toolkits: [{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}]
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.4.127
  - torch==2.5.1
loader:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so:
    {of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib}
  lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12:
    {of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: $ORIGIN/../../nvjitlink/lib}
  lib/python3.11/site-packages/nvidia/nvjitlink/lib/libnvJitLink.so.12:
    {of: nvidia-nvjitlink-cu12}
  /usr/local/cuda-12.1/lib64/libnvJitLink.so.12: {}
misfits:
  - consumer: lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12
    provider: /usr/local/cuda-12.1/lib64/libnvJitLink.so.12
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
env: {LD_LIBRARY_PATH: /usr/local/cuda-12.4/lib64}
toolkits: [{path: /usr/local/cuda-12.4, version: "12.4", found_by: [PATH]}]
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.4.127
  - torch==2.5.1
loader:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so:
    {of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib}
  lib/python3.11/site-packages/nvidia/cusparse/lib/libcusparse.so.12:
    {of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: $ORIGIN/../../nvjitlink/lib}
  lib/python3.11/site-packages/nvidia/nvjitlink/lib/libnvJitLink.so.12:
    {of: nvidia-nvjitlink-cu12}
  /usr/local/cuda-12.4/lib64/libnvJitLink.so.12: {}
"""

#: Where a shell has its variables from, if the environment itself does not set them.
_OF_THE_SHELL = "a startup file such as ~/.bashrc, a job script, or the image of a container"

_RARE = "; only where activation is skipped, as IDE kernels, cron and `path/to/python` do"


def check(world: World) -> Iterator[Finding]:
    """Group what is captured and does harm by the element of the variable that captures it."""
    found: dict[tuple[str, str], list[Capture]] = {}
    for capture in world.loading.captures if world.loading else ():
        if capture.is_harmful:
            found.setdefault((capture.variable, capture.entry), []).append(capture)
    for (variable, entry), captures in found.items():
        yield _finding(world, variable, entry, captures)


def _finding(world: World, variable: str, entry: str, captures: Sequence[Capture]) -> Finding:
    worst = max(captures, key=lambda one: (bool(one.new_errors), len(one.situation.names)))
    shells = dict.fromkeys(str(one.situation) for one in captures)
    libraries = dict.fromkeys(one.link.soname for one in captures)
    more = [name for name in libraries if name != worst.link.soname]
    also = f"; so it is with {', '.join(more[:4])}" if more else ""
    usual = None if any(one.is_certain for one in captures) else Severity.WARNING
    is_rare = all(one.situation.names == ("not activated",) for one in captures)
    return RULE.finding(
        f"{variable} has `{entry}`, from which {_taking(worst)}, {' or '.join(shells)}{also}",
        severity=Severity.INFO if is_rare else usual,
        at=Location(subject=f"the variable {variable}"),
        related=(Location(subject=worst.link.soname, path=worst.link.path),),
        shows_as=_shown(worst) + (_RARE if is_rare else ""),
        remedy=_remedy(world, variable, entry),
        evidence=tuple(dict.fromkeys(_seen(one) for one in captures))[:6],
        fix=world.hooking.captured.get((variable, entry)),
        cause=cause_of(RULE.name, INSTALLED, variable, entry),
        explained_by=(
            *(
                cause_of("state-variable-replaces-path", source, variable)
                for source in _stored(world, variable, entry)
            ),
            *_exported(world, entry),
        ),
    )


def _exported(world: World, entry: str) -> tuple[str, ...]:
    """Return the causes of HUK805 where the entry is the environment's whole lib."""
    if entry.rstrip("/") != f"{world.snapshot.target.prefix}/lib":
        return ()
    scripts = (hook.path for hook in world.hook_audit.foreign if hook.in_prefix)
    return tuple(cause_of("hook-exports-whole-lib", path) for path in scripts)


def _taking(one: Capture) -> str:
    asker, due = one.link.asked_by.rpartition("/")[2], one.due.owner
    return (
        f"{asker} of {one.link.asker.title} takes {one.link.soname} {one.release}"
        f" in place of {one.due_release} of {due.title if due else one.due.path}"
    )


def _shown(one: Capture) -> str:
    if one.new_errors:
        return f"`{one.new_errors[0]}`, when {one.started} is started"
    return (
        f"nothing when {one.started} is started; then an undefined symbol, a version that is"
        " `compiled against` another one than is found, or an error of the library at its first use"
    )


def _seen(one: Capture) -> str:
    return f"{one.link.asked_by} takes {one.link.path} ({one.link.because}); without it: {one.due.path}"


def _remedy(world: World, variable: str, entry: str) -> str:
    value = world.snapshot.variables.get(variable, "")
    # ld.so(8): a preload list is parted by colons and spaces, a path by colons and semicolons.
    parted = re.split("[: ]" if variable == "LD_PRELOAD" else "[:;]", value)
    rest = [one for one in parted if one not in {entry, ""}]
    here = f"export {variable}={':'.join(rest)}" if rest else f"unset {variable}"
    now = f"; in a shell that is open, `{here}`" if entry in value else ""
    return (
        f"take `{entry}` out of {variable} where it is set ({_setting(world, variable, entry)}){now};"
        f" {_without(world, variable, entry)}"
    )


def _without(world: World, variable: str, entry: str) -> str:
    """Return what becomes of the packages without the element."""
    leaning = world.loading.leaning if world.loading else ()
    lost = [link for name, one, link in leaning if (name, one) == (variable, entry)]
    if not lost:
        return "the installed packages find their own libraries without it"
    names = ", ".join(dict.fromkeys(link.soname for link in lost))
    return (
        f"but {lost[0].asker.title} finds {names} nowhere else: install that in this environment"
        " first"
    )


def _setting(world: World, variable: str, entry: str) -> str:
    """Return what is known of where the variable gets its value."""
    state, shell = world.snapshot.state, world.snapshot.variables
    scripts = state.scripts if state else ()
    stored = _stored(world, variable, entry)
    if "conda-meta/state" in stored:
        return f"`conda env config vars unset {variable}` in the activated environment"
    sources = [
        *stored,
        *(s.path for s in scripts if any(a.variable == variable for a in s.assignments)),
    ]
    if sources:
        return f"{sources[0]} in this environment has to do with it"
    if shell.get("LOADEDMODULES"):
        return f"a module that `module list` shows, or {_OF_THE_SHELL}"
    return _OF_THE_SHELL


def _stored(world: World, variable: str, entry: str) -> tuple[str, ...]:
    """Return where conda keeps a value of the variable that has the element."""
    state = world.snapshot.state
    variables = state.variables if state else ()
    return tuple(v.source for v in variables if v.name == variable and entry in v.value)
