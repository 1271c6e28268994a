"""The lists and mappings of environment.yml that can be edited, found in its nodes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.manifests.yaml_collections import Collection
from reconciler.model.fix import HeldBackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.yaml_collections import Entry
    from reconciler.manifests.yaml_nodes import Node

_OF_ROOT = ("channels", "dependencies", "variables")


class Sections:
    """What a file has of ``root``, ``channels``, ``dependencies``, ``pip`` and ``variables``."""

    def __init__(self, root: Node) -> None:
        self.found: dict[str, Collection] = {"root": Collection(root)}
        #: The section that holds another as an entry, and which of its entries that is.
        self.owners: dict[str, tuple[str, int]] = {}
        self._aliased = frozenset(n.anchor for n in _walk(root) if n.style == "*")
        self._keys = Counter(key.text() for key, _ in root.pairs())
        for number, (key, value) in enumerate(root.pairs()):
            # Of equal keys the last counts.
            if key.text() in _OF_ROOT:
                self.found[key.text()] = Collection(value, key)
                self.owners[key.text()] = ("root", number)
        if "dependencies" in self.found:
            self._find_pip(self.found["dependencies"])

    def _find_pip(self, dependencies: Collection) -> None:
        for key, value in dependencies.node.pairs():
            # Other programs have a mapping of two lists there.
            if key.text() in {"conda", "pip"}:
                name = "pip" if key.text() == "pip" else "dependencies"
                self.found[name] = Collection(value, key)
        for number, item in enumerate(dependencies.node.items()):
            for key, value in item.pairs():
                if key.text() == "pip":
                    self.found["pip"] = Collection(value, key)
                    self.owners["pip"] = ("dependencies", number)

    def is_flow(self, section: str) -> bool:
        """Tell whether a section is written in brackets, or would be if it came in."""
        found = self.found.get(section)
        if found is None and section == "pip":
            return self.is_flow("dependencies")
        return found is not None and found.is_flow

    def check_unshared(self, section: str, entry: Entry | None = None) -> None:
        """Raise HeldBackError where what an edit would change is also read somewhere else."""
        nodes = [found.node for name in self._within(section) if (found := self.found.get(name))]
        if entry:
            nodes += *_walk(entry.node), *_walk(entry.value)
        elif nodes[0].style != "*" and self._keys[section] > 1:
            raise HeldBackError(f"{section}: stands more than once in the file")
        if any(node.style == "*" and node is nodes[0] for node in nodes):
            raise HeldBackError(f"{section}: is an alias of a list that stands elsewhere")
        shared = [n.anchor for n in nodes if n.style != "*" and n.anchor in self._aliased]
        if shared:
            raise HeldBackError(f"an alias *{shared[0]} reads it in another place as well")

    def check_absent(self, section: str) -> None:
        """Raise HeldBackError where a section cannot come in."""
        root = self.found["root"]
        if root.is_flow:
            raise HeldBackError(f"the file is written in braces and has no {section}")
        if self._keys["<<"]:
            raise HeldBackError(f"a merge key may bring {section}: in")

    def _within(self, section: str) -> Iterator[str]:
        """Yield a section and those that hold it."""
        yield section
        if section in self.owners:
            yield from self._within(self.owners[section][0])


def _walk(node: Node) -> Iterator[Node]:
    yield node
    # What an alias stands for is walked where it is.
    if node.style != "*":
        for item in node.items():
            yield from _walk(item)
        for key, value in node.pairs():
            yield from _walk(key)
            yield from _walk(value)
