"""setup.cfg: what setuptools installs with a project.

The form: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html
"""

from __future__ import annotations

import re
from configparser import Error, ParsingError, RawConfigParser
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import pip_requirement, toml_lines
from reconciler.manifests.toml_nodes import Node
from reconciler.model.distribution import normalize_name, required_name
from reconciler.model.manifest import (
    Combination,
    Declared,
    IndexRole,
    Kind,
    ManifestError,
    Section,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.manifests.toml_lines import Line
    from reconciler.model.fix import Edit, Splice
    from reconciler.model.manifest import Manifest

_HEADER = re.compile(r"\[(.+)\]")
_DELIMITER = re.compile(r"\s*[=:]\s*")
# A comment goes behind white space; URL#egg=name is none (setuptools, drop_comment).
_COMMENT = re.compile(r"\s#.*$")
_FILES = re.compile(r"file:\s*")
_BUILD = "build system"
_EXTRAS = "options.extras_require"


class _Value(NamedTuple):
    """One line of an option's value."""

    section: str
    key: str
    node: Node
    #: Whether it stands on the line of its key.
    is_first: bool


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project; raises ManifestError."""
    _refuse(text)
    values = tuple(_values(text))
    own = next((required_name(v.node.text()) for v in values if _is(v, "metadata", "name")), "")
    lines = tuple(_lines(values, own, dirname(path)))
    build = any(isinstance(line, Declared) and line.scope == _BUILD for line in lines)
    return toml_lines.manifest(
        path,
        text,
        tool="pip",
        lines=lines,
        combinations=(
            *_combinations(values, own),
            *([Combination(name=_BUILD, scopes=(_BUILD,))] if build else []),
        ),
    )


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text of a manifest for the edits; raises HeldBackError."""
    from reconciler.manifests import setup_cfg_edits  # noqa: PLC0415 - a scan edits nothing

    return setup_cfg_edits.rewrite(manifest, edits)


def _refuse(text: str) -> None:
    """Raise ManifestError where setuptools' own parser refuses a file."""
    try:
        RawConfigParser().read_string(text)
    except Error as error:
        line = getattr(error, "lineno", None)
        if isinstance(error, ParsingError) and line is None:
            line = error.errors[0][0]
        why = str(error).partition("\n")[0].replace("While reading from ", "").strip()
        raise ManifestError(why.replace("'<string>'", "the file"), line) from error


def _values(text: str) -> Iterator[_Value]:
    """Yield the lines of all values, as configparser takes them together."""
    section, key, indent = "", "", 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        level = len(raw) - len(raw.lstrip())
        if key and level > indent:
            yield _Value(section, key, Node(line, number, level + 1), is_first=False)
            continue
        indent = level
        if header := _HEADER.match(line):
            section, key = header[1], ""
        else:
            # What has no delimiter is refused by now.
            key, value = _DELIMITER.split(line, maxsplit=1)
            key = key.replace("-", "_")
            column = level + len(line) - len(value) + 1
            yield _Value(section, key, Node(value, number, column), is_first=True)


def _is(value: _Value, section: str, key: str) -> bool:
    return (value.section, value.key) == (section, key)


def _lines(values: Iterable[_Value], own: str, folder: str) -> Iterator[Line]:
    includes = ""
    for value in values:
        scope = _scope(value)
        if _is(value, "options", "python_requires") and value.node.text():
            yield toml_lines.python(value.node, value.node.text())
        elif _is(value, "options", "dependency_links") and value.node.text():
            yield toml_lines.index(value.node, IndexRole.LINKS)
        if scope is None:
            continue
        if value.is_first:
            includes = value.key if _FILES.match(value.node.text()) else ""
        if includes:
            yield from _includes(value.node, scope, folder)
            continue
        for node in _items(value):
            if not own or required_name(node.text()) != own:
                yield toml_lines.requirement(node, node.text(), scope=scope)


def _scope(value: _Value) -> str | None:
    """Return the scope of the requirements in a value; None where it holds none."""
    if value.section == _EXTRAS:
        return f"extra {normalize_name(value.key)}"
    scopes = {"install_requires": "", "setup_requires": _BUILD}
    return scopes.get(value.key) if value.section == "options" else None


def _items(value: _Value) -> Iterator[Node]:
    """Yield what stands on a line: behind the key, several may, parted by semicolons."""
    text, line, column = value.node.text(), value.node.line, value.node.column
    parts = text.split(";") if value.is_first else [_COMMENT.sub("", text)]
    for part in parts:
        if part.strip():
            yield Node(part.strip(), line, column + len(part) - len(part.lstrip()))
        column += len(part) + 1


def _includes(node: Node, scope: str, folder: str) -> Iterator[Declared]:
    column = node.column
    for part in node.text().split(","):
        name = _FILES.sub("", part).strip()
        if name:
            yield Declared(
                path="",
                section=Section.PIP,
                kind=Kind.INCLUDE,
                text=part.strip(),
                name=normpath(join(folder, name)),
                line=node.line,
                column=column + len(part) - len(part.lstrip()),
                scope=scope,
            )
        column += len(part) + 1


def _combinations(values: Iterable[_Value], own: str) -> Iterator[Combination]:
    leads_to: dict[str, list[str]] = {}
    for value in values:
        if value.section == _EXTRAS:
            itself = (n.text() for n in _items(value) if own and required_name(n.text()) == own)
            extras = (extra for text in itself for extra in pip_requirement.extras(text))
            scope = f"extra {normalize_name(value.key)}"
            leads_to.setdefault(scope, []).extend(f"extra {extra}" for extra in extras)
    yield Combination()
    for scope in leads_to:
        yield Combination(name=scope, scopes=("", *toml_lines.reached(scope, leads_to)))
