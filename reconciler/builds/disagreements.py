"""What files say differently that describe the same environment."""

from __future__ import annotations

import re
from itertools import combinations
from posixpath import basename, dirname, join
from typing import TYPE_CHECKING

from reconciler.builds.declared import pinned_version
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import InvalidCondaVersion, parse_version
from reconciler.model.disagreement import Disagreement, Relation
from reconciler.model.manifest import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import Manager
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared, Manifest

#: What locks are made of that do not say so, by their format.
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "uv_lock": ("pyproject.toml",),
    "poetry_lock": ("pyproject.toml",),
}
# conda-lock's files for one platform, conda-linux-64.lock, and what pip-compile writes.
_OF_CONDA_LOCK = re.compile(r"conda-[\w-]+\.lock")
# What tells of a variant in a file's name: these are not about one environment.
_VARIANT = re.compile(
    r"(?:^|[^a-z0-9])(?:cpu|gpu|cuda|cu\d+|rocm|hip|mps|linux|win(?:dows)?|mac(?:os)?|osx|darwin|arm"
    r"(?:64)?|aarch64|m[1-4]|py(?:thon)?\d*|tests?|ci|docs?|dev|min(?:imal)?|latest|old|legacy|colab"
    r"|full|lite?|base|lock|build|export|\d[\d.]*|v\d+)(?![a-z])"
    r"|cuda|gpu|cpu|rocm|\d"
)
_OPTIONS = re.compile(r"\s--?\w.*$", re.DOTALL)


def disagreements(
    manifests: Sequence[Manifest], installs: Sequence[InstallSet], catalog: Catalog
) -> Iterator[Disagreement]:
    """Yield what related files pin differently, of all that has to do with CUDA."""
    by_path = {manifest.path: manifest for manifest in manifests}
    sets: dict[str, list[InstallSet]] = {}
    for install in installs:
        sets.setdefault(install.path, []).append(install)
    for manifest in manifests:
        for source in _sources(manifest):
            if source in by_path and source != manifest.path:
                yield from _stale(sets.get(source, ()), sets.get(manifest.path, ()), catalog)
    for first, second in combinations(manifests, 2):
        if _is_same_environment(first, second):
            yield from _contrary(sets.get(first.path, ()), sets.get(second.path, ()), catalog)
    for install in installs:
        yield from _within(install, catalog)


def _sources(manifest: Manifest) -> Iterator[str]:
    folder, name = dirname(manifest.path), basename(manifest.path)
    yield from manifest.sources
    yield from (join(folder, source) for source in _SOURCES.get(manifest.format, ()))
    if _OF_CONDA_LOCK.fullmatch(name):
        yield join(folder, "environment.yml")
    if manifest.format == "requirements_txt" and name.endswith(".txt"):
        yield join(folder, f"{name.removesuffix('.txt')}.in")


def _is_same_environment(first: Manifest, second: Manifest) -> bool:
    if {first.format, second.format} != {"environment_yml"}:
        return False
    names = (first.environments[:1], second.environments[:1])
    return (
        names[0] == names[1] != ()
        and dirname(first.path) == dirname(second.path)
        and not any(_VARIANT.search(basename(m.path).lower()) for m in (first, second))
    )


def _stale(
    sources: Sequence[InstallSet], locks: Sequence[InstallSet], catalog: Catalog
) -> Iterator[Disagreement]:
    """Yield the lines of a source that no package of its lock satisfies."""
    locked: dict[tuple[Section, str], dict[Declared, None]] = {}
    for install in locks:
        for line in _relevant(install, catalog):
            locked.setdefault((line.section, line.name), {})[line] = None
    seen: set[tuple[str, int, int]] = set()
    for install in sources:
        for line in _relevant(install, catalog):
            packages = [*locked.get((line.section, line.name), ())]
            if packages and (line.path, line.line, line.column) not in seen:
                seen.add((line.path, line.line, line.column))
                if not any(_allows(line, package) for package in packages):
                    yield Disagreement(relation=Relation.LOCK, first=line, second=packages[0])


def _contrary(
    first: Sequence[InstallSet], second: Sequence[InstallSet], catalog: Catalog
) -> Iterator[Disagreement]:
    for one in first[:1]:
        for other in second[:1]:
            theirs = {(line.section, line.name): line for line in _relevant(other, catalog)}
            for line in _relevant(one, catalog):
                found = theirs.get((line.section, line.name))
                if found and _differ(line, found):
                    yield Disagreement(relation=Relation.NAME, first=line, second=found)


def _within(install: InstallSet, catalog: Catalog) -> Iterator[Disagreement]:
    """Yield what a file with commands pins, and a file that it installs pins differently."""
    if install.tool != "shell":
        return
    own: dict[tuple[Section, str], Declared] = {}
    for line in _relevant(install, catalog):
        if line.path == install.path:
            own[line.section, line.name] = line
    for line in _relevant(install, catalog):
        ours = own.get((line.section, line.name))
        if ours and line.path != install.path and _differ(ours, line):
            yield Disagreement(relation=Relation.INSTALLS, first=ours, second=line)


def _relevant(install: InstallSet, catalog: Catalog) -> Iterator[Declared]:
    """Yield the requirements of a set that have to do with CUDA."""
    managers: tuple[tuple[Section, Manager], ...] = ((Section.CONDA, "conda"), (Section.PIP, "pip"))
    for section, manager in managers:
        for line in install.requirements(section):
            key = (manager, line.name)
            if key in catalog.cuda_packages or catalog.consumer(manager, line.name):
                yield line


def _differ(first: Declared, second: Declared) -> bool:
    """Tell whether two lines pin a package to versions of which neither allows the other."""
    if not pinned_version(first) or not pinned_version(second):
        return False
    return not _allows(first, second) and not _allows(second, first)


def _allows(line: Declared, package: Declared) -> bool:
    """Tell whether a line allows the version, and the build, that another is pinned to."""
    version = pinned_version(package)
    if not version:
        return True
    if line.section is Section.PIP:
        return _pip_allows(line, version)
    try:
        spec, build = CondaSpec.parse(line.text), CondaSpec.parse(package.text).build
        # A build's number stands in no lock.
        if build and not spec.build_number:
            return spec.matches(version, build)
        return spec.allows_version(parse_version(version))
    except (InvalidCondaSpec, InvalidCondaVersion):
        return True


def _pip_allows(line: Declared, version: str) -> bool:
    # packaging.requirements takes 25 ms to import: only related files pay for it.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    try:
        specifier = Requirement(_OPTIONS.sub("", line.text)).specifier
        return specifier.contains(Version(version), prereleases=True)
    except (InvalidRequirement, InvalidVersion, RecursionError):
        return True
