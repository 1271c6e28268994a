"""pixi.toml: what a workspace of pixi installs from conda's channels and from PyPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import pixi_tables, toml_lines, toml_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.manifests.toml_draft import TomlDraft
    from reconciler.model.fix import Add, Edit, Splice
    from reconciler.model.manifest import Manifest


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    # pixi reads TOML 1.1: https://pixi.prefix.dev/latest/reference/pixi_manifest/
    root = toml_nodes.parse(text, breaks_in_tables=True)
    found = pixi_tables.read(root, default="")
    return toml_lines.manifest(
        path,
        text,
        tool="pixi",
        lines=found.lines,
        combinations=found.combinations,
        platforms=found.platforms,
    )


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text of a manifest for the edits; raises HeldBackError."""
    from reconciler.manifests import toml_edits  # noqa: PLC0415 - for fixes alone

    root = toml_nodes.parse(manifest.text, breaks_in_tables=True)
    return toml_edits.rewrite(manifest.text, root, edits, _add)


def _add(draft: TomlDraft, edits: Sequence[Add]) -> None:
    from reconciler.manifests import pixi_edits  # noqa: PLC0415 - for fixes alone

    for edit in edits:
        pixi_edits.add(draft, edit, root=(), default="")
