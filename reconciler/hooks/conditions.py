"""What a test of a shell asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.hooks.pieces import is_split, parts_of, pattern_of
from reconciler.hooks.shell_tree import Word
from reconciler.model.activation import Asks, Condition, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.activation import Part

ALWAYS = Condition(asks=Asks.ALWAYS)


def negated(condition: Condition) -> Condition:
    """Return the opposite."""
    return Condition(asks=Asks.NOT, of=(condition,))


class Conditions:
    """Numbers the conditions of one script; it lives for one reading."""

    def __init__(self) -> None:
        self._number = 0

    def unknown(self, text: str) -> Condition:
        """Return what only a run can tell."""
        return self._new(Asks.UNKNOWN, text)

    def lacks(self, variable: str, how: str, text: str) -> Condition:
        """Return whether ``${X=}`` or ``${X:=}`` sets the variable."""
        own = (Reference(variable=variable, is_quoted=True),)
        if how.startswith(":"):
            return self._new(Asks.EMPTY, text, left=own)
        return negated(self._new(Asks.IS_SET, text, left=own))

    def case(self, word: Word, patterns: Sequence[Word], text: str) -> Condition:
        """Return whether a word matches one of the patterns."""
        left = parts_of(word.pieces, is_assigned=False)
        each = tuple(
            self._new(Asks.MATCHES, text, left=left, right=pattern_of(pattern.pieces))
            for pattern in patterns
        )
        return each[0] if len(each) == 1 else Condition(asks=Asks.ANY, of=each)

    def single(self, name: str, words: Sequence[Word], text: str) -> Condition:
        """Return what ``[`` or ``test`` asks."""
        if name == "[":
            closes = bool(words) and words[-1].plain == "]"
            words = words[:-1] if closes else ()
        if words and words[0].bare == "!" and len(words) in {3, 4}:
            return negated(self._plain(words[1:], text, is_double=False))
        return self._plain(words, text, is_double=False)

    def double(self, words: Sequence[Word | str], text: str) -> Condition:
        """Return what ``[[`` asks."""
        for operator, asks in (("||", Asks.ANY), ("&&", Asks.ALL)):
            if operator in words and "(" not in words:
                index = words.index(operator)
                left, right = words[:index], words[index + 1 :]
                return Condition(asks=asks, of=(self.double(left, text), self.double(right, text)))
        plain = [word for word in words if isinstance(word, Word)]
        if not plain or len(plain) < len(words):
            return self.unknown(text)
        if plain[0].bare == "!":
            return negated(self.double(words[1:], text))
        return self._plain(plain, text, is_double=True)

    def _plain(self, words: Sequence[Word], text: str, *, is_double: bool) -> Condition:
        match [(word.bare, word) for word in words]:
            case [(_, word)]:
                return self._of_text(Asks.FILLED, word, text, is_double=is_double)
            case [("-n", _), (_, word)]:
                return self._of_text(Asks.FILLED, word, text, is_double=is_double, is_option=True)
            case [("-z", _), (_, word)]:
                return self._of_text(Asks.EMPTY, word, text, is_double=is_double, is_option=True)
            case [("-v", _), (name, _)] if name.isidentifier():
                own = (Reference(variable=name, is_quoted=True),)
                return self._new(Asks.IS_SET, text, left=own)
            case [(_, left), ("=" | "==" | "!=" as operator, _), (_, right)]:
                equal = self._equal(left, right, text, is_double=is_double, is_new=operator == "==")
                return negated(equal) if operator == "!=" else equal
        return self.unknown(text)

    def _of_text(
        self, asks: Asks, word: Word, text: str, *, is_double: bool, is_option: bool = False
    ) -> Condition:
        """Return whether a word is empty, or filled."""
        is_loose = not is_double and is_split(word.pieces)
        left = parts_of(word.pieces, is_assigned=False)
        condition = self._new(asks, text, left=left, is_split=is_loose)
        if is_loose and is_option and asks is Asks.FILLED:
            # [ -n $X ] asks for the text "-n" where X is empty.
            empty = self._new(Asks.EMPTY, text, left=left, is_split=True)
            return Condition(asks=Asks.ANY, of=(condition, empty))
        return condition

    def _equal(
        self, left: Word, right: Word, text: str, *, is_double: bool, is_new: bool
    ) -> Condition:
        if is_double:
            return self._new(
                Asks.MATCHES,
                text,
                left=parts_of(left.pieces, is_assigned=False),
                right=pattern_of(right.pieces),
            )
        # dash knows no == in [.
        if is_new or is_split(left.pieces) or is_split(right.pieces):
            return self.unknown(text)
        return self._new(
            Asks.EQUAL,
            text,
            left=parts_of(left.pieces, is_assigned=False),
            right=parts_of(right.pieces, is_assigned=False),
        )

    def _new(
        self,
        asks: Asks,
        text: str,
        *,
        left: tuple[Part, ...] = (),
        right: tuple[Part, ...] = (),
        is_split: bool = False,
    ) -> Condition:
        self._number += 1
        return Condition(
            asks=asks,
            number=self._number,
            text=text,
            left=left,
            right=right,
            is_split=is_split,
        )
