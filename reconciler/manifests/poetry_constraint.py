"""poetry's version constraints, put as PEP 440 and PEP 508 have them.

The forms: https://python-poetry.org/docs/dependency-specification/
"""

from __future__ import annotations

import re

_OPERATOR = r"(\^|~=|~|===|==|!=|<=|>=|=|<|>)?"
_VERSION = r"v?(\d[\w+!-]*(?:\.[\w+!-]+)*(?:\.\*)?|\*)"
_TERM = re.compile(rf"{_OPERATOR}\s*{_VERSION}")
_TERMS = re.compile(rf"\s*{_OPERATOR}\s*{_VERSION}(?:[\s,]+{_OPERATOR}\s*{_VERSION})*\s*,?\s*")
_RELEASE = re.compile(r"\d+(?:\.\d+)*")
_OR = re.compile(r"\s*\|\|?\s*")
_PLATFORM = re.compile(r"\s*(==|!=)?\s*(\w+)\s*")


class InvalidConstraint(ValueError):  # noqa: N818  (named as packaging's InvalidSpecifier)
    """A text that poetry does not read as a constraint."""


def specifier(text: str) -> str:
    """Return a constraint as PEP 440; raises InvalidConstraint.

    PEP 440 has no "or": of alternatives, the whole range that they lie in is given.
    """
    alternatives = [_terms(part) for part in _OR.split(text)]
    if len(alternatives) == 1:
        return ",".join(f"{operator}{version}" for operator, version in alternatives[0])
    # In the order in which people write them: the oldest first.
    first, last = alternatives[0], alternatives[-1]
    low = [f">={v}" for o, v in first if o in {">=", "==", "~="}][:1]
    high = [f"{o}{v}" if o in {"<", "<="} else f"<={v}" for o, v in last if o in {"<", "<=", "=="}]
    return ",".join(bound for bound in (*low, *high[:1]) if "*" not in bound)


def python_marker(text: str) -> str:
    """Return the marker of the Pythons that a constraint allows; raises InvalidConstraint."""
    alternatives = [
        " and ".join(_python(operator, version) for operator, version in _terms(part))
        for part in _OR.split(text)
    ]
    if not all(alternatives):
        return ""
    return " or ".join(f"({a})" if " and " in a and alternatives[1:] else a for a in alternatives)


def platform_marker(text: str) -> str:
    """Return the marker of ``platform = "linux"``."""
    found = (_PLATFORM.fullmatch(part) for part in _OR.split(text))
    return " or ".join(f"sys_platform {m[1] or '=='} '{m[2]}'" for m in found if m)


def _python(operator: str, version: str) -> str:
    full = version.count(".") > 1 and not version.endswith(".*")
    return f"{'python_full_version' if full else 'python_version'} {operator} '{version}'"


def _terms(text: str) -> list[tuple[str, str]]:
    """Return operators and versions of PEP 440, all of which a version must satisfy."""
    if not _TERMS.fullmatch(text):
        raise InvalidConstraint(text)
    return [
        term
        for match in _TERM.finditer(text)
        for term in _term(match[1] or "", re.sub(r"(?:\.[xX*])+$", ".*", match[2]))
    ]


def _term(operator: str, version: str) -> list[tuple[str, str]]:
    if version == "*":
        return []
    if operator not in {"^", "~"}:
        ranged = operator not in {"", "=", "==", "!="}
        kept = version.removesuffix(".*") if ranged else version
        return [("==" if operator in {"", "="} else operator, kept)]
    # Nothing is at least a local version: PEP 440 has these for == alone.
    floor = version.partition("+")[0].removesuffix(".*")
    match = _RELEASE.match(floor)
    parts = [int(part) for part in match[0].split(".")] if match else []
    return [(">=", floor), ("<", _ceiling(operator, parts))]


def _ceiling(operator: str, parts: list[int]) -> str:
    if operator == "~":
        at = min(1, len(parts) - 1)
    else:
        at = next((i for i, part in enumerate(parts) if part), len(parts) - 1)
    raised = [*parts[:at], parts[at] + 1]
    # ^2.0 is written as people write it: <3.0
    return ".".join(str(part) for part in (*raised, *([0] if not at and parts[1:] else [])))
