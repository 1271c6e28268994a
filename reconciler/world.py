"""The world as rules ask of it: one snapshot, held against the catalog.

A question here is what two rules want to know; its answer is an observation, never a verdict.
"""

from __future__ import annotations

from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from reconciler.builds import breaks, cudnn, drift, families, plays, records, shadows, ties, wheels
from reconciler.builds import declared as declared_lines
from reconciler.builds.building import Building, to_be_made
from reconciler.builds.machines import Machine
from reconciler.builds.meant import DeclaredFiles
from reconciler.builds.mending import Mending, mending_of
from reconciler.builds.required import dependents
from reconciler.builds.supply import Supply
from reconciler.model.cuda import Role, Variant
from reconciler.model.finding import INSTALLED, cause_of
from reconciler.model.ignore import NOTHING_YET, inline_ignores
from reconciler.model.install_set import install_sets
from reconciler.model.installation import installed_twice, lost_records
from reconciler.model.ownership import claimed_files, ownership
from reconciler.model.rivals import declared_rivals, pairs_of, rival_majors, rivals
from reconciler.model.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.builds.hook_audit import HookAudit
    from reconciler.builds.hooking import Hooking
    from reconciler.builds.loading import Loading
    from reconciler.builds.windows_loading import WindowsLoading
    from reconciler.model.break_pair import BreakPair
    from reconciler.model.catalog import Catalog, ImportGroup
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda import CudaBuild, Manager
    from reconciler.model.distribution import Distribution
    from reconciler.model.family import CudnnUse, Drift, Family, Member
    from reconciler.model.host import Shadow
    from reconciler.model.ignore import Ignore, Judged
    from reconciler.model.install_set import InstallSet
    from reconciler.model.installation import Twins
    from reconciler.model.owner import Owner
    from reconciler.model.ownership import ClaimedFile, Ownership
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.rivals import DeclaredRivals, Rivals
    from reconciler.model.snapshot import Snapshot


class World:
    """One snapshot and the catalog; every question is answered once."""

    def __init__(self, snapshot: Snapshot, catalog: Catalog, judged: Judged = NOTHING_YET) -> None:
        self.snapshot = snapshot
        self.catalog = catalog
        #: What came of the other rules, for the rule that is asked last.
        self.judged = judged
        self._libraries_of: dict[str, frozenset[str]] = {}

    @property
    def platform(self) -> str:
        """Conda's name of the platform that is judged."""
        return self.snapshot.target.platform

    @property
    def can_have_cuda(self) -> bool:
        """Whether CUDA exists for the target's platform; NVIDIA ended macOS with CUDA 10.2."""
        return not self.snapshot.target.platform.startswith("osx")

    @property
    def means_cpu(self) -> bool:
        """Whether the user says that no CUDA is meant: ``cuda = "none"``."""
        return self.snapshot.target.cuda == "none"

    @cached_property
    def ignores(self) -> tuple[Ignore, ...]:
        """What comments in the declared files wish to be silent."""
        return tuple(i for manifest in self.snapshot.manifests for i in inline_ignores(manifest))

    @cached_property
    def builds(self) -> tuple[CudaBuild, ...]:
        """What every installed package has to do with CUDA, conda's packages first."""
        if not self.can_have_cuda:
            return ()
        installed = (wheel for named in self.wheels.values() for wheel in named)
        return (
            *records.builds(self.snapshot.records, self.catalog),
            *wheels.builds(installed, self.snapshot, self.catalog),
        )

    @cached_property
    def wheels(self) -> Mapping[str, tuple[Distribution, ...]]:
        """The distributions, by normal name, that are not the other face of a conda package."""
        by_name: dict[str, tuple[Distribution, ...]] = {}
        for wheel in self.ownership.wheels:
            by_name[wheel.key] = (*by_name.get(wheel.key, ()), wheel)
        return by_name

    @cached_property
    def ownership(self) -> Ownership:
        """Who says that a file is theirs, for every path that is recorded."""
        return ownership(self.snapshot.records, self.snapshot.distributions)

    @cached_property
    def claimed_files(self) -> tuple[ClaimedFile, ...]:
        """The files that several packages share, and those that were looked at."""
        looked_at = {file.path: None for file in self.snapshot.payload}
        paths = dict.fromkeys(self.ownership.shared) | looked_at
        return claimed_files(self.ownership, paths, self.snapshot.payload)

    @cached_property
    def shared_files(self) -> tuple[ClaimedFile, ...]:
        """The files that several packages installed with different contents."""
        return tuple(file for file in self.claimed_files if file.is_disputed)

    @cached_property
    def installed_twice(self) -> tuple[Twins, ...]:
        """The distributions that were installed over another of their name."""
        return tuple(installed_twice(self.ownership, self.snapshot))

    @cached_property
    def rivals(self) -> tuple[Rivals, ...]:
        """The pairs of packages that installed the same files with different contents."""
        twins = (
            frozenset(i.owner.path for i in pair)
            for twin in self.installed_twice
            for pair in combinations(twin.installations, 2)
        )
        return tuple(rivals(self.shared_files, frozenset(twins)))

    def twins_of(self, owner: Owner) -> tuple[Twins, ...]:
        """Return the distributions of which a package is one of several installations."""
        return tuple(
            twins
            for twins in self.installed_twice
            if any(i.owner.path == owner.path for i in twins.installations)
        )

    def disputes_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the causes of DUP103 and DUP104 that a package has a part in."""
        pairs = (p for p in self.rivals if any(o.path == owner.path for o in p.owners))
        return (
            *(
                cause_of("distribution-installed-twice", INSTALLED, twins.key)
                for twins in self.twins_of(owner)
            ),
            *(cause_of("files-owned-twice", INSTALLED, "+".join(sorted(p.names))) for p in pairs),
        )

    def declared_rivals(self, install: InstallSet) -> tuple[DeclaredRivals, ...]:
        """Return the pairs of requirements whose wheels install the same libraries."""
        return tuple(declared_rivals(install, self.catalog.collisions))

    def rival_pairs(self, place: str) -> frozenset[frozenset[str]]:
        """Return the names of such pairs in a file, or in what is installed."""
        install = next((s for s in self.install_sets if s.name == place), None)
        return pairs_of(self.declared_rivals(install) if install else self.rivals)

    def rival_majors(self, place: str) -> frozenset[int]:
        """Return the CUDA majors of which a place has nothing but wheels that are such rivals."""
        builds = self._declared_builds.get(place, self.builds)
        return rival_majors(builds, self.rival_pairs(place))

    def dependents(self, name: str) -> tuple[Distribution, ...]:
        """Return the distributions that require a package on this platform, without an extra."""
        return dependents(name, self.snapshot)

    @cached_property
    def lost_records(self) -> tuple[PrefixRecord, ...]:
        """The packages of conda whose distribution is gone from its site-packages."""
        return lost_records(self.ownership, self.snapshot)

    @cached_property
    def records(self) -> Mapping[str, PrefixRecord]:
        """Conda's records by name."""
        return {record.name: record for record in self.snapshot.records}

    @cached_property
    def install_sets(self) -> tuple[InstallSet, ...]:
        """What each declared file installs on the target's platform, by what is combined in it."""
        target, python = self.snapshot.target, self.snapshot.python
        return tuple(
            install_sets(
                self.snapshot.manifests,
                target.platform,
                python=python.version if python else "",
                # What is looked at here is for here; a lone file may be for any machine.
                is_certain=target.prefix is not None or target.platform in target.platforms,
            )
        )

    @cached_property
    def _declared_builds(self) -> Mapping[str, tuple[CudaBuild, ...]]:
        return {
            install.name: tuple(declared_lines.builds(install, self.catalog, self.platform))
            for install in self.install_sets
        }

    def declared_builds(self, install: InstallSet) -> tuple[CudaBuild, ...]:
        """Return what each requirement of an install set has to do with CUDA, as far as it tells."""
        return self._declared_builds[install.name]

    @cached_property
    def files(self) -> DeclaredFiles:
        """What the declared files say by themselves: of conda's channels, and of what is meant."""
        return DeclaredFiles(
            manifests=self.snapshot.manifests,
            installs=self.install_sets,
            builds=self._declared_builds,
            catalog=self.catalog,
            means_cpu=self.means_cpu,
            is_installed=bool(self.records or self.wheels),
        )

    @cached_property
    def supply(self) -> Supply:
        """What indexes have of what the files ask for."""
        return Supply(catalog=self.catalog)

    @cached_property
    def loading(self) -> Loading | None:
        """What the environment's dynamic loader does; None where nothing is known of it."""
        return plays.loading_of(self.snapshot, self.catalog, self.builds)

    @cached_property
    def windows(self) -> WindowsLoading | None:
        """What the loader of Windows does; None on other systems, and where nothing uses CUDA."""
        return plays.windows_of(self.snapshot, self.catalog, self.builds)

    @cached_property
    def mending(self) -> Mending:
        """How what is installed is mended, by the user's own managers."""
        return mending_of(self.snapshot, self.catalog, self.builds, self.frameworks, self.own_sets)

    @cached_property
    def hooking(self) -> Hooking:
        """What the environment's activation has to change, as far as that is proven."""
        facts = self.snapshot, self.loading, self.catalog, self.mending, self.builds
        return plays.hooking_of(*facts)

    @cached_property
    def hook_audit(self) -> HookAudit:
        """The scripts of activation, held against what is proven to be needed."""

        def needs(bare: Snapshot) -> tuple[Loading | None, Hooking]:
            world = World(bare, self.catalog)
            return world.loading, world.hooking

        return plays.hook_audit_of(self.snapshot, needs)

    @cached_property
    def machine(self) -> Machine:
        """The driver and the GPUs that are judged for, and what builds have for them."""
        return Machine(self.snapshot, self.catalog, self.builds, self._declared_builds)

    @cached_property
    def building(self) -> Building:
        """What will be compiled for CUDA, and what stands ready to compile it."""
        meant = to_be_made(self.install_sets, self.own_sets, self.snapshot)
        files = tuple((install, self.declared_builds(install)) for install in meant)
        return Building(self.snapshot, self.catalog, self.builds, files, self.mending)

    def breaks(self, partner: str) -> tuple[BreakPair, ...]:
        """Return what is installed and the installed version of a package breaks."""
        parts = (self.records, self.wheels, self.platform, self.catalog, partner)
        return tuple(breaks.installed(*parts))

    def cuda_users(self, manager: Manager) -> tuple[CudaBuild, ...]:
        """Return the installed packages of one manager that load CUDA's libraries."""
        wanted = (manager, Role.NEEDS, Variant.CUDA)
        return tuple(b for b in self.builds if (b.manager, b.role, b.variant) == wanted)

    def consumer(self, build: CudaBuild | Member) -> Consumer | None:
        """Return the consumer that a build is of; None for CUDA's own packages."""
        return self.catalog.consumers.get(build.component)

    def meets_others(self, build: CudaBuild) -> bool:
        """Tell whether a build brings or loads CUDA's libraries where others can meet them."""
        package = self.catalog.cuda_packages.get((build.manager, build.package))
        if package:
            is_private = build.manager == "pip" and build.package in self._private_wheels
            return (bool(package.brings) or package.pulls_runtime) and not is_private
        consumer = self.consumer(build)
        return consumer is None or not (consumer.links_statically or consumer.does_without(build))

    def states_cuda(self, build: CudaBuild) -> bool:
        """Tell whether a package is there to say, or to pull in, the CUDA that is meant."""
        package = self.catalog.cuda_packages.get((build.manager, build.package))
        return package is not None and (package.pulls_runtime or build.package == "cuda-version")

    @cached_property
    def _private_wheels(self) -> frozenset[str]:
        return ties.private_wheels(self.wheels, self.snapshot, self.catalog)

    def is_framework(self, build: CudaBuild | Member) -> bool:
        """Tell whether a build is a framework, which decides its process's CUDA."""
        consumer = self.consumer(build)
        return consumer is not None and consumer.kind == "framework"

    @cached_property
    def frameworks(self) -> tuple[CudaBuild, ...]:
        """The installed frameworks, conda's first."""
        return tuple(build for build in self.builds if self.is_framework(build))

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The installed frameworks that have extensions, with these."""
        return tuple(families.installed(self.builds, self.wheels, self.records, self.catalog))

    def declared_families(self, install: InstallSet) -> tuple[Family, ...]:
        """Return the frameworks that an install set pins, with the extensions that it pins."""
        builds = self.declared_builds(install)
        return tuple(families.declared(install, builds, self.catalog))

    @cached_property
    def cudnn_uses(self) -> tuple[CudnnUse, ...]:
        """The installed packages that use cuDNN, each with the one that it will meet."""
        parts = (self.builds, self.wheels, self.records, self.snapshot.libraries)
        return tuple(cudnn.installed(*parts, self.catalog))

    def declared_cudnn_uses(self, install: InstallSet) -> tuple[CudnnUse, ...]:
        """Return the pinned users of cuDNN of an install set that pins cuDNN too."""
        return tuple(cudnn.declared(install, self.declared_builds(install), self.catalog))

    @cached_property
    def own_sets(self) -> tuple[InstallSet, ...]:
        """The install sets that describe this environment: by its name, or in its own project."""
        by_path = {manifest.path: manifest for manifest in self.snapshot.manifests}
        return tuple(
            install
            for install in self.install_sets
            if drift.describes(by_path[install.path], install, self.snapshot)
        )

    def drifts(self, install: InstallSet) -> tuple[Drift, ...]:
        """Return what of an install set's CUDA is not what is installed."""
        parts = (self.declared_builds(install), self.builds, self.records)
        return tuple(drift.drifts(install, *parts, self.snapshot, self.catalog))

    @property
    def compiles(self) -> bool:
        """Whether conda brings CUDA's compiler, so that its libraries may be there to build with."""
        return any(b.manager == "conda" and b.component == "cuda-nvcc" for b in self.builds)

    @cached_property
    def has_other_cuda(self) -> bool:
        """Whether CUDA's libraries may come from outside of the environment."""
        return ties.has_other_cuda(self.snapshot)

    def is_depended_on(self, builds: Iterable[CudaBuild]) -> bool:
        """Tell whether a record of conda that is no part of CUDA depends on one of these."""
        return ties.is_depended_on(builds, self.snapshot.records, self.catalog)

    def uses_foreign_cuda(self) -> bool:
        """Tell whether a wheel may load CUDA that no wheel brings."""
        known = (self.builds, self.snapshot, self.catalog)
        return any(ties.may_use_foreign_cuda(wheel, *known) for wheel in self.ownership.wheels)

    def unmet(self, build: CudaBuild) -> Iterator[tuple[str, CudaBuild]]:
        """Yield what a record of conda depends on where an installed build does not satisfy it."""
        return ties.unmet(build, self.builds, self.records)

    def overlapping(self, build: CudaBuild) -> tuple[CudaBuild, ...]:
        """Return the other CUDA wheels whose RECORDs list a library that this one's lists too."""
        if build.manager != "pip":
            return ()
        own = self._libraries(build.package)
        others = (b for b in self.builds if b.manager == "pip" and b.package != build.package)
        return tuple(b for b in others if b.brings and own & self._libraries(b.package))

    def _libraries(self, wheel: str) -> frozenset[str]:
        # Every pair of CUDA wheels is held together, and a RECORD is long: each is read once.
        if wheel not in self._libraries_of:
            paths = (path for d in self.wheels.get(wheel, ()) for path in d.libraries())
            self._libraries_of[wheel] = frozenset(paths)
        return self._libraries_of[wheel]

    def providers(self, group: ImportGroup) -> tuple[Distribution, ...]:
        """Return the wheels that install a group's import package, by their RECORDs."""
        return tuple(
            wheel
            for name in group.pypi
            for wheel in self.wheels.get(name, ())
            if group.holds(name, wheel.version) and wheel.installs(group.import_name)
        )

    @cached_property
    def shadows(self) -> tuple[Shadow, ...]:
        """What lies outside of the prefix, and is imported in place of the prefix's own."""
        return tuple(shadows.shadows(self.snapshot, self.catalog))

    @cached_property
    def shell(self) -> Shell:
        """The shell's variables that name a folder."""
        return Shell(paths=self.snapshot.variable_paths, prefix=self.snapshot.target.prefix)
