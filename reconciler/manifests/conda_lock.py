"""conda-lock.yml: what conda-lock found for each platform.

ruamel.yaml reads half a megabyte in a second, and a lock has several: what conda-lock has written
is read by its lines, and as YAML only where it has another layout.

The form: https://conda.github.io/conda-lock/output/#unified-lockfile
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from reconciler.manifests import locked, yaml_nodes
from reconciler.manifests.locked import Place
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Combination, Declared, IndexRole, Manifest, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.yaml_nodes import Node

_PLAIN = re.compile(r"""(?:'([^']*)'|"([^"\\]*)"|([^\s'"&*|>{}\[\]!%@`#][^#]*?))\s*(?:\s\#.*)?""")
_FIELDS = frozenset({"name", "version", "build", "manager", "platform", "url", "category"})
_MAIN = frozenset({"", "main", "default"})


class Value(NamedTuple):
    """A scalar with its place."""

    text: str
    line: int
    column: int


class Lock(Struct, frozen=True):
    """What a lock holds."""

    packages: Sequence[Mapping[str, Value]] = ()
    channels: Sequence[Value] = ()
    platforms: Sequence[Value] = ()
    sources: Sequence[Value] = ()


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    lock = _by_lines(text) or _by_nodes(text)
    packages = [*_packages(path, lock)]
    categories = dict.fromkeys(d.scope for d in packages if d.scope)
    platforms = (value.text for value in lock.platforms)
    named = (p["platform"].text for p in lock.packages if "platform" in p)
    sources = (normpath(join(dirname(path), source.text)) for source in lock.sources)
    return Manifest(
        path=path,
        text=text,
        tool="conda",
        is_lock=True,
        declared=(
            *(locked.channel(Place(path, c.line, c.column), c.text) for c in lock.channels),
            *_indexes(packages),
            *packages,
        ),
        combinations=(
            Combination(),
            *(Combination(name=name, scopes=("", name)) for name in categories),
        ),
        platforms=tuple(dict.fromkeys((*platforms, *named))),
        sources=tuple(sources),
    )


def _packages(path: str, lock: Lock) -> Iterator[Declared]:
    for fields in lock.packages:
        name, version = fields.get("name"), fields.get("version")
        if name is None or version is None:
            continue
        said = {key: value.text for key, value in fields.items()}
        category = said.get("category", "")
        place = Place(
            path,
            name.line,
            name.column,
            "" if category in _MAIN else f"category {category}",
            (said["platform"],) if "platform" in said else (),
        )
        url = said.get("url", "")
        if said.get("manager") == "pip":
            yield locked.pip_package(place, name.text, version.text, url)
        else:
            archive = locked.conda_archive(url)
            build = archive.build if archive else said.get("build", "")
            yield locked.conda_package(place, name.text, version.text, build)


def _indexes(packages: Sequence[Declared]) -> Iterator[Declared]:
    """Yield each index that packages of pip are from, where the first of them stands."""
    first = {package.index: package for package in reversed(packages) if package.index}
    for url, package in first.items():
        place = Place(package.path, package.line, package.column)
        yield locked.index(place, url, IndexRole.EXPLICIT)


def _by_lines(text: str) -> Lock | None:
    """Read the layout that conda-lock writes; None where it is another."""
    packages: list[dict[str, Value]] = []
    listed: dict[str, list[Value]] = {}
    top = ""
    key = ""
    for number, line in enumerate(split(text), 1):
        if not line or line[0] == "#":
            continue
        if line[0] not in " -":
            top = line.partition(":")[0]
            continue
        if top == "package":
            if not _take_field(packages, line, number):
                return None
        elif top == "metadata" and line.startswith("  "):
            if line[2] not in " -":
                key = line[2:].partition(":")[0]
            elif value := _item(line, number):
                listed.setdefault(key, []).append(value)
    if not packages:
        return None
    return Lock(
        packages,
        listed.get("channels", ()),
        listed.get("platforms", ()),
        listed.get("sources", ()),
    )


def _take_field(packages: list[dict[str, Value]], line: str, number: int) -> bool:
    """Take a line of the packages; False where it is not of the layout."""
    if line.startswith("- "):
        packages.append({})
    elif not line.startswith("  ") or not packages:
        return False
    # What is deeper belongs to a field that nobody asks for.
    if line[2:3] in {" ", "-", ""}:
        return True
    key, colon, value = line[2:].partition(": ")
    if colon and key in _FIELDS:
        match = _PLAIN.fullmatch(value.strip())
        if not match:
            return False
        text = match[1] or match[2] or match[3] or ""
        spaces = len(value) - len(value.lstrip()) + (match[3] is None)
        column = 2 + len(key) + len(colon) + spaces + 1
        packages[-1][key] = Value(text, number, column)
    return True


def _item(line: str, number: int) -> Value | None:
    item = re.match(r"\s+-\s+(?:url:\s+)?", line)
    match = _PLAIN.fullmatch(line[item.end() :].strip()) if item else None
    if item is None or match is None:
        return None
    column = item.end() + (match[3] is None) + 1
    return Value(match[1] or match[2] or match[3] or "", number, column)


def _by_nodes(text: str) -> Lock:
    root = yaml_nodes.parse(text)
    package = root.get("package") if root else None
    if root is None or package is None:
        raise ManifestError("not a lock of conda-lock: it has no packages")
    metadata = root.get("metadata") or root
    return Lock(
        [
            {k.text(): _value(v) for k, v in item.pairs() if k.text() in _FIELDS and v.text()}
            for item in package.items()
        ],
        [_value(item.get("url") or item) for item in _items(metadata, "channels")],
        [_value(item) for item in _items(metadata, "platforms")],
        [_value(item) for item in _items(metadata, "sources")],
    )


def _items(node: Node, key: str) -> tuple[Node, ...]:
    found = node.get(key)
    return found.items() if found else ()


def _value(node: Node) -> Value:
    return Value(node.text(), node.line, node.column)
