"""pyproject.toml: what a project asks for, in its own tables and in those of its tools.

The forms: PEP 621, PEP 735 and PEP 518, as https://packaging.python.org/en/latest/specifications/
has them; each tool's in the module of its tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.manifests import (
    conda_tables,
    pdm_tables,
    pip_requirement,
    pixi_tables,
    poetry_tables,
    toml_lines,
    toml_nodes,
    uv_tables,
)
from reconciler.manifests.toml_lines import Asked, Tables
from reconciler.model.distribution import required_name
from reconciler.model.manifest import Combination, Declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.fix import Edit, Splice
    from reconciler.model.manifest import Manifest

_TOOLS = ("uv", "poetry", "pdm", "pixi")
_BUILD = "build system"
#: Scope of what pixi installs besides the project itself.
_PIXI = "pixi"


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = toml_nodes.parse(text)
    tool = next((t for t in _TOOLS if root.at("tool", t).pairs()), "pip")
    leads_to = _scopes(root)
    asked = tuple(_asked(root))
    placed = _placed(root, tool, asked)
    hatch_lines, hatch = pdm_tables.hatch(root)
    tables = (conda_tables.conda_lock(root), conda_tables.unidep(root), _pixi(root, leads_to))
    build = tuple(_build_system(root, tool))
    return toml_lines.manifest(
        path,
        text,
        tool=tool,
        lines=(
            *_python(root),
            *placed.lines,
            *poetry_tables.requirements(root, {one.name for one in asked}),
            *pdm_tables.requirements(root),
            *hatch_lines,
            *_indexes(root, tool),
            *(line for found in tables for line in found.lines),
            *build,
        ),
        combinations=_apart(
            (
                *_combinations(root, leads_to, has_pixi=bool(tables[-1].combinations)),
                *hatch,
                *(combination for found in tables for combination in found.combinations),
                *([Combination(name=_BUILD, scopes=(_BUILD,))] if build else []),
            ),
            placed.elsewhere,
        ),
        platforms=(
            *uv_tables.platforms(root),
            *(platform for found in tables for platform in found.platforms),
        ),
    )


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text of a manifest for the edits; raises HeldBackError."""
    from reconciler.manifests import pyproject_edits, toml_edits  # noqa: PLC0415 - for fixes alone

    root = toml_nodes.parse(manifest.text)
    return toml_edits.rewrite(
        manifest.text, root, edits, lambda draft, adds: pyproject_edits.add(draft, manifest, adds)
    )


def _python(root: Node) -> Iterator[Declared]:
    node = root.at("project", "requires-python")
    if node.text():
        yield toml_lines.python(node, node.text())


def _asked(root: Node) -> Iterator[Asked]:
    """Yield the requirements of the project's own tables, without those on itself."""
    own = required_name(root.at("project", "name").text())
    for scope, table in _own_tables(root):
        for node in table.texts():
            if not own or required_name(node.text()) != own:
                yield Asked(node, node.text(), scope)


def _own_tables(root: Node) -> Iterator[tuple[str, Node]]:
    yield "", root.at("project", "dependencies")
    for key, extra in root.at("project", "optional-dependencies").pairs():
        yield f"extra {required_name(key.text())}", extra
    for key, group in root.at("dependency-groups").pairs():
        yield f"group {required_name(key.text())}", group
    yield "group dev", root.at("tool", "uv", "dev-dependencies")


def _scopes(root: Node) -> Mapping[str, tuple[str, ...]]:
    """Return the scopes besides the file's own, each with those that it takes along."""
    own = required_name(root.at("project", "name").text())
    found: dict[str, tuple[str, ...]] = {}
    for scope, table in _own_tables(root):
        if not scope or not table:
            continue
        itself = (n.text() for n in table.texts() if own and required_name(n.text()) == own)
        extras = (extra for text in itself for extra in pip_requirement.extras(text))
        groups = (required_name(n.at("include-group").text()) for n in table.items())
        found[scope] = (
            *found.get(scope, ()),
            *(f"extra {extra}" for extra in extras),
            *(f"group {group}" for group in groups if group),
        )
    further = dict.fromkeys((scope for scope, _ in pdm_tables.groups(root)), ())
    return {**further, **poetry_tables.scopes(root), **found}


def _placed(root: Node, tool: str, asked: tuple[Asked, ...]) -> uv_tables.Placed:
    """Return the project's requirements, each with the source that its tool takes it from."""
    if tool == "poetry":
        return uv_tables.Placed(tuple(poetry_tables.place(root, asked)), {})
    if tool == "pdm":
        return uv_tables.Placed(tuple(pdm_tables.place(root, asked)), {})
    return uv_tables.place(root, asked)


def _indexes(root: Node, tool: str) -> Iterator[Declared]:
    if tool == "poetry":
        return poetry_tables.indexes(root)
    return pdm_tables.indexes(root) if tool == "pdm" else uv_tables.indexes(root)


def _pixi(root: Node, leads_to: Mapping[str, tuple[str, ...]]) -> Tables:
    table = root.at("tool", "pixi")
    if not table.pairs():
        return Tables()
    return pixi_tables.read(table, default=_PIXI, project=tuple(leads_to))


def _combinations(
    root: Node, leads_to: Mapping[str, tuple[str, ...]], *, has_pixi: bool
) -> Iterator[Combination]:
    """Yield the project alone, and with each of its extras and groups: never with all at once."""
    conflicts = uv_tables.conflicts(root)
    for scope in (*([] if has_pixi else [""]), *leads_to):
        taken = toml_lines.reached(scope, leads_to)
        if not any(len(conflict.intersection(taken)) > 1 for conflict in conflicts):
            yield Combination(name=scope, scopes=tuple(dict.fromkeys(("", *taken))))


def _apart(
    combinations: Iterable[Combination], elsewhere: Mapping[str, frozenset[str]]
) -> Iterator[Combination]:
    """Yield combinations with the lines that have another source where none of theirs is."""
    for combination in combinations:
        scopes = {*combination.scopes}
        plain = (scope for scope, without in elsewhere.items() if not without & scopes)
        further = plain if "" in scopes else ()
        yield replace(combination, scopes=(*combination.scopes, *further))


def _build_system(root: Node, tool: str) -> Iterator[Line]:
    """Yield what builds the project; poetry builds its projects without reading it."""
    for node in root.at("build-system", "requires").texts():
        line = toml_lines.requirement(node, node.text(), scope=_BUILD)
        if tool != "poetry" or isinstance(line, Declared):
            yield line
