"""The driver and the GPUs that are judged for, and what builds have for them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from reconciler.model.cuda import CudaVersion, Role, Variant
from reconciler.model.finding import INSTALLED
from reconciler.model.gpu_code import GpuArchitecture
from reconciler.model.host import DriverRelease
from reconciler.model.library import path_pattern
from reconciler.model.machine import Coverage, Driver, KnownGpu
from reconciler.model.machines import COMPATIBLE_SINCE, system_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.gpu_code import GpuCode, LibraryGpuCode
    from reconciler.model.host import CompatLibrary
    from reconciler.model.snapshot import Snapshot


#: What conda, and whoever solves for another machine, takes for the driver's CUDA:
#: docs.conda.io/projects/conda/en/latest/user-guide/tasks/manage-virtual.html
OVERRIDE = "CONDA_OVERRIDE_CUDA"


class Machine:
    """What rules ask of the driver and the GPUs; every question is answered once."""

    def __init__(
        self,
        snapshot: Snapshot,
        catalog: Catalog,
        installed: tuple[CudaBuild, ...],
        declared: Mapping[str, tuple[CudaBuild, ...]],
    ) -> None:
        self._snapshot = snapshot
        self._catalog = catalog
        self._installed = installed
        self._declared = declared
        self._platform = snapshot.target.platform

    @cached_property
    def driver(self) -> Driver | None:
        """The driver that is judged for; None where the machine has none."""
        return driver_of(self._snapshot, self._catalog)

    @cached_property
    def gpus(self) -> tuple[KnownGpu, ...]:
        """The GPUs that are judged for, of which it is known what code they run."""
        return tuple(gpus_of(self._snapshot, self._catalog))

    @cached_property
    def installed(self) -> tuple[CudaBuild, ...]:
        """What is installed and uses the GPU."""
        return self._using(self._installed)

    @cached_property
    def builds(self) -> Mapping[str, tuple[CudaBuild, ...]]:
        """What uses the GPU, by place: what is installed, and files where a driver is named.

        What a file declares may be for any machine, until the user says for which.
        """
        is_named = self.driver is not None and self.driver.said_by is not None
        return {INSTALLED: self.installed, **(self._of_files if is_named else {})}

    @cached_property
    def _of_files(self) -> Mapping[str, tuple[CudaBuild, ...]]:
        return {place: self._using(builds) for place, builds in self._declared.items()}

    def _using(self, builds: Iterable[CudaBuild]) -> tuple[CudaBuild, ...]:
        return tuple(build for build in builds if uses_gpu(build, self._catalog))

    @cached_property
    def coverages(self) -> Mapping[str, tuple[Coverage, ...]]:
        """What builds have for the GPUs, by place: files only where a GPU is named."""
        read = {INSTALLED: self._snapshot.gpu_code}
        of_files = self._of_files if self._snapshot.target.gpus else {}
        return {
            place: tuple(
                coverages(builds, self.gpus, read.get(place, ()), self._platform, self._catalog)
            )
            for place, builds in {INSTALLED: self.installed, **of_files}.items()
        }

    @cached_property
    def stand_in(self) -> CompatLibrary | None:
        """The library of cuda-compat that the loader comes to, in the place of the driver's."""
        around = self._snapshot.surroundings
        reached = (each for each in (around.compat if around else ()) if each.reached_by)
        return next(reached, None)

    @property
    def words(self) -> Iterator[str]:
        """What is judged for, as a report says it; nothing where nothing is known."""
        if self.driver is not None:
            yield f"{self.driver}" + (f" by {self.driver.said_by}" if self.driver.said_by else "")
        for gpu in self.gpus:
            memory = f", {gpu.memory / 1e9:.0f} GB" if gpu.memory else ""
            yield f"{gpu.title}{memory}" + (", parted (MIG)" if gpu.is_parted else "")
        around = self._snapshot.surroundings
        if around and around.is_wsl:
            yield "WSL"
        if around and around.container:
            yield f"a container ({around.container})"

    def serves(self, cuda: CudaVersion) -> bool:
        """Tell whether the driver runs what was built for a CUDA release."""
        return self.driver is None or serves(self.driver, cuda, self._platform, self._catalog)

    def compiles(self, cuda: CudaVersion) -> bool:
        """Tell whether the driver compiles the PTX of a CUDA release."""
        return self.driver is None or compiles(self.driver, cuda)

    def least_driver(self, cuda: CudaVersion) -> DriverRelease | None:
        """Return the oldest driver that runs what was built for a CUDA release."""
        return self._catalog.machines.least_driver(cuda, system_of(self._platform))


def driver_of(snapshot: Snapshot, catalog: Catalog) -> Driver | None:
    """Return the driver that is judged for: the user's word, else the machine's own."""
    target = snapshot.target
    if release := DriverRelease.known(target.driver):
        return _with_cuda(release, snapshot, catalog, f"--driver {target.driver}")
    override = snapshot.variables.get(OVERRIDE, "")
    if cuda := CudaVersion.parse(override):
        return Driver(cuda=cuda, said_by=f"{OVERRIDE}={override}")
    if snapshot.driver is None:
        return None
    return _with_cuda(snapshot.driver, snapshot, catalog, None)


def _with_cuda(
    release: DriverRelease, snapshot: Snapshot, catalog: Catalog, said_by: str | None
) -> Driver:
    told = snapshot.gpus.cuda if snapshot.gpus and said_by is None else None
    system = system_of(snapshot.target.platform)
    cuda = CudaVersion.parse(told or "") or catalog.machines.newest_cuda(release, system)
    return Driver(release=release, cuda=cuda, said_by=said_by)


def serves(driver: Driver, cuda: CudaVersion, platform: str, catalog: Catalog) -> bool:
    """Tell whether a driver runs what was built for a release; so too where no row tells."""
    if driver.release is None:
        return driver.cuda is None or _speaks(driver.cuda, cuda)
    least = catalog.machines.least_driver(cuda, system_of(platform))
    return least is None or driver.release.is_at_least(least)


def _speaks(own: CudaVersion, cuda: CudaVersion) -> bool:
    # From CUDA 11 on, a driver of any minor release runs them all.
    if cuda.major >= COMPATIBLE_SINCE:
        return own.major >= cuda.major
    return (own.major, own.minor or 0) >= (cuda.major, cuda.minor or 0)


def compiles(driver: Driver, cuda: CudaVersion) -> bool:
    """Tell whether a driver compiles the PTX of a release: of its own CUDA, and of older ones."""
    own = driver.cuda
    if own is None or None in {own.minor, cuda.minor}:
        return own is None or own.major >= cuda.major
    return (own.major, own.minor or 0) >= (cuda.major, cuda.minor or 0)


def gpus_of(snapshot: Snapshot, catalog: Catalog) -> Iterator[KnownGpu]:
    """Yield the GPUs that are judged for, one of each title."""
    target = snapshot.target
    for text in target.gpus:
        if named := GpuArchitecture.known(text):
            yield KnownGpu(title=f"a GPU of {text}", architecture=named)
    devices = snapshot.gpus.devices if snapshot.gpus and not target.gpus else ()
    for gpu in dict.fromkeys(devices):
        architecture = (
            GpuArchitecture.of_capability(gpu.capability)
            if gpu.capability
            else catalog.machines.architecture_of(gpu.name)
        )
        if architecture:
            yield KnownGpu(
                title=f"{gpu.name} (sm_{architecture})",
                architecture=architecture,
                is_for_games="GeForce" in gpu.name,
                is_parted=gpu.is_parted,
                memory=gpu.memory,
            )


def uses_gpu(build: CudaBuild, catalog: Catalog) -> bool:
    """Tell whether a build is there for the GPU, and not one that does as well without."""
    consumer = catalog.consumers.get(build.component)
    is_for_cuda = build.role is Role.NEEDS and build.variant is Variant.CUDA
    return is_for_cuda and consumer is not None and not consumer.does_without(build)


def coverages(
    builds: Iterable[CudaBuild],
    gpus: Iterable[KnownGpu],
    libraries: Iterable[LibraryGpuCode],
    platform: str,
    catalog: Catalog,
) -> Iterator[Coverage]:
    """Yield what each project has for each GPU, where it is known what it has code for."""
    # conda parts a project in several packages, of which any stands for it.
    by_component = {build.component: build for build in builds if uses_gpu(build, catalog)}
    known = tuple(gpus)
    for component, build in by_component.items():
        held = [each for each in libraries if _holds(catalog.consumers[component], each.path)]
        code = tuple(code for each in held for code in each.code)
        paths = tuple(each.path for each in held) if code else ()
        told = code or catalog.machines.released_code(
            build.package, build.version, build.cuda, platform
        )
        for gpu in known if told else ():
            yield Coverage(build=build, gpu=gpu, by=_by(told, gpu), code=told, paths=paths)


def _holds(consumer: Consumer, path: str) -> bool:
    stem = path.rpartition("/")[2].partition(".so")[0]
    inside = path.rpartition("site-packages/")[2]
    is_module = path_pattern(consumer.kernel_modules).fullmatch(inside) is not None
    return stem in consumer.kernel_libraries or is_module


def _by(code: Iterable[GpuCode], gpu: KnownGpu) -> Literal["sass", "ptx", "nothing"]:
    kinds = {each.kind for each in code if each.runs_on(gpu.architecture)}
    return "sass" if "sass" in kinds else "ptx" if kinds else "nothing"
