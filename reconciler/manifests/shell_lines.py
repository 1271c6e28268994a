"""The lines of a shell script that install packages, and what they declare."""

from __future__ import annotations

import re
from posixpath import basename
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from reconciler.manifests import install_command
from reconciler.manifests.install_command import Argument, At, value_of
from reconciler.manifests.install_scopes import Line, environment_name
from reconciler.manifests.lost_bounds import lost_bounds
from reconciler.manifests.script import Script
from reconciler.manifests.shell_words import UNKNOWN, commands
from reconciler.model.distribution import required_name
from reconciler.model.manifest import Declared, Fault, Kind, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.manifests.shell_words import Command, Word

    _Arguments = Callable[[Sequence[Argument], At], Iterator[Declared]]

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PIP = re.compile(r"pip\d*(?:\.\d+)?(?:\.exe)?")
_PYTHON = re.compile(r"(?:python|pypy|py)\d*(?:\.\d+)?(?:\.exe)?")
_CONDAS = frozenset({"conda", "mamba", "micromamba", "conda.exe", "mamba.exe"})
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ash", "su"})
_PREFIXES = frozenset(
    {"sudo", "exec", "time", "command", "nohup", "env", "nice", "xvfb-run", "builtin"}
)
_RUNNERS = frozenset({"poetry", "pipenv"})
_OPENING = frozenset({"then", "do", "{", "!", "while", "until", "if", "elif", "else"})
_SYSTEM_MANAGERS = frozenset({"apt-get", "apt", "yum", "dnf", "zypper", "apk"})
_OF_CUDA = re.compile(r"cuda|cudnn|nccl|nvidia|tensorrt", re.IGNORECASE)
_SETUP = frozenset({"install", "develop", "build", "build_ext", "bdist_wheel", "bdist_egg"})
_MAX_DEPTH = 4


class Read(Struct, frozen=True):
    """What a script does, in its order."""

    lines: tuple[Line, ...] = ()
    faults: tuple[Fault, ...] = ()


def read(
    script: Script,
    *,
    path: str,
    numbers: Iterator[int],
    variables: Mapping[str, str] | None = None,
    environment: str = "",
) -> Read:
    """Return what a script installs; each command takes the next of ``numbers``."""
    shell = _Shell(path, numbers, dict(variables or {}), environment)
    shell.run(script, 0, len(script.text))
    return Read(tuple(shell.lines), tuple(shell.faults))


class _Branch(NamedTuple):
    """An ``if`` or a ``case`` that is open."""

    word: str
    arm: int
    #: Where its lines begin, and the arm around it.
    first: int
    outer: int


class _Shell:
    """Follows one script; it lives for one reading."""

    def __init__(
        self, path: str, numbers: Iterator[int], variables: dict[str, str], environment: str
    ) -> None:
        self.lines: list[Line] = []
        self.faults: list[Fault] = []
        self._path = path
        self._numbers = numbers
        self._variables = variables
        self._environment = environment
        self._script = Script("")
        self._branches: list[_Branch] = []
        self._parentheses = 0
        self._depth = 0
        self._handlers: Mapping[str, Callable[[Sequence[Word]], None]] = {
            **dict.fromkeys(_PREFIXES, self._behind_options),
            **dict.fromkeys(_RUNNERS, self._behind_run),
            **dict.fromkeys(_SHELLS, self._inner),
            **dict.fromkeys(_CONDAS, self._conda),
            "export": self._export,
            "source": self._source,
            ".": self._source,
            "uv": self._uv,
            "nvcc": self._nvcc,
            "virtualenv": self._virtualenv,
            **dict.fromkeys(_SYSTEM_MANAGERS, self._system),
        }

    def run(self, script: Script, start: int, end: int) -> None:
        outer, self._script = self._script, script
        installed = False
        for command in commands(script.text, start, end):
            words = self._control(command)
            if not words or (command.after == "||" and installed):
                continue
            before = len(self.lines)
            self._command(words)
            installed = len(self.lines) > before
        self._script = outer

    def _control(self, command: Command) -> Sequence[Word]:
        """Follow the branches that a command opens and closes; return the words of its own."""
        words = list(command.words)
        while words and (word := words[0].written) in _OPENING | {
            "fi",
            "done",
            "}",
            "esac",
            "case",
        }:
            words = words[1:]
            if word in {"if", "case"}:
                outer = self._arm
                first = 0 if word == "case" else 1
                self._branches.append(_Branch(word, first, len(self.lines), outer))
                if word == "case":
                    words = words[2:]
                    break
            elif word in {"else", "elif"}:
                self._next_arm()
            elif word in {"fi", "esac"}:
                self._close()
        if command.before == "(":
            self._parentheses += 1
        elif command.before == ")" and self._parentheses:
            self._parentheses -= 1
        elif command.before == ")" and self._branches and self._branches[-1].word == "case":
            self._next_arm()
            return ()
        return words

    @property
    def _arm(self) -> int:
        return self._branches[-1].arm if self._branches else 0

    def _next_arm(self) -> None:
        if self._branches:
            top = self._branches[-1]
            self._branches[-1] = top._replace(arm=top.arm + 1)

    def _close(self) -> None:
        if not self._branches:
            return
        closed = self._branches.pop()
        if closed.arm <= 1:
            # Nothing stands against it: it may be installed with all around it.
            for index in range(closed.first, len(self.lines)):
                self.lines[index] = self.lines[index]._replace(arm=closed.outer)

    def _command(self, words: Sequence[Word]) -> None:
        assigned: list[Word] = []
        while words and _ASSIGNMENT.fullmatch(words[0].written):
            assigned, words = [*assigned, words[0]], words[1:]
        if not words:
            for word in assigned:
                self._assign(word)
            return
        for word in assigned:
            # FORCE_CUDA=1 pip install ...: what is set for one command alone.
            if _OF_CUDA.search(word.written):
                self._add(self._shell_line(word, Kind.VARIABLE, word.written.partition("=")[0]))
        self._invoke(words)

    def _assign(self, word: Word) -> None:
        name, _, value = "".join(word.expand(self._variables)).partition("=")
        if UNKNOWN in value or self._arm > 1:
            self._variables.pop(name, None)
        else:
            self._variables[name] = value

    def _invoke(self, words: Sequence[Word]) -> None:
        """Do what one command does, its variables set before it left out."""
        called = "".join(words[0].expand(self._variables))
        name = basename(called.replace("\\", "/"))
        if handler := self._handlers.get(name):
            handler(words)
        elif _PIP.fullmatch(name):
            self._pip(words, words[1:], self._environment_of(called))
        elif _PYTHON.fullmatch(name):
            self._python(words, self._environment_of(called))

    def _arguments(self, words: Sequence[Word]) -> list[Argument]:
        return [
            Argument(text.strip(), word.begin)
            for word in words
            for text in word.expand(self._variables)
        ]

    def _behind_run(self, words: Sequence[Word]) -> None:
        """Follow ``poetry run pip install``."""
        if len(words) > 2 and words[1].written == "run":
            self._command(words[2:])

    def _behind_options(self, words: Sequence[Word]) -> None:
        """Follow ``sudo -H pip install``."""
        words = words[1:]
        while words and words[0].written.startswith("-"):
            words = words[2 if words[0].written in {"-u", "-g", "-n"} else 1 :]
        self._command(words)

    def _inner(self, words: Sequence[Word]) -> None:
        """Follow ``bash -c "..."``."""
        flags = (i for i, w in enumerate(words) if re.fullmatch(r"-[a-z]*c", w.written))
        index = next(flags, None)
        if index is None or index + 1 >= len(words) or self._depth >= _MAX_DEPTH:
            return
        word, text = words[index + 1], self._script.text
        script, start, end = self._script, word.offset, word.end
        if text[start] in {"'", '"'} and text[end - 1] == text[start] and end - start > 1:
            start, end = start + 1, end - 1
            # Of equal length, so that every place stays.
            inside = text[start:end].replace('\\"', ' "').replace("\\$", " $")
            script = Script(text[:start] + inside + text[end:], script.starts, script.places)
        self._depth += 1
        self.run(script, start, end)
        self._depth -= 1

    def _export(self, words: Sequence[Word]) -> None:
        for word in words:
            match = _ASSIGNMENT.fullmatch(word.written)
            if match:
                self._assign(word)
                self._add(self._shell_line(word, Kind.VARIABLE, match[1]))

    def _shell_line(self, word: Word, kind: Kind, name: str, text: str = "") -> Declared:
        line, column = self._script.place(word.begin)
        return Declared(
            path=self._path,
            section=Section.SHELL,
            kind=kind,
            text=text or word.written.strip(),
            name=name,
            line=line,
            column=column,
        )

    def _system(self, words: Sequence[Word]) -> None:
        """Note what ``apt-get install`` brings of CUDA."""
        if {"install", "add"} & {word.written for word in words}:
            for word in words[1:]:
                if _OF_CUDA.search(word.written) and not word.written.startswith("-"):
                    self._add(self._shell_line(word, Kind.SYSTEM, word.written.partition("=")[0]))

    def _virtualenv(self, words: Sequence[Word]) -> None:
        self._add(self._shell_line(words[0], Kind.ENVIRONMENT, words[-1].written))

    def _nvcc(self, words: Sequence[Word]) -> None:
        if not {"--version", "-V"} & {word.written for word in words}:
            self._compiles(words)

    def _source(self, words: Sequence[Word]) -> None:
        texts = [argument.text for argument in self._arguments(words[1:])]
        if texts and basename(texts[0]) == "activate":
            named = texts[1] if len(texts) > 1 else texts[0].removesuffix("/bin/activate")
            self._environment = environment_name(named)

    def _environment_of(self, called: str) -> str:
        """Return the environment of ``/opt/venv/bin/pip``."""
        folder = called.rpartition("/bin/")[0] if "/bin/" in called else ""
        return environment_name(folder) or self._environment

    def _pip(self, words: Sequence[Word], rest: Sequence[Word], environment: str) -> None:
        """Do ``pip install``; ``words`` are the whole command."""
        arguments = self._arguments(rest)
        verb = next((i for i, a in enumerate(arguments) if not a.text.startswith("-")), None)
        if verb is None:
            return
        what, arguments = arguments[verb].text, arguments[verb + 1 :]
        if what == "uninstall":
            names = (required_name(a.text) for a in arguments if not a.text.startswith("-"))
            self._remove(Section.PIP, names, environment)
        elif what in {"install", "add"}:
            self._install(install_command.pip_install, arguments, environment)
            self.faults += lost_bounds(rest, "pip", self._script)
            if any(a.text == "--no-build-isolation" for a in arguments):
                self._compiles(words)

    def _python(self, words: Sequence[Word], environment: str) -> None:
        rest = words[1:]
        texts = [word.written for word in rest]
        index = next((i for i, t in enumerate(texts[:4]) if t == "-m"), None)
        module = texts[index + 1] if index is not None and index + 1 < len(texts) else ""
        if index is not None and module == "pip":
            self._pip(words, rest[index + 2 :], environment)
        elif index is not None and module == "uv":
            self._uv(rest[index + 1 :])
        elif module in {"venv", "virtualenv"}:
            self._virtualenv(words)
        elif texts and basename(texts[0]) == "setup.py" and _SETUP & {*texts[1:]}:
            self._compiles(words)

    def _uv(self, words: Sequence[Word]) -> None:
        rest = words[1:]
        while rest and rest[0].written.startswith("-"):
            rest = rest[1:]
        if rest and rest[0].written == "pip":
            named = value_of(self._arguments(rest), "-p", "--python")
            environment = self._environment_of(named) if "/" in named else self._environment
            self._pip(words, rest[1:], environment)
        elif rest and rest[0].written == "add":
            self._pip(words, rest, self._environment)
        elif rest and rest[0].written == "venv":
            self._virtualenv(rest)

    def _conda(self, words: Sequence[Word]) -> None:
        rest = words[1:]
        arguments = self._arguments(rest)
        texts = [argument.text for argument in arguments]
        verb = next((t for t in texts if not t.startswith("-")), "")
        after = arguments[texts.index(verb) + 1 :] if verb else []
        named = environment_name(value_of(after, "-n", "--name", "-p", "--prefix"))
        environment = named or self._environment
        if named and (verb == "create" or [a.text for a in after[:1]] == ["create"]):
            self._add(self._shell_line(words[0], Kind.ENVIRONMENT, named))
        match verb:
            case "install" | "create" | "update" | "upgrade":
                self._install(install_command.conda_install, after, environment)
                self.faults += lost_bounds(rest, "conda", self._script)
            case "remove" | "uninstall":
                names = (a.text for a in after if not a.text.startswith("-"))
                self._remove(Section.CONDA, names, environment)
            case "activate":
                self._environment = environment_name(after[0].text) if after else ""
            case "run":
                self._run_in(rest[texts.index(verb) + 1 :], environment)
            case "env":
                self._conda_env(rest, after, environment)
            case "config":
                self._configure(after)

    def _conda_env(self, rest: Sequence[Word], after: Sequence[Argument], environment: str) -> None:
        texts = [argument.text for argument in after[:3]]
        if texts[:1] in (["create"], ["update"]):
            self._install(install_command.conda_env, after[1:], environment)
        elif texts == ["config", "vars", "set"]:
            for word in rest:
                if match := _ASSIGNMENT.fullmatch(word.written):
                    self._add(self._shell_line(word, Kind.VARIABLE, match[1]))

    def _run_in(self, words: Sequence[Word], environment: str) -> None:
        """Do what ``conda run -n NAME`` is given."""
        while words and words[0].written.startswith("-"):
            takes_value = words[0].written in {"-n", "--name", "-p", "--prefix", "--cwd"}
            words = words[2 if takes_value else 1 :]
        outer, self._environment = self._environment, environment
        if words:
            self._command(words)
        self._environment = outer

    def _configure(self, arguments: Sequence[Argument]) -> None:
        texts = [argument.text for argument in arguments]
        for index, text in enumerate(texts[:-2]):
            if text in {"--add", "--append", "--prepend"} and texts[index + 1] == "channels":
                at = At(self._path, self._script, 0)
                argument = arguments[index + 2]
                if argument.is_known:
                    self._add(at.conda(argument, Kind.CHANNEL, argument.text, argument.text))

    def _install(
        self, read_arguments: _Arguments, arguments: Sequence[Argument], environment: str
    ) -> None:
        at = At(self._path, self._script, next(self._numbers))
        for declared in read_arguments(arguments, at):
            self._add(declared, environment)

    def _add(self, declared: Declared, environment: str = "") -> None:
        self.lines.append(Line(declared, environment, self._arm))

    def _remove(self, section: Section, names: Iterable[str], environment: str) -> None:
        removed = frozenset((section, name) for name in names if name)
        self.lines.append(Line(None, environment, self._arm, removed))

    def _compiles(self, words: Sequence[Word]) -> None:
        text = " ".join(word.written for word in words)
        name = basename(words[0].written)
        self._add(self._shell_line(words[0], Kind.COMPILATION, name, text))
