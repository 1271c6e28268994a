"""A project that is built against CUDA, and what tells for which CUDA it was built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from reconciler.model.cuda import KnownBy
from reconciler.model.row import Row, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.cuda import CudaBuild

#: What names a CUDA release at the end of a wheel's name: cupy-cuda12x, faiss-gpu-cu12.
_CUDA_SUFFIX = re.compile(r"-cu(?:da)?\d+x?(?=-|$)")


class VersionSpan(Row, frozen=True, kw_only=True):
    """The versions from one on, and below another."""

    since: str = "0"
    before: str | None = None

    def holds(self, version: str) -> bool:
        """Tell whether a version, whatever its local label, is one of them."""
        wanted = numbers(version)
        return bool(wanted) and (
            numbers(self.since) <= wanted and (self.before is None or wanted < numbers(self.before))
        )


class VersionFile(Row, frozen=True, kw_only=True):
    """A text file of an installed package that says what it was built for."""

    #: Relative to site-packages.
    path: str
    #: A regular expression whose group ``cuda`` is the release (12.1) or its tag (cu121); no match
    #: where it says none.
    cuda: str
    #: A regular expression that matches where the build is for the CPU alone.
    cpu: str | None = None
    #: A regular expression that matches where the build is for ROCm.
    rocm: str | None = None


class Consumer(Row, frozen=True, kw_only=True):
    """A project that is built against CUDA."""

    name: str
    #: As a report names it: ``PyTorch``.
    title: str
    #: A ``framework`` owns its process's CUDA; an ``extension`` is loaded into the framework that
    #: it ``extends``; a ``library`` uses CUDA beside others.
    kind: Literal["framework", "extension", "library"]
    extends: str | None = None
    #: Normal names on PyPI.
    pypi: tuple[str, ...] = ()
    #: Names under conda.
    conda: tuple[str, ...] = ()
    #: Names whose CUDA major (or release) stands in the name: ``cupy-cuda12x`` is 12.
    cuda_of_name: Mapping[str, str] = {}
    #: Of ``pypi`` and ``conda``: those that have no build for the CPU.
    gpu_only: tuple[str, ...] = ()
    #: Of ``pypi`` and ``conda``: those that are for the CPU by their name.
    cpu_only: tuple[str, ...] = ()
    #: A regular expression of conda's build strings that are for the CPU without saying so.
    cpu_build: str | None = None
    #: Whether PyPI has no wheel of it, so that pip compiles it where it is installed.
    is_source_only: bool = False
    #: Whether PyTorch's own index serves it, and so its tag tells its build.
    on_pytorch_index: bool = False
    #: Whether its wheels carry CUDA statically, so that they meet no other's libraries.
    links_statically: bool = False
    version_file: VersionFile | None = None
    #: A glob relative to site-packages, of a library that only CUDA builds have; its NEEDED names
    #: the major.
    cuda_library: str | None = None
    #: The same on Windows, where nothing reads a library: that RECORD lists it has to do.
    cuda_dll: str | None = None
    #: A regular expression of paths relative to site-packages, for wheels that hold one library for
    #: each CUDA release and take their framework's: its group ``cuda`` is the release's tag, 118.
    library_of_each: str | None = None
    #: Globs relative to site-packages, of extension modules that every build has: those of a build
    #: for CUDA need its runtime or its framework's CUDA libraries.
    modules: tuple[str, ...] = ()
    #: The file names up to ``.so`` of libraries that hold its code for GPUs: ``libtorch_cuda``.
    kernel_libraries: tuple[str, ...] = ()
    #: Globs relative to site-packages, of extension modules that hold it.
    kernel_modules: tuple[str, ...] = ()
    #: Whether it compiles PTX as it runs, and leaves the rest to the driver.
    compiles_to_ptx: bool = False
    #: Whether its wheels for CUDA work without it, on the CPU or in slower ways, so that another
    #: CUDA beside them is no fault.
    gpu_optional: bool = False
    #: Whether its build for the CPU works in a framework's for CUDA: what it does runs on the CPU.
    cpu_fits: bool = False
    #: Whether it has CUDA code at all; without it, every build of it fits every framework's.
    has_cuda: bool = True
    #: The components that a wheel of it carries inside itself where it requires no nvidia-* wheel.
    bundles: tuple[str, ...] = ()
    #: Its extras that require wheels of CUDA, with the major that they take today; "" where the
    #: release itself decides.
    cuda_of_extra: Mapping[str, str] = {}
    #: The components that those wheels bring.
    extra_brings: tuple[str, ...] = ()
    #: The components that its wheels open at run time, bring nowhere and do not require: the GPU is
    #: used only where all of them are found.
    opens: tuple[str, ...] = ()
    #: What a user calls so that the wheels of CUDA beside it are opened first, in the releases that
    #: have a step ``preload`` among the loadings.
    preload_call: str | None = None
    #: The versions that refuse, at import, a framework whose CUDA is of another minor release.
    refuses_other_minor: VersionSpan | None = None
    source: str

    def sibling(self, package: str, major: int | None) -> str | None:
        """Return its wheel whose name is for another CUDA major than a package's."""
        if package not in self.cuda_of_name:
            return None
        stem = _CUDA_SUFFIX.sub("", package)
        releases = self.cuda_of_name.items()
        wanted = [name for name, r in releases if r.split(".")[0] == str(major)]
        same = [name for name in wanted if _CUDA_SUFFIX.sub("", name) == stem]
        # one for all of a major, where there is one: cupy-cuda11x before cupy-cuda110
        return min(same, key=lambda name: "." in self.cuda_of_name[name], default=None)

    def brought_by(self, extras: Iterable[str]) -> tuple[str, ...]:
        """Return the components that come with some of its extras."""
        names = {extra.replace("_", "-").lower() for extra in extras}
        return self.extra_brings if names & self.cuda_of_extra.keys() else ()

    def does_without(self, build: CudaBuild) -> bool:
        """Tell whether a build of it is what everybody gets, and works without its CUDA.

        Who has asked for a build by its name, its label or its index, wants that one.
        """
        return self.gpu_optional and build.known_by in {KnownBy.LIBRARY, KnownBy.RELEASE}
