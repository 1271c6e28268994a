"""pixi.lock: what pixi found for each of its environments, on each of their platforms.

As with conda-lock.yml, what pixi has written is read by its lines.

The form: https://pixi.sh/latest/workspace/lockfile/
"""

from __future__ import annotations

import re
from posixpath import dirname, join
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import conda_lock, locked
from reconciler.manifests.locked import Place
from reconciler.model.editor_lines import split
from reconciler.model.manifest import (
    Combination,
    Declared,
    IndexRole,
    Manifest,
    ManifestError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LINE = re.compile(r"( *)(- )?(https?://\S+|[\w.-]+|'[^']*'|\"[^\"]*\")(?:: *|$)(.*)")
_QUOTES = "'\""


class _Entry(NamedTuple):
    """A package of an environment: where it is from."""

    manager: str
    url: str
    environment: str
    platform: str
    line: int
    column: int


class _Lines(NamedTuple):
    """What the lines of a lock hold."""

    entries: list[_Entry]
    channels: list[_Entry]
    indexes: list[_Entry]
    #: Name and version of pip's packages, by their addresses.
    known: dict[str, tuple[str, str]]


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    if not re.search(r"^environments:", text, re.MULTILINE):
        # Up to its third version, pixi wrote what conda-lock writes.
        return conda_lock.read(path, text)
    lines = _lines(text)
    if not lines.entries and re.search(r"^\s*- (conda|pypi):", text, re.MULTILINE):
        raise ManifestError("not of the layout that pixi writes")
    declared = [*_declared(path, lines)]
    environments = dict.fromkeys(entry.environment for entry in lines.entries)
    folder = dirname(path)
    return Manifest(
        path=path,
        text=text,
        tool="pixi",
        is_lock=True,
        declared=tuple(declared),
        combinations=tuple(_combination(name, lines.entries) for name in environments)
        or (Combination(),),
        platforms=tuple(dict.fromkeys(entry.platform for entry in lines.entries)),
        sources=(join(folder, "pixi.toml"), join(folder, "pyproject.toml")),
    )


def _combination(environment: str, entries: Sequence[_Entry]) -> Combination:
    own = (entry.platform for entry in entries if entry.environment == environment)
    return Combination(
        name=_scope(environment),
        scopes=(_scope(environment),),
        platforms=tuple(dict.fromkeys(own)),
    )


def _scope(environment: str) -> str:
    return "" if environment == "default" else f"environment {environment}"


def _declared(path: str, lines: _Lines) -> Iterator[Declared]:
    for entry in lines.channels:
        place = Place(path, entry.line, entry.column, _scope(entry.environment))
        yield locked.channel(place, entry.url)
    for entry in lines.indexes:
        # PyPI alone is what all tools take where nothing is said.
        if entry.url.rstrip("/") != "https://pypi.org/simple":
            place = Place(path, entry.line, entry.column, _scope(entry.environment))
            yield locked.index(place, entry.url, IndexRole.EXTRA)
    told: set[tuple[str, str]] = set()
    for entry in lines.entries:
        scope = _scope(entry.environment)
        place = Place(path, entry.line, entry.column, scope, (entry.platform,))
        if entry.manager == "conda":
            if archive := locked.conda_archive(entry.url):
                yield locked.conda_package(place, archive.name, archive.version, archive.build)
            continue
        name, version = lines.known.get(entry.url) or _by_file(entry.url)
        if not name or not version:
            continue
        package = locked.pip_package(place, name, version, entry.url)
        if package.index and (scope, package.index) not in told:
            told.add((scope, package.index))
            at = place._replace(platforms=())
            yield locked.index(at, package.index, IndexRole.EXPLICIT)
        yield package


def _by_file(url: str) -> tuple[str, str]:
    archive = locked.wheel_archive(url)
    return (archive.name, archive.version) if archive else ("", "")


def _lines(text: str) -> _Lines:
    found = _Lines([], [], [], {})
    top = environment = part = platform = ""
    fields: dict[str, str] = {}
    for number, line in enumerate(split(text), 1):
        match = _LINE.match(line)
        if not match:
            continue
        indent, dash, key, value = len(match[1]), match[2], match[3].strip(_QUOTES), match[4]
        value = value.strip().strip(_QUOTES)
        if not indent and not dash:
            top = key
        elif top == "packages":
            if dash and not indent:
                _know(found, fields)
                fields = {key: value}
            elif indent == 2 and not dash:
                fields[key] = value
        elif top != "environments":
            continue
        elif not dash and indent <= 6:
            environment = key if indent == 2 else environment
            part = key if indent == 4 else part
            platform = key if indent == 6 else platform
        elif dash:
            entry = _Entry(key, value, environment, platform, number, match.start(4) + 1)
            _take(found, part, entry, at=match.start(3) + 1)
    _know(found, fields)
    return found


def _take(found: _Lines, part: str, entry: _Entry, *, at: int) -> None:
    if part == "packages" and entry.manager in {"conda", "pypi"} and entry.platform:
        found.entries.append(entry)
    elif part == "channels" and entry.url:
        found.channels.append(entry)
    elif part == "indexes":
        # An address stands there by itself: its colon is taken for a key's.
        found.indexes.append(entry._replace(url=entry.manager, column=at))


def _know(found: _Lines, fields: dict[str, str]) -> None:
    url = fields.get("pypi") or fields.get("url") or fields.get("path") or ""
    if url and "name" in fields:
        found.known[url] = (fields["name"], fields.get("version", ""))
