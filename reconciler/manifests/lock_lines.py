"""What the packages of a lock declare, whichever program wrote it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from reconciler.manifests import pip_requirement, toml_lines, toml_nodes
from reconciler.model.distribution import normalize_name
from reconciler.model.manifest import Combination, Declared, IndexRole, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.manifests.toml_nodes import Node

_T = TypeVar("_T")
#: Scope of what is installed where neither an extra nor a group is chosen, and not where one is.
ALONE = "alone"
#: More than any project has; what lies beyond is not judged.
MAX_COMBINATIONS = 64
# Nine tenths of a lock are files and their hashes: nothing here asks for them.
_FILES = re.compile(
    r"^(?:sdist = \{[^\n]*\}"
    r"|(?:wheels|files) = \[(?:[^\n]+\]|\n(?:[ \t]+\{[^\n]*\},?\r?\n)*+\]))[ \t]*(?=\r?$)",
    re.MULTILINE,
)
_PYPI = re.compile(r"https://(?:pypi\.org|pypi\.python\.org)(?:/simple)?/?")


class Locked(NamedTuple):
    """One package of a lock."""

    name: str
    version: str
    #: Where its name is written.
    place: Node
    #: Of what it is installed from, where that is no index.
    url: str = ""
    #: The URL of an index that is not PyPI, where it is written.
    registry: Node = toml_nodes.NOTHING

    @property
    def text(self) -> str:
        """The requirement that gets it."""
        if self.url:
            return f"{self.name} @ {self.url}"
        return f"{self.name}=={self.version}" if self.version else self.name

    def declared(self, scope: str, marker: str = "", platforms: tuple[str, ...] = ()) -> Declared:
        """Return it as a line of a scope."""
        mark = " ; " if self.url else "; "
        return Declared(
            path="",
            section=Section.PIP,
            text=f"{self.text}{mark}{marker}" if marker else self.text,
            name=normalize_name(self.name),
            line=self.place.line,
            column=self.place.column,
            scope=scope,
            index="" if self.url else self.registry.text(),
            platforms=platforms,
        )


def parse(text: str) -> Node:
    """Return a lock without its lists of files; raises ManifestError."""
    return toml_nodes.parse(_FILES.sub(lambda found: "\n" * found[0].count("\n"), text))


def registry(node: Node) -> Node:
    """Return the node of an index's URL, where that is not PyPI."""
    return toml_nodes.NOTHING if _PYPI.fullmatch(node.text()) else node


def indexes(packages: Iterable[Locked]) -> Iterator[Declared]:
    """Yield each index besides PyPI once: only what names it is taken from it."""
    nodes = {p.registry.text(): p.registry for p in reversed(tuple(packages)) if not p.url}
    for url, node in reversed(nodes.items()):
        if url:
            yield toml_lines.index(node, IndexRole.EXPLICIT)


def combinations(named: Sequence[str]) -> tuple[Combination, ...]:
    """Return the lock alone, and with each of its extras and groups."""
    further = (Combination(name=name, scopes=("", name)) for name in named)
    return (Combination(scopes=("", ALONE)), *further)


def spread(by_name: Mapping[str, _T | None]) -> Iterator[tuple[str, _T]]:
    """Yield the scopes of a package, of what it is in each combination; None where it is not in.

    What is the same in all of them is in the scope "".
    """
    values = list(by_name.values())
    if values[0] is not None and all(value == values[0] for value in values):
        yield "", values[0]
        return
    yield from ((name or ALONE, value) for name, value in by_name.items() if value is not None)


def git_url(url: str, commit: str, folder: str = "") -> str:
    """Return a repository at the commit that was locked."""
    return pip_requirement.git_url(url.partition("?")[0].partition("#")[0], commit, folder)
