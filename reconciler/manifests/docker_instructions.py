"""A Dockerfile as instructions: continued lines joined, heredocs with the instruction they are of.

The form: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifests.script import Script, from_parts
from reconciler.model.editor_lines import split

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTIVE = re.compile(r"#\s*([a-z]+)\s*=\s*(\S+)\s*$", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s*")
_HEREDOC = re.compile(r"(?<!<)<<-?(['\"]?)([A-Za-z_]\w*)\1")
#: Those that may be followed by a heredoc.
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})


class Instruction(NamedTuple):
    """One instruction: its word in capitals, its arguments, and the heredocs behind it."""

    word: str
    script: Script
    heredocs: tuple[Script, ...] = ()


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile, each whole."""
    lines = split(text)
    escape = _escape(lines)
    number = 0
    while number < len(lines):
        parts, number = _logical(lines, number, escape)
        if not parts:
            continue
        joined = from_parts(parts)
        head = _INSTRUCTION.match(joined.text)
        if not head:
            continue
        word = head[1].upper()
        heredocs = []
        if word in _WITH_HEREDOC:
            for mark in _HEREDOC.finditer(joined.text):
                body, number = _body(lines, number, mark[2])
                heredocs.append(body)
        yield Instruction(word, _behind(joined, head.end()), tuple(heredocs))


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line; directives stand before all else."""
    for line in lines:
        directive = _DIRECTIVE.match(line.strip())
        if not directive:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


def _logical(lines: list[str], number: int, escape: str) -> tuple[list[tuple[str, int, int]], int]:
    """Return the parts of one instruction, and the number of the line behind it."""
    parts: list[tuple[str, int, int]] = []
    while number < len(lines):
        line, number = lines[number], number + 1
        # Comments, and empty lines, do not end an instruction.
        if line.lstrip().startswith("#") or not line.strip():
            if not parts:
                return [], number
            continue
        stripped = line.rstrip()
        if not stripped.endswith(escape):
            return [*parts, (line, number, 1)], number
        parts.append((stripped[: -len(escape)], number, 1))
    return parts, number


def _body(lines: list[str], number: int, mark: str) -> tuple[Script, int]:
    """Return the lines up to a mark, and the number of the line behind it; nothing without one."""
    for end in range(number, len(lines)):
        if lines[end].strip() == mark:
            body = ((f"{lines[n]}\n", n + 1, 1) for n in range(number, end))
            return from_parts(body), end + 1
    return Script(""), number


def _behind(script: Script, offset: int) -> Script:
    """Return what stands behind an offset, at its places."""
    later = [(s, p) for s, p in zip(script.starts, script.places, strict=True) if s > offset]
    starts = (0, *(start - offset for start, _ in later))
    places = (script.place(offset), *(place for _, place in later))
    return Script(script.text[offset:], starts, places)
