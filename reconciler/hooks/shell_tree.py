"""A shell script as its grammar has it.

The grammar: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """Characters that stand for themselves."""

    text: str
    is_quoted: bool = False


class Expansion(NamedTuple):
    """``$X`` or ``${X:-word}``."""

    variable: str
    how: str = ""
    word: tuple[Piece, ...] = ()
    is_quoted: bool = False


class Substitution(NamedTuple):
    """``$(script)``, without what encloses it."""

    script: str


class Odd(NamedTuple):
    """An expansion that is not read."""

    text: str


Piece = Text | Expansion | Substitution | Odd


class Word(NamedTuple):
    """A word, and where it begins in the script."""

    pieces: tuple[Piece, ...]
    at: int
    end: int

    @property
    def plain(self) -> str | None:
        """Its text, if nothing in it is expanded."""
        texts = [piece.text for piece in self.pieces if isinstance(piece, Text)]
        return "".join(texts) if len(texts) == len(self.pieces) else None

    @property
    def bare(self) -> str:
        """Its text where nothing is quoted either, as reserved words are; else empty."""
        match self.pieces:
            case (Text(text, False),):
                return text
        return ""


class Set(NamedTuple):
    """``X=value`` before a command, or instead of one."""

    variable: str
    value: Word
    #: ``X+=value``.
    is_added: bool = False


class Simple(NamedTuple):
    """Assignments, then the words of a command."""

    sets: tuple[Set, ...]
    words: tuple[Word, ...]
    at: int


class Test(NamedTuple):
    """``[[ words ]]``, its operators among the words."""

    words: tuple[Word | str, ...]
    at: int


class AndOr(NamedTuple):
    """``left && right`` or ``left || right``."""

    left: Node
    is_and: bool
    right: Node


class Not(NamedTuple):
    """``! command``."""

    node: Node


class If(NamedTuple):
    """``if``; an ``elif`` is the ``if`` of its ``else``."""

    test: Sequence
    then: Sequence
    otherwise: Sequence
    at: int


class CaseItem(NamedTuple):
    """``pattern | pattern) body ;;``."""

    patterns: tuple[Word, ...]
    body: Sequence


class Case(NamedTuple):
    """``case word in``."""

    word: Word
    items: tuple[CaseItem, ...]
    at: int


class Loop(NamedTuple):
    """A body that runs any number of times, or the last of a pipe, which runs here in some shells."""

    body: Sequence
    at: int
    #: Of a ``for``.
    variable: str = ""
    words: tuple[Word, ...] = ()


class Elsewhere(NamedTuple):
    """What runs in a shell of its own, and changes nothing here."""

    at: int


class Function(NamedTuple):
    """The body that a name stands for."""

    name: str
    body: Node
    at: int


class Sequence(NamedTuple):
    """Commands one after the other."""

    nodes: tuple[Node, ...] = ()


Node = Simple | Test | AndOr | Not | If | Case | Loop | Elsewhere | Function | Sequence
