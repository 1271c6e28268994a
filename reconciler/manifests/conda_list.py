"""What ``conda list`` or ``conda list --export`` printed, kept in a file.

The form: https://docs.conda.io/projects/conda/en/stable/commands/list.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests import locked
from reconciler.manifests.locked import Place
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Manifest

if TYPE_CHECKING:
    from reconciler.model.manifest import Declared

_PLATFORM = re.compile(r"#\s*platform:\s*(\S+)")
_EXPORTED = re.compile(r"\s*(?:[\w./:-]+::)?([A-Za-z0-9_][\w.-]*)=([^=\s]+)=([^=\s]+)\s*")
_ROW = re.compile(r"\s*([A-Za-z0-9_][\w.-]*)\s+(\d\S*)\s+(\S+)(?:\s+(\S+))?\s*")
#: How conda writes the build and the channel of what pip has installed.
_OF_PIP = re.compile(r"pypi(_\d+)?|<pip>|pip")
_IN_PLACE = re.compile(r"dev_\d+|<develop>")


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with the packages that it lists."""
    declared: list[Declared] = []
    platforms: dict[str, None] = {}
    for number, line in enumerate(split(text), 1):
        if said := _PLATFORM.match(line):
            platforms[said[1]] = None
            continue
        match = _EXPORTED.fullmatch(line) or _ROW.fullmatch(line)
        if not match or line.lstrip().startswith("#"):
            continue
        name, version, build, *rest = match.groups()
        marks = (build, *(mark for mark in rest if mark))
        place = Place(path, number, match.start(1) + 1)
        if any(_OF_PIP.fullmatch(mark) for mark in marks):
            declared.append(locked.pip_package(place, name, version))
        elif not any(_IN_PLACE.fullmatch(mark) for mark in marks):
            declared.append(locked.conda_package(place, name, version, build))
    return Manifest(
        path=path,
        text=text,
        tool="conda",
        is_lock=True,
        declared=tuple(declared),
        platforms=tuple(platforms),
    )
