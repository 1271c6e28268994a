"""The release of a library of CUDA that another library was built with, as its package tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.builds import cudnn
from reconciler.builds.captures import cuda_of
from reconciler.builds.required import required_on
from reconciler.model.capture import FileRelease
from reconciler.model.cuda import CudaVersion
from reconciler.model.distribution import required_name
from reconciler.model.prefix import PrefixRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.builds.loading import Loading
    from reconciler.model.catalog import Catalog
    from reconciler.model.cuda_package import CudaPackage
    from reconciler.model.owner import Owner
    from reconciler.model.run import Link
    from reconciler.model.snapshot import Snapshot

#: The first bound from below: what conda pins is what was there at build time (run_exports).
_BOUND = re.compile(r"(?:==|>=|~=)\s*(\d+(?:\.\d+)*)")


class Wanted(NamedTuple):
    """What one package tells of a library that it was built with."""

    release: FileRelease
    #: A clause: ``it requires nvidia-cudnn-cu12==9.1.0.70``.
    because: str
    #: The package that would bring it; "" where none is named.
    package: str = ""
    requirement: str = ""


def wanted(
    loading: Loading, owner: Owner, link: Link, snapshot: Snapshot, catalog: Catalog
) -> Wanted | None:
    """Return the release of the answering library that the one that asks was built with."""
    for one in _required(owner, link.component or "", snapshot, catalog):
        return one
    if link.component == cudnn.COMPONENT:
        told = cudnn.built_with(owner, snapshot.libraries, catalog)
        return Wanted(FileRelease(version=told[0]), told[1]) if told else None
    own = loading.component_of(link.asked_by.rpartition("/")[2])
    if any((c.component, c.needs) == (own, link.component) for c in catalog.clashes):
        name = link.asked_by.rpartition("/")[2]
        release = loading.release_of(loading.tree.real_path(link.asked_by), name)
        # Another part counts in numbers of its own.
        return Wanted(FileRelease(cuda=release.cuda), f"it is itself of CUDA {release.cuda}")
    return None


def _required(
    owner: Owner, component: str, snapshot: Snapshot, catalog: Catalog
) -> Iterator[Wanted]:
    """Yield what a package's own requirements, or depends, ask of a component."""
    if isinstance(owner, PrefixRecord):
        lines = [(text.partition(" ")[0], text, f"it depends on {text}") for text in owner.depends]
        manager = "conda"
    else:
        found = required_on(owner, snapshot)
        lines = [(required_name(text), text, f"it requires {text}") for text in found]
        manager = "pip"
    for name, text, because in lines:
        package = catalog.cuda_packages.get(("conda" if manager == "conda" else "pip", name))
        match = _BOUND.search(text)
        if package and match and component in package.brings:
            release = _release(package, component, match[1], catalog)
            yield Wanted(release, because, name, text)


def _release(package: CudaPackage, component: str, version: str, catalog: Catalog) -> FileRelease:
    if package.component == component:
        return FileRelease(version=version, cuda=cuda_of(component, version, catalog))
    is_release = package.cuda_in == "version"
    return FileRelease(cuda=CudaVersion.parse(version) if is_release else None)
