"""The solver's tree of reasons, shortened to what a person reads, and whom it blames. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_PREAMBLE = re.compile(r"^Cannot solve the request because of:\s*")
_BRANCH = re.compile(r"^[│ ]*[├└]─ ")
_BARS = re.compile(r"[│├└─ ]+")
_BLAMED = re.compile(
    r"(?:No candidates were found for )?(?P<name>[\w.-]+)\b.*?"
    r"(?:can be installed with any|cannot be installed|\.$|, which|is locked)"
)
_STEP = 3
#: What is shown of a tree: lines in all, branches of one node, levels.
_LINES, _BRANCHES, _LEVELS = 16, 3, 5

#: What the solver's names for the target's properties mean.
_TERMS = {
    "__cuda": "__cuda is the newest CUDA that the target's driver runs; without it there is none.",
    "__glibc": "__glibc is the target's C library.",
    "strict channel priority": (
        "Strict channel priority: the first channel that has a package is the only one for it."
    ),
}


def shorten(tree: str) -> str:
    """Return the tree with its longest branches cut, and a line for each term that needs one."""
    lines = _PREAMBLE.sub("", tree.strip()).splitlines()
    shown = list(_pruned([line.rstrip() for line in lines if line.strip()]))
    if len(shown) > _LINES:
        shown = [*shown[:_LINES], f"... and {len(shown) - _LINES} more lines"]
    text = "\n".join(shown)
    terms = [meaning for term, meaning in _TERMS.items() if term in text]
    return "\n".join((text, *terms))


def blamed(tree: str, names: Collection[str]) -> tuple[str, ...]:
    """Return which of the packages asked for stand at the root of the conflict, in its order."""
    lines = _PREAMBLE.sub("", tree.strip()).splitlines()
    roots = (line for line in lines if _level(line) <= 1)
    found = (match["name"] for line in roots if (match := _BLAMED.match(_text(line))))
    return tuple(dict.fromkeys(name for name in found if name in names))


def is_absence(tree: str) -> bool:
    """Tell whether the solver found no record for a spec, and so weighed nothing."""
    return _PREAMBLE.sub("", tree.strip()).startswith("No candidates were found for ")


def _text(line: str) -> str:
    branch = _BRANCH.match(line)
    return line[branch.end() :] if branch else line


def _level(line: str) -> int:
    branch = _BRANCH.match(line)
    return branch.end() // _STEP if branch else 0


def _pruned(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines within the limits; what is left out of a node is counted under it."""
    beneath: dict[int, int] = {}
    hidden_from: int | None = None
    for place, line in enumerate(lines):
        level = _level(line)
        if hidden_from is not None and level > hidden_from:
            continue
        hidden_from = None
        beneath = {key: value for key, value in beneath.items() if key <= level}
        beneath[level] = beneath.get(level, 0) + (level > 0)
        if level > _LEVELS or beneath[level] > _BRANCHES:
            hidden_from = level
            if beneath[level] == _BRANCHES + 1 and level <= _LEVELS:
                more = _siblings(lines, place, level)
                yield f"{line[: (level - 1) * _STEP]}└─ ... and {more} more"
            continue
        yield line


def _siblings(lines: Sequence[str], place: int, level: int) -> int:
    """Count the branches of the same node from a place on."""
    count = 0
    for line in lines[place:]:
        if _level(line) < level:
            break
        count += _level(line) == level
    return count
