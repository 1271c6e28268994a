"""environment.yml: the packages it asks of conda, and those of its pip section.

The form: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
What conda does with what is not of that form was seen in conda 26.7 (``conda.env.env``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.manifests import dependency_list, evident_platforms, yaml_nodes
from reconciler.manifests.conflict_markers import without_markers
from reconciler.manifests.repeated_faults import each_kind_once
from reconciler.model.manifest import (
    Correction,
    Declared,
    Fault,
    FaultKind,
    Kind,
    Manifest,
    ManifestError,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.manifests.yaml_nodes import Node
    from reconciler.model.fix import Edit, Splice

#: The keys that conda reads; of all others it says that it ignores them.
KEYS = frozenset({"name", "channels", "dependencies", "prefix", "variables"})
_TEMPLATE_LINE = re.compile(r"^[ \t]*\{[%#][^\r\n]*", re.MULTILINE)
_PLATFORM = re.compile(r"(?:linux|osx|win)-[a-z0-9]+|noarch")


# A scan asks twice: which environment is named, and what is declared.
@lru_cache(maxsize=4)
def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    plain, conflicts = without_markers(text, tool="conda")
    try:
        root = _parsed(plain)
    except ManifestError:
        if conflicts:
            # Both sides of a merge need not be YAML together.
            return Manifest(path=path, text=text, tool="conda", faults=conflicts)
        raise
    if root is None or root.kind != "mapping":
        raise ManifestError("not an environment file: no mapping at its top")
    dependencies = dependency_list.read(root, path=path, text=plain)
    named = (root.get("name"), root.get("prefix"))
    faults = (*_keys_lost(root), *_channels_no_list(root), *dependencies.faults)
    if conflicts:
        # A section stands twice for each side has one.
        faults = tuple(f for f in faults if f.kind is not FaultKind.SECTION_LOST)
    return Manifest(
        path=path,
        text=text,
        tool="conda",
        declared=_ordered(
            (
                *_channels(path, root),
                *dependencies.declared,
                *_variables(path, root),
                *_prefix(path, root),
            )
        ),
        environments=tuple(node.text() for node in named if node and node.text()),
        platforms=_platforms(path, root, dependencies.declared),
        faults=(*conflicts, *each_kind_once(faults)),
    )


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text of a manifest for the edits; raises HeldBackError."""
    from reconciler.manifests import environment_edits  # noqa: PLC0415 - a scan edits nothing

    root = _parsed(without_markers(manifest.text, tool="conda")[0])
    return environment_edits.rewrite(manifest, root, edits) if root else ()


def _parsed(text: str) -> Node | None:
    try:
        return yaml_nodes.parse(text)
    except ManifestError:
        without = _TEMPLATE_LINE.sub(lambda match: " " * len(match[0]), text)
        if without == text:
            raise
        return yaml_nodes.parse(without)


def _ordered(declared: Iterable[Declared]) -> tuple[Declared, ...]:
    return tuple(sorted(declared, key=lambda d: (d.line, d.column)))


def _platforms(path: str, root: Node, declared: Iterable[Declared]) -> tuple[str, ...]:
    said = root.get("platforms")
    if said and (names := tuple(n.text() for n in said.items() if _PLATFORM.fullmatch(n.text()))):
        return names
    prefix = root.get("prefix")
    asked = [d.name for d in declared if d.section is Section.CONDA and not d.platforms]
    return (
        evident_platforms.of_conda_packages(asked)
        or (evident_platforms.of_prefix(prefix.text()) if prefix else ())
        or evident_platforms.of_path(path)
    )


def _channels(path: str, root: Node) -> Iterator[Declared]:
    channels = root.get("channels")
    for node in channels.items() if channels else ():
        if node.text() and not node.is_null():
            yield _conda(path, node, Kind.CHANNEL, node.text().strip(), node.text())


def _variables(path: str, root: Node) -> Iterator[Declared]:
    variables = root.get("variables")
    for key, value in variables.pairs() if variables else ():
        if key.kind == value.kind == "scalar":
            yield _conda(path, key, Kind.VARIABLE, f"{key.text()}={value.text()}", key.text())


def _prefix(path: str, root: Node) -> Iterator[Declared]:
    prefix = root.get("prefix")
    if prefix and prefix.text():
        key = next(key for key, value in root.pairs() if value is prefix)
        yield _conda(path, key, Kind.PREFIX, f"prefix: {prefix.text()}", prefix.text())


def _conda(path: str, node: Node, kind: Kind, text: str, name: str) -> Declared:
    return Declared(
        path=path,
        section=Section.CONDA,
        kind=kind,
        text=text,
        name=name,
        line=node.line,
        column=node.column,
    )


def _channels_no_list(root: Node) -> Iterator[Fault]:
    channels = root.get("channels")
    if channels and channels.kind == "scalar" and not channels.is_null():
        fault = Fault(
            kind=FaultKind.BROKEN,
            text=f"channels: {channels.text()}",
            why="conda wants a list of channels, and takes each letter of this for one",
            better=f"channels: [{channels.text()}]",
            line=channels.line,
            column=channels.column,
        )
        yield fault.corrected(Correction(text=fault.better))


def _keys_lost(root: Node) -> Iterator[Fault]:
    """Yield the keys that stand again further down."""
    last = {key.text(): key for key, _ in root.pairs() if key.text() in KEYS}
    for key, _ in root.pairs():
        again = last.get(key.text())
        if again and again is not key:
            yield Fault(
                kind=FaultKind.SECTION_LOST,
                text=f"{key.text()}:",
                why=f"{key.text()}: stands again on line {again.line}: conda refuses the file, "
                "and what reads it keeps the last alone",
                line=key.line,
                column=key.column,
            )
