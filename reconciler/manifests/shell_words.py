"""A shell script as commands of words, each word with its place.

The grammar: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Stands in a word for what only a run can tell.
UNKNOWN = "\0"
_QUOTES = frozenset("'\"")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()]+")
_QUOTED = re.compile(r'[^"\\$`]+')
_SPACE = re.compile(r"(?:[^\S\n]|\\\n)+")
_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|[;|&()\n]")
_REDIRECTION = re.compile(r"&>>?|<<<|<<-?|>>|>\||[<>]&|<>|[<>]")
# GitHub sets the value of ${{ }} before any shell reads the line.
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_VARIABLE = re.compile(
    r"\$(?:(?P<name>\w+|[@*#?!$-])|\{(?P<braced>\w+)(?:(?P<how>:?[-=+?]|//?)(?P<rest>[^{}$`]*))?\})"
)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_NESTED = re.compile(r"[()]")


class Part(NamedTuple):
    """A piece of a word: plain text, or a variable."""

    text: str
    variable: str = ""
    #: How ``${NAME:-default}`` or ``${NAME//a/b}`` changes the value, with what follows.
    how: str = ""
    rest: str = ""
    is_quoted: bool = False


class Word(NamedTuple):
    """A word as it is written: its pieces, and where it begins in the script."""

    parts: tuple[Part, ...]
    offset: int
    end: int
    #: Where its text begins: behind a quote.
    begin: int
    #: What stands against its end and is taken from it: ``>=2.0`` of ``torch>=2.0``.
    redirected: str = ""

    @property
    def written(self) -> str:
        """The word without its quotes, its variables left as they stand."""
        return "".join(part.text for part in self.parts)

    def expand(self, variables: Mapping[str, str]) -> list[str]:
        """Return the words that it becomes; a value without quotes is split at its spaces."""
        words = [""]
        for part in self.parts:
            value = _value(part, variables)
            if part.variable and not part.is_quoted and re.search(r"\s", value):
                first, *others = re.split(r"\s+", value)
                words[-1] += first
                words += others
            else:
                words[-1] += value
        return [word for word in words if word or not any(p.variable for p in self.parts)]


class Command(NamedTuple):
    """A simple command: its words, and how it is reached."""

    words: tuple[Word, ...]
    #: The operator before it: ``&&``, ``||``, ``;``, ``|``.
    after: str = ";"
    #: The operator behind it; ``)`` may end the pattern of a ``case``.
    before: str = ";"


def commands(text: str, start: int = 0, end: int | None = None) -> Iterator[Command]:
    """Yield the commands of a script, or of a part of it; what follows an error is read on."""
    lexer = _Lexer(text, start, len(text) if end is None else end)
    words: list[Word] = []
    after = ";"
    for token in lexer.tokens():
        if isinstance(token, Word):
            words.append(token)
            continue
        if words or token in {"(", ")", ";;"}:
            yield Command(tuple(words), after, token)
        words, after = [], token
    if words:
        yield Command(tuple(words), after)


def _value(part: Part, variables: Mapping[str, str]) -> str:
    if not part.variable:
        return part.text
    value = variables.get(part.variable)
    if part.how.endswith("-") or part.how.endswith("="):
        return part.rest if value is None or (not value and ":" in part.how) else value
    if part.how.endswith("+"):
        return part.rest if value else ""
    if value is None:
        return UNKNOWN
    if part.how.startswith("/"):
        old, _, new = part.rest.partition("/")
        return value.replace(old, new, -1 if part.how == "//" else 1) if old else value
    return value


class _Lexer:
    """Reads one script from its start; it lives for one reading."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._at = start
        self._end = end
        self._heredocs: list[str] = []

    def tokens(self) -> Iterator[Word | str]:
        while self._at < self._end:
            if space := _SPACE.match(self._text, self._at, self._end):
                self._at = space.end()
            elif self._text[self._at] == "#":
                self._skip_to("\n")
            elif redirection := _REDIRECTION.match(self._text, self._at, self._end):
                self._redirect(redirection)
            elif operator := _OPERATOR.match(self._text, self._at, self._end):
                self._at = operator.end()
                if operator[0] == "\n":
                    self._skip_heredocs()
                yield ";" if operator[0] == "\n" else operator[0]
            else:
                word = self._word()
                # 2>&1: the number of a stream, not a word.
                if not (word.written.isdigit() and self._is_redirected()):
                    yield word

    def _is_redirected(self) -> bool:
        return _REDIRECTION.match(self._text, self._at, self._end) is not None

    def _skip_to(self, mark: str) -> None:
        found = self._text.find(mark, self._at, self._end)
        self._at = self._end if found < 0 else found

    def _redirect(self, redirection: re.Match[str]) -> Word | None:
        """Pass over a redirection and its target, and return the target."""
        if heredoc := _HEREDOC.match(self._text, self._at, self._end):
            self._heredocs.append(heredoc[2])
            self._at = heredoc.end()
            return None
        self._at = redirection.end()
        if space := _SPACE.match(self._text, self._at, self._end):
            self._at = space.end()
        if self._at >= self._end or _OPERATOR.match(self._text, self._at, self._end):
            return None
        return None if self._text[self._at] in "<>" else self._word()

    def _skip_heredocs(self) -> None:
        for mark in self._heredocs:
            close = re.compile(rf"^[\t ]*{mark}[ \t]*$", re.MULTILINE)
            found = close.search(self._text, self._at, self._end)
            self._at = found.end() if found else self._end
        self._heredocs = []

    def _word(self) -> Word:
        start = self._at
        parts: list[Part] = []
        while self._at < self._end:
            before = self._at
            parts += self._piece()
            if self._at == before:
                break
        end = self._at
        written = "".join(part.text for part in parts)
        redirection = _REDIRECTION.match(self._text, self._at, self._end)
        redirected = ""
        if redirection and redirection[0] in {"<", ">"} and not written.isdigit():
            self._redirect(redirection)
            redirected = self._text[end : self._at]
        begin = start + (self._text[start] in _QUOTES)
        return Word(tuple(parts), start, end, begin, redirected)

    def _piece(self) -> list[Part]:
        """Return the next piece of a word; the reading stands still where the word ends."""
        if plain := _PLAIN.match(self._text, self._at, self._end):
            self._at = plain.end()
            return [Part(plain[0])]
        match self._text[self._at]:
            case "'":
                return [self._single_quoted()]
            case '"':
                self._at += 1
                return self._double_quoted()
            case "\\":
                escaped = self._text[self._at + 1 : self._at + 2]
                self._at = min(self._at + 2, self._end)
                return [] if escaped == "\n" else [Part(escaped, is_quoted=True)]
            case "$" | "`":
                return [self._expansion(is_quoted=False)]
        return []

    def _single_quoted(self) -> Part:
        start = self._at + 1
        self._at = start
        self._skip_to("'")
        text = self._text[start : self._at]
        self._at = min(self._at + 1, self._end)
        return Part(_EXPRESSION.sub(UNKNOWN, text), is_quoted=True)

    def _double_quoted(self) -> list[Part]:
        parts = [Part("", is_quoted=True)]
        while self._at < self._end:
            if quoted := _QUOTED.match(self._text, self._at, self._end):
                self._at = quoted.end()
                parts.append(Part(quoted[0], is_quoted=True))
            elif self._text[self._at] == '"':
                self._at += 1
                break
            elif self._text[self._at] == "\\":
                escaped = self._text[self._at + 1 : self._at + 2]
                kept = escaped if escaped in {"$", "`", '"', "\\"} else f"\\{escaped}"
                self._at = min(self._at + 2, self._end)
                parts.append(Part("" if escaped == "\n" else kept, is_quoted=True))
            else:
                parts.append(self._expansion(is_quoted=True))
        return parts

    def _expansion(self, *, is_quoted: bool) -> Part:
        """Return a variable, or an unknown text for what is computed."""
        start = self._at
        if expression := _EXPRESSION.match(self._text, start, self._end):
            self._at = expression.end()
        elif variable := _VARIABLE.match(self._text, start, self._end):
            self._at = variable.end()
            name = variable["name"] or variable["braced"]
            how, rest = variable["how"] or "", variable["rest"] or ""
            return Part(variable[0], name, how, rest, is_quoted=is_quoted)
        elif self._text.startswith("$(", start):
            self._skip_nested()
        elif self._text[start] == "`" or self._text.startswith("${", start):
            self._at += 1
            self._skip_to("`" if self._text[start] == "`" else "}")
            self._at = min(self._at + 1, self._end)
        else:
            self._at += 1
            return Part("$", is_quoted=is_quoted)
        # It has a name that no variable has, so that its value is known to none.
        return Part(self._text[start : self._at], "(computed)", is_quoted=is_quoted)

    def _skip_nested(self) -> None:
        depth = 0
        for mark in _NESTED.finditer(self._text, self._at, self._end):
            depth += 1 if mark[0] == "(" else -1
            if not depth:
                self._at = mark.end()
                return
        self._at = self._end
