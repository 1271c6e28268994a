"""An ``@EXPLICIT`` list: the addresses of conda packages, one a line.

The form: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

import re

from reconciler.manifests import locked
from reconciler.manifests.locked import Place
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Manifest

_PLATFORM = re.compile(r"#\s*platform:\s*(\S+)")


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with the packages of its addresses."""
    declared = []
    platforms: dict[str, None] = {}
    for number, line in enumerate(split(text), 1):
        if said := _PLATFORM.match(line):
            platforms[said[1]] = None
        if archive := locked.conda_archive(line.strip()):
            place = Place(path, number, len(line) - len(line.lstrip()) + 1)
            declared.append(
                locked.conda_package(place, archive.name, archive.version, archive.build)
            )
            if archive.subdir not in {"", "noarch"}:
                platforms[archive.subdir] = None
    return Manifest(
        path=path,
        text=text,
        tool="conda",
        is_lock=True,
        declared=tuple(declared),
        platforms=tuple(platforms),
    )
