"""Frameworks with the extensions that are loaded into them, and what these were made for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.builds.declared import pinned_version
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.distribution import required_name
from reconciler.model.family import Family, Member, Pairing
from reconciler.model.finding import Location
from reconciler.model.manifest import MANAGERS, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.distribution import Distribution
    from reconciler.model.install_set import InstallSet
    from reconciler.model.prefix import PrefixRecord

# torch==2.5.1, torch (==2.1.2), torch==2.0.0+cu117, torch>=2.14.0: one clause, and no more.
_REQUIRED = re.compile(r"[\w.-]+\s*\(?\s*(==|>=)\s*(\d+(?:\.\d+)*)(\.\*)?(?:\+\w+)?\s*\)?")
# pt24cu118 (data.pyg.org), cu12torch2.4cxx11abiFALSE (flash-attn, mamba, causal-conv1d).
_LABEL = re.compile(r"(?:^|[^a-z])pt(\d)(\d+)|torch(\d+)\.(\d+)")


def installed(
    builds: Iterable[CudaBuild],
    wheels: Mapping[str, tuple[Distribution, ...]],
    records: Mapping[str, PrefixRecord],
    catalog: Catalog,
) -> Iterator[Family]:
    """Yield each installed framework with its extensions; conda's with conda's are the solver's."""
    by_package = {(build.manager, build.package): build for build in builds}
    pip: list[Member] = []
    for wheel in (wheel for named in wheels.values() for wheel in named):
        if consumer := catalog.consumer("pip", wheel.key):
            member = of_wheel(wheel, consumer, by_package.get(("pip", wheel.key)))
            pip.append(replace(member, pairing=_pairing(wheel, consumer, catalog)))
    conda: list[Member] = []
    for record in records.values():
        if consumer := catalog.consumer("conda", record.name):
            member = of_record(record, consumer, by_package.get(("conda", record.name)))
            conda.append(replace(member, pairing=_by_depends(record, consumer, catalog)))
    yield from _families(pip, conda, catalog)


def declared(
    install: InstallSet, builds: Iterable[CudaBuild], catalog: Catalog
) -> Iterator[Family]:
    """Yield each framework that a set pins, with the extensions that it pins for pip."""
    by_package = {(build.manager, build.package): build for build in builds}
    members: dict[Section, list[Member]] = {section: [] for section in Section}
    for section, manager in MANAGERS.items():
        for line in install.requirements(section):
            consumer = catalog.consumer(manager, line.name)
            if consumer is None or not (version := pinned_version(line)):
                continue
            member = Member(
                manager=manager,
                package=line.name,
                version=version,
                component=consumer.name,
                build=by_package.get((manager, line.name)),
                pairing=_by_table(line.name, version, catalog) if manager == "pip" else None,
                at=line.location,
            )
            members[section].append(member)
    yield from _families(members[Section.PIP], members[Section.CONDA], catalog)


def _families(pip: list[Member], conda: list[Member], catalog: Catalog) -> Iterator[Family]:
    """Match the members; an extension is held against its own manager's framework first."""
    frameworks = {(m.manager, m.component): m for m in _frameworks([*conda, *pip], catalog)}
    for (manager, name), framework in frameworks.items():
        own, others = (pip, conda) if manager == "pip" else (conda, pip)
        other = "conda" if manager == "pip" else "pip"
        alone = (other, name) not in frameworks
        # What conda's solver has put together, it has held against each other.
        near = own if manager == "pip" else ()
        extensions = tuple(
            member
            for member in (*near, *(others if alone else ()))
            if catalog.consumers[member.component].extends == name
        )
        if extensions:
            yield Family(framework=framework, extensions=extensions)


def _frameworks(members: Iterable[Member], catalog: Catalog) -> Iterator[Member]:
    found = [m for m in members if catalog.consumers[m.component].kind == "framework"]
    # A metapackage such as pytorch-gpu, and libtorch, stand behind what people know.
    yield from sorted(found, key=lambda m: m.package in {m.component, f"py{m.component}"})


def of_wheel(distribution: Distribution, consumer: Consumer, build: CudaBuild | None) -> Member:
    """Return an installed wheel as a member of its family."""
    file = f"{distribution.location}/{distribution.directory}/METADATA"
    return Member(
        manager="pip",
        package=distribution.key,
        version=distribution.version,
        component=consumer.name,
        build=build,
        at=Location(subject=f"pip {distribution}", path=file, in_prefix=True),
    )


def of_record(record: PrefixRecord, consumer: Consumer, build: CudaBuild | None) -> Member:
    """Return a record of conda as a member of its family."""
    file = f"conda-meta/{record.name}-{record.version}-{record.build}.json"
    return Member(
        manager="conda",
        package=record.name,
        version=record.version,
        component=consumer.name,
        build=build,
        at=Location(subject=f"conda {record}", path=file, in_prefix=True),
    )


def _pairing(distribution: Distribution, consumer: Consumer, catalog: Catalog) -> Pairing | None:
    framework = catalog.consumers.get(consumer.extends or "")
    if framework is None:
        return None
    for requirement in distribution.requires:
        text = requirement.partition(";")[0].strip()
        if required_name(text) in framework.pypi and (match := _REQUIRED.fullmatch(text)):
            return Pairing(
                release=match[2], or_later=match[1] == ">=", evidence=f"it requires {text}"
            )
    if match := _LABEL.search(distribution.local):
        release = ".".join(part for part in match.groups() if part)
        return Pairing(release=release, evidence=f"its version {distribution.version}")
    return _by_table(distribution.key, distribution.version, catalog)


def _by_table(package: str, version: str, catalog: Catalog) -> Pairing | None:
    if match := _LABEL.search(version.partition("+")[2]):
        release = ".".join(part for part in match.groups() if part)
        return Pairing(release=release, evidence=f"its version {version}")
    row = catalog.pair(package, version)
    if row is None:
        return None
    later = " or later" if row.or_later else ""
    evidence = f"{package} {row.version} was released for {row.framework} {row.release}{later}"
    return Pairing(release=row.release, or_later=row.or_later, evidence=evidence)


def _by_depends(record: PrefixRecord, consumer: Consumer, catalog: Catalog) -> Pairing | None:
    """Read which minor release of its framework a record asks for."""
    framework = catalog.consumers.get(consumer.extends or "")
    for text in record.depends if framework else ():
        if framework is None or text.partition(" ")[0] not in framework.conda:
            continue
        try:
            version = CondaSpec.parse(text).version
        except InvalidCondaSpec:
            continue
        # >=2.4.1,<2.5.0a0 is a build for 2.4, ==2.3.1 one for 2.3.1.
        if match := re.fullmatch(r"==(\d[\d.]*)|>=(\d+\.\d+)[^,|]*,<\d[^,|]*", version or ""):
            return Pairing(release=match[1] or match[2], evidence=f"it depends on {text}")
    return None
