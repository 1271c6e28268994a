"""The words of a shell script: quotes, expansions, substitutions, and what they hold.

Read is what every shell of the family reads alike; what is read otherwise is ``Odd``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.hooks.shell_tree import Expansion, Odd, Substitution, Text, Word

if TYPE_CHECKING:
    from reconciler.hooks.shell_tree import Piece

_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()*?\[{]+")
_META = frozenset(" \t\n;&|<>()")
_QUOTED = re.compile(r'[^"\\$`]+')
_IN_BRACES = re.compile(r"[^'\"\\$`{}]+")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SPECIAL = re.compile(r"[0-9@*#?!$-]")
_HOW = re.compile(r":?[-=+]")
#: As deep as expansions and commands may lie in each other.
MAX_DEPTH = 24
_ESCAPED = frozenset('$`"\\')


class UnreadableError(ValueError):
    """The script is no shell's, or more than is read; ``at`` is where in it."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.at = at


class Reader:
    """Reads words of one text from a place on; it lives for one reading."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._depth = 0

    def word(self) -> Word | None:
        """Return the word that begins here; None where none does."""
        start = self.at
        pieces: list[Piece] = []
        while self.at < len(self.text) and self.text[self.at] not in _META:
            pieces += self._piece()
        return Word(tuple(pieces), start, self.at) if self.at > start else None

    def _piece(self) -> list[Piece]:
        character = self.text[self.at]
        if plain := _PLAIN.match(self.text, self.at):
            self.at = plain.end()
            return [Text(plain[0])]
        if character in "\"'":
            return self._quoted()
        if character == "\\":
            return self._escape()
        if character in "$`":
            return [self._expansion(is_quoted=False)]
        self.at += 1
        return [Text(character)]

    def _quoted(self) -> list[Piece]:
        if self.text[self.at] == '"':
            self.at += 1
            return self._double_quoted()
        end = self._find("'", self.at + 1, "a quote is not closed")
        text, self.at = self.text[self.at + 1 : end], end + 1
        return [Text(text, is_quoted=True)]

    def _escape(self) -> list[Piece]:
        if self.at + 1 >= len(self.text):
            raise UnreadableError("it ends in a backslash", self.at)
        escaped = self.text[self.at + 1]
        self.at += 2
        return [] if escaped == "\n" else [Text(escaped, is_quoted=True)]

    def _double_quoted(self) -> list[Piece]:
        start = self.at
        pieces: list[Piece] = [Text("", is_quoted=True)]
        while self.at < len(self.text):
            if quoted := _QUOTED.match(self.text, self.at):
                self.at = quoted.end()
                pieces.append(Text(quoted[0], is_quoted=True))
            elif self.text[self.at] == '"':
                self.at += 1
                return pieces
            elif self.text[self.at] == "\\":
                pieces += self._escape_in_quotes()
            else:
                pieces.append(self._expansion(is_quoted=True))
        raise UnreadableError("a quote is not closed", start)

    def _escape_in_quotes(self) -> list[Piece]:
        escaped = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if escaped == "\n":
            return []
        return [Text(escaped if escaped in _ESCAPED else f"\\{escaped}", is_quoted=True)]

    def _expansion(self, *, is_quoted: bool) -> Piece:
        """Return what begins with a dollar or a backquote."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError("its expansions lie too deep in each other", self.at)
        piece = self._expanded(is_quoted=is_quoted)
        self._depth -= 1
        return piece

    def _expanded(self, *, is_quoted: bool) -> Piece:
        start = self.at
        if self.text[start] == "`":
            return self._backquoted()
        self.at += 1
        if name := _NAME.match(self.text, self.at):
            self.at = name.end()
            return Expansion(name[0], is_quoted=is_quoted)
        if special := _SPECIAL.match(self.text, self.at):
            self.at = special.end()
        elif self.text.startswith("((", self.at):
            self._skip_parentheses()
        elif self.text.startswith("(", self.at):
            self._skip_parentheses()
            return Substitution(self.text[start + 2 : self.at - 1])
        elif self.text.startswith("{", self.at):
            return self._braced(is_quoted=is_quoted)
        elif self.text.startswith("'", self.at) and not is_quoted:
            self.at = self._ansi_end()
        elif self.text.startswith('"', self.at) and not is_quoted:
            # $"...": bash translates it, and dash keeps the dollar.
            pass
        else:
            return Text("$", is_quoted=is_quoted)
        return Odd(self.text[start : self.at])

    def _backquoted(self) -> Piece:
        start = self.at
        end = self._find("`", start + 1, "a backquote is not closed")
        script = self.text[start + 1 : end]
        self.at = end + 1
        if "\\" not in script:
            return Substitution(script)
        while self.text[end - 1] == "\\":
            end = self._find("`", end + 1, "a backquote is not closed")
        self.at = end + 1
        return Odd(self.text[start : self.at])

    def _ansi_end(self) -> int:
        at = self.at + 1
        while at < len(self.text) and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        if at >= len(self.text):
            raise UnreadableError("a quote is not closed", self.at)
        return at + 1

    def _braced(self, *, is_quoted: bool) -> Piece:
        start = self.at - 1
        self.at += 1
        name = _NAME.match(self.text, self.at)
        if name and self.text.startswith("}", name.end()):
            self.at = name.end() + 1
            return Expansion(name[0], is_quoted=is_quoted)
        how = _HOW.match(self.text, name.end()) if name else None
        if how:
            self.at = how.end()
        pieces = self._in_braces(start, is_quoted=is_quoted)
        if name and how and pieces is not None:
            return Expansion(name[0], how[0], tuple(pieces), is_quoted)
        return Odd(self.text[start : self.at])

    def _in_braces(self, start: int, *, is_quoted: bool) -> list[Piece] | None:
        """Return what stands up to the closing brace; None where shells differ on it."""
        pieces: list[Piece] | None = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "}":
                self.at += 1
                return pieces
            found: list[Piece] = []
            if character == "{" or (is_quoted and character in "'\""):
                pieces, self.at = None, self.at + 1
            elif is_quoted and character == "\\":
                found = self._escape_in_quotes()
            elif plain := _IN_BRACES.match(self.text, self.at):
                self.at = plain.end()
                found = [Text(plain[0], is_quoted)]
            elif character in "$`":
                found = [self._expansion(is_quoted=is_quoted)]
            else:
                found = self._piece()
            if pieces is not None:
                pieces += found
        raise UnreadableError("a brace is not closed", start)

    def _skip_parentheses(self) -> None:
        """Pass over what parentheses enclose, quotes and all."""
        start, depth = self.at, 0
        while self.at < len(self.text):
            character = self.text[self.at]
            depth += (character == "(") - (character == ")")
            if character == "\\":
                self.at += 1
            elif character == "'":
                self.at = self._find("'", self.at + 1, "a quote is not closed")
            elif character == '"':
                self.at += 1
                self._double_quoted()
                continue
            elif character == "#" and self.text[self.at - 1] in " \t\n(":
                raise UnreadableError("a comment in a substitution is not read", self.at)
            self.at += 1
            if not depth:
                return
        raise UnreadableError("a parenthesis is not closed", start)

    def _find(self, mark: str, start: int, reason: str) -> int:
        found = self.text.find(mark, start)
        if found < 0:
            raise UnreadableError(reason, start)
        return found
