"""What a repair changes, as a unified diff: for a reader, and for ``patch`` and ``git apply``.

Secrets are masked in it, so that it may stand in the log of a CI.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.plan import FileRepair

# ANSI's select-graphic-rendition codes (ECMA-48), as git has them.
_CODES = {"---": "1", "+++": "1", "@@": "36", "-": "31", "+": "32"}
# As an editor and patch split a text, which is not as str.splitlines does.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def render(files: Iterable[FileRepair], *, color: bool = False) -> str:
    """Return the diff of each file, with its path below ``a/`` and ``b/``."""
    return "".join(line for file in files for line in _lines(file, color=color))


def _lines(file: FileRepair, *, color: bool) -> Iterator[str]:
    path = printable(file.path.lstrip("/"))
    lines = difflib.unified_diff(
        _LINE.findall(file.before), _LINE.findall(file.after), f"a/{path}", f"b/{path}"
    )
    for line in lines:
        body = line.rstrip("\r\n")
        end = line[len(body) :]
        said = "".join(c if c == "\t" else printable(c) for c in body)
        yield (_colored(said) if color else said) + (end or "\n\\ No newline at end of file\n")


def _colored(line: str) -> str:
    code = next((code for mark, code in _CODES.items() if line.startswith(mark)), "")
    return f"\x1b[{code}m{line}\x1b[0m" if code else line
