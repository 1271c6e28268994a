"""Where an environment differs from a file that describes it, in what has to do with CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.builds.declared import pinned_version
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import InvalidCondaVersion
from reconciler.model.cuda import KnownBy
from reconciler.model.family import Drift, release_of
from reconciler.model.install_set import MAIN
from reconciler.model.manifest import MANAGERS, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.distribution import Distribution
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared, Manifest
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.snapshot import Snapshot


def describes(manifest: Manifest, install: InstallSet, snapshot: Snapshot) -> bool:
    """Tell whether a file of the project is the one that an environment was made from."""
    target = snapshot.target
    if target.prefix is None or install.name != install.path:
        return False
    if manifest.environments:
        return manifest is _named(snapshot, {target.prefix, target.prefix.rpartition("/")[2]})
    # A file without a name is that of the environment that lies in the project itself, unless
    # that holds something else: tools to develop with.
    asked = {line.name for line in install.requirements(Section.PIP)}
    there = asked & {wheel.key for wheel in snapshot.distributions}
    is_own = install.is_main and target.prefix.startswith(f"{target.project}/")
    return is_own and len(there) * 2 >= len(asked)


def _named(snapshot: Snapshot, names: set[str]) -> Manifest | None:
    """Return the file that an environment of one of these names was made from.

    It is that of the project's own folder; deeper ones may be examples, unless there is but one.
    """
    named = [m for m in snapshot.manifests if names & {*m.environments}]
    main = [manifest for manifest in named if manifest.path in MAIN]
    if len(main) == 1 or len(named) == 1:
        return (main or named)[0]
    return None


def drifts(  # noqa: PLR0913, PLR0917 - what is asked, held against what is there
    install: InstallSet,
    asked: tuple[CudaBuild, ...],
    installed: tuple[CudaBuild, ...],
    records: Mapping[str, PrefixRecord],
    snapshot: Snapshot,
    catalog: Catalog,
) -> Iterator[Drift]:
    """Yield each line that asks for another version or build than is installed."""
    by_line = {(build.at.path, build.at.line, build.package): build for build in asked}
    by_package = {(build.manager, build.package): build for build in installed}
    wheels = {wheel.key: wheel for wheel in snapshot.distributions}
    for section, manager in MANAGERS.items():
        if section is Section.CONDA and snapshot.target.kind != "conda":
            continue
        for line in install.requirements(section):
            consumer = catalog.consumer(manager, line.name)
            if consumer is None and (manager, line.name) not in catalog.cuda_packages:
                continue
            if (
                section is Section.PIP
                and line.name not in wheels
                and _serves(line, records, catalog)
            ):
                continue
            there = by_package.get((manager, line.name))
            build = by_line.get((line.path, line.line, line.name))
            found = (
                _of_conda(line, records.get(line.name))
                if section is Section.CONDA
                else _of_pip(line, wheels.get(line.name))
            ) or _of_index(build, there)
            if found:
                component = consumer.name if consumer else ""
                yield Drift(
                    line=line, found=found, component=component, asked=build, installed=there
                )


def _serves(line: Declared, records: Mapping[str, PrefixRecord], catalog: Catalog) -> bool:
    """Tell whether conda has what serves for a wheel, under another name: cupy for cupy-cuda12x."""
    row = catalog.naming.counterpart(line.name)
    return row is not None and any(name in records for name in row.conda)


def _of_conda(line: Declared, record: PrefixRecord | None) -> str:
    """Return what is installed instead; "" where it is what the line asks for."""
    if record is None:
        return "is not installed"
    try:
        spec = CondaSpec.parse(line.text)
        if spec.matches(record.version, record.build, record.build_number):
            return ""
    except (InvalidCondaSpec, InvalidCondaVersion):
        return ""
    return f"is {record.version} in its build {record.build}" if record.build else f"is {record}"


def _of_pip(line: Declared, wheel: Distribution | None) -> str:
    if wheel is None:
        # A marker may ask for another Python, which is not evaluated here.
        return "" if ";" in line.text else "is not installed"
    pin = pinned_version(line)
    if not pin or ".*" in pin:
        return ""
    # conda numbers its builds in the version: 2.3.1.post300.
    same = release_of(pin) == release_of(wheel.version)
    if wheel.installer == "conda" or ("+" not in pin and same):
        return "" if same else f"is {wheel.version}"
    return "" if pin == wheel.version else f"is {wheel.version}"


def _of_index(asked: CudaBuild | None, there: CudaBuild | None) -> str:
    """Return the build that is installed where an index gives another one."""
    if asked is None or there is None or asked.known_by is not KnownBy.INDEX:
        return ""
    exact = all(build.cuda and build.cuda.minor is not None for build in (asked, there))
    differs = asked.variant is not there.variant or (exact and asked.cuda != there.cuda)
    return f"is for {there.words}" if differs else ""
