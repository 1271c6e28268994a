"""The project's declared files, and the files that they include."""

from __future__ import annotations

import codecs
import re
from posixpath import normpath
from typing import TYPE_CHECKING

from reconciler import manifests
from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.manifest import Kind, ManifestError
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.manifest import Manifest
    from reconciler.model.snapshot import Snapshot

# More than any environment file has; ruamel.yaml reads half of it in a second.
LIMIT = files.MEGABYTE
# UTF-16 is what `conda env export > environment.yml` writes in Windows PowerShell.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read the files that declare an environment; a project without one is no gap."""
    project = snapshot.target.project
    pending = list(manifests.READERS)
    found: dict[str, Manifest] = {}
    gaps: list[Gap] = []
    for path in pending:
        try:
            manifest = _manifest(project, path)
        except (files.UnreadableError, ManifestError) as error:
            # A project has few of the files that are looked for; one that is included is missed.
            if not isinstance(error, files.MissingError) or path not in manifests.READERS:
                gaps.append(Gap(fact=Fact.MANIFESTS, item=path, reason=str(error)))
            continue
        found[path] = manifest
        named = (d for d in manifest.declared if d.kind in {Kind.INCLUDE, Kind.CONSTRAINT})
        included = (normpath(d.name) for d in named)
        pending += [path for path in dict.fromkeys(included) if path not in pending]
    return Found(value=tuple(found.values()), gaps=tuple(gaps))


def _manifest(project: str, path: str) -> Manifest:
    is_url = ":" in path and re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path)
    if path == ".." or path.startswith(("../", "/")) or is_url:
        raise files.UnreadableError("included, but not of this project: it is not read")
    return manifests.reader_of(path)(path, read_text(f"{project}/{path}"))


def read_text(path: str) -> str:
    """Return the text of a declared file, its secrets masked; raises UnreadableError."""
    raw = files.read(path, limit=LIMIT)
    encoding = next((e for mark, e in _MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        return masked(from_os(raw.decode(encoding)))
    except UnicodeDecodeError as error:
        raise files.UnreadableError(
            f"not {encoding}: {error.reason} at byte {error.start}"
        ) from error
