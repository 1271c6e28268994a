"""What ties packages together at run time: who depends on whose libraries, and who has his own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds.required import required_on
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import InvalidCondaVersion
from reconciler.model.cuda import Variant
from reconciler.model.distribution import required_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.distribution import Distribution
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.snapshot import Snapshot


def has_other_cuda(snapshot: Snapshot) -> bool:
    """Tell whether CUDA's libraries may come from outside of the environment."""
    prefix = f"{snapshot.target.prefix}/"
    entries = re.split("[:;]", snapshot.variables.get("LD_LIBRARY_PATH", ""))
    outside = any(entry and not f"{entry}/".startswith(prefix) for entry in entries)
    return bool(snapshot.toolkits) or outside


def private_wheels(
    wheels: Mapping[str, tuple[Distribution, ...]], snapshot: Snapshot, catalog: Catalog
) -> frozenset[str]:
    """Return what is there only for wheels that link all other CUDA statically, by its normal name."""
    users: dict[str, set[str]] = {}
    for key, named in wheels.items():
        for wheel in named if catalog.consumer("pip", key) else ():
            for requirement in required_on(wheel, snapshot):
                users.setdefault(required_name(requirement), set()).add(key)
    static = {
        key for key in wheels if (known := catalog.consumer("pip", key)) and known.links_statically
    }
    return frozenset(name for name, keys in users.items() if keys <= static)


def is_depended_on(
    builds: Iterable[CudaBuild], records: Iterable[PrefixRecord], catalog: Catalog
) -> bool:
    """Tell whether a record of conda that is no part of CUDA depends on one of these."""
    names = {build.package for build in builds}
    return any(
        text.partition(" ")[0] in names
        for record in records
        if ("conda", record.name) not in catalog.cuda_packages
        for text in record.depends
    )


def unmet(
    build: CudaBuild, builds: Iterable[CudaBuild], records: Mapping[str, PrefixRecord]
) -> Iterator[tuple[str, CudaBuild]]:
    """Yield what a record of conda depends on where an installed build does not satisfy it."""
    by_package = {other.package: other for other in builds if other.manager == "conda"}
    record = records.get(build.package) if build.manager == "conda" else None
    for text in record.depends if record else ():
        name = text.partition(" ")[0]
        other = records.get(name)
        if name not in by_package or other is None:
            continue
        try:
            is_met = CondaSpec.parse(text).matches(other.version, other.build, other.build_number)
        except (InvalidCondaSpec, InvalidCondaVersion):
            continue
        if not is_met:
            yield text, by_package[name]


def may_use_foreign_cuda(
    wheel: Distribution, builds: tuple[CudaBuild, ...], snapshot: Snapshot, catalog: Catalog
) -> bool:
    """Tell whether a wheel may load CUDA that no wheel brings: ``numba``, ``cupy-cuda12x``."""
    consumer = catalog.consumer("pip", wheel.key)
    # What is loaded into a framework meets the framework's CUDA.
    if consumer is None or consumer.extends:
        return False
    build = next((b for b in builds if (b.manager, b.package) == ("pip", wheel.key)), None)
    if build is None:
        return True
    if (
        build.variant is not Variant.CUDA
        or build.brings
        or _requires_cuda(wheel, snapshot, catalog)
    ):
        return False
    return not any(
        other.manager == "pip" and "cuda-runtime" in other.brings and other.major == build.major
        for other in builds
    )


def _requires_cuda(wheel: Distribution, snapshot: Snapshot, catalog: Catalog) -> bool:
    names = map(required_name, required_on(wheel, snapshot))
    return any(("pip", name) in catalog.cuda_packages for name in names)
