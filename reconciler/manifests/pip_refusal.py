"""Why pip refuses a requirement, in words, and what it would take instead where that is certain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
EXTRAS = r"\[\s*[A-Za-z0-9._-]*(?:\s*,\s*[A-Za-z0-9._-]+)*\s*\]"
_VERSION = r"\d+(?:\.\d+)*(?:(?:a|b|rc|\.post|\.dev)\d+)*"
_LOCAL = r"\+[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*"
_SPECIFIER = rf"(?:[<>]=?\s*{_VERSION}|[!=]=\s*{_VERSION}(?:\.\*|{_LOCAL})?)"
# What most requirements are; packaging, which takes 25 ms to import, reads the others.
_PLAIN = re.compile(
    rf"{NAME}\s*(?:{EXTRAS}\s*)?(?:{_SPECIFIER}(?:\s*,\s*{_SPECIFIER})*|@\s*\S+)?\s*"
)
_CLAUSE = (
    r"(?:sys_platform|platform_system|platform_machine|os_name|implementation_name|extra"
    r"|platform_python_implementation|python_version|python_full_version)"
    r"\s*(?:[!=<>]=|[<>])\s*(?:'[\w .*+-]*'|\"[\w .*+-]*\")"
)
_PLAIN_MARKER = re.compile(rf"\s*{_CLAUSE}(?:\s*(?:\band\b|\bor\b)\s*{_CLAUSE})*\s*")
_COMMAND = re.compile(r"(?:python3? -m )?pip3? install\s+(.*)")
_ONE_EQUAL = re.compile(rf"({NAME}\s*(?:{EXTRAS})?)\s*=\s*({_VERSION}(?:{_LOCAL})?)\s*")
_OF_CONDA = re.compile(rf"{NAME}=[\w.!+*]+=[\w.*]+|[\w./-]+::{NAME}.*")
_NO_OPERATOR = re.compile(rf"{NAME}\s+\d[\w.]*")
_TURNED = re.compile(r"=([<>])")
_STAR = re.compile(r"([<>]=?|~=)(\s*\d+(?:\.\d+)*)\.\*")
_RANGE_OF_LOCAL = re.compile(r"(?:[<>]=?|~=)\s*\d[\w.]*\+")
_YAML_KEY = re.compile(r"[\w.-]+:(?:\s|$)")
_VERSIONS = re.compile(r"[<>=!~]=?\s*([^\s,;<>=!~]+)")

_Told = tuple[str, str]


def of(requirement: str, marker: str) -> _Told:
    """Return why pip refuses a requirement, and what is right; "" twice where it does not."""
    if _PLAIN.fullmatch(requirement) and (not marker or _PLAIN_MARKER.fullmatch(marker)):
        return "", ""
    why = _refusal(requirement)
    if why:
        told = next((found for tell in _TELLS if (found := tell(requirement))), None)
        why, better = told or (f"pip refuses it: {why[0].lower()}{why[1:]}", "")
        return why, f"{better} ; {marker}" if better and marker else better
    why = _marker_refusal(marker) if marker else ""
    return (f"pip refuses its marker: {why[0].lower()}{why[1:]}", "") if why else ("", "")


def _refusal(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - 25 ms

    try:
        Requirement(requirement)
    except InvalidRequirement as error:
        return str(error).splitlines()[0]
    return ""


def _marker_refusal(marker: str) -> str:
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - 20 ms

    try:
        Marker(marker)
    except InvalidMarker as error:
        return str(error).splitlines()[0]
    except RecursionError:
        # pip reads it by the same code.
        return "Its parentheses are too deep to be read"
    return ""


def _of_quotes(text: str) -> _Told | None:
    inside = text.strip("\"'")
    if inside == text:
        return None
    better = inside if _PLAIN.fullmatch(inside) else ""
    return "pip refuses the quotes, for a requirements file is no shell", better


def _of_command(text: str) -> _Told | None:
    match = _COMMAND.fullmatch(text)
    if match is None:
        return None
    better = match[1] if _PLAIN.fullmatch(match[1]) else ""
    return "pip refuses a command in a file of requirements", better


def _of_missing_name(text: str) -> _Told | None:
    if text[:1] in "=<>!~":
        return "pip refuses it: no name stands in front of the version", ""
    return None


def _of_one_equal(text: str) -> _Told | None:
    match = _ONE_EQUAL.fullmatch(text)
    if match is None:
        return None
    return "pip refuses it: = is conda's operator, pip's is ==", f"{match[1].strip()}=={match[2]}"


def _of_conda(text: str) -> _Told | None:
    if _OF_CONDA.fullmatch(text):
        return "pip refuses it: it is written for conda", ""
    return None


def _of_yaml(text: str) -> _Told | None:
    if _YAML_KEY.match(text):
        return "pip refuses it: a key with a colon is YAML, not a requirement", ""
    return None


def _of_turned(text: str) -> _Told | None:
    better = _TURNED.sub(r"\1=", text)
    if better == text or not _PLAIN.fullmatch(better):
        return None
    return "pip refuses it: => and =< are no operators", better


def _of_star(text: str) -> _Told | None:
    better = _STAR.sub(r"\1\2", text)
    if better == text:
        return None
    # >=4.6.* was read as >=4.6; what >4.6.* or ~=4.* meant is not that certain.
    is_sure = _PLAIN.fullmatch(better) and not re.search(r"[<>](?!=)", text)
    why = "pip from 24.1 on refuses it: .* goes only with == and !="
    return why, better if is_sure else ""


def _of_local(text: str) -> _Told | None:
    if _RANGE_OF_LOCAL.search(text):
        return "pip from 24.1 on refuses it: a local label goes only with == and !=", ""
    return None


def _of_missing_operator(text: str) -> _Told | None:
    if _NO_OPERATOR.fullmatch(text):
        return "pip refuses it: no operator stands between name and version", ""
    return None


def _of_version(text: str) -> _Told | None:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - 10 ms

    for version in _VERSIONS.findall(text):
        try:
            Version(version.removesuffix(".*"))
        except InvalidVersion:
            return f"pip from 24.1 on refuses it: {version} is no version (PEP 440)", ""
    return None


_TELLS: tuple[Callable[[str], _Told | None], ...] = (
    _of_quotes,
    _of_command,
    _of_missing_name,
    _of_one_equal,
    _of_conda,
    _of_yaml,
    _of_turned,
    _of_star,
    _of_local,
    _of_missing_operator,
    _of_version,
)
