"""The edits by which a file names an index, in the form of its tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.fix import Add, Edit, Replace
from reconciler.model.manifest import Declared, IndexRole, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Correction

#: Those that bind requirements to an index; pip, pixi and pdm give one to all of them.
_BINDING = frozenset({"uv", "poetry"})
_OPTIONS = {
    IndexRole.DEFAULT: "--index-url",
    IndexRole.EXTRA: "--extra-index-url",
    IndexRole.LINKS: "--find-links",
}


def naming(
    install: InstallSet, lines: Sequence[Declared], url: str, *, is_page: bool
) -> tuple[Edit, ...]:
    """Return what names an index, or a page of links, for some requirements; () for no way."""
    if any(line.command or not _can_name(install, line) for line in lines):
        return ()
    role = IndexRole.LINKS if is_page else IndexRole.EXTRA
    is_binding = install.tool in _BINDING and not is_page
    by_path = {line.path: line for line in reversed(lines)}
    adds = (
        _add(line, url, IndexRole.EXPLICIT, line)
        if is_binding
        else beside(install.indexes(), line, url, role, _scope(install, line))
        for line in (lines if is_binding else by_path.values())
    )
    return tuple(dict.fromkeys(adds))


def renamed(index: Declared, old: str, new: str, role: IndexRole | None = None) -> Replace:
    """Return what makes a line name another URL, and in another role where one is given."""
    if role and index.text.startswith("-"):
        return Replace(line=index, text=f"{_OPTIONS[role]} {new}")
    return Replace(line=index, text=index.text.replace(old, new))


def beside(
    indexes: Sequence[Declared], line: Declared, url: str, role: IndexRole, scope: str = ""
) -> Add:
    """Return what names an index beside PyPI in the file of a line, where its tool reads it."""
    # pip forgets what stands above an --index-url.
    found = (
        index
        for index in reversed(indexes)
        if index.path == line.path and index.role is IndexRole.DEFAULT and not index.command
    )
    is_of_pip = not line.path.endswith(".toml")
    return _add(line, url, role, next(found, None) if is_of_pip else None, scope)


def on_own_line(declared: Sequence[Declared], correction: Correction) -> Iterator[Edit]:
    """Yield what gives an index that stands behind a requirement a line of its own."""
    option, _, url = (*correction.above, "")[0].partition(" ")
    role = next((role for role, name in _OPTIONS.items() if name == option), None)
    asking = (d for d in declared if d.kind is Kind.REQUIREMENT and d.line == correction.line)
    line = next(asking, None)
    if role is None or line is None:
        return
    # Written anew as it is, it is without the options that are not its own.
    yield Replace(line=line, text=line.text)
    indexes = [d for d in declared if d.kind is Kind.INDEX]
    if not any(index.name == url for index in indexes):
        yield beside(indexes, line, url, role)


def _add(line: Declared, url: str, role: IndexRole, after: Declared | None, scope: str = "") -> Add:
    return Add(
        path=line.path,
        section=Section.PIP,
        kind=Kind.INDEX,
        text=url,
        role=role,
        after=after,
        scope=scope,
    )


def _can_name(install: InstallSet, line: Declared) -> bool:
    is_table = line.path.endswith((".toml", ".cfg"))
    return not is_table or install.tool in {*_BINDING, "pixi", "pdm"}


def _scope(install: InstallSet, line: Declared) -> str:
    """Return the part of a file whose index serves a line: that of its feature, of pixi alone."""
    if install.tool != "pixi":
        return ""
    return line.scope or ("pixi" if line.path.endswith("pyproject.toml") else "")
