"""A shell in which scripts are sourced, in thought: each variable has a value, none, or a doubt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.activation import (
    Action,
    Asks,
    Computed,
    Doubt,
    Glob,
    Literal,
    ModulePath,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.model.activation import Assignment, Condition, Part

#: Linux hands no longer text to a program: MAX_ARG_STRLEN of linux/binfmts.h.
_LONGEST = 131_072

Value = str | None | Doubt


def not_found(_: ModulePath) -> str | None:
    """Say of every module that it is not known where it lies."""
    return None


class Sourced:
    """The variables while scripts are sourced; it lives for one activation."""

    def __init__(
        self,
        variables: Mapping[str, str],
        is_known: Callable[[str], bool],
        find_module: Callable[[ModulePath], str | None] = not_found,
    ) -> None:
        self._values: dict[str, Value] = dict(variables)
        #: True for what programs are given, None for what they may be given.
        self._exported: dict[str, bool | None] = dict.fromkeys(variables, True)
        self._is_known = is_known
        self._find_module = find_module
        #: Why every variable that was not set since may have any value.
        self._all: Doubt | None = None
        self._path = ""
        self._outcomes: dict[int, bool | None] = {}
        self._ended: bool | None = False

    def export(self, name: str, value: Value) -> None:
        """Set a variable for programs too, as conda itself does, or unset it."""
        self._values[name] = value
        self._exported[name] = value is not None

    def value(self, name: str) -> Value:
        """Return what a variable holds."""
        if name in self._values:
            return self._values[name]
        if self._all:
            return self._all
        if self._is_known(name):
            return None
        return Doubt(variable=name, reason=f"what {name} is in the shell was not looked at")

    def source(self, path: str, steps: Iterable[Assignment]) -> None:
        """Follow a script to its end."""
        self._path, self._outcomes, self._ended = path, {}, False
        for step in steps:
            reached = self._is_reached(step)
            if reached is False:
                continue
            is_sure = bool(reached) and self._ended is False
            if step.action is Action.END:
                if is_sure:
                    return
                self._ended = None
            else:
                self._follow(step, is_sure=is_sure)

    def given(self) -> tuple[dict[str, str], tuple[Doubt, ...]]:
        """Return what programs are given, and what cannot be told of it."""
        known: dict[str, str] = {}
        doubts: list[Doubt] = []
        for name, is_exported in self._exported.items():
            value = self._values.get(name)
            if isinstance(value, Doubt):
                doubts.append(value if value.variable == name else _renamed(value, name))
            elif is_exported is None and value is not None:
                reason = f"whether programs are given {name} is only known when the script runs"
                doubts.append(Doubt(variable=name, reason=reason))
            elif is_exported and value is not None:
                known[name] = value
        return known, (*doubts, *((self._all,) if self._all else ()))

    def _is_reached(self, step: Assignment) -> bool | None:
        reached: bool | None = True
        for guard in step.guards:
            outcome = self._holds(guard.condition)
            if outcome is None:
                reached = None
            elif outcome is not guard.is_met:
                return False
        return reached

    def _follow(self, step: Assignment, *, is_sure: bool) -> None:
        name = step.variable
        match step.action:
            case Action.ANYTHING:
                self._forget(step)
            case Action.UNSET:
                if is_sure:
                    self.export(name, None)
                elif self.value(name) is not None:
                    self._values[name] = self._doubt(step)
            case Action.EXPORT:
                self._hand_on(name, is_sure=is_sure)
            case _:
                self._set(step, is_sure=is_sure)

    def _set(self, step: Assignment, *, is_sure: bool) -> None:
        name = step.variable
        value = self._expanded(step.parts)
        former = self.value(name)
        if (
            isinstance(value, Doubt)
            or (not is_sure and value != former)
            or (isinstance(value, str) and len(value) > _LONGEST)
        ):
            value = self._doubt(step)
        self._values[name] = value
        if self._all or (name not in self._exported and not self._is_known(name)):
            # It may have been one of the variables that are handed on.
            self._exported.setdefault(name, None)
        if step.is_exported:
            self._hand_on(name, is_sure=is_sure)

    def _hand_on(self, name: str, *, is_sure: bool) -> None:
        if is_sure:
            self._exported[name] = True
            self._values.setdefault(name, self.value(name))
        elif not self._exported.get(name):
            self._exported[name] = None

    def _forget(self, step: Assignment) -> None:
        self._all = self._doubt(step)
        for name in self._values:
            self._values[name] = self._doubt(step, name)
            self._exported[name] = self._exported.get(name) or None

    def _doubt(self, step: Assignment, name: str | None = None) -> Doubt:
        name = step.variable if name is None else name
        what = f"it is only known when `{step.text}` runs"
        if step.action is Action.ANYTHING:
            what = f"`{step.text}` may set any variable"
        return Doubt(variable=name, reason=what, path=self._path, line=step.line)

    def _expanded(self, parts: Iterable[Part]) -> str | Doubt:
        texts: list[str] = []
        length = 0
        for part in parts:
            text = self._of_part(part)
            if isinstance(text, Doubt):
                return text
            length += len(text)
            if length > _LONGEST:
                return Doubt(variable="", reason="it is longer than a variable can be")
            texts.append(text)
        return "".join(texts)

    def _of_part(self, part: Part) -> str | Doubt:
        match part:
            case Literal(text=text) | Glob(text=text):
                return text
            case Computed(text=text):
                return Doubt(variable="", reason=f"`{text}` is only known when it runs")
            case ModulePath():
                path = self._find_module(part)
                if path is None:
                    return Doubt(variable="", reason=f"`{part.text}` is only known when it runs")
                # A shell takes the line breaks at the end away.
                return _above(path.rstrip("\n"), part.ups)
            case Reference():
                return self._of_reference(part)

    def _of_reference(self, part: Reference) -> str | Doubt:
        value = self.value(part.variable)
        if isinstance(value, Doubt):
            return value
        is_lacking = not value if part.how.startswith(":") else value is None
        if part.how.endswith("+"):
            return "" if is_lacking else self._expanded(part.otherwise)
        if part.how and is_lacking:
            return self._expanded(part.otherwise)
        return value or ""

    def _holds(self, condition: Condition) -> bool | None:
        """Return whether a condition holds; None where only a run can tell."""
        if condition.number and condition.number in self._outcomes:
            return self._outcomes[condition.number]
        outcome = self._asked(condition)
        if condition.number:
            self._outcomes[condition.number] = outcome
        return outcome

    def _asked(self, condition: Condition) -> bool | None:
        match condition.asks:
            case Asks.ALWAYS:
                return True
            case Asks.UNKNOWN:
                return None
            case Asks.NOT:
                outcome = self._holds(condition.of[0])
                return None if outcome is None else not outcome
            case Asks.ALL | Asks.ANY:
                return self._combined(condition)
            case Asks.IS_SET:
                name = next(p.variable for p in condition.left if isinstance(p, Reference))
                value = self.value(name)
                return None if isinstance(value, Doubt) else value is not None
        return self._of_texts(condition)

    def _combined(self, condition: Condition) -> bool | None:
        decides = condition.asks is Asks.ANY
        outcomes: list[bool | None] = []
        for each in condition.of:
            outcome = self._holds(each)
            if outcome is decides:
                return decides
            outcomes.append(outcome)
        return None if None in outcomes else not decides

    def _of_texts(self, condition: Condition) -> bool | None:
        left = self._expanded(condition.left)
        if isinstance(left, Doubt) or (condition.is_split and re.search(r"[\s*?\[\\]", left)):
            return self._of_sure_parts(condition)
        match condition.asks:
            case Asks.EMPTY:
                return not left
            case Asks.FILLED:
                return bool(left)
            case Asks.EQUAL:
                right = self._expanded(condition.right)
                return None if isinstance(right, Doubt) else left == right
        pattern = self._pattern(condition.right)
        return None if pattern is None else _matches(pattern, left)

    def _of_sure_parts(self, condition: Condition) -> bool | None:
        """Tell of a text that is known in part whether it is empty."""
        if condition.is_split or condition.asks not in {Asks.EMPTY, Asks.FILLED}:
            return None
        texts = (part.text for part in condition.left if isinstance(part, Literal))
        return condition.asks is Asks.FILLED if any(texts) else None

    def _pattern(self, parts: Iterable[Part]) -> tuple[str | None, ...] | None:
        """Return the texts of a pattern, None for ``*``; or None where it is not known."""
        found: list[str | None] = []
        for part in parts:
            if isinstance(part, Glob):
                if part.text != "*":
                    return None
                found.append(None)
                continue
            text = self._of_part(part)
            if isinstance(text, Doubt):
                return None
            if isinstance(part, Reference) and not part.is_quoted and re.search(r"[*?\[\\]", text):
                return None
            found.append(text)
        return tuple(found)


def _matches(pattern: tuple[str | None, ...], text: str) -> bool:
    """Match texts with anything between them, from the left: linear, as no backtracking is needed."""
    runs: list[str] = [""]
    for each in pattern:
        if each is None:
            runs.append("")
        else:
            runs[-1] += each
    first, *others = runs
    if not others:
        return text == first
    *middle, last = others
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for run in middle:
        at = text.find(run, at, end)
        if at < 0:
            return False
        at += len(run)
    return True


def _above(path: str, ups: int) -> str:
    for _ in range(ups):
        path = path.rstrip("/").rpartition("/")[0] or "/"
    return path


def _renamed(doubt: Doubt, name: str) -> Doubt:
    return Doubt(variable=name, reason=doubt.reason, path=doubt.path, line=doubt.line)
