"""Markers as locks hold them: those of a requirement, and clauses on what is chosen to install.

Locks ask ``extra == 'extra-8-nanochat-gpu'`` (uv), ``extra == "gpu"`` (poetry) and ``'gpu' in
extras`` (pylock.toml), of which several may be true at once; a requirement's marker cannot.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from reconciler.model.install_set import PLATFORMS
from reconciler.model.marker import holds

#: Those that the answers here are about. A mask has a bit for each with each minor of Python 3.
KNOWN = (*PLATFORMS, "osx-64", "win-arm64", "linux-ppc64le")
_MINORS = range(7, 17)
_SPAN = len(_MINORS)
_EVERY_PYTHON = (1 << _SPAN) - 1
EVERYWHERE = (1 << _SPAN * len(KNOWN)) - 1
_TOKEN = re.compile(
    r"[()]|\b(?:and|or)\b"
    r"|(?:\w+|'[^']*'|\"[^\"]*\")\s*(?:[=!~<>]=?=?|\bnot\s+in\b|\bin\b)\s*(?:\w+|'[^']*'|\"[^\"]*\")"
)
_OF_CHOICE = re.compile(
    r"extra\s*(?P<operator>[=!]=)\s*['\"](?P<extra>[^'\"]*)['\"]"
    r"|['\"](?P<member>[^'\"]*)['\"]\s*(?P<negated>not\s+)?in\s+(?P<list>extras|dependency_groups)"
)
_OF_PYTHON = re.compile(
    r"python_(?:full_)?version\s*(?P<operator>[=!~<>]=?=?)\s*['\"](?P<version>[^'\"]*)"
)
_VERSION = re.compile(r"3\.(?P<minor>\d{1,3})(?P<patch>\.[1-9]\d*)?")
_BOUND = re.compile(r"\s*(?P<operator>[=!~<>]=?=?)\s*(?P<version>[\w.*]+)\s*")
_OF_PLATFORM = re.compile(r"\b(?:sys_platform|platform_machine|platform_system|os_name)\b")


class Where(NamedTuple):
    """Platforms, and the Pythons there."""

    #: () for all.
    platforms: tuple[str, ...]
    #: "" for all.
    marker: str


def platforms(mask: int) -> tuple[str, ...]:
    """Return the platforms of a mask, under whichever Python; () for all."""
    pythons = _pythons(mask)
    return tuple(pythons) if len(pythons) < len(KNOWN) else ()


def places(mask: int, allowed: int) -> tuple[Where, ...]:
    """Return the platforms of a mask by the Pythons there, of those that are allowed at all."""
    by_pythons: dict[str, list[str]] = {}
    within = _pythons(allowed)
    for platform, pythons in _pythons(mask & allowed).items():
        marker = _of_pythons(pythons, within[platform])
        by_pythons.setdefault(marker, []).append(platform)
    return tuple(
        Where(tuple(found) if len(found) < len(within) else (), marker)
        for marker, found in by_pythons.items()
    )


def allowed(specifier: str) -> int:
    """Return the mask of the Pythons that a ``requires-python`` allows."""
    found = _EVERY_PYTHON
    for bound in specifier.split(","):
        if match := _BOUND.fullmatch(bound):
            found &= _minors(match["operator"], match["version"])
    return _everywhere(found or _EVERY_PYTHON)


def mask(marker: str, chosen: frozenset[str]) -> int:
    """Return where a marker holds, if these are chosen."""
    stack: list[tuple[int, int]] = []
    either, both = 0, EVERYWHERE
    for token in _TOKEN.findall(marker):
        match token:
            case "(":
                stack.append((either, both))
                either, both = 0, EVERYWHERE
            case ")":
                inside = either | both
                either, both = stack.pop() if stack else (0, EVERYWHERE)
                both &= inside
            case "or":
                either, both = either | both, EVERYWHERE
            case "and":
                pass
            case clause:
                both &= _clause_mask(clause, chosen)
    return either | both


def of_choice(clause: str, chosen: frozenset[str]) -> bool | None:
    """Tell whether a clause on what is chosen holds; None for any other clause.

    Groups are chosen by names such as ``group dev``, extras by ``extra gpu`` or uv's own names.
    """
    match = _OF_CHOICE.fullmatch(clause)
    if match is None:
        return None
    if match["extra"] is not None:
        is_chosen = {match["extra"], f"extra {match['extra']}"} & chosen
        return bool(is_chosen) == (match["operator"] == "==")
    kind = "extra" if match["list"] == "extras" else "group"
    return (f"{kind} {match['member']}" in chosen) == (match["negated"] is None)


def decided(marker: str, chosen: frozenset[str]) -> str | None:
    """Return what is left of a marker where these are chosen; None where it cannot hold."""
    stack: list[tuple[list[str | None], list[str | None]]] = []
    either: list[str | None] = []
    both: list[str | None] = []
    for token in _TOKEN.findall(marker):
        match token:
            case "(":
                stack.append((either, both))
                either, both = [], []
            case ")":
                inside = _any([*either, _all(both)])
                either, both = stack.pop() if stack else ([], [])
                both.append(inside)
            case "or":
                either, both = [*either, _all(both)], []
            case "and":
                pass
            case clause:
                truth = of_choice(clause, chosen)
                both.append(clause if truth is None else "" if truth else None)
    return _any([*either, _all(both)])


def _all(parts: list[str | None]) -> str | None:
    if None in parts:
        return None
    said = [part for part in dict.fromkeys(parts) if part]
    if len(said) < 2:
        return "".join(said)
    return " and ".join(f"({part})" if " or " in part else part for part in said)


def _any(parts: list[str | None]) -> str | None:
    said = [part for part in dict.fromkeys(parts) if part is not None]
    if "" in said:
        return ""
    return " or ".join(said) if said else None


def _clause_mask(clause: str, chosen: frozenset[str]) -> int:
    truth = of_choice(clause, chosen)
    if truth is None:
        return _platform_mask(clause)
    return EVERYWHERE if truth else 0


@lru_cache(maxsize=512)
def _platform_mask(clause: str) -> int:
    if python := _OF_PYTHON.match(clause):
        return _everywhere(_minors(python["operator"], python["version"]))
    if not _OF_PLATFORM.search(clause):
        return EVERYWHERE
    fitting = (bit for bit, platform in enumerate(KNOWN) if holds(clause, platform))
    return sum(_EVERY_PYTHON << bit * _SPAN for bit in fitting)


def _minors(operator: str, version: str) -> int:
    """Return the minors of Python that some release of fits; all, of what is not understood."""
    match = _VERSION.match(version)
    if match is None:
        return _EVERY_PYTHON
    given, has_patch = int(match["minor"]), match["patch"] is not None
    if operator == "~=" and version.count(".") == 1:
        operator = ">="
    return sum(
        1 << bit for bit, minor in enumerate(_MINORS) if _fits(minor, operator, given, has_patch)
    )


def _fits(minor: int, operator: str, given: int, has_patch: bool) -> bool:  # noqa: FBT001 - a part of the version
    if minor == given:
        return has_patch or operator not in {"<", ">", "!="}
    return {"<": minor < given, "<=": minor < given, ">": minor > given, ">=": minor > given}.get(
        operator, operator == "!="
    )


def _everywhere(pythons: int) -> int:
    return sum(pythons << bit * _SPAN for bit in range(len(KNOWN)))


def _pythons(mask: int) -> dict[str, int]:
    """Return the Pythons of a mask, by the platforms that it has any on."""
    found = ((platform, mask >> bit * _SPAN & _EVERY_PYTHON) for bit, platform in enumerate(KNOWN))
    return {platform: pythons for platform, pythons in found if pythons}


def _of_pythons(pythons: int, within: int) -> str:
    """Return the marker of some Pythons among others: ranges, without a bound at either end."""
    if pythons == within:
        return ""
    known = [minor for bit, minor in enumerate(_MINORS) if within >> bit & 1]
    chosen = {minor for bit, minor in enumerate(_MINORS) if pythons >> bit & 1}
    ranges: list[str] = []
    for minor in sorted(chosen):
        if minor - 1 in chosen:
            continue
        end = next(m for m in range(minor, _MINORS.stop + 1) if m not in chosen)
        low = f"python_version >= '3.{minor}'" if minor > known[0] else ""
        high = f"python_version < '3.{end}'" if end <= known[-1] else ""
        ranges.append(" and ".join(filter(None, (low, high))))
    return " or ".join(ranges)
