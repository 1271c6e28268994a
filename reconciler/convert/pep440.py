"""Versions as PEP 440 asks for them, said as conda reads them.

The verdict is to be the same for every version that a channel has: those bear no local label, and
are spelled in PEP 440's normal form. ``tests/convert/test_pep440.py`` holds both sides together.

References
----------
- PEP 440, version specifiers: https://peps.python.org/pep-0440/#version-specifiers
- CEP 33, the order of conda's versions: https://github.com/conda/ceps/blob/main/cep-0033.md

"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.version import Version

from reconciler.model.conda_constraint import InvalidCondaConstraint, parse_constraint
from reconciler.model.conda_version import InvalidCondaVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.specifiers import Specifier, SpecifierSet


class NotInCondaError(ValueError):
    """A specifier that no constraint of conda's says; ``why`` is a sentence without its period."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CondaRange(Struct, frozen=True, kw_only=True):
    """What a specifier allows, for conda."""

    #: A constraint in conda's own language; "" for any version.
    text: str = ""
    #: The one version that is allowed; "" for several.
    exact: str = ""
    #: The local labels that were left out, such as ``cu118``.
    labels: tuple[str, ...] = ()


def translate(specifiers: SpecifierSet | Iterable[Specifier]) -> CondaRange:
    """Return what specifiers allow together; raises NotInCondaError."""
    ordered = sorted(specifiers, key=lambda s: (_ORDER.get(s.operator, 9), s.version))
    clauses = [clause for specifier in ordered for clause in _clauses(specifier)]
    labels = tuple(label for s in ordered if (label := _label(s.version)))
    text = ",".join(dict.fromkeys(clauses))
    try:
        constraint = parse_constraint(text) if text else None
    except (InvalidCondaConstraint, InvalidCondaVersion) as error:
        raise NotInCondaError(f"conda cannot read the version {text[:40]!r}") from error
    exact = text.removeprefix("==") if constraint and constraint.is_exact else ""
    return CondaRange(text=text, exact=exact, labels=labels)


_ORDER = {"===": 0, "==": 0, "~=": 1, ">=": 2, ">": 2, "<=": 3, "<": 3, "!=": 4}


def _label(version: str) -> str:
    return version.partition("+")[2]


def _clauses(specifier: Specifier) -> tuple[str, ...]:
    operator, written = specifier.operator, specifier.version
    if written.endswith(".*"):
        stem = _normal(written.removesuffix(".*"))
        return (f"{stem}.*" if operator == "==" else f"!={stem}.*",)
    if operator == "===":
        return (f"=={_literal(written)}",)
    if (say := _SAYING.get(operator)) is None:
        raise NotInCondaError(f"envfix does not know the operator {operator}")
    return say(_read(written))


def _read(written: str) -> Version:
    try:
        return Version(written)
    except ValueError as error:
        # Besides InvalidVersion: Python reads no number of more than 4300 digits.
        raise NotInCondaError(f"{written[:40]!r} is no version") from error


def _normal(written: str) -> str:
    return _read(written).public


def _literal(written: str) -> str:
    """Return what ``===`` asks for; it compares texts, and channels have the normal ones."""
    try:
        return Version(written).public
    except ValueError:
        raise NotInCondaError(
            f"=== asks for the text {written[:40]!r}, which is no version that a channel has"
        ) from None


def _lower_bound(version: Version) -> str:
    # conda has 2.0.dev0 above 2.0a1, PEP 440 below; a0 is below both, for either.
    is_first = version.dev == 0 and version.pre is None and version.post is None
    return f"{_base(version)}a0" if is_first else version.public


def _upper_bound(version: Version) -> str:
    # <2.0 leaves 2.0rc1 out (PEP 440, exclusive ordered comparison), as conda's <2.0a0 does.
    is_final = not version.is_prerelease and not version.is_postrelease
    return f"{_base(version)}a0" if is_final else _lower_bound(version)


def _above(version: Version) -> tuple[str, ...]:
    # >1.0 leaves 1.0.post1 out, as PEP 440 has it.
    if version.is_postrelease or version.is_prerelease:
        return (f">{version.public}",)
    return f">{version.public}", f"!={version.public}.post.*"


def _compatible(version: Version) -> tuple[str, ...]:
    stem = ".".join(map(str, version.release[:-1]))
    epoch = f"{version.epoch}!" if version.epoch else ""
    if not version.is_prerelease and not version.is_postrelease:
        return (f"~={version.public}",)
    return f">={_lower_bound(version)}", f"{epoch}{stem}.*"


def _base(version: Version) -> str:
    return version.base_version


_SAYING: Mapping[str, Callable[[Version], tuple[str, ...]]] = {
    "==": lambda version: (f"=={version.public}",),
    "!=": lambda version: (f"!={version.public}",),
    "<=": lambda version: (f"<={version.public}",),
    ">=": lambda version: (f">={_lower_bound(version)}",),
    "<": lambda version: (f"<{_upper_bound(version)}",),
    ">": _above,
    "~=": _compatible,
}


# A clause of a constraint: its operator, its numbers, and what stands behind them.
_CLAUSE = re.compile(r"(?P<sign>[<>=!~]*)(?P<numbers>\d+(?:\.\d+)*)(?P<rest>.*)")
#: What a bound becomes once it is cut: all that begins as it does counts as equal to it.
_CUT = {"==": "", "": "", "~=": "", ">": ">=", ">=": ">=", "<": "<=", "<=": "<="}


def beginning(asked: CondaRange, count: int) -> CondaRange:
    """Return what is left where only the first numbers of a version are the same on conda."""
    cut = (_cut(clause, count, is_exact=bool(asked.exact)) for clause in asked.text.split(","))
    return CondaRange(text=",".join(dict.fromkeys(clause for clause in cut if clause)))


def _cut(clause: str, count: int, *, is_exact: bool) -> str:
    match = _CLAUSE.fullmatch(clause)
    if match is None or not count:
        return ""
    numbers = match["numbers"].split(".")
    begun = ".".join(numbers[:count])
    if is_exact:
        return f"{begun}.*"
    if len(numbers) <= count:
        return clause
    sign = _CUT.get(match["sign"])
    if sign is None:
        return ""
    return f"{sign}{begun}" if sign else f"{begun}.*"
