"""environment.yml: the packages it asks of conda, and those of its pip section.

The form: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.manifests import pip_line, yaml_nodes
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.manifest import Declared, Kind, Manifest, ManifestError, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.yaml_nodes import Node


# A scan asks twice: which environment is named, and what is declared.
@lru_cache(maxsize=4)
def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = yaml_nodes.parse(text)
    if root is None or root.kind != "mapping":
        raise ManifestError("not an environment file: no mapping at its top")
    named = (root.get("name"), root.get("prefix"))
    return Manifest(
        path=path,
        text=text,
        declared=(*_channels(path, root), *_dependencies(path, root)),
        environments=tuple(node.text() for node in named if node and node.text()),
    )


def _channels(path: str, root: Node) -> Iterator[Declared]:
    channels = root.get("channels")
    for node in channels.items() if channels else ():
        if node.text():
            yield _conda(path, node, Kind.CHANNEL, node.text())


def _dependencies(path: str, root: Node) -> Iterator[Declared]:
    dependencies = root.get("dependencies")
    for node in dependencies.items() if dependencies else ():
        if node.text().strip():
            yield _conda(path, node, Kind.REQUIREMENT, _conda_name(node.text()))
        elif pip := node.get("pip"):
            yield from _pip(path, pip)


def _pip(path: str, section: Node) -> Iterator[Declared]:
    for node in section.items():
        text = node.text().strip()
        found = pip_line.declared(text, path=path, line=node.line, column=node.column)
        if text and found:
            yield found


def _conda(path: str, node: Node, kind: Kind, name: str) -> Declared:
    return Declared(
        path=path,
        section=Section.CONDA,
        kind=kind,
        text=node.text().strip(),
        name=name,
        line=node.line,
        column=node.column,
    )


def _conda_name(text: str) -> str:
    try:
        return CondaSpec.parse(text).name
    except InvalidCondaSpec:
        return ""
