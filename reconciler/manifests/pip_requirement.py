"""Requirements as PEP 508 writes them, made of the parts that tables of TOML give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests import pip_refusal
from reconciler.model.distribution import normalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(rf"\s*{pip_refusal.NAME}", re.ASCII)
# git@host:owner/name: ssh's own form.
_SSH = re.compile(r"([\w.-]+@[\w.-]+):(?!//)(.+)")


def split_marker(text: str) -> tuple[str, str]:
    """Split a requirement from its marker, which a URL has behind white space."""
    requirement, _, marker = text.partition(" ;" if "@" in text else ";")
    return requirement.strip(), marker.strip()


def bare(text: str) -> str:
    """Return the name of a requirement as it is written, with its extras."""
    name = _NAME.match(text)
    rest = text[name.end() :].lstrip() if name else ""
    extras = rest[: rest.find("]") + 1] if rest.startswith("[") else ""
    return (name[0].strip() if name else "") + extras


def extras(text: str) -> tuple[str, ...]:
    """Return the normal names of the extras that a requirement asks for."""
    listed = bare(text).partition("[")[2].rstrip("]").split(",")
    return tuple(normalize_name(extra.strip()) for extra in listed if extra.strip())


def compose(
    name: str,
    specifier: str = "",
    *,
    with_extras: Iterable[str] = (),
    url: str = "",
    markers: Iterable[str] = (),
) -> str:
    """Return a requirement of these parts."""
    listed = ",".join(with_extras)
    named = f"{name}[{listed}]" if listed else name
    marker = both(*markers)
    if url:
        return f"{named} @ {url} ; {marker}" if marker else f"{named} @ {url}"
    return f"{named}{specifier}; {marker}" if marker else f"{named}{specifier}"


def both(*markers: str) -> str:
    """Return the marker that holds where all of these do."""
    said = [marker.strip() for marker in markers if marker.strip()]
    if len(said) < 2:
        return "".join(said)
    return " and ".join(f"({m})" if re.search(r"\bor\b", m) else m for m in said)


def git_url(url: str, revision: str = "", folder: str = "") -> str:
    """Return a repository's URL as pip reads it, at a revision."""
    ssh = _SSH.fullmatch(url)
    whole = f"ssh://{ssh[1]}/{ssh[2]}" if ssh else url
    scheme = "" if whole.startswith("git+") else "git+"
    at = f"@{revision}" if revision else ""
    return f"{scheme}{whole}{at}" + (f"#subdirectory={folder}" if folder else "")


def file_url(path: str) -> str:
    """Return a path of the project as a URL."""
    return path if "://" in path else f"file:{path.replace(' ', '%20')}"
