"""The pip section of environment.yml: conda writes its items to a requirements file, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import conda_item, pip_line, pip_required
from reconciler.manifests.logical_lines import LogicalLine, logical_lines
from reconciler.model.manifest import Correction, Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.pip_line import Line
    from reconciler.manifests.yaml_nodes import Node

#: As many names of a lost section are told as a user can want.
_MANY = 12


def read(section: Node, *, path: str) -> Iterator[Line]:
    """Yield what each item of the section declares, and what conda or pip makes of the rest."""
    if section.kind == "scalar" and not section.is_null():
        yield pip_line.Line((), (_no_list(section),))
    for node in section.items():
        if node.kind == "scalar" and not node.is_null():
            for logical in lines(node):
                yield pip_line.read(logical, path=path)
        elif fault := _no_text(node):
            yield pip_line.Line((), (fault,))


def names(section: Node) -> list[str]:
    """Return the names of the first requirements of a section."""
    texts = (node.text().strip() for node in section.items()[:_MANY])
    return [pip_required.read(text).name or text for text in texts if text and text[0] != "-"]


def lines(node: Node) -> Iterator[LogicalLine]:
    """Yield the lines that pip sees of an item, with their places in the file."""
    for logical in logical_lines(node.text()):
        if node.is_literal:
            moved = (
                p._replace(line=node.line, column=node.column + p.column - 1)
                for p in logical.pieces
            )
            yield logical._replace(pieces=(*moved,))
        else:
            yield LogicalLine.single(logical.text, node.line, node.column, is_exact=False)


def _no_list(node: Node) -> Fault:
    return Fault(
        kind=FaultKind.BROKEN,
        text=node.text(),
        why="conda wants a list under pip: and gives pip each letter of this as a line",
        better=f"- {node.text()}",
        line=node.line,
        column=node.column,
    )


def _no_text(node: Node) -> Fault | None:
    """Tell of an item that is no text; None of a template's mark."""
    text = better = ""
    why = "conda stops at it: an item of a pip section is a text"
    if node.pairs():
        key, value = node.pairs()[0]
        if key.kind != "scalar":
            return None
        text = f"{key.text()}: {value.text()}"
        why += ", and a colon makes a section of it"
        if key.text().startswith("-"):
            better = f"{key.text()} {value.text()}"
        elif conda_item.is_number(value.text()):
            better = f"{key.text()}=={value.text()}"
    fault = Fault(
        kind=FaultKind.BROKEN,
        text=text,
        why=why,
        better=better,
        line=node.line,
        column=node.column,
    )
    return fault.corrected(Correction(text=better) if better else None)
