"""The builds that a project's files ask for, as far as their lines tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.builds.witness import (
    Known,
    cuda_of_wheel,
    read_build_string,
    read_consumer_build,
    read_local_label,
    read_name,
    read_platform,
    read_release,
)
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role, Variant
from reconciler.model.manifest import MANAGERS, IndexRole, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.requirements import Requirement

    from reconciler.model.catalog import Catalog
    from reconciler.model.consumer import Consumer
    from reconciler.model.cuda_package import CudaPackage
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared

# https://download.pytorch.org/whl/cu118, .../whl/nightly/cu124, .../whl/cpu/torch_stable.html
INDEX_TAG = re.compile(r"/whl/(?:(?:nightly|test)/)?(cu\d{2,3}|cpu|rocm[\d.]+)(?:/|$)")
_EXTRA = re.compile(r"cuda(\d\d)")
_LABEL = re.compile(r"/label/cuda-(\d+\.\d+)")
# A wheel's file name in a URL, where + is written %2B.
_WHEEL = re.compile(r"(?:^|[/\\])[^/\\]+?-(\d[^/\\-]*)-[^/\\]+\.whl")
# PEP 508 of a URL; of a local wheel, its path as pip takes it.
_AT_URL = re.compile(
    r"[\w.-]+\s*(?:\[(?P<extras>[\w\s,.-]*)\])?\s*@\s*(?P<url>\S+)\s*(?:;.*)?", re.DOTALL
)
_FOLDER = re.compile(r"@.*[/-](cu\d{2,3}|cpu)/[^/\s]+\.whl")
_BOUND = r"(?:~=|!=|[<>]=?)\s*\d[\w.*+!]*"
# What most lines are: a name, its extras and one pin, or bounds, without marker or URL.
_PLAIN = re.compile(
    r"[\w.-]+\s*(?:\[(?P<extras>[\w\s,.-]*)\])?\s*"
    rf"(?:==\s*(?P<version>[\w.+!]+)|{_BOUND}(?:\s*,\s*{_BOUND})*)?\s*"
)
_EXTRA_NAME = re.compile(r"[\w.-]+")
_PIP_OPTION = re.compile(r"\s--?\w.*$", re.DOTALL)


class _Asked(NamedTuple):
    """What a requirement asks for."""

    #: The one version that it allows; "" where it allows more.
    version: str
    extras: Sequence[str]


def builds(install: InstallSet, catalog: Catalog, platform: str) -> Iterator[CudaBuild]:
    """Yield the build of each requirement of a set, as it would be installed on ``platform``."""
    for declared in install.requirements(Section.CONDA):
        if build := _of_conda(declared, catalog):
            yield build
    for declared in install.requirements(Section.PIP):
        if build := _of_pip(declared, install, catalog, platform):
            yield build


def pinned_version(declared: Declared) -> str:
    """Return the one version that a line asks for; "" where it allows more."""
    if declared.section is Section.PIP:
        asked = _asked(_PIP_OPTION.sub("", declared.text).partition(";")[0])
        return asked.version if asked else ""
    try:
        return CondaSpec.parse(declared.text).pinned_version or ""
    except InvalidCondaSpec:
        return ""


def _of_conda(declared: Declared, catalog: Catalog) -> CudaBuild | None:
    package = catalog.cuda_packages.get(("conda", declared.name))
    consumer = catalog.consumer("conda", declared.name)
    if package is None and consumer is None:
        return None
    try:
        spec = CondaSpec.parse(declared.text)
    except InvalidCondaSpec:
        return None
    version = spec.pinned_version or ""
    if package:
        role = Role.BRINGS if package.brings else Role.STATES
        of_package = _conda_package(package, spec, version)
        return _build(declared, version, of_package, role, package.component, package.brings)
    if consumer and (
        known := read_consumer_build(spec.build or "", consumer)
        or read_name(declared.name, consumer)
    ):
        return _build(declared, version, known, Role.NEEDS, consumer.name)
    return None


def _conda_package(package: CudaPackage, spec: CondaSpec, version: str) -> Known:
    evidence = f"{spec}"
    if package.cuda_in == "version" and (cuda := CudaVersion.parse(version)):
        return Known(Variant.CUDA, cuda, KnownBy.VERSION, evidence)
    if match := _LABEL.search(f"{spec.channel or ''}/"):
        return Known(Variant.CUDA, CudaVersion.parse(match[1]), KnownBy.INDEX, evidence)
    if (found := read_build_string(spec.build or "")) and found.cuda:
        return found
    cuda = CudaVersion(package.cuda_major) if package.cuda_major else None
    return Known(Variant.CUDA, cuda, KnownBy.NAME, evidence)


def _of_pip(
    declared: Declared, install: InstallSet, catalog: Catalog, platform: str
) -> CudaBuild | None:
    package = catalog.cuda_packages.get(("pip", declared.name))
    consumer = catalog.consumer("pip", declared.name)
    if package is None and consumer is None:
        return None
    asked = _asked(_PIP_OPTION.sub("", declared.text))
    if asked is None:
        return None
    version = asked.version
    if package:
        cuda, known_by = cuda_of_wheel(package, version, catalog)
        known = Known(Variant.CUDA, cuda, known_by, declared.text)
        role = Role.BRINGS if package.brings else Role.STATES
        return _build(declared, version, known, role, package.component, package.brings)
    if consumer is None:
        return None
    known_consumer = (
        read_local_label(version.partition("+")[2], version)
        or _by_path(declared.text)
        or _by_index(consumer, install, declared, version, catalog)
        or _by_extra(asked.extras)
        or read_release(catalog, declared.name, version, platform)
        or read_platform(catalog, declared.name, version, platform)
        or read_name(declared.name, consumer)
    )
    if known_consumer is None:
        return None
    by_extra = consumer.brought_by(asked.extras)
    brings = by_extra or (consumer.bundles if known_consumer.variant is Variant.CUDA else ())
    return _build(declared, version, known_consumer, Role.NEEDS, consumer.name, brings)


def _build(  # noqa: PLR0913, PLR0917 - the parts of a build
    declared: Declared,
    version: str,
    known: Known,
    role: Role,
    component: str,
    brings: tuple[str, ...] = (),
) -> CudaBuild:
    return CudaBuild(
        manager=MANAGERS[declared.section],
        package=declared.name,
        version=version,
        role=role,
        component=component,
        brings=brings,
        variant=known.variant,
        cuda=known.cuda,
        known_by=known.known_by,
        evidence=known.evidence,
        at=declared.location,
    )


def _asked(text: str) -> _Asked | None:
    """Read a requirement; None where it is none."""
    if match := _PLAIN.fullmatch(text):
        return _Asked(match["version"] or "", _EXTRA_NAME.findall(match["extras"] or ""))
    if match := _AT_URL.fullmatch(text):
        wheel = _WHEEL.search(match["url"])
        version = wheel[1].replace("%2B", "+") if wheel else ""
        return _Asked(version, _EXTRA_NAME.findall(match["extras"] or ""))
    # packaging.requirements takes 25 ms to import: only a line with more than a pin pays for it.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None
    return _Asked(_pinned(requirement), sorted(requirement.extras))


def extras_of(declared: Declared) -> Sequence[str]:
    """Return the extras that a requirement of pip names."""
    asked = _asked(_PIP_OPTION.sub("", declared.text))
    return asked.extras if asked else ()


def _pinned(requirement: Requirement) -> str:
    pins = [s.version for s in requirement.specifier if s.operator in {"==", "==="}]
    return pins[0] if len(pins) == 1 and not pins[0].endswith(".*") else ""


def _by_index(
    consumer: Consumer, install: InstallSet, declared: Declared, version: str, catalog: Catalog
) -> Known | None:
    """Return what the PyTorch index that a set points pip at gives."""
    if not consumer.on_pytorch_index:
        return None
    found = ((INDEX_TAG.search(index.name), index) for index in install.indexes(declared))
    # Beside PyPI, pip takes the higher version: 2.1.2+cu118 is above 2.1.2, not above 2.2.
    serving = {
        tag[1]: index
        for tag, index in found
        if tag and (version or declared.index or index.role is IndexRole.DEFAULT)
    }
    if builds := catalog.published.index_builds(declared.name, version):
        # What an index beside PyPI never had, PyPI answers.
        serving = {
            tag: index
            for tag, index in serving.items()
            if not tag.startswith("cu") or tag in builds.tags or index.role is IndexRole.DEFAULT
        }
    # Of one release pip takes the highest label, and labels are ordered as texts (PEP 440).
    tag = max(serving, default="")
    known = read_local_label(tag, tag)
    return known and known._replace(known_by=KnownBy.INDEX, evidence=serving[tag].text)


def _by_path(text: str) -> Known | None:
    """Return what the folder of a wheel's own URL says: ``/whl/cu90/``, ``/v0.2.56-cu121/``."""
    match = _FOLDER.search(text)
    known = read_local_label(match[1], match[1]) if match else None
    return known and known._replace(known_by=KnownBy.INDEX, evidence=f"its URL {text}")


def _by_extra(extras: Sequence[str]) -> Known | None:
    """Return what an extra such as ``jax[cuda12]`` asks for."""
    for extra in extras:
        if match := _EXTRA.match(extra):
            cuda = CudaVersion.from_tag(f"cu{match[1]}")
            return Known(Variant.CUDA, cuda, KnownBy.NAME, f"its extra {extra}")
    return None
