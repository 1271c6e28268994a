"""Edits of what tables of TOML declare, whichever program reads them.

tomllib and the locator say where a line stands, and its text is spliced there: docs/decisions,
"TOML is edited by splices".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import table_requirements
from reconciler.manifests.explicit_indexes import url_of
from reconciler.manifests.toml_draft import TomlDraft
from reconciler.model.fix import Add, HeldBackError, Remove, Replace
from reconciler.model.manifest import Kind, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.manifests.toml_draft import Site
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.fix import Edit, Splice
    from reconciler.model.manifest import Declared

    _Adder = Callable[[TomlDraft, Sequence[Add]], None]


def rewrite(text: str, root: Node, edits: Sequence[Edit], add: _Adder) -> tuple[Splice, ...]:
    """Return where to splice a text for the edits; ``add`` knows where new lines belong."""
    draft = TomlDraft(text, root)
    for edit in edits:
        if isinstance(edit, Remove):
            draft.remove(_whole(draft, edit.line))
        elif isinstance(edit, Replace):
            _replace(draft, draft.site(edit.line), edit)
    add(draft, [edit for edit in edits if isinstance(edit, Add)])
    return draft.splices()


def _whole(draft: TomlDraft, line: Declared) -> Site:
    """Return what goes with a line: of an index that has a table to itself, the table."""
    site = draft.site(line)
    table = site.above
    if line.kind is not Kind.INDEX or site.key is None or not table or table.key:
        return site
    name = table.value.at("name").text()
    for other in draft.sites():
        is_use = other.key and other.key.text() in {"index", "source"}
        if name and is_use and other.value.text() == name:
            raise HeldBackError(f"line {other.value.line} takes a package from {name!r}")
    return table


def _replace(draft: TomlDraft, site: Site, edit: Replace) -> None:
    line, value = edit.line, site.value
    if line.kind is Kind.REQUIREMENT:
        _replace_requirement(draft, site, edit)
    elif line.kind is Kind.INDEX:
        draft.write(value, url_of(edit.text))
    elif line.kind is Kind.VARIABLE:
        name, _, said = edit.text.partition("=")
        if name != line.name:
            raise HeldBackError(f"{edit.text} is another variable than {line.name}")
        draft.write(value, said)
    else:
        key = "channel" if line.kind is Kind.CHANNEL else "version"
        node = value if value.text() else value.at(key)
        draft.write(node, edit.text)


def _replace_requirement(draft: TomlDraft, site: Site, edit: Replace) -> None:
    value, old = site.value, edit.line.text
    if site.key is None and value.text():
        if value.text().strip() != old:
            raise HeldBackError(f"{old!r} comes of other tables as well")
        draft.write(value, edit.text)
    elif edit.line.section is Section.CONDA:
        table_requirements.replace_of_conda(draft, site, old, edit.text)
    else:
        table_requirements.replace_of_pip(draft, site, old, edit.text)
