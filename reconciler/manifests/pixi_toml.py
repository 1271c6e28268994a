"""pixi.toml: what a workspace of pixi installs from conda's channels and from PyPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import pixi_tables, toml_lines, toml_nodes

if TYPE_CHECKING:
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
