"""Whether what an installation asks for is meant for a GPU, or for the CPU, by what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.builds import breaks
from reconciler.builds.declared import INDEX_TAG
from reconciler.builds.disagreements import disagreements
from reconciler.builds.images import base_image
from reconciler.builds.line_fixes import LineFixes
from reconciler.builds.open_lines import cpu_wheels, open_builds
from reconciler.builds.selecting import Selecting
from reconciler.builds.witness import read_build_string
from reconciler.model.catalog import Catalog
from reconciler.model.conda_side import CondaSide, Served, read_conda_side, served
from reconciler.model.cuda import CudaBuild, KnownBy, Variant
from reconciler.model.finding import Location
from reconciler.model.install_set import InstallSet
from reconciler.model.manifest import IndexRole, Kind, Manifest, Section
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.break_pair import BreakPair
    from reconciler.model.channels import Channel, PlatformBuild
    from reconciler.model.conda_side import Asked
    from reconciler.model.cuda import Manager
    from reconciler.model.disagreement import Disagreement
    from reconciler.model.image import BaseImage
    from reconciler.model.manifest import Declared

_GPU_NAME = re.compile(r"(?:^|[^a-z])(?:gpus?|cuda)(?![a-z])")
_CPU_NAME = re.compile(
    r"(?:^|[^a-z])(?:cpu(?:only)?|mac(?:os)?|osx|darwin|rocm|amd|hip|mps|no-?gpu)(?![a-z])"
)
_TELLING = frozenset({KnownBy.LOCAL_VERSION, KnownBy.NAME, KnownBy.BUILD_STRING, KnownBy.INDEX})

_FRAMEWORKS = ("pytorch", "tensorflow-gpu", "tensorflow", "tensorflow-base", "jaxlib")


class Meant(Struct, frozen=True, kw_only=True):
    """The signs of what an installation is meant for."""

    #: In words, the plainest first: ``conda cudatoolkit=11.8``, ``its name environment-gpu.yml``.
    gpu: tuple[str, ...] = ()
    cpu: tuple[str, ...] = ()
    #: Where the signs for a GPU stand, as far as they are lines.
    lines: tuple[Location, ...] = ()

    @property
    def is_for_gpu(self) -> bool:
        """Whether a GPU is meant, and nothing says that the CPU is."""
        return bool(self.gpu) and not self.cpu


class DeclaredFiles(Struct, frozen=True, kw_only=True, dict=True):
    """The install sets of one world, with the questions that need no environment."""

    manifests: tuple[Manifest, ...]
    installs: tuple[InstallSet, ...]
    #: What each asks of CUDA, by its name.
    builds: Mapping[str, tuple[CudaBuild, ...]]
    catalog: Catalog
    #: Whether the user says that no CUDA is meant.
    means_cpu: bool = False
    #: Whether an environment is seen as well: what a file leaves open is judged as it came.
    is_installed: bool = False

    @cached_property
    def _sides(self) -> Mapping[str, CondaSide]:
        channels = self.catalog.channels
        return {install.name: read_conda_side(install, channels) for install in self.installs}

    def conda(self, install: InstallSet) -> CondaSide:
        """Return what an install set asks of conda."""
        return self._sides[install.name]

    def selecting(self, install: InstallSet) -> Selecting:
        """Return what edits the conda section of a set, so that it asks for a build for CUDA."""
        return Selecting(install=install, side=self.conda(install), catalog=self.catalog)

    def fixing(self, install: InstallSet) -> LineFixes:
        """Return what tells which of several lines of a set stays."""
        builds = (*self.builds[install.name], *self.open_builds(install))
        return LineFixes(
            install=install, catalog=self.catalog, builds=builds, manifests=self.manifests
        )

    def base_image(self, install: InstallSet) -> BaseImage | None:
        """Return the container's image that a set is built from, where it brings CUDA."""
        return base_image(install, self.catalog)

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """What files that describe the same environment pin differently."""
        return tuple(disagreements(self.manifests, self.installs, self.catalog))

    def served(self, install: InstallSet, asked: Asked, selector: Asked) -> Served | None:
        """Return what conda's channels have for a line; None where that is not known."""
        return served(self.conda(install), asked, selector, self.catalog.channels)

    @cached_property
    def _open(self) -> Mapping[str, tuple[CudaBuild, ...]]:
        return {
            install.name: tuple(open_builds(install, self.conda(install), self.catalog))
            for install in self.installs
        }

    def open_builds(self, install: InstallSet) -> tuple[CudaBuild, ...]:
        """Return what PyPI has today for the frameworks that a set does not pin."""
        return self._open[install.name]

    def cpu_wheels(self, install: InstallSet) -> tuple[tuple[Declared, PlatformBuild], ...]:
        """Return what PyPI has only for the CPU on a set's platform, where a GPU is meant."""
        if not self.meant(install).is_for_gpu:
            return ()
        return tuple(cpu_wheels(install, self.conda(install), self.catalog))

    def breaks(self, install: InstallSet, partner: str) -> tuple[BreakPair, ...]:
        """Return what a set pins and some versions of a package break."""
        found = breaks.declared(install, self.conda(install), self.catalog, partner)
        return tuple(pair for pair in found if pair.is_certain or not self.is_installed)

    def builds_beside_conda(self, install: InstallSet) -> tuple[CudaBuild, ...]:
        """Return what a set asks of CUDA, with its unpinned wheels where conda brings CUDA too."""
        pinned = self.builds[install.name]
        is_beside = any(
            build.manager == "conda" and build.variant is Variant.CUDA for build in pinned
        )
        return (*pinned, *self.open_builds(install)) if is_beside else pinned

    def releases(self, selector: Asked) -> tuple[str, ...]:
        """Return the releases that are allowed of a package by which builds say their CUDA."""
        return selector.releases(self.catalog.channels.releases_of(selector.spec.name))

    def selections(self, install: InstallSet) -> Iterator[tuple[Asked, Asked]]:
        """Yield what is to select the CUDA of a framework's build, with the framework's line."""
        side = self.conda(install)
        for name in _FRAMEWORKS:
            framework = side.of(name)
            # Who names a build has seen it; cudatoolkit beside pytorch-cuda selects nothing more.
            selector = side.of("pytorch-cuda") if name == "pytorch" else None
            selector = selector or side.of("cudatoolkit")
            if framework and selector and not _names_cuda(framework):
                yield selector, framework

    def project(self, asked: Asked) -> str:
        """Return the name of the project that a line of conda asks for; "" for others."""
        consumer = self.catalog.consumer("conda", asked.spec.name)
        return consumer.name if consumer else ""

    def uses_beside(self, install: InstallSet, name: str) -> bool:
        """Tell whether a set asks for a user of CUDA that is not a project, nor extends it."""
        lines = ((line.section.value, line.name) for line in install.of_kind(Kind.REQUIREMENT))
        consumers = (self.catalog.consumer("conda" if s == "conda" else "pip", n) for s, n in lines)
        return any(c and name not in {c.name, c.extends} for c in consumers)

    def users(self, install: InstallSet, manager: Manager) -> tuple[Declared, ...]:
        """Return what a set asks one manager for that is built against CUDA."""
        lines = install.requirements(Section(manager))
        return tuple(line for line in lines if self.catalog.consumer(manager, line.name))

    def undecided(self, install: InstallSet) -> Iterator[tuple[Asked, str]]:
        """Yield the frameworks that the channel of a set has for both, with what asks for CUDA."""
        side, channels = self.conda(install), self.catalog.channels
        for name in _FRAMEWORKS:
            framework = side.of(name)
            consumer = self.catalog.consumer("conda", name)
            if framework is None or consumer is None or framework.spec.build:
                continue
            by_name = sorted({*consumer.gpu_only} & {*consumer.conda})
            # What selects a build is judged by DEC709 and, where it does not, by DEC710 itself.
            if side.of("pytorch-cuda", "cudatoolkit", *by_name):
                continue
            first = self._first_source(side, framework)
            if channels.builds(first, name) and channels.may_serve(first, name):
                pinned = framework.spec.pinned_version
                version = f"={pinned}" if pinned else ""
                exact = f"{by_name[0]}{version}" if by_name else f"{name}{version or '=*'}=*cuda*"
                yield framework, exact

    def torn_apart(self, install: InstallSet) -> tuple[tuple[Asked, ...], Asked | None]:
        """Return the parts of CUDA that come from one channel, and what another builds on its own."""
        side = self.conda(install)
        for row in self.catalog.channels.known.values():
            if not row.clashes_with or not side.prefers(row.name, row.clashes_with):
                continue
            parts = tuple(a for a in side.asked if self._is_part(a, row))
            users = (a for a in side.asked if a.channel in {"", row.clashes_with})
            user = next((a for a in users if self._is_user(side, a, row.clashes_with)), None)
            if not side.of("pytorch-cuda"):
                return parts, user
        return (), None

    def _is_part(self, asked: Asked, row: Channel) -> bool:
        package = self.catalog.cuda_packages.get(("conda", asked.spec.name))
        pinned = asked.spec.pinned_version
        if package is None or package.cuda_in != "version" or not pinned:
            return False
        release = numbers(pinned)[:2]
        fits = numbers(row.clash_since) <= release <= numbers(row.clash_last)
        # A label of the channel is one release, cut and tied together by itself.
        return fits and asked.channel in {"", row.name} and "/label/" not in asked.line.text

    def _is_user(self, side: CondaSide, asked: Asked, channel: str) -> bool:
        consumer = self.catalog.consumer("conda", asked.spec.name)
        is_of_channel = self._first_source(side, asked) in {"", channel}
        is_built_on_cuda = consumer is not None and consumer.kind != "extension"
        return is_built_on_cuda and is_of_channel

    def _first_source(self, side: CondaSide, asked: Asked) -> str:
        """Return the first channel that may have a package; "" where none is known to have it."""
        sources, name = side.sources(asked), asked.spec.name
        channels = self.catalog.channels
        return next((c for c in sources if "/" in c or channels.may_have(c, name)), "")

    @cached_property
    def _meant(self) -> Mapping[str, Meant]:
        return {install.name: self._read_meant(install) for install in self.installs}

    def meant(self, install: InstallSet) -> Meant:
        """Return for which kind of processor an install set is meant."""
        return self._meant[install.name]

    def _read_meant(self, install: InstallSet) -> Meant:
        builds = self.builds[install.name]
        lines = [build.at for build in builds if self._asks_for_gpu(build)]
        used = {line.index for line in install.requirements(Section.PIP)}
        lines += [
            index.location
            for index in install.indexes()
            if _is_of_cuda(index.name)
            and (index.role is not IndexRole.EXPLICIT or index.name in used)
        ]
        names = [*self._names(install)]
        cpu = [f"its name {name}" for name in names if _CPU_NAME.search(name.lower())]
        cpu += [build.at.subject for build in builds if _asks_for_cpu(build)]
        if self.means_cpu:
            cpu.append("the settings")
        if only := self.conda(install).of("cpuonly"):
            cpu.append(only.line.location.subject)
        gpu = [line.subject for line in lines]
        gpu += [f"its name {name}" for name in names if _GPU_NAME.search(name.lower())]
        return Meant(gpu=tuple(gpu), cpu=tuple(cpu), lines=tuple(lines))

    def _names(self, install: InstallSet) -> Iterator[str]:
        """Yield what a file is called, by its own name and by the environments that it names."""
        yield install.name.rpartition("/")[2]
        for manifest in self.manifests:
            if manifest.path == install.path:
                names = manifest.environments
                yield from (name for name in names if "/" not in name and "\\" not in name)

    def _asks_for_gpu(self, build: CudaBuild) -> bool:
        if build.variant is not Variant.CUDA:
            return False
        is_cuda = (build.manager, build.package) in self.catalog.cuda_packages
        return is_cuda or build.known_by in _TELLING


def _names_cuda(asked: Asked) -> bool:
    known = read_build_string(asked.spec.build or "")
    return known is not None and known.variant is Variant.CUDA


def _asks_for_cpu(build: CudaBuild) -> bool:
    # conda's export of an environment for a GPU may hold a build for the CPU by accident.
    by_words = build.known_by in _TELLING - {KnownBy.BUILD_STRING}
    return by_words and build.variant in {Variant.CPU, Variant.ROCM}


def _is_of_cuda(url: str) -> bool:
    match = INDEX_TAG.search(url)
    return match is not None and match[1].startswith("cu")
