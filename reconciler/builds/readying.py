"""How an environment is made ready to compile: words that can be followed, and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.prefix import PrefixRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.builds.mending import Mending
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaVersion
    from reconciler.model.fix import Fix
    from reconciler.model.snapshot import Target
    from reconciler.model.toolchain import CudaRoot

_ARCHIVE = "developer.nvidia.com/cuda-toolkit-archive"
_ANEW = "activate the environment anew"


class Cure(NamedTuple):
    """What to do, in words, and as a fix where commands do it."""

    words: str
    fix: Fix | None = None


def use(root: CudaRoot, target: Target, mending: Mending) -> Cure:
    """Return how a folder of CUDA that is there is taken."""
    release = f", whose nvcc is {root.nvcc.release}" if root.nvcc and root.nvcc.release else ""
    words = f"`export CUDA_HOME={root.path}`{release}, before you install"
    if root.path != target.prefix or target.kind != "conda":
        return Cure(words)
    why = "the compiler of this environment is the one to take"
    return Cure(words, mending.set_variable("CUDA_HOME", root.path, why))


def bring(cuda: CudaVersion | None, target: Target, mending: Mending, catalog: Catalog) -> Cure:
    """Return how a toolkit of a release comes to where it is looked for."""
    channel = catalog.compiling.channel(str(cuda)) if cuda else ""
    # A label of NVIDIA's channel has one release alone; a pixi.toml may not have that channel.
    has_one = "label" in channel
    if has_one and mending.managers.of_conda == "pixi":
        channel = ""
    if target.kind != "conda" or not target.prefix or not channel:
        if cuda is None:
            return Cure(
                f"install NVIDIA's CUDA toolkit, of your framework's CUDA ({_ARCHIVE}), and"
                " `export CUDA_HOME=` with its folder"
            )
        return Cure(
            f"install NVIDIA's CUDA toolkit {cuda}, or another {cuda.major}.x, beside the environment"
            f" (no driver with it: {_ARCHIVE}), and `export CUDA_HOME=/usr/local/cuda-{cuda}`"
        )
    specs = ("cuda-toolkit",) if has_one else ("cuda-toolkit", f"cuda-version={cuda}")
    fix = _installing(specs, channel, mending, f"it brings nvcc {cuda}, headers and stubs")
    return Cure(f"`{_line(fix)}`, {_ANEW} and `export CUDA_HOME={target.prefix}`", fix)


def bring_compiler(newest: int | None, target: Target, mending: Mending) -> Cure:
    """Return how a compiler of C++ comes to be there, no newer than a major."""
    machine = "linux-aarch64" if target.platform == "linux-aarch64" else "linux-64"
    if target.kind == "conda" and target.prefix:
        spec = f"gxx_{machine}={newest}" if newest else f"gxx_{machine}"
        fix = _installing((spec,), "conda-forge", mending, "a compiler that nvcc takes")
        return Cure(f"`{_line(fix)}` and {_ANEW}, which then sets CC and CXX", fix)
    name = f"g++-{newest}" if newest else "g++"
    words = f"install a compiler of C++, as with `sudo apt-get install {name}`"
    if newest is None:
        return Cure(words)
    return Cure(f"{words}, and `export CC=/usr/bin/gcc-{newest} CXX=/usr/bin/g++-{newest}`")


def _installing(specs: Sequence[str], channel: str, mending: Mending, why: str) -> Fix:
    # of a record that is not there yet, only the channel counts
    there = PrefixRecord(name=specs[0], version="", channel=channel)
    return mending.solve(specs, there, why)


def _line(fix: Fix) -> str:
    return " ".join(fix.commands[0].argv)
