"""Edits of one line as pip reads it: what becomes of its requirement, its options, its hashes."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests import pip_line, pip_options
from reconciler.manifests.logical_lines import LogicalLine
from reconciler.model.fix import Add, Edit, HeldBackError, Remove, Replace
from reconciler.model.manifest import IndexRole, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.manifests.pip_options import OptionLine
    from reconciler.model.manifest import Declared

#: Line, column and text.
Place = tuple[int, int, str]

_OPTIONS = {
    IndexRole.DEFAULT: "--index-url",
    IndexRole.EXTRA: "--extra-index-url",
    IndexRole.LINKS: "--find-links",
}
_HASHED = re.compile(r"(?:^|\s)--(?:hash|require-hashes)\b")


class Change(NamedTuple):
    """Characters of a line, and what is to stand there instead."""

    start: int
    end: int
    text: str


#: What becomes of a line: changes within it, or None where it goes as a whole.
Changes = tuple[Change, ...] | None


def option_line(edit: Add, like: Iterable[Declared]) -> str:
    """Return an index as a line, with ``=`` where the indexes of the file are written so."""
    if edit.text.startswith("-"):
        return edit.text
    option = _OPTIONS.get(edit.role or IndexRole.EXTRA)
    if option is None:
        raise HeldBackError("pip cannot tie an index to some of the requirements")
    if re.search(r"[\s\"'#]", re.sub(r"(?<=\S)#", "", edit.text)):
        raise HeldBackError(f"{edit.text!r} would have to be quoted, which not every pip reads")
    texts = [line.text for line in like if line.kind is Kind.INDEX]
    is_joined = bool(texts) and all(re.match(r"--[\w-]+=", text) for text in texts)
    return f"{option}{'=' if is_joined else ' '}{edit.text}"


def check_hashes(edits: Iterable[Edit], text: str) -> None:
    """Raise HeldBackError where a requirement without hash would come into a file with hashes."""
    added = [e.text for e in edits if isinstance(e, Add) and e.kind is Kind.REQUIREMENT]
    if not all(map(_HASHED.search, added)) and _HASHED.search(text):
        raise HeldBackError("the file has hashes: pip would want one of the new line as well")


def offsets(logical: LogicalLine, *, path: str) -> Mapping[Place, int]:
    """Return where in a line the things that it declares stand, by their places in the file."""
    there = pip_line.read(logical, path=path).declared
    alone = pip_line.read(LogicalLine.single(logical.text, 1, 1), path=path).declared
    return {place(one): other.column - 1 for one, other in zip(there, alone, strict=True)}


def place(line: Declared) -> Place:
    """Return what tells a thing that is declared from the others of its file."""
    return line.line, line.column, line.text


def changes(text: str, edits: Mapping[int, Remove | Replace], urls: frozenset[str]) -> Changes:
    """Return what the edits of the things at some offsets of a line make of it.

    ``urls`` are those of the indexes that get lines of their own.
    """
    line = pip_options.take_apart(text)
    if line.refused:
        raise HeldBackError(f"pip refuses the line: {line.refused}")
    if not line.requirement:
        return _of_options(line, edits)
    edit = edits[0]
    return None if isinstance(edit, Remove) else (*_of_requirement(line, edit, urls),)


def _of_requirement(line: OptionLine, edit: Replace, urls: frozenset[str]) -> Iterator[Change]:
    given = {option.use for option in pip_options.take_apart(edit.text).options}
    is_same = edit.text == edit.line.text
    has_hashes = any(option.use == "hash" for option in line.options)
    if has_hashes and not is_same and "hash" not in given:
        raise HeldBackError(
            f"the hashes behind it are those of {' '.join(line.requirement.split())}"
        )
    end = len(line.requirement)
    if not is_same:
        yield Change(0, end, edit.text)
    for option in line.options:
        is_own = option.use in pip_options.OF_REQUIREMENT
        if option.use in given or (not is_own and (is_same or option.value in urls)):
            yield Change(end, option.end, "")
        end = option.end


def _of_options(line: OptionLine, edits: Mapping[int, Remove | Replace]) -> Changes:
    removed = [o for o in line.options if isinstance(edits.get(o.start), Remove)]
    kept = [o for o in line.options if o not in removed]
    if removed and not line.strays and all(o.use in pip_options.OF_REQUIREMENT for o in kept):
        return None
    found: list[Change] = []
    before = 0
    for option, behind in zip_longest(line.options, line.options[1:]):
        edit = edits.get(option.start)
        if isinstance(edit, Replace):
            found.append(Change(option.start, option.end, edit.text))
        elif edit and behind and any(o.start > option.start for o in kept):
            found.append(Change(option.start, behind.start, ""))
        elif edit:
            found.append(Change(before, option.end, ""))
        before = option.end
    return tuple(found)
