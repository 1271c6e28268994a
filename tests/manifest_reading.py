"""What tests of readers share: short forms of what was declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import read
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import Kind, ManifestError, Section

if TYPE_CHECKING:
    from reconciler.model.manifest import Declared, Manifest


def places(manifest: Manifest) -> list[tuple[str, str, int, int]]:
    """Return scope, text, line and column of each requirement."""
    required = (d for d in manifest.declared if d.kind is Kind.REQUIREMENT)
    return [(d.scope, d.text, d.line, d.column) for d in required]


def texts(manifest: Manifest, scope: str | None = None) -> list[str]:
    """Return the texts of the requirements, of one scope or of all."""
    required = (d for d in manifest.declared if d.kind is Kind.REQUIREMENT)
    return [d.text for d in required if scope is None or d.scope == scope]


def indexes(manifest: Manifest) -> list[tuple[str, str | None]]:
    """Return the indexes with their roles."""
    return [(d.name, d.role) for d in manifest.declared if d.kind is Kind.INDEX]


def combined(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return the scopes of each combination."""
    return {c.name: c.scopes for c in manifest.combinations}


def installed(manifest: Manifest, name: str = "", platform: str = "linux-64") -> list[str]:
    """Return what a combination installs on a platform, as ``text`` or ``text <- index``."""
    wanted = f"{manifest.path} ({name})" if name else manifest.path
    (found,) = (s for s in install_sets([manifest], platform) if s.name == wanted)
    required = found.of_kind(Kind.REQUIREMENT)
    return [f"{d.text} <- {d.index}" if d.index else d.text for d in required]


def read_or_refused(form: str, path: str, text: str) -> Manifest | None:
    """Read a file; None where it is refused."""
    try:
        return read(form, path, text)
    except ManifestError:
        return None


def is_whole(manifest: Manifest, newline: str = "\n") -> bool:
    """Tell whether each line is a requirement of its manager, at a place inside of the text."""
    lines = manifest.text.split(newline)
    at = [(p.line, p.column) for p in (*manifest.declared, *manifest.faults)]
    inside = all(
        1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1 for line, column in at
    )
    return inside and all(_is_parsed(d) for d in manifest.declared)


def _is_parsed(declared: Declared) -> bool:
    if declared.kind is not Kind.REQUIREMENT:
        return True
    if declared.section is Section.CONDA:
        return CondaSpec.parse(declared.text).name == declared.name
    return True
