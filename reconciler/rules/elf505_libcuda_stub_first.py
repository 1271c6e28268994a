"""Another file than the driver's own answers for libcuda.so.1.

libcuda comes with the driver and is of one release with its kernel module. Three files look like it:
the stub of a toolkit (`lib64/stubs`, conda's `lib/stubs`), which the linker needs and which has no
code; the library of a driver for Linux that was installed inside WSL, where Windows has the driver
and `/usr/lib/wsl/lib` its library; and that of cuda-compat, which is for a driver older than itself.

Each start is played to the point where the CUDA runtime opens the driver. Silent where the machine
has no driver, as where an image is built; where the driver's own library comes first; where nothing
comes to the stub; in a container of WSL, which is given a link to Windows' own; and of cuda-compat
where it is as new as the driver or newer, or where either's release is not known.

It is an error as well where only this shell leads there, and information where neither this shell
nor an activated one does.

Why it matters
--------------
Nothing is missing and nothing fails to load: the GPU is just not there, while `nvidia-smi`, which
does not ask this library, shows it.

Fix safety
----------
No fix is applied: variables, search paths of libraries and system packages are the user's.

References
----------
- xmake-io/xmake#4686: LD_LIBRARY_PATH has lib64/stubs, and `CUDA driver is a stub library`
- numba/numba#9732: numba opens libcuda.so and gets targets/x86_64-linux/lib/stubs, error 34
- numba/numba#8985: $CUDA_PATH/lib64/stubs on LD_LIBRARY_PATH, UNKNOWN_CUDA_ERROR of cuInit
- NVIDIA/warp#219: the stub's folder is searched before that of the driver
- numba/numba#9032: libnvidia-compute-510 installed in WSL; without it, the GPU is found
- numba/numba#7104: with /usr/lib/wsl/lib/libcuda.so.1 named by hand, the device is found
- NVIDIA/cuml#6218: CUDA_ERROR_NO_DEVICE with a driver for Linux in WSL 2
- ggml-org/llama.cpp#17542: error 803 with cuda-compat on the search path, none without

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.driver_library import Kind
from reconciler.model.finding import INSTALLED, Location, Severity, cause_of
from reconciler.model.rule import Rule
from reconciler.model.snapshot import Fact
from reconciler.model.which import Situation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.driver_library import WrongDriver
    from reconciler.model.finding import Finding
    from reconciler.world import World

RULE = Rule(
    code="ELF505",
    name="libcuda-stub-first",
    severity=Severity.ERROR,
    needs=frozenset({Fact.LOADER}),
    needs_any=frozenset({Fact.RECORDS, Fact.DISTRIBUTIONS}),
    since="0.1.0",
)

BAD = """\
python: 3.11.7
env: {LD_LIBRARY_PATH: /usr/local/cuda-12.4/lib64/stubs}
toolkits: [{path: /usr/local/cuda-12.4, version: "12.4", found_by: [PATH]}]
pip:
  - torch==2.5.1
  - nvidia-cuda-runtime-cu12==12.4.127
loader:
  lib/python3.11/site-packages/torch/_C.so:
    {of: torch, needed: [libc10_cuda.so], rpath: $ORIGIN/lib}
  lib/python3.11/site-packages/torch/lib/libc10_cuda.so:
    {of: torch, needed: [libcudart.so.12], rpath: $ORIGIN/../../nvidia/cuda_runtime/lib}
  lib/python3.11/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12:
    {of: nvidia-cuda-runtime-cu12}
  /usr/local/cuda-12.4/lib64/stubs/libcuda.so.1: {}
  /usr/lib/x86_64-linux-gnu/libcuda.so.1: {cached: true}
"""

GOOD = """\
python: 3.11.7
env: {LD_LIBRARY_PATH: /usr/local/cuda-12.4/lib64}
toolkits: [{path: /usr/local/cuda-12.4, version: "12.4", found_by: [PATH]}]
pip:
  - torch==2.5.1
  - nvidia-cuda-runtime-cu12==12.4.127
loader:
  lib/python3.11/site-packages/torch/_C.so:
    {of: torch, needed: [libc10_cuda.so], rpath: $ORIGIN/lib}
  lib/python3.11/site-packages/torch/lib/libc10_cuda.so:
    {of: torch, needed: [libcudart.so.12], rpath: $ORIGIN/../../nvidia/cuda_runtime/lib}
  lib/python3.11/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12:
    {of: nvidia-cuda-runtime-cu12}
  /usr/local/cuda-12.4/lib64/stubs/libcuda.so.1: {}
  /usr/lib/x86_64-linux-gnu/libcuda.so.1: {cached: true}
"""

_WHAT = {
    Kind.STUB: "a stub to link against, without any code, and not the driver's library",
    Kind.COMPAT: "an older library than the driver's own, which the driver refuses",
    Kind.NOT_OF_WSL: "the library of a driver for Linux, and in WSL the driver is Windows' own",
}
#: cuda.h: CUDA_ERROR_STUB_LIBRARY 34, CUDA_ERROR_NO_DEVICE 100,
#: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH 803.
_SHOWN = {
    Kind.STUB: "`CUDA driver is a stub library` (error 34), or no GPU at all",
    Kind.COMPAT: "`system has unsupported display driver / cuda driver combination` (error 803)",
    Kind.NOT_OF_WSL: "`no CUDA-capable device is detected` (error 100), while nvidia-smi shows one",
}
#: The kinds of those that bring a file; of the system's own, the path says enough.
_TOLD = frozenset({"conda", "pip", "toolkit"})
_RARE = "; only where activation is skipped, as IDE kernels, cron and `path/to/python` do"


def check(world: World) -> Iterator[Finding]:
    """Group what answers for the driver by its file and by what leads there."""
    found: dict[tuple[str, str, str | None], list[WrongDriver]] = {}
    for one in world.loading.wrong_drivers if world.loading else ():
        found.setdefault((one.real, one.reason, one.entry), []).append(one)
    for (real, *_), group in found.items():
        yield _finding(world, real, group)


def _finding(world: World, real: str, group: Sequence[WrongDriver]) -> Finding:
    first = group[0]
    is_inside = world.shell.is_in_environment
    is_used = any(one.situation.is_in_use(is_inside=is_inside) for one in group)
    started = " and ".join(dict.fromkeys(one.started for one in group))
    of = f" of {first.owner.title}" if first.owner.kind in _TOLD else ""
    return RULE.finding(
        f"for libcuda.so.1, {started} gets {first.path}{of} {_shells(group)}: {_WHAT[first.kind]}",
        severity=None if is_used else Severity.INFO,
        at=Location(subject=f"libcuda.so.1 of {started}", path=first.path),
        shows_as=_SHOWN[first.kind] + ("" if is_used else _RARE),
        remedy=_remedy(first),
        evidence=_evidence(group),
        cause=cause_of(RULE.name, INSTALLED, real, first.reason),
    )


def _shells(group: Sequence[WrongDriver]) -> str:
    names = dict.fromkeys(name for one in group for name in one.situation.names)
    return str(Situation(names=tuple(names), variables=()))


def _evidence(group: Sequence[WrongDriver]) -> tuple[str, ...]:
    due = group[0].due
    own = (f"the driver's own library is {due}",) if due else ()
    return (*dict.fromkeys(f"{one.asked_by} asks for it; {one.because}" for one in group), *own)


def _remedy(one: WrongDriver) -> str:
    """Return how what leads to the file is taken away."""
    if one.kind is Kind.NOT_OF_WSL:
        return (
            "remove the driver for Linux from WSL: `dpkg -S libcuda.so.1` names its packages,"
            " `sudo apt-get purge` removes them, then run `sudo ldconfig`; install none there,"
            " and of the toolkit only `cuda-toolkit-X-Y`, which brings no driver"
        )
    why = (
        "a stub is for the linker's -L or LIBRARY_PATH"
        if one.kind is Kind.STUB
        else "the driver is newer"
    )
    if one.reason == "LD_LIBRARY_PATH":
        return f"take `{one.entry}` out of LD_LIBRARY_PATH where it is set: {why}"
    if one.reason in {"RPATH", "RUNPATH"} and one.entry:
        return (
            f"{one.because}: remove {one.path} if you have put it there, or build what has that"
            f" {one.reason} again without it: {why}"
        )
    if one.reason == "ld.so.cache":
        return (
            f"take the folder of {one.path} out of /etc/ld.so.conf and /etc/ld.so.conf.d, and run"
            f" `sudo ldconfig`: {why}"
        )
    return f"remove {one.path}, or what leads there ({one.because}): {why}"
