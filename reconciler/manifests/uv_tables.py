"""uv's tables of pyproject.toml: where requirements come from, and what is installed together.

The forms: https://docs.astral.sh/uv/concepts/projects/dependencies/ and .../concepts/indexes/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import pip_requirement, toml_lines
from reconciler.manifests.toml_lines import Asked
from reconciler.model.distribution import required_name
from reconciler.model.install_set import PLATFORMS
from reconciler.model.manifest import IndexRole
from reconciler.model.marker import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared

_ROLES = {
    "index-url": IndexRole.DEFAULT,
    "extra-index-url": IndexRole.EXTRA,
    "find-links": IndexRole.LINKS,
}


class Placed(NamedTuple):
    """The requirements of a project with their sources."""

    lines: tuple[Line, ...]
    #: Scopes of lines that have another source in some scopes, with these: never both.
    elsewhere: Mapping[str, frozenset[str]]


class _Source(NamedTuple):
    """Where one package comes from, and when it does."""

    #: The URL of an index; "" where it is none of this file.
    served_by: str = ""
    #: Of the package itself: an archive, a repository, a folder.
    url: str = ""
    marker: str = ""
    #: The extra or the group whose requirements it is for; "" for all.
    scope: str = ""


def indexes(root: Node) -> Iterator[Declared]:
    """Yield the indexes that uv asks."""
    for table in root.at("tool", "uv", "index").items():
        url = table.at("url")
        if not url.text():
            continue
        is_default = table.at("default").value is True
        is_explicit = table.at("explicit").value is True
        role = IndexRole.DEFAULT if is_default else IndexRole.EXTRA
        yield toml_lines.index(url, IndexRole.EXPLICIT if is_explicit else role)
    for table in (root.at("tool", "uv"), root.at("tool", "uv", "pip")):
        for key, role in _ROLES.items():
            node = table.at(key)
            for url in node.texts() or (node,):
                if url.text():
                    yield toml_lines.index(url, role)


def place(root: Node, asked: Iterable[Asked]) -> Placed:
    """Return the project's requirements, each with the source that uv takes it from."""
    asked = tuple(_limited(root, asked))
    sources = _sources(root)
    scopes: dict[str, set[str]] = {}
    for one in asked:
        scopes.setdefault(one.name, set()).add(one.scope)
    lines: list[Line] = []
    elsewhere: dict[str, frozenset[str]] = {}
    for one in asked:
        own = sources.get(one.name, ())
        here = [s for s in own if s.scope in {"", one.scope}]
        there = [s for s in own if s.scope in scopes[one.name] - {one.scope}]
        if here or one.scope or not there:
            lines += _from_sources(one, here)
            continue
        # uv takes a package of the project itself from where a chosen extra takes it from.
        apart = f"{one.name} without a source"
        elsewhere[apart] = frozenset(source.scope for source in there)
        lines += _from_sources(one._replace(scope=apart), ())
        for scope in dict.fromkeys(source.scope for source in there):
            moved = one._replace(scope=scope)
            lines += _from_sources(moved, [s for s in there if s.scope == scope])
    return Placed(tuple(lines), elsewhere)


def conflicts(root: Node) -> tuple[frozenset[str], ...]:
    """Return the scopes of which uv installs no two together."""
    return tuple(
        frozenset(
            f"{kind} {required_name(member.at(kind).text())}"
            for member in group.items()
            for kind in ("extra", "group")
            if member.at(kind).text()
        )
        for group in root.at("tool", "uv", "conflicts").items()
    )


def platforms(root: Node) -> tuple[str, ...]:
    """Return the platforms that uv is told to resolve for; nothing where that is all of them."""
    node = root.at("tool", "uv", "environments")
    markers = [marker.text() for marker in node.texts() or (node,) if marker.text()]
    fitting = tuple(p for p in PLATFORMS if any(holds(marker, p) for marker in markers))
    return fitting if fitting != PLATFORMS else ()


def _limited(root: Node, asked: Iterable[Asked]) -> Iterator[Asked]:
    """Yield what is asked for as uv's overrides and constraints change it."""
    overrides = _by_name(root.at("tool", "uv", "override-dependencies"))
    constraints = _by_name(root.at("tool", "uv", "constraint-dependencies"))
    told: set[tuple[str, str]] = set()
    for one in asked:
        further = overrides.get(one.name)
        if further is None:
            yield one
            further = constraints.get(one.name, ())
        if (one.name, one.scope) not in told:
            told.add((one.name, one.scope))
            yield from (Asked(node, node.text(), one.scope) for node in further)


def _by_name(node: Node) -> Mapping[str, Sequence[Node]]:
    named: dict[str, list[Node]] = {}
    for text in node.texts():
        named.setdefault(required_name(text.text()), []).append(text)
    return named


def _from_sources(asked: Asked, sources: Sequence[_Source]) -> Iterator[Line]:
    said, marker = pip_requirement.split_marker(asked.text)
    for source in sources:
        named = f"{pip_requirement.bare(said)} @ {source.url}" if source.url else said
        yield _line(asked, named, pip_requirement.both(marker, source.marker), source.served_by)
    left = tuple(p for p in PLATFORMS if not any(holds(s.marker, p) for s in sources if s.marker))
    if not all(source.marker for source in sources) or not left:
        return
    yield toml_lines.requirement(
        asked.node, asked.text, scope=asked.scope, platforms=left if left != PLATFORMS else ()
    )


def _line(asked: Asked, text: str, marker: str, index: str) -> Line:
    mark = " ; " if " @ " in text else "; "
    text = f"{text}{mark}{marker}" if marker else text
    return toml_lines.requirement(asked.node, text, scope=asked.scope, index=index)


def _sources(root: Node) -> Mapping[str, Sequence[_Source]]:
    named = (
        (table.at("name").text(), table.at("url").text())
        for table in root.at("tool", "uv", "index").items()
    )
    urls = {name: url for name, url in named if name}
    return {
        required_name(key.text()): tuple(_source(node, urls) for node in value.items() or (value,))
        for key, value in root.at("tool", "uv", "sources").pairs()
    }


def _source(node: Node, urls: Mapping[str, str]) -> _Source:
    scopes = (
        f"{kind} {required_name(node.at(kind).text())}"
        for kind in ("extra", "group")
        if node.at(kind).text()
    )
    return _Source(
        served_by=urls.get(node.at("index").text(), ""),
        url=toml_lines.url(node),
        marker=node.at("marker").text(),
        scope=next(scopes, ""),
    )
