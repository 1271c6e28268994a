"""What a requirement without a pin is meant to be built for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.conda_constraint import parse_constraint
from reconciler.model.conda_version import parse_version
from reconciler.model.cuda import CudaBuild, CudaVersion, KnownBy, Role, Variant
from reconciler.model.manifest import IndexRole
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.convert.reading import Reading
    from reconciler.model.catalog import Catalog
    from reconciler.model.manifest import Declared

# https://download.pytorch.org/whl/cu118, .../whl/nightly/cu124, .../whl/cpu/torch_stable.html
_TAG = re.compile(r"/whl/(?:(?:nightly|test)/)?(?:(?P<cuda>cu\d{2,3})|cpu)(?:/|$)")


def labeled_build(one: Reading, catalog: Catalog) -> CudaBuild | None:
    """Return the build that the label behind a bound names, which pip refuses today."""
    consumer = catalog.consumer("pip", one.name)
    label = next(iter(one.asked.labels), "")
    cuda = CudaVersion.from_tag(label)
    if consumer is None or one.asked.exact or not (cuda or label == "cpu"):
        return None
    return _build(one, consumer.name, cuda, KnownBy.LOCAL_VERSION, one.requirement)


def indexed_build(one: Reading, indexes: Iterable[Declared], catalog: Catalog) -> CudaBuild | None:
    """Return the build that an index beside PyPI is named for; None where indexes do not agree.

    pip may take a newer one from PyPI; whoever names the index means the build that it is for.
    """
    consumer = catalog.consumer("pip", one.name)
    if consumer is None or not consumer.on_pytorch_index or one.stays:
        return None
    serving = [i for i in indexes if i.role is not IndexRole.EXPLICIT or one.line.index == i.name]
    tagged = {tag[0]: (tag, index) for index in serving if (tag := _TAG.search(index.text))}
    if len(tagged) != 1:
        return None
    tag, index = next(iter(tagged.values()))
    cuda = CudaVersion.from_tag(tag["cuda"] or "")
    return _build(one, consumer.name, cuda, KnownBy.INDEX, index.text)


def _build(
    one: Reading, component: str, cuda: CudaVersion | None, known_by: KnownBy, evidence: str
) -> CudaBuild:
    return CudaBuild(
        manager="pip",
        package=one.name,
        version="",
        role=Role.NEEDS,
        component=component,
        variant=Variant.CUDA if cuda else Variant.CPU,
        cuda=cuda,
        known_by=known_by,
        evidence=evidence,
        at=one.line.location,
    )


def bounded_build(one: Reading, platform: str, catalog: Catalog) -> CudaBuild | None:
    """Return the build of the newest release that bounds allow; None without an upper one."""
    releases = catalog.releases(one.name, platform)
    consumer = catalog.consumer("pip", one.name)
    if not releases or not one.asked.text or consumer is None:
        return None
    constraint = parse_constraint(one.asked.text)
    allowed = [v for v in releases if constraint.allows(parse_version(v))]
    newest = max(allowed, key=numbers, default="")
    release = releases.get(newest)
    if release is None or newest == max(releases, key=numbers) or not release.cuda:
        return None
    said = f"PyPI's {one.name} {newest}, the newest that {one.requirement} allows, is built for it"
    return _build(one, consumer.name, CudaVersion.parse(release.cuda), KnownBy.RELEASE, said)
