"""pylock.toml: what one or several tools have resolved, in one form (PEP 751).

The form: https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import lock_lines, lock_marker, pip_requirement, toml_lines
from reconciler.manifests.lock_lines import Locked
from reconciler.model.distribution import normalize_name
from reconciler.model.install_set import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.manifests.toml_nodes import Node
    from reconciler.model.manifest import Declared, Manifest


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = lock_lines.parse(text)
    nodes = [n for n in root.at("packages").items() if n.at("name").text()]
    default = [f"group {name.text()}" for name in root.at("default-groups").texts()]
    extras = (f"extra {name.text()}" for name in root.at("extras").texts())
    groups = (f"group {name.text()}" for name in root.at("dependency-groups").texts())
    further = [name for name in dict.fromkeys((*extras, *groups)) if name not in default]
    named = further[: lock_lines.MAX_COMBINATIONS]
    return toml_lines.manifest(
        path,
        text,
        tool="pip",
        lines=(
            *_python(root),
            *_lines(nodes, ("", *named), frozenset(default)),
            *lock_lines.indexes(_locked(node) for node in nodes),
        ),
        combinations=lock_lines.combinations(named),
        platforms=_platforms(root),
        is_lock=True,
    )


def _python(root: Node) -> Iterator[Line]:
    node = root.at("requires-python")
    if node.text():
        yield toml_lines.python(node, node.text())


def _platforms(root: Node) -> tuple[str, ...]:
    markers = [marker.text() for marker in root.at("environments").texts()]
    masks = [lock_marker.mask(marker, frozenset()) for marker in markers]
    fitting = {platform for mask in masks for platform in lock_marker.platforms(mask)}
    if lock_marker.EVERYWHERE in masks or fitting >= {*PLATFORMS}:
        return ()
    return tuple(platform for platform in lock_marker.KNOWN if platform in fitting)


def _lines(
    nodes: Sequence[Node], named: Sequence[str], default: frozenset[str]
) -> Iterator[Declared]:
    for node in nodes:
        marker = node.at("marker").text()
        left = {
            name: lock_marker.decided(marker, default | {name}) if marker else "" for name in named
        }
        if not node.at("directory"):
            for scope, said in lock_lines.spread(left):
                yield _locked(node).declared(scope, said)


def _locked(node: Node) -> Locked:
    return Locked(
        name=normalize_name(node.at("name").text()),
        version=node.at("version").text(),
        place=node.at("name"),
        url=_url(node),
        registry=lock_lines.registry(node.at("index")),
    )


def _url(node: Node) -> str:
    vcs, archive = node.at("vcs"), node.at("archive")
    if vcs:
        url = vcs.at("url").text() or pip_requirement.file_url(vcs.at("path").text())
        commit, folder = vcs.at("commit-id").text(), vcs.at("subdirectory").text()
        return lock_lines.git_url(url, commit, folder)
    if archive:
        return archive.at("url").text() or pip_requirement.file_url(archive.at("path").text())
    return ""
