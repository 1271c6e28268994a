"""New lines in pixi's tables: a pixi.toml, or those below ``[tool.pixi]`` of pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import pixi_tables, table_requirements
from reconciler.manifests.explicit_indexes import url_of
from reconciler.manifests.toml_draft import quoted, quoted_key
from reconciler.model.fix import Add, HeldBackError
from reconciler.model.manifest import IndexRole, Kind, Section

if TYPE_CHECKING:
    from reconciler.manifests.toml_draft import Keys, Site, TomlDraft

_PARTS = {Section.CONDA: "dependencies", Section.PIP: "pypi-dependencies"}
_OF_CONDA = {"dependencies", "host-dependencies", "build-dependencies"}


def add(draft: TomlDraft, edit: Add, *, root: Keys, default: str) -> None:
    """Write a line into the tables below ``root``; ``default`` is the default feature's scope."""
    table = _table(edit.scope, root, default)
    after = draft.site(edit.after) if edit.after else None
    if edit.kind is Kind.CHANNEL:
        _add_channel(draft, edit, table, after)
    elif edit.kind is Kind.INDEX:
        _add_index(draft, edit, table, after)
    elif edit.kind is Kind.VARIABLE:
        name, _, value = edit.text.partition("=")
        draft.add_pair((*table, "activation", "env"), f"{quoted_key(name)} = {quoted(value)}")
    elif edit.kind is Kind.REQUIREMENT and edit.section in _PARTS:
        is_conda = edit.section is Section.CONDA
        pair = (
            table_requirements.pair_of_conda(edit.text)
            if is_conda
            else table_requirements.pair_of_pip(edit.text, "env-markers")
        )
        _add_requirement(draft, pair, (*table, _PARTS[edit.section]), after)
    else:
        raise HeldBackError(f"pixi has no place for this: {edit.kind} of {edit.section}")


def is_scope(scope: str, default: str) -> bool:
    """Tell whether a scope is one of pixi's."""
    return scope in {default, pixi_tables.WORKSPACE} or scope.startswith("feature ")


def _table(scope: str, root: Keys, default: str) -> Keys:
    if scope.startswith("feature "):
        return (*root, "feature", scope.removeprefix("feature "))
    if not is_scope(scope, default):
        raise HeldBackError(f"{scope or 'what the project requires'} is in none of pixi's tables")
    return root


def _add_channel(draft: TomlDraft, edit: Add, table: Keys, after: Site | None) -> None:
    if edit.scope == pixi_tables.WORKSPACE:
        table = (*table, "workspace" if draft.root.at(*table, "workspace") else "project")
    index = after.order if after and after.keys == (*table, "channels") else -1
    draft.add_text((*table, "channels"), edit.text, index)


def _add_index(draft: TomlDraft, edit: Add, table: Keys, after: Site | None) -> None:
    url = url_of(edit.text)
    options = (*table, "pypi-options")
    if edit.role is IndexRole.EXPLICIT:
        if after is None or after.key is None:
            raise HeldBackError("pixi names an index in its own tables, at a requirement there")
        table_requirements.add_key(draft, after, "index", url)
    elif edit.role is IndexRole.LINKS:
        draft.add_item((*options, "find-links"), f"{{ url = {quoted(url)} }}")
    elif edit.role is IndexRole.DEFAULT:
        draft.add_pair(options, f"index-url = {quoted(url)}")
    else:
        draft.add_text((*options, "extra-index-urls"), url)


def _add_requirement(draft: TomlDraft, pair: str, table: Keys, after: Site | None) -> None:
    beside = after.keys[:-1] if after and after.has_key and after.keys else ()
    alike = _OF_CONDA if table[-1] in _OF_CONDA else {table[-1]}
    if after and beside and beside[-1] in alike:
        draft.add_pair(beside, pair, after)
    else:
        draft.add_pair(table, pair)
