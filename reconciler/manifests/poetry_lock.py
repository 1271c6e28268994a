"""poetry.lock: one resolution for all platforms, extras and groups.

The markers of its packages say what is installed where, since poetry 2. Before, only those of
their dependencies do: https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import (
    lock_lines,
    lock_marker,
    pip_requirement,
    poetry_constraint,
    toml_lines,
)
from reconciler.manifests.lock_lines import Locked
from reconciler.manifests.poetry_constraint import InvalidConstraint
from reconciler.model.distribution import normalize_name, required_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared, Manifest


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = lock_lines.parse(text)
    nodes = [n for n in root.at("package").items() if n.at("name").text()]
    extras = [f"extra {normalize_name(key.text())}" for key, _ in root.at("extras").pairs()]
    groups = dict.fromkeys(group for node in nodes for group in _groups(node) if group)
    named = (*dict.fromkeys(extras), *groups)[: lock_lines.MAX_COMBINATIONS]
    return toml_lines.manifest(
        path,
        text,
        tool="poetry",
        lines=(
            *_python(root),
            *_lines(root, nodes, ("", *named)),
            *lock_lines.indexes(_locked(node) for node in nodes),
        ),
        combinations=lock_lines.combinations(named),
        is_lock=True,
    )


def _python(root: Node) -> Iterator[Line]:
    node = root.at("metadata", "python-versions")
    try:
        if node.text():
            yield toml_lines.python(node, poetry_constraint.specifier(node.text()))
    except InvalidConstraint:
        yield toml_lines.broken(node, node.text(), "poetry reads no Pythons in it")


def _groups(node: Node) -> tuple[str, ...]:
    """Return the scopes of a package: "" is what is installed without a group."""
    listed = [group.text() for group in node.at("groups").texts()]
    listed = listed or [node.at("category").text() or "main"]
    return tuple("" if g == "main" else f"group {normalize_name(g)}" for g in listed)


def _lines(root: Node, nodes: Sequence[Node], named: Sequence[str]) -> Iterator[Declared]:
    has_markers = any(node.at("markers") for node in nodes)
    by_extra = _extras(root, nodes)
    masks = {} if has_markers else _masks(nodes)
    seen: dict[str, int] = {}
    for node in nodes:
        seen[node.at("name").text()] = seen.get(node.at("name").text(), 0) + 1
    for node in nodes:
        package = _locked(node)
        if seen[package.name] > 1 and not node.at("markers"):
            # Of several versions, poetry 1 told which is meant by pyproject.toml alone: judged by
            # nothing, they are of no combination.
            yield package.declared(f"{package.name} {package.version}")
            continue
        mask = masks.get(normalize_name(package.name), lock_marker.EVERYWHERE)
        within = {name: _marker(node, name, by_extra) for name in named}
        for scope, marker in lock_lines.spread(within):
            for where in lock_marker.places(mask, lock_marker.EVERYWHERE):
                both = pip_requirement.both(marker, where.marker)
                yield package.declared(scope, both, where.platforms)


def _marker(node: Node, name: str, by_extra: Mapping[str, frozenset[str]]) -> str | None:
    """Return the marker of a package in a combination; None where it is not installed there."""
    groups = [group for group in _groups(node) if group in {"", name}]
    if not groups:
        return None
    markers = node.at("markers")
    if not markers and node.at("optional").value is True:
        is_of = normalize_name(node.at("name").text()) in by_extra.get(name, ())
        return "" if is_of else None
    chosen = frozenset({name})
    said = [
        markers.text() or markers.at(group.removeprefix("group ") or "main").text()
        for group in groups
    ]
    left = [lock_marker.decided(marker, chosen) if marker else "" for marker in said]
    holding = [marker for marker in left if marker is not None]
    return None if not holding else "" if "" in holding else " or ".join(dict.fromkeys(holding))


def _extras(root: Node, nodes: Iterable[Node]) -> Mapping[str, frozenset[str]]:
    """Return what each extra installs: what it names, and what that depends on."""
    leads_to: dict[str, list[str]] = {}
    for node in nodes:
        names = (normalize_name(key.text()) for key, _ in node.at("dependencies").pairs())
        leads_to.setdefault(normalize_name(node.at("name").text()), []).extend(names)
    return {
        f"extra {normalize_name(key.text())}": frozenset(
            reached
            for name in names.texts()
            for reached in toml_lines.reached(required_name(name.text()), leads_to)
        )
        for key, names in root.at("extras").pairs()
    }


def _masks(nodes: Iterable[Node]) -> Mapping[str, int]:
    """Return the platforms of packages that others depend on, which that others' markers tell.

    The project may ask for one of them too; which, pyproject.toml alone knows.
    """
    masks: dict[str, int] = {}
    for node in nodes:
        for key, value in node.at("dependencies").pairs():
            name = normalize_name(key.text())
            for one in value.items() or (value,):
                marker = one.at("markers").text()
                found = lock_marker.mask(marker, frozenset()) if marker else lock_marker.EVERYWHERE
                masks[name] = masks.get(name, 0) | found
    return masks


def _locked(node: Node) -> Locked:
    source = node.at("source")
    url, kind = source.at("url"), source.at("type").text()
    is_index = kind in {"", "legacy"}
    return Locked(
        name=node.at("name").text(),
        version=node.at("version").text(),
        place=node.at("name"),
        url="" if is_index else _url(source, kind),
        registry=lock_lines.registry(url) if is_index else url,
    )


def _url(source: Node, kind: str) -> str:
    url, folder = source.at("url").text(), source.at("subdirectory").text()
    if kind == "git":
        return lock_lines.git_url(url, source.at("resolved_reference").text(), folder)
    return url if kind == "url" else pip_requirement.file_url(url)
