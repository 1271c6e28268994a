"""devcontainer.json: the image of a development container, and what its commands install.

The form: https://containers.dev/implementors/json_reference/
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.manifests import shell_lines, yaml_nodes
from reconciler.manifests.docker_image import image_of
from reconciler.manifests.install_scopes import Block, Line, arrange
from reconciler.manifests.script import Script, Source, from_words
from reconciler.model.manifest import (
    Declared,
    Fault,
    Kind,
    Manifest,
    ManifestError,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.manifests.yaml_nodes import Node

# A text, a comment, or white space that YAML does not take for it.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|\t', re.DOTALL)
#: In the order in which they run.
_COMMANDS = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
_LINUX = ("linux-64", "linux-aarch64")


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    # But for its comments, it is JSON, and JSON is YAML.
    root = yaml_nodes.parse(_TOKEN.sub(_blank, text))
    if root is None or root.kind != "mapping":
        raise ManifestError("not an object of JSON")
    faults: list[Fault] = []
    source, numbers = Source(text), count(1)
    lines = [Line(declared) for declared in _image_and_variables(path, root)]
    for key in _COMMANDS:
        command = root.get(key)
        for script in _scripts(command, source) if command else ():
            found = shell_lines.read(script, path=path, numbers=numbers)
            lines += (_located(line) for line in found.lines)
            faults += found.faults
    declared, combinations = arrange([Block("", lines, (), _LINUX)])
    return Manifest(
        path=path,
        text=text,
        tool="shell",
        declared=declared,
        combinations=combinations,
        faults=tuple(faults),
    )


def _blank(token: re.Match[str]) -> str:
    if token[0].startswith('"'):
        return token[0]
    return re.sub(r"[^\r\n]", " ", token[0])


def _image_and_variables(path: str, root: Node) -> Iterator[Declared]:
    image = root.get("image")
    if image and image.text() and "${" not in image.text():
        yield _declared(path, image, Kind.IMAGE, image_of(image.text()), image.text())
    for key in ("containerEnv", "remoteEnv"):
        variables = root.get(key)
        for name, value in variables.pairs() if variables else ():
            text = f"{name.text()}={value.text()}"
            yield _declared(path, name, Kind.VARIABLE, name.text(), text)


def _declared(path: str, node: Node, kind: Kind, name: str, text: str) -> Declared:
    return Declared(
        path=path,
        section=Section.SHELL,
        kind=kind,
        text=text,
        name=name,
        line=node.line,
        column=node.column,
    )


def _scripts(command: Node, source: Source) -> Iterator[Script]:
    """Yield the scripts of a command: a text, words that no shell reads, or several by name."""
    if command.text():
        yield source.script(command.text(), command.line, command.column)
    elif command.items():
        words = command.items()
        yield from_words((w.text(), w.line, w.column) for w in words)
    for _, each in command.pairs():
        yield from _scripts(each, source)


def _located(line: Line) -> Line:
    """Look for an included file where the commands run: in the project's folder."""
    declared = line.declared
    if declared is None or declared.kind not in {Kind.INCLUDE, Kind.CONSTRAINT}:
        return line
    given = declared.text.partition(" ")[2] or declared.text
    return line._replace(declared=replace(declared, name=given.removeprefix("./")))
