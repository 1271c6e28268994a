"""Dockerfile and Containerfile: what each stage is built from, and what its commands install.

The form: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from reconciler.manifests import shell_lines
from reconciler.manifests.docker_image import image_of
from reconciler.manifests.docker_instructions import instructions
from reconciler.manifests.install_scopes import Block, Line, arrange
from reconciler.manifests.script import Script, Source, from_words
from reconciler.manifests.shell_words import UNKNOWN, Word, commands
from reconciler.model.manifest import Declared, Fault, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifests.docker_instructions import Instruction

_FLAG = re.compile(r"\s*--([a-z]+)(?:=(\S+))?\s*")
_PAIR = re.compile(r"([\w.-]+)=")
_MACHINES = {
    "amd64": "linux-64",
    "x86_64": "linux-64",
    "arm64": "linux-aarch64",
    "aarch64": "linux-aarch64",
}
_LINUX = ("linux-64", "linux-aarch64")
_INTERPRETER = re.compile(r"\s*(?:\S*/)?(?:ba|z|da|a)?sh\b(?:\s+-\w+)*\s*<<|\s*<<")
_SHEBANG = re.compile(r"#!\s*\S*(?:sh|env (?:ba)?sh)\b")


@dataclass
class _Stage:
    """One stage while it is read."""

    name: str
    #: The stage that it is FROM.
    below: _Stage | None = None
    platforms: tuple[str, ...] = _LINUX
    variables: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    folder: str = "/"
    #: What COPY and ADD bring: from where in the project, to where in the image.
    copied: list[tuple[str, str]] = field(default_factory=list)
    #: The environment that SHELL activates.
    environment: str = ""


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with what its stages declare."""
    reader = _Reader(path)
    for instruction in instructions(text):
        reader.follow(instruction)
    declared, combinations = arrange(reader.blocks())
    return Manifest(
        path=path,
        text=text,
        tool="shell",
        declared=declared,
        combinations=combinations,
        faults=tuple(reader.faults),
    )


class _Reader:
    """Follows the instructions of one file; it lives for one reading."""

    def __init__(self, path: str) -> None:
        self.faults: list[Fault] = []
        self._path = path
        self._numbers = count(1)
        self._arguments: dict[str, str] = {}
        self._stages: list[_Stage] = []

    def blocks(self) -> Iterator[Block]:
        alone = len(self._stages) == 1
        for stage in self._stages:
            bases = []
            below = stage.below
            while below:
                bases.append(below.name)
                below = below.below
            name = "" if alone else f"stage {stage.name}"
            named = tuple(f"stage {base}" for base in reversed(bases))
            yield Block(name, stage.lines, named, stage.platforms)

    def follow(self, instruction: Instruction) -> None:
        word, script = instruction.word, instruction.script
        if word == "ONBUILD" and (inner := re.match(r"([A-Za-z]+)\s+", script.text)):
            word, blank = inner[1].upper(), " " * inner.end()
            script = Script(blank + script.text[inner.end() :], script.starts, script.places)
        if word == "FROM":
            self._from(script)
        elif self._stages:
            self._in_stage(word, script, instruction.heredocs, self._stages[-1])
        elif word == "ARG":
            self._argument(script, self._arguments)

    def _in_stage(
        self, word: str, script: Script, heredocs: Sequence[Script], stage: _Stage
    ) -> None:
        match word:
            case "ARG":
                self._argument(script, stage.variables)
            case "ENV":
                self._environment(script, stage)
            case "WORKDIR":
                stage.folder = normpath(join(stage.folder, _expanded(script, stage)[0]))
            case "COPY" | "ADD":
                self._copy(script, stage)
            case "SHELL":
                self._shell(script, stage)
            case "RUN":
                self._run(script, heredocs, stage)

    def _stage(self, name: str) -> _Stage | None:
        numbered = {str(number): stage for number, stage in enumerate(self._stages)}
        return {**numbered, **{stage.name: stage for stage in self._stages}}.get(name)

    def _from(self, script: Script) -> None:
        words = [word for command in commands(script.text) for word in command.words]
        flags = [word for word in words if word.written.startswith("--")]
        rest = [word for word in words if word not in flags]
        if not rest:
            return
        image = "".join(rest[0].expand(self._arguments))
        number = str(len(self._stages))
        named = rest[2].written.lower() if len(rest) > 2 else number
        below = self._stage(image.lower())
        stage = _Stage(number if self._stage(named) else named)
        if below:
            stage.below, stage.platforms = below, below.platforms
            stage.variables, stage.folder = dict(below.variables), below.folder
            stage.copied, stage.environment = list(below.copied), below.environment
        elif image and UNKNOWN not in image and image != "scratch":
            stage.lines.append(Line(self._image(script, rest[0], image)))
        for flag in flags:
            machine = "".join(flag.expand(self._arguments)).rpartition("/")[2]
            if machine in _MACHINES:
                stage.platforms = (_MACHINES[machine],)
        self._stages.append(stage)

    def _image(self, script: Script, word: Word, image: str) -> Declared:
        line, column = script.place(word.begin)
        return Declared(
            path=self._path,
            section=Section.SHELL,
            kind=Kind.IMAGE,
            text=image,
            name=image_of(image),
            line=line,
            column=column,
        )

    def _argument(self, script: Script, variables: dict[str, str]) -> None:
        for word in _words(script):
            name, equals, _ = word.written.partition("=")
            if equals:
                value = "".join(word.expand(variables)).partition("=")[2]
                variables.setdefault(name, value)
            elif name in self._arguments:
                variables.setdefault(name, self._arguments[name])

    def _environment(self, script: Script, stage: _Stage) -> None:
        words = _words(script)
        if not words:
            return
        if not _PAIR.match(words[0].written):
            # The old form, ENV NAME a value with spaces.
            name = words[0].written
            values = " ".join(word.written for word in words[1:])
            known = " ".join(text for word in words[1:] for text in word.expand(stage.variables))
            self._variable(script, words[0], f"{name}={values}", known, stage)
            return
        for word in words:
            known = "".join(word.expand(stage.variables)).partition("=")[2]
            self._variable(script, word, word.written, known, stage)

    def _variable(self, script: Script, word: Word, text: str, known: str, stage: _Stage) -> None:
        name = text.partition("=")[0]
        line, column = script.place(word.begin)
        stage.variables.pop(name, None)
        if UNKNOWN not in known:
            stage.variables[name] = known
        declared = Declared(
            path=self._path,
            section=Section.SHELL,
            kind=Kind.VARIABLE,
            text=text.strip(),
            name=name,
            line=line,
            column=column,
        )
        stage.lines.append(Line(declared))

    def _copy(self, script: Script, stage: _Stage) -> None:
        words = _expanded(script, stage)
        if any(word.startswith("--from") for word in words):
            return
        plain = [word.strip('[],"') for word in words if not word.startswith("--")]
        for source in plain[:-1]:
            self._bring(source, plain[-1], stage, is_folder=len(plain) > 2)

    def _bring(self, source: str, target: str, stage: _Stage, *, is_folder: bool = False) -> None:
        path = normpath(join(stage.folder, target))
        # Into a folder under its own name; a folder's contents become that folder's.
        if is_folder or target.endswith(("/", ".")):
            stage.copied.append((source, normpath(join(path, basename(source.rstrip("/"))))))
        stage.copied.append((source, path))

    def _shell(self, script: Script, stage: _Stage) -> None:
        """Follow ``SHELL ["conda", "run", "-n", "gpu", "/bin/bash", "-c"]``."""
        words = _json(script.text)
        if words[1:2] == ["run"]:
            given = (words[i + 1] for i, w in enumerate(words[:-1]) if w in {"-n", "--name", "-p"})
            stage.environment = next(given, "").rpartition("/")[2]

    def _run(self, script: Script, heredocs: Sequence[Script], stage: _Stage) -> None:
        at = 0
        while flag := _FLAG.match(script.text, at):
            self._mount(flag[2] or "", stage)
            at = flag.end()
        rest = script.text[at:]
        script = Script(" " * at + rest, script.starts, script.places)
        if words := _json(rest):
            scripts = [_exec_form(words, script, at)]
        elif heredocs and _INTERPRETER.match(rest):
            scripts = [h for h in heredocs if _SHEBANG.match(h.text) or h.text[:2] != "#!"]
        else:
            scripts = [script]
        for each in scripts:
            found = shell_lines.read(
                each,
                path=self._path,
                numbers=self._numbers,
                variables=stage.variables,
                environment=stage.environment,
            )
            stage.lines += (self._located(line, stage) for line in found.lines)
            self.faults += found.faults

    def _mount(self, value: str, stage: _Stage) -> None:
        """Note what ``--mount=type=bind,source=requirements.txt,target=...`` lends."""
        fields = dict(part.partition("=")[::2] for part in value.split(","))
        source = fields.get("source") or fields.get("src")
        target = fields.get("target") or fields.get("dst") or fields.get("destination")
        if fields.get("type") == "bind" and source and target and "from" not in fields:
            self._bring(source, target, stage)

    def _located(self, line: Line, stage: _Stage) -> Line:
        """Give an included file the path that it was copied from."""
        declared = line.declared
        if declared is None or declared.kind not in {Kind.INCLUDE, Kind.CONSTRAINT}:
            return line
        given = declared.text.partition(" ")[2] or declared.text
        path = normpath(join(stage.folder, given))
        source = normpath(join(dirname(self._path), _source(path, given, stage)))
        return line._replace(declared=replace(declared, name=source))


def _source(path: str, given: str, stage: _Stage) -> str:
    """Return where a file of the image lies in the project, by what was copied."""
    copied = stage.copied[::-1]
    if source := next((source for source, target in copied if path == target), ""):
        return source.lstrip("/")
    for source, target in copied:
        folder = f"{target.rstrip('/')}/"
        # requirements.txt is a file, and . is none.
        if path.startswith(folder) and not re.search(r"[^./]\.", basename(source)):
            return join(source.lstrip("/"), path[len(folder) :])
    return given.lstrip("/")


def _words(script: Script) -> list[Word]:
    return [word for command in commands(script.text) for word in command.words]


def _expanded(script: Script, stage: _Stage) -> list[str]:
    found = [text for word in _words(script) for text in word.expand(stage.variables)]
    return [text.replace(UNKNOWN, "") for text in found] or ["."]


def _json(text: str) -> list[str]:
    """Return the words of an instruction in exec form; nothing of any other."""
    if not text.lstrip().startswith("["):
        return []
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError:
        return []


def _exec_form(words: Sequence[str], script: Script, at: int) -> Script:
    """Return words that no shell reads as a script of quoted words."""
    source = Source(script.text)
    parts: list[tuple[str, int, int]] = []
    is_shell = len(words) > 2 and basename(words[0]) in {"bash", "sh"} and words[1][-1:] == "c"
    offset = script.text.index("[", at) + 1
    for index, word in enumerate(words):
        offset = script.text.find('"', offset)
        line, column = script.place(offset)
        if is_shell and index == 2:
            inner = source.script(word, *_line_and_column(script.text, offset + 1))
            places = tuple(script.place(_offset(script.text, *p)) for p in inner.places)
            return Script(word, inner.starts, places)
        parts.append((word, line, column + 1))
        offset += len(msgspec.json.encode(word))
    return from_words(parts)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
