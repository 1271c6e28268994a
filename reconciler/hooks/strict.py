"""What of a script breaks in a strict shell, ``set -eu``, or makes the user's shell one.

Told is what breaks in the ordinary course. A variable that the script has set, or asked for, on any
way before is taken to be set. Not looked at is what functions and ``$(...)`` read, and what is read
where the answer to a question about a variable or of a program leads: ``if [ "$(uname)" = Darwin ]``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.hooks import dialects
from reconciler.hooks.builtins import as_set
from reconciler.hooks.recording import expansions
from reconciler.hooks.shell_commands import parse
from reconciler.hooks.shell_tree import (
    AndOr,
    Case,
    Expansion,
    Function,
    If,
    Loop,
    Not,
    Odd,
    Sequence,
    Simple,
    Substitution,
    Test,
    Word,
)
from reconciler.model.activation import Reference
from reconciler.model.hook_harm import Harm, ShellHarm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.hooks.shell_tree import Node, Piece

LONGEST = 32_768
_SHOWN = 200
#: Set in every shell that activates, by the shell, the login or conda.
_ALWAYS = re.compile(
    r"CONDA_(?:PREFIX|SHLVL|DEFAULT_ENV|PROMPT_MODIFIER|EXE|PYTHON_EXE)|HOME|PATH|PWD|USER|SHELL|TERM|LANG"
    r"|IFS|UID|EUID|PPID|RANDOM|SECONDS|LINENO|HOSTNAME|HOSTTYPE|OSTYPE|MACHTYPE|OPTIND|SHLVL"
    r"|BASH\w*|ZSH\w*|FUNCNAME|DIRSTACK|GROUPS|PIPESTATUS|PREFIX|_"
)
#: ``${X%/*}``, ``${#X}``, ``${X//a/b}``: the variable is read, and has no other word.
_READS = re.compile(r"\$\{#?([A-Za-z_]\w*)(?=[}%#/,^])")
_ASKS = frozenset({"[", "test", "command", "type", "which", "hash", "grep", "false"})
_IS_SET = re.compile(r"\$\?\{?(\w+)")


def harms(path: str, text: str) -> tuple[ShellHarm, ...]:
    """Return what a script does to the shell that sources it, by the end of its name."""
    ending = path[path.rfind(".") :] if "." in path else ""
    if len(text) > LONGEST or "\0" in text:
        return ()
    if ending == ".csh":
        return tuple(_of_csh(text))
    if ending in {".sh", ".bash", ".zsh"}:
        return _Strictness(text).found()
    return ()


def _of_csh(text: str) -> Iterator[ShellHarm]:
    """Yield the variables that stop a script of csh: to it an unset one is an error always."""
    known = set(_IS_SET.findall(text))
    for step in dialects.read(".csh", text):
        for part in step.parts:
            if isinstance(part, Reference) and part.variable not in known:
                if not _ALWAYS.fullmatch(part.variable):
                    yield ShellHarm(
                        harm=Harm.UNBOUND, variable=part.variable, line=step.line, text=step.text
                    )
                known.add(part.variable)
        known.add(step.variable)


class _Strictness:
    """Goes through one script, in its order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._known: set[str] = set()
        #: What ``set`` has switched in this script.
        self._options: dict[str, int | None] = {}
        self._harms: list[ShellHarm] = []
        #: How many questions about variables lead to what is read.
        self._depth = 0

    def found(self) -> tuple[ShellHarm, ...]:
        nodes, error = parse(self._text)
        for node in nodes:
            self._walk(node)
        last = _failing_end(nodes[-1]) if nodes and error is None else None
        if last is not None and "e" not in self._options:
            self._add(Harm.LAST_FAILS, last)
        for at in {at for at in self._options.values() if at is not None}:
            self._add(Harm.MAKES_STRICT, at)
        return tuple(self._harms)

    def _walk(self, node: Node) -> None:
        match node:
            case Simple():
                self._simple(node)
            case Test(words, at):
                self._ask([word for word in words if isinstance(word, Word)], at)
            case Case(word, _, at):
                self._read(word.pieces, at)
            case Loop(_, at, variable, words):
                self._known.add(variable)
                for word in words:
                    self._read(word.pieces, at)
            case Function(_, body, _):
                # It is read where it is called, if it is: what it sets may be set then.
                self._known |= set(_sets(body))
        inner = _within(node)
        for index, each in enumerate(inner):
            is_led = isinstance(node, If | AndOr) and index > 0 and _asks_of_variable(inner[0])
            is_led = is_led or (isinstance(node, Case) and _reads_others(node.word))
            self._depth += is_led
            self._walk(each)
            self._depth -= is_led

    def _simple(self, node: Simple) -> None:
        name = node.words[0].plain if node.words else None
        if name in {"[", "test"}:
            self._ask(node.words, node.at)
        for each in node.sets:
            self._read(each.value.pieces, node.at)
        for word in node.words:
            self._read(word.pieces, node.at)
        self._known |= set(_set_by(node))
        if name == "set":
            self._set_options([word.plain or "" for word in node.words[1:]], node.at)
        if name == "exit":
            self._add(Harm.EXITS, node.at)

    def _ask(self, words: Iterable[Word], at: int) -> None:
        plain = [word.plain or "" for word in words]
        self._known |= {name for option, name in pairwise(plain) if option == "-v"}
        for word in words:
            self._read(word.pieces, at)

    def _read(self, pieces: Iterable[Piece], at: int) -> None:
        for piece in pieces:
            match piece:
                case Expansion(variable, "", _):
                    self._unbound(variable, at)
                case Expansion(variable, _, word):
                    # Behind :+ it is read where it is set.
                    self._known.add(variable)
                    self._read(word, at)
                case Odd(text) if name := _READS.match(text):
                    self._unbound(name[1], at)

    def _unbound(self, variable: str, at: int) -> None:
        is_safe = variable in self._known or _ALWAYS.fullmatch(variable)
        if not is_safe and "u" not in self._options and not self._depth:
            self._add(Harm.UNBOUND, at, variable)
            self._known.add(variable)

    def _set_options(self, words: list[str], at: int) -> None:
        named = {"errexit": "e", "nounset": "u"}
        for index, word in enumerate(words):
            is_on = word.startswith("-")
            if word in {"-o", "+o"}:
                letters = named.get(words[index + 1] if index + 1 < len(words) else "", "")
            else:
                letters = word[1:] if word[:1] in {"-", "+"} else ""
            for letter in set(letters) & {"e", "u"}:
                self._options[letter] = at if is_on else None

    def _add(self, harm: Harm, at: int, variable: str = "") -> None:
        line = bisect_right(self._newlines, at - 1) + 1
        start = self._newlines[line - 2] + 1 if line > 1 else 0
        text = self._text[start : start + 4 * _SHOWN].partition("\n")[0].strip()[:_SHOWN]
        self._harms.append(ShellHarm(harm=harm, variable=variable, line=line, text=text))


def _within(node: Node) -> tuple[Node, ...]:
    """Return the commands of a command, in their order; a function has none until it is called."""
    inner: tuple[Node, ...] = ()
    match node:
        case AndOr(left, _, right):
            inner = left, right
        case If(test, then, otherwise, _):
            inner = test, then, otherwise
        case Case(_, items, _):
            inner = tuple(item.body for item in items)
        case Not(body) | Loop(body, _, _, _):
            inner = (body,)
        case Sequence(nodes):
            inner = nodes
    return inner


def _leaves(node: Node) -> Iterator[Simple | Test]:
    if isinstance(node, Simple | Test):
        yield node
    for each in _within(node):
        yield from _leaves(each)


def _asks_of_variable(node: Node) -> bool:
    words = (word for one in _leaves(node) for word in one.words if isinstance(word, Word))
    return any(map(_reads_others, words))


def _reads_others(word: Word) -> bool:
    is_run = any(isinstance(piece, Substitution) for piece in word.pieces)
    return is_run or any(not _ALWAYS.fullmatch(one.variable) for one in expansions(word.pieces))


def _sets(node: Node) -> Iterator[str]:
    if isinstance(node, Simple):
        yield from _set_by(node)
    for each in _within(node):
        yield from _sets(each)


def _set_by(node: Simple) -> Iterator[str]:
    """Yield the variables that a command may set."""
    yield from (each.variable for each in node.sets)
    for word in node.words[1:]:
        found = as_set(word)
        yield found.variable if found else word.plain or ""
    yield from (
        piece.variable
        for word in node.words
        for piece in word.pieces
        if isinstance(piece, Expansion) and piece.how
    )


def _failing_end(node: Node) -> int | None:
    """Return the place of a last command that fails where its own question is answered by no."""
    match node:
        case Sequence(nodes) if nodes:
            return _failing_end(nodes[-1])
        case AndOr(left, True, _) if _asks(left) is not None:
            return _asks(left)
        case If(_, then, otherwise, _):
            ends = (_failing_end(then), _failing_end(otherwise))
            return next((end for end in ends if end is not None), None)
        case Test() | Simple():
            return _asks(node) if isinstance(node, Test) or _name(node) in {"[", "test"} else None
    return None


def _asks(node: Node) -> int | None:
    """Return where a command stands that only asks something; None for any other."""
    match node:
        case Test(_, at):
            return at
        case Not(inner):
            return _asks(inner)
        case AndOr(left, _, right):
            found = (_asks(left), _asks(right))
            return None if None in found else found[0]
        case Simple() if _name(node) in _ASKS:
            return node.at
    return None


def _name(node: Simple) -> str:
    return (node.words[0].plain or "") if node.words else ""
