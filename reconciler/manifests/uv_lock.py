"""uv.lock: one resolution for all platforms, extras and groups, of which each installs a part.

What is installed together is found by following the dependencies from the project, as uv does:
https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import lock_lines, lock_marker, pip_requirement, toml_lines
from reconciler.manifests.lock_lines import Locked
from reconciler.model.distribution import normalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Manifest

_OWN = ("virtual", "editable", "directory")


class _Edge(NamedTuple):
    """What a package asks for."""

    #: The packages, by their places in the lock, with an extra of each, or "".
    targets: tuple[tuple[int, str], ...]
    marker: str


class _Package(NamedTuple):
    locked: Locked
    node: Node
    #: Whether it is the project itself, or a part of it.
    is_own: bool
    #: By what they are for: "" for all, ``extra gpu``, ``group dev``.
    edges: Mapping[str, Sequence[_Edge]]


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = lock_lines.parse(text)
    packages = _packages(root)
    own = [package for package in packages if package.is_own]
    names = dict.fromkeys(part for package in own for part in package.edges if part)
    named = tuple(names)[: lock_lines.MAX_COMBINATIONS]
    reached = {part: _reached(root, packages, part) for part in ("", *named)}
    others = [package for package in packages if not package.is_own]
    return toml_lines.manifest(
        path,
        text,
        tool="uv",
        lines=(
            *_python(root),
            *_lines(packages, reached, lock_marker.allowed(root.at("requires-python").text())),
            *lock_lines.indexes(package.locked for package in others),
        ),
        combinations=lock_lines.combinations(named),
        is_lock=True,
    )


def _python(root: Node) -> Iterator[Line]:
    node = root.at("requires-python")
    if node.text():
        yield toml_lines.python(node, node.text())


def _packages(root: Node) -> tuple[_Package, ...]:
    nodes = [n for n in root.at("package").items() if n.at("name").text()]
    by_name: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        by_name.setdefault(normalize_name(node.at("name").text()), []).append(number)
    return tuple(
        _Package(
            locked=_locked(node),
            node=node,
            is_own=any(node.at("source", key) for key in _OWN),
            edges={
                part: [_edge(edge, nodes, by_name) for edge in listed.items()]
                for part, listed in _parts(node)
            },
        )
        for node in nodes
    )


def _parts(node: Node) -> Iterator[tuple[str, Node]]:
    yield "", node.at("dependencies")
    for key, listed in node.at("optional-dependencies").pairs():
        yield f"extra {normalize_name(key.text())}", listed
    for key, listed in node.at("dev-dependencies").pairs():
        yield f"group {normalize_name(key.text())}", listed


def _locked(node: Node) -> Locked:
    source = node.at("source")
    url = source.at("url").text()
    if git := source.at("git").text():
        url = lock_lines.git_url(git, git.partition("#")[2])
    elif path := source.at("path").text():
        url = pip_requirement.file_url(path)
    return Locked(
        name=node.at("name").text(),
        version=node.at("version").text(),
        place=node.at("name"),
        url=url,
        registry=lock_lines.registry(source.at("registry")),
    )


def _edge(edge: Node, nodes: Sequence[Node], by_name: Mapping[str, Sequence[int]]) -> _Edge:
    version, source = edge.at("version").text(), edge.at("source").plain()
    extras = [normalize_name(extra.text()) for extra in edge.at("extra").texts()]
    targets = [
        number
        for number in by_name.get(normalize_name(edge.at("name").text()), ())
        if version in {"", nodes[number].at("version").text()}
        and source in (None, nodes[number].at("source").plain())
    ]
    parts = ("", *(f"extra {extra}" for extra in extras))
    return _Edge(
        targets=tuple((number, part) for number in targets for part in parts),
        marker=edge.at("marker").text(),
    )


def _reached(root: Node, packages: Sequence[_Package], chosen: str) -> Mapping[int, int]:
    """Return the packages that are installed where an extra or a group is chosen, with masks."""
    masks: dict[tuple[int, str], int] = {}
    roots = _roots(root, packages, chosen)
    names = _names(packages, chosen)
    pending = [(state, lock_marker.EVERYWHERE) for state in roots]
    edge_masks: dict[str, int] = {"": lock_marker.EVERYWHERE}
    while pending:
        state, mask = pending.pop()
        new = mask & ~masks.get(state, 0)
        if not new:
            continue
        masks[state] = masks.get(state, 0) | new
        for edge in packages[state[0]].edges.get(state[1], ()):
            if edge.marker not in edge_masks:
                edge_masks[edge.marker] = lock_marker.mask(edge.marker, names)
            pending += [(target, new & edge_masks[edge.marker]) for target in edge.targets]
    return {number: mask for (number, part), mask in masks.items() if not part}


def _roots(root: Node, packages: Sequence[_Package], chosen: str) -> Iterator[tuple[int, str]]:
    """Yield where to begin: the project, or what a script asks for, or all."""
    own = [number for number, package in enumerate(packages) if package.is_own]
    asked = {
        normalize_name(node.at("name").text())
        for node in root.at("manifest", "requirements").items()
    }
    scripts = [
        n for n, package in enumerate(packages) if normalize_name(package.locked.name) in asked
    ]
    for number in own or scripts or range(len(packages)):
        yield number, ""
        if number in own and chosen:
            yield number, chosen


def _names(packages: Sequence[_Package], chosen: str) -> frozenset[str]:
    """Return uv's own names of what is chosen: ``extra-8-nanochat-gpu``."""
    kind, _, part = chosen.partition(" ")
    own = [package.locked.name for package in packages if package.is_own]
    return frozenset(
        {
            *(f"project-{len(name)}-{name}" for name in own),
            *(f"{kind}-{len(name)}-{name}-{part}" for name in own if part),
        }
    )


def _lines(
    packages: Sequence[_Package], reached: Mapping[str, Mapping[int, int]], allowed: int
) -> Iterator[Line]:
    for number, package in enumerate(packages):
        if package.is_own:
            continue
        found = {
            name: lock_marker.places(masks[number], allowed) if number in masks else None
            for name, masks in reached.items()
        }
        for scope, places in lock_lines.spread(found):
            for where in places:
                yield package.locked.declared(scope, where.marker, where.platforms)
