"""An Apptainer or Singularity definition: its base image, and what its scripts install.

The form: https://apptainer.org/docs/user/latest/definition_files.html
"""

from __future__ import annotations

import re
from itertools import count
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.manifests import shell_lines
from reconciler.manifests.docker_image import image_of
from reconciler.manifests.install_scopes import Block, Line, arrange
from reconciler.manifests.script import from_parts
from reconciler.model.editor_lines import split
from reconciler.model.manifest import Combination, Declared, Fault, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = re.compile(r"\s*([A-Za-z]+)\s*:\s*(\S+)")
_SECTION = re.compile(r"%(\w+)")
#: The scripts that run while an image is made, or when it is entered.
_SCRIPTS = frozenset({"post", "environment"})
_LINUX = ("linux-64", "linux-aarch64")


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with what its stages declare."""
    stages: list[_Stage] = []
    section = ""
    for number, line in enumerate(split(text), 1):
        if header := _SECTION.match(line):
            section = header[1]
            continue
        named = _HEADER.match(line)
        if named and named[1].lower() == "bootstrap":
            stages.append(_Stage(str(len(stages))))
            section = ""
        if stages:
            stages[-1].take(line, number, section, named)
    numbers = count(1)
    faults: list[Fault] = []
    blocks = []
    for stage in stages:
        name = f"stage {stage.name}" if len(stages) > 1 else ""
        blocks.append(Block(name, [*stage.lines(path, numbers, faults)], (), _LINUX))
    declared, combinations = arrange(blocks)
    return Manifest(
        path=path,
        text=text,
        tool="shell",
        declared=declared,
        combinations=combinations or (Combination(),),
        faults=tuple(faults),
    )


class _Stage:
    """One stage while it is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._is_docker = False
        self._base: tuple[str, int, int] | None = None
        self._scripts: dict[str, list[tuple[str, int, int]]] = {}
        self._copied: dict[str, str] = {}

    def take(self, line: str, number: int, section: str, named: re.Match[str] | None) -> None:
        """Take one line of a section; "" is the header."""
        if section in _SCRIPTS:
            self._scripts.setdefault(section, []).append((f"{line}\n", number, 1))
        elif section == "files":
            source, *target = line.split() or [""]
            self._copied[normpath(target[0] if target else source)] = source
        elif named and not section:
            match named[1].lower():
                case "bootstrap":
                    self._is_docker = named[2].lower() == "docker"
                case "from":
                    self._base = (named[2], number, named.start(2) + 1)
                case "stage":
                    self.name = named[2]

    def lines(self, path: str, numbers: Iterator[int], faults: list[Fault]) -> Iterator[Line]:
        """Yield what the stage is built from, and what its scripts do."""
        if self._base and self._is_docker and not re.search(r"\{\{", self._base[0]):
            text, line, column = self._base
            yield Line(
                Declared(
                    path=path,
                    section=Section.SHELL,
                    kind=Kind.IMAGE,
                    text=text,
                    name=image_of(text),
                    line=line,
                    column=column,
                )
            )
        for parts in self._scripts.values():
            found = shell_lines.read(from_parts(parts), path=path, numbers=numbers)
            faults += found.faults
            yield from (self._located(each, path) for each in found.lines)

    def _located(self, line: Line, path: str) -> Line:
        declared = line.declared
        if declared is None or declared.kind not in {Kind.INCLUDE, Kind.CONSTRAINT}:
            return line
        given = normpath(declared.text.partition(" ")[2] or declared.text)
        source = self._copied.get(given) or given.lstrip("/")
        name = normpath(join(dirname(path), source))
        return line._replace(declared=replace(declared, name=name))
