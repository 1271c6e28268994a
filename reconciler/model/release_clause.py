"""Clauses on releases, ``>=2.1,<2.5``, as far as the numbers in them tell.

packaging knows all of PEP 440 and takes 25 ms to import. Where the question is which of the final
releases of a project is meant, numbers are enough; what they cannot tell is read as allowed.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>|=|)\s*v?(\d[\w.+!*-]*)\s*")
_BEFORE = re.compile(r"\s*[\w.-]+\s*(?:\[[^\]]*\])?\s*")
_ORDERS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NOT_FINAL = re.compile(r"[a-z+!-]|\.post|\.dev")
_OPTION = re.compile(r"\s--?[a-z].*$", re.DOTALL)


class Clause(NamedTuple):
    """One clause on a release."""

    operator: str
    #: As written, without its star.
    version: str
    is_starred: bool
    #: The numbers of its version, without a label or what follows a letter.
    numbers: tuple[int, ...]

    @property
    def is_final(self) -> bool:
        """Whether it names a final release, whatever its label."""
        return bool(re.fullmatch(r"[\d.]+(?:\+.*)?", self.version))

    def allows(self, release: tuple[int, ...]) -> bool:
        """Tell whether a final release, by its numbers, satisfies it."""
        own, length = self.numbers, max(len(self.numbers), len(release))
        ours, theirs = _padded(own, length), _padded(release, length)
        if self.operator == "~=":
            return theirs >= ours and _begins(release, own[:-1])
        if compare := _ORDERS.get(self.operator):
            return compare(theirs, ours)
        is_it = _begins(release, own) if self.is_starred else ours == theirs
        return is_it is not (self.operator == "!=")


def clauses_of(requirement: str) -> tuple[Clause, ...]:
    """Return the clauses of a requirement of pip; those that are of another form are left out."""
    plain = _OPTION.sub("", requirement).partition(";")[0]
    if "@" in plain:
        return ()
    behind = _BEFORE.sub("", plain, count=1).strip().removeprefix("(").removesuffix(")")
    return read_clauses(behind)


def read_clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses that commas part; those that are of another form are left out."""
    found = (_CLAUSE.fullmatch(part) for part in text.split(","))
    return tuple(_clause(match[1], match[2]) for match in found if match)


def _clause(operator: str, version: str) -> Clause:
    plain = version.removesuffix(".*").removesuffix("*")
    final = _NOT_FINAL.split(plain, maxsplit=1)[0]
    return Clause(operator, plain, plain != version, numbers(final))


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))


def _begins(release: tuple[int, ...], beginning: tuple[int, ...]) -> bool:
    return _padded(release, len(beginning))[: len(beginning)] == beginning
