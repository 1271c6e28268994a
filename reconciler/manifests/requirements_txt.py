"""requirements.txt, in its plain forms: logical lines, comments, options and includes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests import pip_line
from reconciler.model.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

# A comment starts a line or follows white space, so that URL#egg=name is none (pip, req_file).
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with what it declares."""
    found = (
        pip_line.declared(logical, path=path, line=line, column=column)
        for logical, line, column in _logical_lines(text)
    )
    return Manifest(path=path, text=text, declared=tuple(d for d in found if d))


def _logical_lines(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each line that pip sees, joined over backslashes, with its line and column."""
    parts: list[str] = []
    start = 1
    for number, raw in enumerate(text.splitlines(), 1):
        if not parts:
            start, column = number, len(raw) - len(raw.lstrip()) + 1
        continued = raw.endswith("\\") and not raw.lstrip().startswith("#")
        # A comment is none against the end of the line before it: pip sets a space there.
        space = " " if raw.startswith("#") else ""
        parts.append(space + (raw[:-1] if continued else raw))
        if not continued:
            yield from _logical_line(parts, start, column)
            parts = []
    if parts:
        yield from _logical_line(parts, start, column)


def _logical_line(parts: list[str], line: int, column: int) -> Iterator[tuple[str, int, int]]:
    logical = _COMMENT.sub("", "".join(parts)).strip()
    if logical:
        yield logical, line, column
