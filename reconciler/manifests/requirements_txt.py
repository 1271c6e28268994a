"""requirements.txt, line by line as pip reads it: what it declares, and what pip loses of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.manifests import evident_platforms, pip_line
from reconciler.manifests.conflict_markers import without_markers
from reconciler.manifests.logical_lines import Places, logical_lines
from reconciler.manifests.repeated_faults import each_kind_once
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Declared, Fault, FaultKind, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.fix import Edit, Splice

_KEY_OF_CONDA = re.compile(r"^(?:name|channels|prefix):", re.MULTILINE)
_DEPENDENCIES = re.compile(r"^dependencies:", re.MULTILINE)


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with what it declares."""
    plain, conflicts = without_markers(text, tool="pip")
    if other := _written_for_conda(path, text):
        return other
    lines = [pip_line.read(logical, path=path) for logical in logical_lines(plain)]
    declared = tuple(d for line in lines for d in line.declared)
    return Manifest(
        path=path,
        text=text,
        declared=declared,
        platforms=_platforms(path, declared),
        faults=(*conflicts, *each_kind_once(f for line in lines for f in line.faults)),
    )


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text of a manifest for the edits; raises HeldBackError."""
    if manifest.tool == "conda":
        from reconciler.manifests import environment_yml  # noqa: PLC0415 - few files want it

        return environment_yml.rewrite(manifest, edits)
    from reconciler.manifests import requirements_edits  # noqa: PLC0415 - a scan edits nothing

    return requirements_edits.rewrite(manifest, edits)


def _platforms(path: str, declared: Iterable[Declared]) -> tuple[str, ...]:
    names = (d.name for d in declared if not d.marker)
    return evident_platforms.of_wheels(names) or evident_platforms.of_path(path)


def _written_for_conda(path: str, text: str) -> Manifest | None:
    """Read an environment file that was saved under a name of pip's; None where it is none."""
    key = _KEY_OF_CONDA.search(text)
    if key is None or not _DEPENDENCIES.search(text):
        return None
    from reconciler.manifests import environment_yml  # noqa: PLC0415 - few files want it

    manifest = environment_yml.read(path, text)
    line = Places(text).at(key.start()).line
    fault = Fault(
        kind=FaultKind.UNREADABLE,
        text=split(text)[line - 1].strip(),
        why="pip refuses the file: it is an environment file of conda",
        better=f"conda env create --file {path}, under a name that ends in .yml",
        line=line,
    )
    return replace(manifest, faults=(fault, *manifest.faults))
