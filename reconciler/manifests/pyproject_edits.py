"""New lines of pyproject.toml: in the project's own tables, and in those of its tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import index_tables, pixi_edits, table_requirements
from reconciler.model.distribution import required_name
from reconciler.model.fix import Add, HeldBackError
from reconciler.model.manifest import Kind, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.toml_draft import Keys, TomlDraft
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Manifest

_PIXI = ("tool", "pixi")
#: The scope of pixi's default feature, and of the build system, as the reader calls them.
_PIXI_SCOPE = "pixi"
_BUILD = "build system"


def add(draft: TomlDraft, manifest: Manifest, edits: Sequence[Add]) -> None:
    """Write new lines; raises HeldBackError."""
    indexes: list[Add] = []
    for edit in edits:
        scope = edit.after.scope if edit.after else edit.scope
        is_of_pixi = bool(draft.root.at(*_PIXI)) and pixi_edits.is_scope(scope, _PIXI_SCOPE)
        if is_of_pixi or (manifest.tool == "pixi" and edit.kind is Kind.INDEX):
            pixi_edits.add(draft, edit, root=_PIXI, default=_PIXI_SCOPE)
        elif edit.kind is Kind.INDEX:
            indexes.append(edit)
        elif edit.kind is Kind.REQUIREMENT and edit.section is Section.PIP:
            _add_requirement(draft, edit)
        else:
            raise HeldBackError(
                f"a pyproject.toml has no place for this: {edit.kind} of {edit.section}"
            )
    index_tables.add(draft, manifest, indexes)


def _add_requirement(draft: TomlDraft, edit: Add) -> None:
    root = draft.root
    after = draft.site(edit.after) if edit.after else None
    tables = [keys for keys in _tables(root, edit.scope) if root.at(*keys)]
    if after and after.key is None and after.keys in tables:
        draft.insert_text(after.holder, edit.text, after.order)
    elif arrays := [keys for keys in tables if root.at(*keys).end]:
        draft.add_text(arrays[0], edit.text)
    elif tables:
        beside = after if after and after.keys[:-1] == tables[0] else None
        draft.add_pair(tables[0], table_requirements.pair_of_pip(edit.text, "markers"), beside)
    else:
        draft.add_text(_new_array(root, edit.scope), edit.text)


def _tables(root: Node, scope: str) -> Iterator[Keys]:
    """Yield where requirements of a scope stand: arrays of texts, and poetry's tables."""
    kind, _, name = scope.partition(" ")
    poetry = ("tool", "poetry")
    if not scope:
        yield from (("project", "dependencies"), (*poetry, "dependencies"))
    elif scope == _BUILD:
        yield ("build-system", "requires")
    elif scope.startswith("hatch environment "):
        yield ("tool", "hatch", "envs", scope.removeprefix("hatch environment "), "dependencies")
    elif kind == "extra":
        yield from _named(root, ("project", "optional-dependencies"), name)
    elif kind == "group":
        yield from _named(root, ("dependency-groups",), name)
        yield from ((*keys, "dependencies") for keys in _named(root, (*poetry, "group"), name))
        yield from _named(root, ("tool", "pdm", "dev-dependencies"), name)
        if name == "dev":
            yield from (("tool", "uv", "dev-dependencies"), (*poetry, "dev-dependencies"))


def _named(root: Node, keys: Keys, name: str) -> Iterator[Keys]:
    """Yield the keys below a table that mean a name, however they are written."""
    pairs = root.at(*keys).pairs()
    return ((*keys, key.text()) for key, _ in pairs if required_name(key.text()) == name)


def _new_array(root: Node, scope: str) -> Keys:
    """Return where a scope that is not there yet belongs."""
    kind, _, name = scope.partition(" ")
    dynamic = {node.text() for node in root.at("project", "dynamic").texts()}
    if not scope and root.at("project") and "dependencies" not in dynamic:
        return ("project", "dependencies")
    if kind == "extra" and root.at("project") and "optional-dependencies" not in dynamic:
        return ("project", "optional-dependencies", name)
    if kind == "group" and not root.at("tool", "poetry"):
        return ("dependency-groups", name)
    raise HeldBackError(f"the file has no table for {scope or 'what is always installed'}")
