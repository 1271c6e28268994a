"""The CUDA of the image that an install set is built from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.cuda import CudaVersion
from reconciler.model.image import BaseImage
from reconciler.model.manifest import Kind

if TYPE_CHECKING:
    from reconciler.model.catalog import Catalog
    from reconciler.model.install_set import InstallSet


def base_image(install: InstallSet, catalog: Catalog) -> BaseImage | None:
    """Return the image of a set, as far as its tag tells; None where it tells no CUDA."""
    for line in install.of_kind(Kind.IMAGE):
        known = catalog.images.get(line.name.removeprefix("docker.io/"))
        tag = line.text.removeprefix("docker://").removeprefix(line.name)
        tag = tag.partition("@")[0].removeprefix(":")
        found = re.search(known.cuda, tag) if known else None
        cuda = CudaVersion.parse(found["cuda"]) if found else None
        if known and cuda:
            release = re.search(known.release, tag) if known.release else None
            return BaseImage(
                at=line,
                cuda=cuda,
                has_compiler=bool(re.search(known.compiler, tag)),
                framework=known.framework if release else "",
                release=release["release"] if release else "",
            )
    return None
