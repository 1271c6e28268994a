"""What is found in a script while it is followed: its steps, each on the conditions that lead to it."""

from __future__ import annotations

import re
from bisect import bisect_right
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.hooks.conditions import Conditions, negated
from reconciler.hooks.pieces import parts_of
from reconciler.hooks.shell_tree import Expansion, Odd, Substitution
from reconciler.model.activation import (
    Action,
    Asks,
    Assignment,
    Computed,
    Condition,
    Guard,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.hooks.shell_tree import Node, Piece, Set, Word
    from reconciler.model.activation import Part

_MOST_STEPS = 2_000
_SHOWN = 200
#: The variables of programs are written so; what is only read is not set.
_GLOBAL = re.compile(r"(?<!\$)(?<!\$\{)\b[A-Z][A-Z0-9_]*\b")
#: A script that makes names by eval may normalize these, and never makes them.
_OF_CONDA = frozenset({"CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CONDA_SHLVL"})
_ECHO = re.compile(r"\s*(?:echo|printf)\s")
#: What is made of the script's own words: $1, ${X%/*}, $((1 + 1)), $'text'.
_OWN = re.compile(r"\$(?:[0-9@*#?-]|\(\(|'|\{#?(?P<variable>\w+)\W)")


class TooLongError(ValueError):
    """The script does more than is followed."""


class Recording:
    """The steps of one script; it lives for one reading."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps: list[Assignment] = []
        self.conditions = Conditions()
        #: None for one of which only a run can tell what it does.
        self.functions: dict[str, Node | None] = {}
        #: How deep the functions lie in each other that are called.
        self.calls = 0
        #: ``set -a`` is in force.
        self.exports_all = False
        #: How deep what is followed lies in functions and in ``eval``.
        self.depth = 0
        #: The variables whose text comes from elsewhere than the script: a file, a program.
        self.foreign: set[str] = set()
        self._guards: tuple[Guard, ...] = ()
        self._doubts: tuple[Guard, ...] = ()
        #: The variables of a function, which leaves those outside it alone.
        self.locals: frozenset[str] = frozenset()
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        #: Where the call or the ``eval`` stands whose commands are followed.
        self._here: int | None = None

    @property
    def guards(self) -> tuple[Guard, ...]:
        """What must hold for the next step to be reached."""
        return (*self._guards, *self._doubts)

    @contextmanager
    def within(self, guards: Iterable[Guard]) -> Iterator[None]:
        """Record what follows on further conditions."""
        outer = self._guards
        self._guards = (*outer, *guards)
        yield
        self._guards = outer

    @contextmanager
    def called(self, at: int) -> Iterator[None]:
        """Record what follows as done where it is called."""
        outer = self._here
        self._here = at if outer is None else outer
        self.depth += 1
        yield
        self.depth -= 1
        self._here = outer

    @contextmanager
    def in_function(self) -> Iterator[None]:
        """Record what follows as the body of a function, which may end before its last command."""
        outer = self._doubts, self.locals
        self.calls += 1
        yield
        self.calls -= 1
        self._doubts, self.locals = outer

    def returned(self) -> None:
        """Record the rest of a function as what is reached where what led here does not hold."""
        led = (g.condition if g.is_met else negated(g.condition) for g in self.guards)
        returned = Condition(asks=Asks.ALL, of=tuple(led))
        self._doubts = (*self._doubts, *guard(returned, is_met=False))

    def unknown(self, at: int) -> Condition:
        """Return a condition that only a run can tell."""
        return self.conditions.unknown(self.shown(at))

    def add(
        self,
        action: Action,
        variable: str = "",
        *,
        at: int,
        parts: tuple[Part, ...] = (),
        is_exported: bool = False,
    ) -> None:
        """Record a step."""
        at = at if self._here is None else self._here
        if variable in self.locals:
            action, parts = Action.SET, (Computed(text=self.shown(at)),)
        is_set = action in {Action.SET, Action.PREPEND, Action.APPEND}
        step = Assignment(
            action=action,
            variable=variable,
            parts=parts,
            line=bisect_right(self._newlines, at - 1) + 1,
            text=self.shown(at),
            is_exported=is_exported or (is_set and self.exports_all),
            guards=self.guards,
        )
        self.append(step)

    def append(self, step: Assignment) -> None:
        """Record a step that was made already; raises TooLongError."""
        if len(self.steps) >= _MOST_STEPS:
            raise TooLongError
        self.steps.append(step)

    def anything(self, at: int) -> Condition:
        """Record that any variable may be set; its success is unknown."""
        self.add(Action.ANYTHING, at=at)
        return self.unknown(at)

    def named_by(self, pieces: Iterable[Piece], at: int) -> Condition:
        """Record that a variable is set whose name is made of pieces; its success is unknown."""
        if self.is_foreign(pieces):
            return self.anything(at)
        return self.mentioned(self.text, at)

    def mentioned(self, text: str, at: int) -> Condition:
        """Record that any variable may be set that a text names, other than to read it."""
        for name in dict.fromkeys(n for n in _GLOBAL.findall(text) if n not in _OF_CONDA):
            self.computed(name, at, is_exported=True)
        return self.unknown(at)

    def is_foreign(self, pieces: Iterable[Piece]) -> bool:
        """Tell whether text of a word comes from elsewhere than the script."""
        for piece in pieces:
            match piece:
                case Substitution(script) if not _ECHO.match(script):
                    return True
                case Odd(text):
                    own = _OWN.match(text)
                    if not own or (own["variable"] or "") in self.foreign:
                        return True
                case Expansion(variable, _, word):
                    if variable in self.foreign or self.is_foreign(word):
                        return True
        return False

    def computed(self, variable: str, at: int, *, is_exported: bool = False) -> None:
        """Record that a variable is set to what only a run can tell."""
        parts = (Computed(text=self.shown(at)),)
        self.add(Action.SET, variable, at=at, parts=parts, is_exported=is_exported)

    def set(self, each: Set, at: int, *, is_exported: bool = False) -> None:
        """Record an assignment."""
        if self.is_foreign(each.value.pieces):
            self.foreign.add(each.variable)
        parts = parts_of(each.value.pieces, is_assigned=True)
        if each.is_added:
            parts = (Reference(variable=each.variable, is_quoted=True), *parts)
        action = _action(each.variable, parts)
        self.add(action, each.variable, at=at, parts=parts, is_exported=is_exported)

    def side_effects(self, words: Iterable[Word], at: int) -> None:
        """Record what ``${X:=word}`` sets."""
        for piece in (e for word in words for e in expansions(word.pieces)):
            if piece.how in {"=", ":="}:
                test = self.conditions.lacks(piece.variable, piece.how, self.shown(at))
                value = parts_of(piece.word, is_assigned=False)
                with self.within(guard(test, is_met=True)):
                    self.add(Action.SET, piece.variable, at=at, parts=value)

    def shown(self, at: int) -> str:
        """Return the line of a place."""
        at = at if self._here is None else self._here
        start = self.text.rfind("\n", 0, at) + 1
        return self.text[start : start + 4 * _SHOWN].partition("\n")[0].strip()[:_SHOWN]


def guard(condition: Condition, *, is_met: bool) -> tuple[Guard, ...]:
    """Return what a condition asks of the steps behind it, if anything."""
    if is_met and condition.asks is Asks.ALWAYS:
        return ()
    return (Guard(condition=condition, is_met=is_met),)


def expansions(pieces: Iterable[Piece]) -> Iterator[Expansion]:
    """Yield the variables of a word, the inner ones first."""
    for piece in pieces:
        if isinstance(piece, Expansion):
            yield from expansions(piece.word)
            yield piece


def _action(variable: str, parts: tuple[Part, ...]) -> Action:
    own = [
        index
        for index, part in enumerate(parts)
        if isinstance(part, Reference) and part.names(variable)
    ]
    if not own or len(parts) == 1:
        return Action.SET
    return Action.APPEND if own[0] == 0 else Action.PREPEND
