"""What a script of a hook says to the one who opens it."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from reconciler.model.hook import (
    Hook,
    HookVariable,
    SetVariable,
)
from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 96
#: What a shell could take for more than a comment; ``rem`` answers /? with its manual.
_ODD = r"""[^\w .,:;()/'=+~*@-]"""


def header(hook: Hook, comment: str, paths: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a comment: what, why, and how to remove it."""
    for paragraph in _paragraphs(hook, paths):
        lines = textwrap.wrap(
            _plain(paragraph),
            width=_WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from (f"{comment} {line}" for line in lines)


def _paragraphs(hook: Hook, paths: tuple[str, ...]) -> Iterator[str]:
    yield f"Written by envfix {hook.created_by}. An edit is found by envfix hooks status."
    yield f"What: while this environment is active, {', '.join(map(_what, hook.variables))}."
    for reason in hook.why:
        yield f"Why: {reason.code} {reason.sentence}."
    yield f"To remove it: envfix hooks remove, or delete {', '.join(paths)}."


def _what(variable: HookVariable) -> str:
    # A value may be anything, and the lines below have it.
    return f"{variable.name} is set" if isinstance(variable, SetVariable) else str(variable)


def _plain(text: str) -> str:
    """Return ASCII that ends no comment and means nothing in one, in any shell."""
    return re.sub(_ODD, "_", printable(text), flags=re.ASCII)
