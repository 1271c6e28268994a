"""A workflow of GitHub: what the steps of each job install.

The form: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from itertools import count
from posixpath import join, normpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.manifests import shell_lines, yaml_nodes
from reconciler.manifests.docker_image import image_of
from reconciler.manifests.install_scopes import Block, Line, arrange
from reconciler.manifests.script import Source
from reconciler.model.manifest import (
    Combination,
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

_RUNNERS = (
    (re.compile(r"(ubuntu|linux)[\w.-]*-?(arm|aarch64)"), ("linux-aarch64",)),
    (re.compile(r"ubuntu|linux"), ("linux-64",)),
    (re.compile(r"windows"), ("win-64",)),
    (re.compile(r"macos"), ("osx-arm64", "osx-64")),
)
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
#: What a step says of the machine that it is for.
_ON = re.compile(r"(==|startsWith\(.*?,)\s*'(linux|windows|macos|ubuntu)[\w.-]*'", re.IGNORECASE)
_FILES = frozenset({"environment-file"})


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    root = yaml_nodes.parse(text)
    jobs = root.get("jobs") if root else None
    if root is None or jobs is None:
        raise ManifestError("not a workflow: it has no jobs")
    reader = _Reader(path, Source(text))
    shared = reader.variables(root, {})
    around = [Line(line) for line in shared]
    known = {line.name: line.text.partition("=")[2] for line in shared}
    pairs = [(key.text(), job) for key, job in jobs.pairs()]
    blocks = [Block("", around)] if around and len(pairs) > 1 else []
    for name, job in pairs:
        lines = [*reader.job(job, known)]
        if len(pairs) == 1:
            blocks.append(Block("", [*around, *lines], (), _platforms(job)))
        elif any(line.declared for line in lines):
            blocks.append(Block(f"job {name}", lines, ("",) if around else (), _platforms(job)))
    declared, combinations = arrange(blocks)
    return Manifest(
        path=path,
        text=text,
        tool="shell",
        declared=declared,
        combinations=combinations or (Combination(),),
        faults=tuple(reader.faults),
    )


class _Reader:
    """Follows the jobs of one file; it lives for one reading."""

    def __init__(self, path: str, source: Source) -> None:
        self.faults: list[Fault] = []
        self._path = path
        self._source = source
        self._numbers = count(1)

    def variables(self, node: Node, known: dict[str, str]) -> list[Declared]:
        """Return what an ``env:`` sets, and add it to what is known."""
        found: list[Declared] = []
        env = node.get("env")
        for key, value in env.pairs() if env else ():
            known.pop(key.text(), None)
            if value.kind == "scalar" and "${{" not in value.text():
                known[key.text()] = value.text()
                text = f"{key.text()}={value.text()}"
                found.append(self._declared(key, Section.SHELL, Kind.VARIABLE, key.text(), text))
        return found

    def job(self, job: Node, known: dict[str, str]) -> Iterator[Line]:
        known = dict(known)
        yield from (Line(line) for line in self.variables(job, known))
        container = job.get("container")
        image = container.get("image") or container if container else None
        if image and image.text() and "${{" not in image.text():
            name = image_of(image.text())
            line = self._declared(image, Section.SHELL, Kind.IMAGE, name, image.text())
            yield Line(line)
        steps = job.get("steps")
        conditions: dict[str, int] = {}
        for step in steps.items() if steps else ():
            condition = _text(step, "if")
            platforms = _platforms_of_runner(condition) if _ON.search(condition) else ()
            arm = 0
            if condition and not platforms:
                arm = conditions.setdefault(condition, len(conditions) + 1)
            for each in self._step(step, _folder(job, step), dict(known)):
                declared = each.declared and replace(each.declared, platforms=platforms)
                yield each._replace(declared=declared, arm=each.arm or arm)

    def _step(self, step: Node, folder: str, known: dict[str, str]) -> Iterator[Line]:
        yield from (Line(line) for line in self.variables(step, known))
        inputs = step.get("with")
        for key, value in inputs.pairs() if inputs else ():
            if key.text() in _FILES and value.text() and "${{" not in value.text():
                name = normpath(value.text())
                text = f"environment-file: {value.text()}"
                line = self._declared(value, Section.CONDA, Kind.INCLUDE, name, text)
                yield Line(replace(line, command=next(self._numbers)))
        run = step.get("run")
        if run is None or not run.text():
            return
        found = shell_lines.read(
            self._source.script(run.text(), run.line, run.column),
            path=self._path,
            numbers=self._numbers,
            variables=known,
        )
        self.faults += found.faults
        for each in found.lines:
            declared = each.declared
            if declared and declared.kind in {Kind.INCLUDE, Kind.CONSTRAINT}:
                given = declared.text.partition(" ")[2] or declared.text
                declared = replace(declared, name=normpath(join(folder, given)))
            yield each._replace(declared=declared)

    def _declared(self, node: Node, section: Section, kind: Kind, name: str, text: str) -> Declared:
        return Declared(
            path=self._path,
            section=section,
            kind=kind,
            text=text,
            name=name,
            line=node.line,
            column=node.column,
        )


def _text(node: Node, *keys: str) -> str:
    """Return the text below keys; "" where one of them is not there."""
    found: Node | None = node
    for key in keys:
        found = found.get(key) if found else None
    return found.text() if found else ""


def _folder(job: Node, step: Node) -> str:
    said = _text(step, "working-directory")
    return said or _text(job, "defaults", "run", "working-directory")


def _platforms(job: Node) -> tuple[str, ...]:
    """Return the platforms of a job's runners; none where only a run tells them."""
    runner = job.get("runs-on")
    # Beside labels of its own, a runner's says its system.
    texts = [node.text() for node in runner.items()] or [runner.text()] if runner else []
    found: dict[str, None] = {}
    for text in texts:
        if matrix := _MATRIX.search(text):
            values = _matrix(job, matrix[1])
            platforms = [_platforms_of_runner(value) for value in values]
            if not values or not all(platforms):
                return ()
            found |= dict.fromkeys(p for some in platforms for p in some)
        else:
            found |= dict.fromkeys(_platforms_of_runner(text))
    return tuple(found)


def _matrix(job: Node, name: str) -> list[str]:
    strategy = job.get("strategy")
    matrix = strategy.get("matrix") if strategy else None
    values = matrix.get(name) if matrix else None
    included = matrix.get("include") if matrix else None
    further = [_text(item, name) for item in included.items()] if included else []
    return [*(v.text() for v in values.items())] + [f for f in further if f] if values else further


def _platforms_of_runner(label: str) -> tuple[str, ...]:
    lowered = label.lower()
    return next((found for pattern, found in _RUNNERS if pattern.search(lowered)), ())
