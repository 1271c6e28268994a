"""A constraint on a conda version: ``>=3.8,<3.12|3.13.*``.

``,`` is *and* and binds closer than ``|``, which is *or*; parentheses group. Whatever is written
is kept as alternatives of clauses, so that every question about a constraint is one loop.

References
----------
- CEP 29, version specifiers: https://github.com/conda/ceps/blob/main/cep-0029.md
- conda, ``conda/models/version.py`` (VersionSpec), where it and the CEP differ

"""

from __future__ import annotations

import operator
import re
import warnings
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.conda_version import CondaVersion, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# spaces around these say nothing: CEP 29
_SPACED = re.compile(r"\s*([,|()<>=!~]+)\s*")
_TOKEN = re.compile(r"\^[^$]*\$|[,|()]|[^,|()^$]+|.")
_CLAUSE = re.compile(r"(==|!=|<=|>=|~=|=|<|>|)(?![=<>!~])(.+)")
_FIRST_EXACT = re.compile(r"^==(?![=<>!~])")
_AND, _OR, _OPEN, _CLOSE = ",|()"
_GLOB = re.compile(r"[A-Za-z0-9._+!*-]+")
_MOST_GROUPS = 20
_MOST_ALTERNATIVES = 1000

_TESTS: Mapping[str, Callable[[CondaVersion, CondaVersion], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": CondaVersion.starts_with,
    "!=*": lambda version, prefix: not version.starts_with(prefix),
    "~=": CondaVersion.is_compatible_with,
}

# what an operator means before a version that ends with a star; ~= is refused, as conda does
_STARRED = {"": "=", "=": "=", "==": "==", "!=": "!=*", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ANY = {"", "=", "==", ">="}


class InvalidCondaConstraint(ValueError):  # noqa: N818  (named as packaging's InvalidSpecifier)
    """A text that constrains no conda version, and why."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r} is not a constraint on a conda version: {reason}")
        self.text = text
        self.reason = reason


class VersionClause(Struct, frozen=True, dict=True):
    """One comparison with a version: ``>=1.2``, ``1.2.*``, ``1.*.3``."""

    operator: str
    """A key of the tests above, ``*`` for every version, or ``^`` for a pattern on the text."""

    operand: str
    """The version, or the pattern as written."""

    def __post_init__(self) -> None:
        _ = self._operand  # so that no unreadable text becomes a clause

    def allows(self, version: CondaVersion) -> bool:
        """Tell whether the version satisfies this clause."""
        match self._operand:
            case None:
                return True
            case CondaVersion() as operand:
                return _TESTS[self.operator](version, operand)
            case pattern:
                return pattern.search(version.text) is not None

    @cached_property
    def _operand(self) -> CondaVersion | re.Pattern[str] | None:
        match self.operator:
            case "*":
                return None
            case "^":
                return compile_pattern(self.operand)
            case "~=" if "." not in self.operand:
                raise InvalidCondaConstraint(str(self), "~= wants two segments or more")
            case _:
                return parse_version(self.operand)

    def __str__(self) -> str:
        match self.operator:
            case "*" | "^":
                return self.operand
            case "=":
                return f"{self.operand}.*"
            case "!=*":
                return f"!={self.operand}.*"
            case comparison:
                return f"{comparison}{self.operand}"


class VersionConstraint(Struct, frozen=True):
    """What a spec allows a version to be."""

    alternatives: tuple[tuple[VersionClause, ...], ...]
    """One of these is satisfied where each of its clauses is."""

    def allows(self, version: CondaVersion) -> bool:
        """Tell whether the version satisfies this constraint."""
        return any(all(c.allows(version) for c in clauses) for clauses in self.alternatives)

    @property
    def is_exact(self) -> bool:
        """Whether one version alone is allowed."""
        return [[clause.operator for clause in clauses] for clauses in self.alternatives] == [
            ["=="]
        ]

    @property
    def pinned_version(self) -> str | None:
        """The version, or prefix of versions, allowed alone: 11.8 for ``11.8.*``; None for ranges."""
        pins = [_pin(clauses) for clauses in self.alternatives]
        shortest = min((pin for pin in pins if pin), key=len, default=None)
        if shortest and all(pin and _lies_under(pin, shortest) for pin in pins):
            return shortest
        return None

    def __str__(self) -> str:
        return "|".join(",".join(map(str, clauses)) for clauses in self.alternatives)


@lru_cache(maxsize=8192)
def parse_constraint(text: str) -> VersionConstraint:
    """Read a constraint; raise InvalidCondaConstraint, or InvalidCondaVersion for its versions."""
    spaceless = close_up(text)
    if spaceless.count(_OPEN) > _MOST_GROUPS:
        raise InvalidCondaConstraint(text, f"it has more than {_MOST_GROUPS} groups")
    # a first == is as no operator, so ==1.2.* is 1.2.*: conda, match_spec._sanitize_version_str
    tokens = _TOKEN.findall(_FIRST_EXACT.sub("", spaceless))
    tokens.reverse()
    alternatives = _take_alternatives(tokens)
    if tokens:
        raise InvalidCondaConstraint(text, f"{tokens[-1]!r} is not expected there")
    return VersionConstraint(alternatives)


def close_up(text: str) -> str:
    """Drop the spaces that say nothing: those at the ends, and around operators and commas."""
    return _SPACED.sub(r"\1", text).strip()


def compile_pattern(text: str) -> re.Pattern[str]:
    """Make a case-insensitive expression of a regex ``^...$``, a glob ``a*b`` or a plain text."""
    glob = re.escape(text).replace(r"\*", ".*")
    is_regex = text.startswith("^") and text.endswith("$")
    try:
        # Python warns of `[[`, which may mean something else one day; the user cannot help it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(text if is_regex else f"^{glob}$", re.IGNORECASE)
    except re.error as error:
        raise InvalidCondaConstraint(text, f"it is no regular expression: {error}") from error


def _take_alternatives(tokens: list[str]) -> tuple[tuple[VersionClause, ...], ...]:
    alternatives = _take_all_of(tokens)
    while tokens and tokens[-1] == _OR:
        tokens.pop()
        alternatives += _take_all_of(tokens)
    return alternatives


def _take_all_of(tokens: list[str]) -> tuple[tuple[VersionClause, ...], ...]:
    alternatives = _take_group(tokens)
    while tokens and tokens[-1] == _AND:
        tokens.pop()
        others = _take_group(tokens)
        if len(alternatives) * len(others) > _MOST_ALTERNATIVES:
            raise InvalidCondaConstraint(
                _AND, f"it makes more than {_MOST_ALTERNATIVES} alternatives"
            )
        alternatives = tuple(left + right for left, right in product(alternatives, others))
    return alternatives


def _take_group(tokens: list[str]) -> tuple[tuple[VersionClause, ...], ...]:
    token = tokens.pop() if tokens else ""
    if token != _OPEN:
        return ((_read_clause(token),),)
    alternatives = _take_alternatives(tokens)
    if not tokens or tokens.pop() != _CLOSE:
        raise InvalidCondaConstraint(_OPEN, "it is not closed")
    return alternatives


def _read_clause(text: str) -> VersionClause:
    if text.startswith("^"):
        return VersionClause("^", text)
    clause = _CLAUSE.fullmatch(text)
    if clause is None:
        raise InvalidCondaConstraint(text, "it is not an operator and a version")
    comparison, operand = clause.groups()
    if "*" in operand.rstrip("*"):
        return _read_glob(text, comparison, operand)
    if "*" in operand:
        return _read_starred(text, comparison, operand.rstrip("*").removesuffix("."))
    return VersionClause(comparison or "==", operand)


def _read_glob(text: str, comparison: str, glob: str) -> VersionClause:
    if comparison not in {"", "="} or not _GLOB.fullmatch(glob):
        raise InvalidCondaConstraint(
            text, f"{comparison!r} cannot be used with the pattern {glob!r}"
        )
    return VersionClause("^", glob if comparison == "" or glob.endswith("*") else f"{glob}*")


def _read_starred(text: str, comparison: str, prefix: str) -> VersionClause:
    if not prefix and comparison in _ANY:
        return VersionClause("*", "*")
    if not prefix or comparison not in _STARRED:
        raise InvalidCondaConstraint(text, f"{comparison!r} cannot be used with a star")
    return VersionClause(_STARRED[comparison], prefix)


def _pin(clauses: tuple[VersionClause, ...]) -> str | None:
    pins = (clause.operand for clause in clauses if clause.operator in {"==", "="})
    return max(pins, key=len, default=None)


def _lies_under(version: str, prefix: str) -> bool:
    return parse_version(version).starts_with(parse_version(prefix))
