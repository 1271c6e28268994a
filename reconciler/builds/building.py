"""What will be compiled for CUDA, and what stands ready to compile it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.builds import readying
from reconciler.builds.declared import INDEX_TAG
from reconciler.model.compilation import Compilation
from reconciler.model.cuda import Role, Variant
from reconciler.model.finding import INSTALLED, Location
from reconciler.model.manifest import Section
from reconciler.model.toolchain import DRIVER, HEADERS, RUNTIME, CudaRoot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.builds.mending import Mending
    from reconciler.builds.readying import Cure
    from reconciler.model.catalog import Catalog
    from reconciler.model.compiling import Compiled
    from reconciler.model.cuda import CudaBuild, CudaVersion
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.toolchain import Compiler, Toolchain

#: What every extension here is compiled against, and whose CUDA it takes.
FRAMEWORK = "torch"


class Building:
    """What rules ask of a compilation; every question is answered once."""

    def __init__(
        self,
        snapshot: Snapshot,
        catalog: Catalog,
        installed: tuple[CudaBuild, ...],
        files: tuple[tuple[InstallSet, tuple[CudaBuild, ...]], ...],
        mending: Mending,
    ) -> None:
        self._snapshot = snapshot
        self._catalog = catalog
        self._installed = installed
        #: The files that describe the environment, or are to make it, with what they ask for.
        self._files = files
        self._mending = mending

    @property
    def toolchain(self) -> Toolchain | None:
        """What would compile; None where nobody has looked."""
        return self._snapshot.toolchain

    @cached_property
    def compilations(self) -> tuple[Compilation, ...]:
        """What will be compiled: what is declared and not yet installed, and what is asked for."""
        declared = tuple(c for pair in self._files for c in self._declared(*pair))
        # What is sure to be compiled tells the same, and names it.
        is_told = any(not each.fetches_wheels for each in declared)
        return declared if is_told else (*self._asked(), *declared)

    def _asked(self) -> Iterator[Compilation]:
        if not self._snapshot.target.builds:
            return
        declared = (build for _, builds in self._files for build in builds)
        framework = _framework(self._installed) or _framework(declared)
        if framework and framework.variant is not Variant.CUDA:
            return
        yield Compilation(
            title="a CUDA extension",
            place=INSTALLED,
            at=framework.at if framework else Location(subject=INSTALLED),
            framework=framework,
            because="it is asked whether one can be compiled here",
        )

    def _declared(
        self, install: InstallSet, builds: tuple[CudaBuild, ...]
    ) -> Iterator[Compilation]:
        """Yield what one installation compiles, where no wheel serves it and nothing brings nvcc."""
        framework = _framework(builds) or _framework(self._installed)
        is_for_cuda = framework is not None and framework.variant is Variant.CUDA
        if not is_for_cuda or self._brings_compiler(install):
            return
        found = [
            (line, project)
            for line in install.requirements(Section.PIP)
            if (project := self._catalog.compiling.project(line.name, line.text))
            and not self._is_there(line, project)
            and not _has_other_index(install, line)
        ]
        if found:
            names = list(dict.fromkeys(line.name or project.title for line, project in found))
            places = tuple(line.location for line, _ in found)
            yield Compilation(
                title=" and ".join((", ".join(names[:-1]), names[-1])) if names[1:] else names[0],
                place=install.name,
                at=places[0],
                framework=framework,
                because=_because(*found[0]),
                projects=tuple(project for _, project in found),
                related=places[1:],
            )

    def _brings_compiler(self, install: InstallSet) -> bool:
        """Tell whether the installation itself brings an nvcc that is not there yet."""
        prefix, packages = self._snapshot.target.prefix, self._catalog.cuda_packages
        if any(root.path == prefix for root in self._roots):
            return False
        rows = (packages.get(("conda", d.name)) for d in install.requirements(Section.CONDA))
        return any(row is not None and row.has_compiler for row in rows)

    def _is_there(self, line: Declared, project: Compiled) -> bool:
        names = {line.name, project.name}
        records = {record.name for record in self._snapshot.records}
        return bool(names & ({d.key for d in self._snapshot.distributions} | records))

    @property
    def _roots(self) -> tuple[CudaRoot, ...]:
        return self.toolchain.roots if self.toolchain else ()

    def other_root(self, cuda: CudaVersion | None) -> CudaRoot | None:
        """Return a folder of CUDA beside the one that is taken, whose nvcc is of a major.

        A whole one is preferred, then one of the same minor release, then the environment's own.
        """
        others = self.toolchain.others if self.toolchain else ()
        fitting = (
            root
            for root in others
            if root.nvcc and root.nvcc.release and (not cuda or root.nvcc.major == cuda.major)
        )
        return min(fitting, key=lambda root: self._distance(root, cuda), default=None)

    def _distance(self, root: CudaRoot, cuda: CudaVersion | None) -> tuple[int, bool]:
        is_exact = root.nvcc is not None and root.nvcc.release == str(cuda)
        return len(self.missing_headers(root)), not is_exact

    def is_of_major(self, compilation: Compilation) -> bool:
        """Tell whether the nvcc that is taken is of the framework's major, or that is unknown."""
        root, cuda = self.toolchain.root if self.toolchain else None, compilation.cuda
        nvcc = root.nvcc if root else None
        return nvcc is not None and (nvcc.major is None or cuda is None or nvcc.major == cuda.major)

    def missing_headers(self, root: CudaRoot) -> tuple[str, ...]:
        """Return the headers of CUDA that the compiler of C++ does not find."""
        elsewhere = self.toolchain.headers_elsewhere if self.toolchain else ()
        found = {*root.headers.get("include", ()), *elsewhere}
        return tuple(name for name in HEADERS if name not in found)

    def folders_of_wheels(self, missing: Iterable[str]) -> tuple[str, ...]:
        """Return the folders of NVIDIA's wheels that have all of some headers; () where none do."""
        wheels = self.toolchain.headers_of_wheels if self.toolchain else {}
        where = [next((f for f, has in wheels.items() if name in has), None) for name in missing]
        return tuple(dict.fromkeys(f for f in where if f)) if all(where) else ()

    def misses_runtime(self, root: CudaRoot) -> bool:
        """Tell whether the linker does not find CUDA's runtime where torch leads it."""
        elsewhere = self.toolchain.libraries_elsewhere if self.toolchain else ()
        return root.library_folder not in root.runtimes and RUNTIME not in elsewhere

    def misses_driver(self, root: CudaRoot) -> bool:
        """Tell whether the linker does not find the driver's library, or its stub."""
        elsewhere = self.toolchain.libraries_elsewhere if self.toolchain else ()
        return root.library_folder not in root.stubs and DRIVER not in elsewhere

    def too_new(self, root: CudaRoot) -> Iterator[tuple[Compiler, int]]:
        """Yield the compilers that nvcc, or torch, refuses, with the newest major that it takes."""
        chain, nvcc = self.toolchain, root.nvcc
        if chain is None or nvcc is None or nvcc.release is None or chain.allows_any:
            return
        judged = (chain.host, None if chain.is_unchecked else chain.cxx)
        seen: set[tuple[str, str | None]] = set()
        for compiler in judged:
            newest = self.newest(compiler, root) if compiler else None
            if compiler is None or newest is None or (compiler.major or 0) <= newest:
                continue
            if (compiler.kind, compiler.release) not in seen:
                yield compiler, newest
            seen.add((compiler.kind, compiler.release))

    def newest(self, compiler: Compiler, root: CudaRoot) -> int | None:
        """Return the newest major of a kind of compiler that a folder's nvcc takes."""
        release = root.nvcc.release if root.nvcc else None
        return self._catalog.compiling.newest(compiler.kind, release) if release else None

    def fitting_compiler(self, newest: int, kind: str) -> Compiler | None:
        """Return the newest other compiler on PATH that is not newer than a major."""
        versioned = self.toolchain.versioned if self.toolchain else ()
        fitting = (c for c in versioned if c.kind == kind and c.major and c.major <= newest)
        return max(fitting, key=lambda c: c.major or 0, default=None)

    def cure(self, compilation: Compilation) -> Cure:
        """Return how an nvcc of the framework's CUDA comes to be taken."""
        target, cuda = self._snapshot.target, compilation.cuda
        other = self.other_root(cuda)
        found = (
            readying.use(other, target, self._mending)
            if other
            else readying.bring(cuda, target, self._mending, self._catalog)
        )
        if not compilation.wheels_at:
            return found
        return found._replace(
            words=f"{found.words}; or install wheels for your torch, from {compilation.wheels_at}"
        )

    def compiler_cure(self, newest: int | None = None) -> Cure:
        """Return how a compiler of C++ that nvcc takes comes to be there."""
        return readying.bring_compiler(newest, self._snapshot.target, self._mending)


def to_be_made(
    installs: Iterable[InstallSet], own: Iterable[InstallSet], snapshot: Snapshot
) -> Iterator[InstallSet]:
    """Yield the files that describe the environment, or that it is likely to be made of.

    A file that names another environment is for that one, where one is looked at.
    """
    prefix, described = snapshot.target.prefix, {install.name for install in own}
    named = {m.path for m in snapshot.manifests if m.environments} if prefix else set()
    for install in installs:
        if install.name in described or (install.is_main and install.path not in named):
            yield install


def _framework(builds: Iterable[CudaBuild]) -> CudaBuild | None:
    """Return the build of torch; of several, the one that tells its CUDA."""
    found = [b for b in builds if b.component == FRAMEWORK and b.role is Role.NEEDS]
    return next((build for build in found if build.cuda), None) or next(iter(found), None)


def _has_other_index(install: InstallSet, line: Declared) -> bool:
    # PyTorch's own index has none of what is compiled.
    return any(not INDEX_TAG.search(index.name) for index in install.indexes(line))


def _because(line: Declared, project: Compiled) -> str:
    sources = "PyPI has no wheel of it"
    if "/" in line.text.partition(";")[0]:
        sources = "what the line leads to has sources alone"
    return f"{project.title} is compiled as it is {'used' if project.at_use else 'installed'}: {sources}"
