"""The ``dependencies:`` of environment.yml, in every shape that files give it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from reconciler.manifests import conda_item, evident_platforms, pip_required, pip_section
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Correction, Declared, Fault, FaultKind, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.yaml_nodes import Node

# unidep's file, where each item may name its package for conda and for pip.
_UNIDEP = re.compile(r"(?:.*/)?requirements\.ya?ml")
_VERSION = re.compile(r"\d[\w.]*(?:\.\*)?")
_KEYS = frozenset({"name", "channels", "dependencies", "prefix", "variables", "platforms"})


class Dependencies(NamedTuple):
    """What the list declares, and what conda makes of the rest of it."""

    declared: tuple[Declared, ...] = ()
    faults: tuple[Fault, ...] = ()


def read(root: Node, *, path: str, text: str) -> Dependencies:
    """Read the list of a file; what is no list is read as far as its sense is certain."""
    node = root.get("dependencies")
    if node is None or node.is_null():
        return Dependencies()
    reader = _Reader(path, split(text) if "[" in text else ())
    if node.kind == "mapping":
        # Other programs have files of this shape; conda refuses it only where it is its own.
        is_its_own = all(key.text() in _KEYS for key, _ in root.pairs())
        return _collected((*reader.of_mapping(node), *([_no_list(node)] if is_its_own else [])))
    if node.kind == "scalar":
        return _collected((_no_list(node),))
    return _collected(reader.of_list(node))


def _collected(found: Sequence[Declared | Fault] | Iterator[Declared | Fault]) -> Dependencies:
    kept = tuple(found)
    return Dependencies(
        declared=tuple(f for f in kept if isinstance(f, Declared)),
        faults=tuple(f for f in kept if isinstance(f, Fault)),
    )


class _Reader(NamedTuple):
    """Reads the items of one file."""

    path: str
    #: Of the file, where a selector may stand in one.
    lines: Sequence[str]

    def of_list(self, node: Node) -> Iterator[Declared | Fault]:
        sections = [item for item in node.items() if item.kind == "mapping" and item.get("pip")]
        for item in node.items():
            if item.kind == "scalar":
                yield from self._of_item(item)
            elif item.kind == "mapping":
                yield from self._of_section(item, last=sections[-1] if sections else item)
            else:
                yield _fault(item, "", "conda stops at it: an item of the list is a text")

    def of_mapping(self, node: Node) -> Iterator[Declared | Fault]:
        for item in ((conda := node.get("conda")) and conda.items()) or ():
            if item.kind == "scalar":
                yield from self._of_item(item)
        if pip := node.get("pip"):
            yield from self._of_pip(pip)

    def _of_item(self, node: Node) -> Iterator[Declared | Fault]:
        text = node.text().strip()
        if node.is_null():
            yield _fault(node, "-", "conda stops at an item without text")
        elif node.is_plain and conda_item.is_number(text):
            yield _fault(node, text, "conda stops at it: YAML reads a number there")
        elif text and not pip_required.is_placeholder(text) and "${" not in text:
            item = conda_item.read(text)
            if item.refused:
                yield _fault(node, text, item.refused, item.better)
            else:
                yield self._conda(node, item.text, item.name)

    def _of_section(self, node: Node, *, last: Node) -> Iterator[Declared | Fault]:
        is_unidep = bool(_UNIDEP.fullmatch(self.path))
        for key, value in node.pairs():
            if key.kind != "scalar":
                # A template's {{ mark }} is a mapping in a mapping.
                continue
            if is_unidep and value.kind == "scalar":
                yield from self._of_unidep(key, value)
            elif key.text() == "pip":
                if node is last and value is node.get("pip"):
                    yield from self._of_pip(value)
                else:
                    yield _lost(key, value, last)
            elif not is_unidep:
                yield _other_section(key, value)

    def _of_unidep(self, key: Node, value: Node) -> Iterator[Declared | Fault]:
        if key.text() == "conda":
            yield from self._of_item(value)
        elif key.text() == "pip":
            yield from self._of_pip(replace(value, value=(value,), kind="sequence"))

    def _of_pip(self, section: Node) -> Iterator[Declared | Fault]:
        for line in pip_section.read(section, path=self.path):
            yield from (replace(d, platforms=self._platforms(d.line)) for d in line.declared)
            yield from line.faults

    def _conda(self, node: Node, text: str, name: str) -> Declared:
        return Declared(
            path=self.path,
            section=Section.CONDA,
            text=text,
            name=name,
            line=node.line,
            column=node.column,
            platforms=self._platforms(node.line),
        )

    def _platforms(self, line: int) -> tuple[str, ...]:
        if not self.lines or "[" not in self.lines[line - 1]:
            return ()
        return evident_platforms.of_selector(self.lines[line - 1])


def _no_list(node: Node) -> Fault:
    if node.kind == "mapping":
        why = "conda wants a list under dependencies: and takes these keys for names of packages"
        return _fault(node, "dependencies:", why)
    why = "conda wants a list under dependencies: and takes each letter of this for a package"
    return _fault(node, f"dependencies: {node.text()}", why, f"dependencies: [{node.text()}]")


def _lost(key: Node, value: Node, last: Node) -> Fault:
    names = pip_section.names(value)
    said = ", ".join(names) if names else "what stands in this one"
    fault = Fault(
        kind=FaultKind.SECTION_LOST,
        text="pip:",
        why=f"conda reads the last pip section alone, that of line {last.line}, "
        f"and does not install {said}",
        better="one pip section that holds them all",
        line=key.line,
        column=key.column,
    )
    return fault.corrected(Correction(into=last.line, is_certain=False))


def _other_section(key: Node, value: Node) -> Fault:
    if value.kind == "scalar" and value.text() and not value.is_null():
        is_sure = _VERSION.fullmatch(value.text()) and not key.text().startswith("-")
        return _fault(
            key,
            f"{key.text()}: {value.text()}",
            "a colon makes a section of it, which conda does not install",
            f"{key.text()}={value.text()}" if is_sure else "",
        )
    return Fault(
        kind=FaultKind.SECTION_LOST,
        text=f"{key.text()}:",
        why=f"conda knows no section {key.text()} and installs nothing of it",
        line=key.line,
        column=key.column,
    )


def _fault(node: Node, text: str, why: str, better: str = "") -> Fault:
    fault = Fault(
        kind=FaultKind.BROKEN,
        text=text,
        why=why,
        better=better,
        line=node.line,
        column=node.column,
    )
    return fault.corrected(Correction(text=better) if better else None)
