"""The commands of a shell script: lists, pipes, branches, loops and functions, as a tree.

The standard library alone reads them: docs/decisions/0029-shell-is-read-by-our-own-grammar.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.hooks.shell_tree import (
    AndOr,
    Case,
    CaseItem,
    Elsewhere,
    Function,
    If,
    Loop,
    Not,
    Sequence,
    Set,
    Simple,
    Test,
    Text,
    Word,
)
from reconciler.hooks.shell_words import MAX_DEPTH, Reader, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.hooks.shell_tree import Node

_SPACE = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|[;|&()\n]")
_REDIRECTION = re.compile(r"\d*(?:&>>?|<<<|<<-?|>>|>\||[<>]&|<>|[<>])")
_SET = re.compile(r"([A-Za-z_]\w*)(\+?)=", re.ASCII)
_ELEMENT = re.compile(r"[A-Za-z_]\w*\+?=\(|[A-Za-z_]\w*\[", re.ASCII)
_FUNCTION = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*\([ \t]*\)", re.ASCII)
_ENDS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}", ";;", ";&", ";;&", ")"})
_UNREAD = frozenset({"select", "coproc", "time", "foreach", "end", "repeat", "always", "nocorrect"})
#: As many commands as one chain of && and || may have: each lies in the one before it.
_MAX_CHAIN = 64
_MOST_COMMANDS = 2_000


def parse(text: str) -> tuple[tuple[Node, ...], UnreadableError | None]:
    """Return the complete commands up to the first that cannot be read, and why it cannot, with its place."""
    parser = _Parser(text)
    nodes: list[Node] = []
    start = 0
    try:
        while not parser.is_at_end():
            start = parser.at
            nodes += parser.line()
    except UnreadableError as error:
        return tuple(nodes), UnreadableError(str(error), start)
    return tuple(nodes), None


class _Parser:
    """Reads one script; it lives for one reading."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = Reader(text)
        self._heredocs: list[tuple[str, bool, bool]] = []
        self._depth = 0
        self._commands = 0
        self._readers: Mapping[str, Callable[[int], Node]] = {
            "if": self._if,
            "case": self._case,
            "for": self._for,
            "while": self._while,
            "until": self._while,
            "{": self._group,
            "[[": self._test,
            "function": self._function,
        }

    @property
    def at(self) -> int:
        """How far it is read."""
        return self._words.at

    @property
    def _at(self) -> int:
        return self._words.at

    @_at.setter
    def _at(self, at: int) -> None:
        self._words.at = at

    def is_at_end(self) -> bool:
        self._skip_lines()
        return self._at >= len(self._text)

    def line(self) -> list[Node]:
        """Read the commands of one line, which a shell runs before it reads the next."""
        nodes: list[Node] = []
        while True:
            nodes.append(self._and_or())
            is_ended = self._operator() in {";", "&"}
            if is_ended:
                nodes = self._ended(nodes)
            operator = self._operator()
            if operator == "\n" or self._at >= len(self._text):
                return nodes
            if not is_ended or operator not in {"", "("}:
                raise UnreadableError(f"`{operator}` is not expected here", self._at)

    def _ended(self, nodes: list[Node]) -> list[Node]:
        is_background = self._take() == "&"
        return [*nodes[:-1], Elsewhere(self._at)] if is_background else nodes

    def _operator(self) -> str:
        """Return the operator that comes next, or an empty text before a word or the end."""
        if space := _SPACE.match(self._text, self._at):
            self._at = space.end()
        if comment := _COMMENT.match(self._text, self._at):
            self._at = comment.end()
        if _REDIRECTION.match(self._text, self._at):
            return ""
        operator = _OPERATOR.match(self._text, self._at)
        return operator[0] if operator else ""

    def _take(self) -> str:
        operator = self._operator()
        self._at += len(operator)
        if operator == "\n":
            self._skip_heredocs()
        return operator

    def _expect(self, *operators: str) -> str:
        if self._operator() not in operators:
            raise UnreadableError(f"`{operators[0]}` is missing", self._at)
        return self._take()

    def _skip_lines(self) -> None:
        while self._operator() == "\n":
            self._take()

    def _next_word(self) -> str:
        """Return the word that comes next, if it is one without quotes, and stay before it."""
        self._operator()
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in " \t\n;&|<>()'\"\\$`":
            self._at += 1
        word, end = self._text[start : self._at], self._at
        self._at = start
        return "" if self._text[end : end + 1] in {"'", '"', "\\", "$", "`"} else word

    def _keyword(self, *words: str) -> str:
        self._skip_lines()
        if (word := self._next_word()) not in words:
            raise UnreadableError(f"`{words[0]}` is missing", self._at)
        self._at += len(word)
        return word

    def _body(self) -> Sequence:
        """Read commands up to a word or an operator that ends them."""
        nodes: list[Node] = []
        self._skip_lines()
        while self._operator() not in _ENDS and self._next_word() not in _ENDS:
            if self._at >= len(self._text):
                raise UnreadableError("it ends within a command", self._at)
            nodes.append(self._and_or())
            if self._operator() in {";", "&"}:
                nodes = self._ended(nodes)
            elif self._operator() not in _ENDS | {"\n"}:
                raise UnreadableError(f"`{self._operator()}` is not expected here", self._at)
            self._skip_lines()
        return Sequence(tuple(nodes))

    def _and_or(self) -> Node:
        node = self._pipe()
        length = 0
        while self._operator() in {"&&", "||"}:
            length += 1
            if length > _MAX_CHAIN:
                raise UnreadableError("a chain of commands is too long", self._at)
            is_and = self._take() == "&&"
            self._skip_lines()
            node = AndOr(node, is_and, self._pipe())
        return node

    def _pipe(self) -> Node:
        start = self._at
        if self._next_word() == "!":
            self._at += 1
            return Not(self._pipe_of_commands(start))
        return self._pipe_of_commands(start)

    def _pipe_of_commands(self, start: int) -> Node:
        node = self._command()
        while self._operator() in {"|", "|&"}:
            self._take()
            self._skip_lines()
            # zsh runs the last command of a pipe in the shell itself, other shells do not.
            node = Loop(Sequence((self._command(),)), start)
        return node

    def _command(self) -> Node:
        self._depth += 1
        self._commands += 1
        if self._commands > _MOST_COMMANDS:
            raise UnreadableError("it has too many commands", self._at)
        if self._depth > MAX_DEPTH:
            raise UnreadableError("its commands lie too deep in each other", self._at)
        node = self._any_command()
        self._depth -= 1
        return node

    def _any_command(self) -> Node:
        self._operator()
        start = self._at
        word = self._next_word()
        if reader := self._readers.get(word):
            self._at += len(word)
            return self._redirected(reader(start))
        if self._operator() == "(":
            return self._redirected(self._in_parentheses())
        if word in _ENDS or word in _UNREAD:
            raise UnreadableError(f"`{word}` is not read here", start)
        if found := _FUNCTION.match(self._text, start):
            self._at = found.end()
            return self._function_body(found[1], start)
        return self._simple(start)

    def _group(self, _: int) -> Sequence:
        body = self._body()
        self._keyword("}")
        return body

    def _in_parentheses(self) -> Node:
        start = self._at
        self._take()
        if self._text.startswith("(", self._at):
            raise UnreadableError("`((` is not read", start)
        self._body()
        self._expect(")")
        return Elsewhere(start)

    def _redirected(self, node: Node) -> Node:
        while self._redirect():
            pass
        return node

    def _if(self, start: int) -> If:
        test = self._body()
        self._keyword("then")
        then = self._body()
        word = self._keyword("fi", "else", "elif")
        otherwise = Sequence()
        if word == "else":
            otherwise = self._body()
            self._keyword("fi")
        elif word == "elif":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise UnreadableError("an `if` has too many branches", self._at)
            otherwise = Sequence((self._if(self._at),))
            self._depth -= 1
        return If(test, then, otherwise, start)

    def _case(self, start: int) -> Case:
        word = self._a_word()
        self._keyword("in")
        self._skip_lines()
        items: list[CaseItem] = []
        while self._next_word() != "esac":
            if self._operator() == "(":
                self._take()
            patterns = [self._a_word()]
            while self._operator() == "|":
                self._take()
                patterns.append(self._a_word())
            self._expect(")")
            items.append(CaseItem(tuple(patterns), self._body()))
            if len(items) > MAX_DEPTH:
                raise UnreadableError("a `case` has too many branches", self._at)
            if self._next_word() != "esac":
                self._expect(";;")
            self._skip_lines()
        self._keyword("esac")
        return Case(word, tuple(items), start)

    def _for(self, start: int) -> Loop:
        variable = self._a_word().bare
        if not variable.isidentifier():
            raise UnreadableError("`for` has no variable", start)
        words: list[Word] = []
        self._skip_lines()
        if self._next_word() == "in":
            self._keyword("in")
            while self._operator() == "" and self._at < len(self._text):
                words.append(self._a_word())
        if self._operator() == ";":
            self._take()
        return Loop(self._do(), start, variable, tuple(words))

    def _while(self, start: int) -> Loop:
        test = self._body()
        return Loop(Sequence((test, self._do())), start)

    def _do(self) -> Sequence:
        self._keyword("do")
        body = self._body()
        self._keyword("done")
        return body

    def _test(self, start: int) -> Test:
        words: list[Word | str] = []
        while self._next_word() != "]]":
            if operator := self._operator():
                if operator not in {"&&", "||", "(", ")"}:
                    raise UnreadableError("`[[` is not closed", start)
                self._take()
                words.append(operator)
            else:
                words.append(self._a_word())
            if len(words) > _MAX_CHAIN:
                raise UnreadableError("`[[` is too long", start)
        self._keyword("]]")
        return Test(tuple(words), start)

    def _function(self, start: int) -> Function:
        name = self._a_word().bare
        if self._operator() == "(":
            self._take()
            self._expect(")")
        return self._function_body(name, start)

    def _function_body(self, name: str, start: int) -> Function:
        self._skip_lines()
        body = self._command()
        if isinstance(body, Function | Simple):
            raise UnreadableError("a function has no body", start)
        return Function(name, body, start)

    def _simple(self, start: int) -> Simple:
        sets: list[Set] = []
        words: list[Word] = []
        while True:
            if self._redirect():
                continue
            if self._operator() or self._at >= len(self._text):
                break
            if _ELEMENT.match(self._text, self._at):
                raise UnreadableError("an array is not read", self._at)
            found = None if words else _SET.match(self._text, self._at)
            if found:
                self._at = found.end()
                value = self._words.word() or Word((), self._at, self._at)
                sets.append(Set(found[1], value, is_added=bool(found[2])))
            else:
                words.append(self._a_word())
        if not sets and not words and self._at == start:
            raise UnreadableError("a command is missing", start)
        return Simple(tuple(sets), tuple(words), start)

    def _a_word(self) -> Word:
        self._operator()
        word = self._words.word()
        if word is None:
            raise UnreadableError("a word is missing", self._at)
        return word

    def _redirect(self) -> bool:
        """Pass over a redirection, if one comes next."""
        self._operator()
        redirection = _REDIRECTION.match(self._text, self._at)
        if not redirection:
            return False
        self._at = redirection.end()
        if self._text.startswith("(", self._at):
            raise UnreadableError("a substitution of a process is not read", self._at)
        target = self._a_word()
        if redirection[0].lstrip("0123456789") in {"<<", "<<-"}:
            mark = "".join(p.text for p in target.pieces if isinstance(p, Text))
            is_quoted = target.bare != mark
            self._heredocs.append((mark, is_quoted, redirection[0].endswith("-")))
        return True

    def _skip_heredocs(self) -> None:
        for mark, is_quoted, is_indented in self._heredocs:
            indent = "\t*" if is_indented else ""
            close = re.compile(rf"^{indent}{re.escape(mark)}$", re.MULTILINE)
            found = close.search(self._text, self._at)
            if not found:
                raise UnreadableError("a here-document is not closed", self._at)
            body = self._text[self._at : found.start()]
            if not is_quoted and re.search(r"\$\{\w+:?=", body):
                raise UnreadableError("a here-document sets a variable", self._at)
            self._at = found.end()
        self._heredocs = []
