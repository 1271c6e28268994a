"""The project's declared files, and the files that they include."""

from __future__ import annotations

import codecs
from posixpath import normpath
from typing import TYPE_CHECKING

from reconciler import manifests
from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.manifests import requirements_txt
from reconciler.model.manifest import Kind, ManifestError
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from reconciler.collect.ground import Ground
    from reconciler.model.manifest import Manifest
    from reconciler.model.snapshot import Snapshot

LIMIT = 8 * files.MEGABYTE
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
        if path in found or path.startswith(("../", "/")):
            continue
        read = manifests.READERS.get(path, requirements_txt.read)
        try:
            manifest = read(path, _text(f"{project}/{path}"))
        except files.MissingError:
            continue
        except (files.UnreadableError, ManifestError) as error:
            gaps.append(Gap(fact=Fact.MANIFESTS, item=path, reason=str(error)))
            continue
        found[path] = manifest
        pending += [normpath(d.name) for d in manifest.declared if d.kind is Kind.INCLUDE]
    return Found(value=tuple(found.values()), gaps=tuple(gaps))


def _text(path: str) -> str:
    raw = files.read(path, limit=LIMIT)
    encoding = next((e for mark, e in _MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        return masked(from_os(raw.decode(encoding)))
    except UnicodeDecodeError as error:
        raise files.UnreadableError(
            f"not {encoding}: {error.reason} at byte {error.start}"
        ) from error
