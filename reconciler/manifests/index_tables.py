"""New indexes of pyproject.toml: uv's, poetry's and pdm's tables of them, and who is served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests import table_requirements
from reconciler.manifests.explicit_indexes import url_of
from reconciler.manifests.toml_draft import quoted, quoted_key
from reconciler.model.distribution import required_name
from reconciler.model.fix import Add, HeldBackError
from reconciler.model.manifest import IndexRole, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.manifests.toml_draft import Keys, TomlDraft
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared, Manifest

_TABLES: Mapping[str, Keys] = {
    "uv": ("tool", "uv", "index"),
    "poetry": ("tool", "poetry", "source"),
    "pdm": ("tool", "pdm", "source"),
}
_ROLES: Mapping[tuple[str, IndexRole], tuple[str, ...]] = {
    ("uv", IndexRole.EXPLICIT): ("explicit = true",),
    ("uv", IndexRole.DEFAULT): ("default = true",),
    ("uv", IndexRole.EXTRA): (),
    ("poetry", IndexRole.EXPLICIT): ('priority = "explicit"',),
    ("poetry", IndexRole.DEFAULT): ('priority = "primary"',),
    ("poetry", IndexRole.EXTRA): ('priority = "supplemental"',),
    ("pdm", IndexRole.EXTRA): (),
    ("pdm", IndexRole.LINKS): ('type = "find_links"',),
}
_HOST = re.compile(r"\w+://(?:[^/@]*@)?(?:[^/:]*\.)?([\w-]+)\.[\w-]+(?=[:/]|$)")
_SOURCES = ("tool", "uv", "sources")


def add(draft: TomlDraft, manifest: Manifest, edits: Sequence[Add]) -> None:
    """Write indexes, each once, and tie those that are explicit to their requirements."""
    named: dict[str, str] = {}
    sources: dict[str, list[str]] = {}
    for edit in edits:
        url, role = url_of(edit.text), edit.role or IndexRole.EXTRA
        if manifest.tool == "uv" and role is IndexRole.LINKS:
            draft.add_text(("tool", "uv", "find-links"), url)
            continue
        if role is IndexRole.EXPLICIT and edit.after is None:
            raise HeldBackError("nothing says which requirement the index is for")
        if url not in named:
            named[url] = _known(draft, manifest.tool, url) or _open(
                draft, manifest.tool, url, role, named.values()
            )
        if role is IndexRole.EXPLICIT and edit.after:
            if manifest.tool == "uv":
                source = _source(manifest, named[url], edit.after)
                sources.setdefault(edit.after.name, []).append(source)
            else:
                _tie_in_poetry(draft, named[url], edit.after)
    for name, told in sources.items():
        _tie_in_uv(draft, name, list(dict.fromkeys(told)))


def _known(draft: TomlDraft, tool: str, url: str) -> str:
    """Return the name that an index has in the file; "" where it is new."""
    for table in draft.root.at(*_TABLES.get(tool, (tool,))).items():
        if table.at("url").text() == url:
            if not table.at("name").text():
                raise HeldBackError(f"the index {url} has no name in the file")
            return table.at("name").text()
    return ""


def _open(draft: TomlDraft, tool: str, url: str, role: IndexRole, taken: Collection[str]) -> str:
    further = _ROLES.get((tool, role))
    if further is None:
        what = "the file names no indexes for pip"
        raise HeldBackError(what if tool == "pip" else f"{tool} has no form for an index: {role}")
    if tool == "uv" and url.endswith(".html"):
        further = ('format = "flat"', *further)
    known = {table.at("name").text() for table in draft.root.at(*_TABLES[tool]).items()}
    name = _name(url, {*known, *taken})
    pairs = (f"name = {quoted(name)}", f"url = {quoted(url)}", *further)
    draft.add_table(_TABLES[tool], pairs)
    return name


def _name(url: str, taken: Collection[str]) -> str:
    """Return a name such as pytorch-cu118: of whom the index is, and which one."""
    host = _HOST.match(url)
    path = [part for part in url.partition("://")[2].split("/")[1:] if part]
    last = path[-1].removesuffix(".html") if path else ""
    whole = f"{host[1] if host else 'index'}-{last}"
    name = re.sub(r"[^a-z0-9.]+", "-", whole.lower()).strip("-.")
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *numbered) if one not in taken)


def _source(manifest: Manifest, index: str, line: Declared) -> str:
    """Return a source of uv; of a package that several extras or groups ask for, with that."""
    scopes = {
        one.scope
        for one in manifest.declared
        if (one.section, one.kind, one.name) == (Section.PIP, Kind.REQUIREMENT, line.name)
    }
    kind, _, of = line.scope.partition(" ")
    if line.scope and "" in scopes:
        raise HeldBackError(f"{line.name} is asked for outside of {line.scope} as well")
    is_one_of = len(scopes) > 1 and kind in {"extra", "group"}
    where = f", {kind} = {quoted(of)}" if is_one_of else ""
    return f"{{ index = {quoted(index)}{where} }}"


def _tie_in_uv(draft: TomlDraft, name: str, sources: Sequence[str]) -> None:
    known = next((value for value in _entries(draft.root.at(*_SOURCES), name)), None)
    are_apart = all("," in told for told in sources)
    if len(sources) > 1 and not are_apart:
        raise HeldBackError(f"{name} cannot come from several indexes at once")
    if known is None:
        told = sources[0] if len(sources) == 1 else f"[{', '.join(sources)}]"
        draft.add_pair(_SOURCES, f"{quoted_key(name)} = {told}")
    elif isinstance(known.value, list) and known.end and are_apart:
        for told in sources:
            draft.insert(known, told)
    else:
        raise HeldBackError(f"[tool.uv.sources] says already where {name} comes from")


def _tie_in_poetry(draft: TomlDraft, index: str, line: Declared) -> None:
    site = draft.site(line)
    if site.key is None and not site.value.text():
        raise HeldBackError(f"poetry's table has several sources for {line.name}")
    if site.key is None:
        table = ("tool", "poetry", "dependencies")
        entry = next((value for value in _entries(draft.root.at(*table), line.name)), None)
        if entry is None:
            draft.add_pair(table, f"{quoted_key(line.name)} = {{ source = {quoted(index)} }}")
            return
        site = draft.site(entry)
    table_requirements.add_key(draft, site, "source", index)


def _entries(table: Node, name: str) -> Sequence[Node]:
    return [value for key, value in table.pairs() if required_name(key.text()) == name]
