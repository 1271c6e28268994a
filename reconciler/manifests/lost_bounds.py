"""The bounds of versions that a shell takes for redirections: ``pip install torch>=2.0``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.manifest import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.manifests.script import Script
    from reconciler.manifests.shell_words import Word

_BOUND = re.compile(r">\s*=|[<>]\s*=?\s*\d")


def lost_bounds(words: Iterable[Word], program: str, script: Script) -> Iterator[Fault]:
    """Yield a fault for each requirement whose bound stands without quotes."""
    for word in words:
        if not (word.written and _BOUND.match(word.redirected)):
            continue
        line, column = script.place(word.begin)
        target = word.redirected[1:].strip()
        what = (
            f"writes the output to a file named {target}"
            if word.redirected.startswith(">")
            else f"looks for a file named {target}"
        )
        yield Fault(
            kind=FaultKind.BROKEN,
            text=f"{word.written}{word.redirected}",
            why=f"without quotes the shell gives {program} {word.written!r} alone, and {what}",
            better=f'"{word.written}{word.redirected}"',
            line=line,
            column=column,
        )
