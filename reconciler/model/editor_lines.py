"""The lines of a declared file, counted as editors and findings count them."""

from __future__ import annotations

import re

#: Where a line ends; str.splitlines also ends one at \f, \v and U+2028, where no editor does.
BREAK = re.compile(r"\r\n|\r|\n")


def split(text: str) -> list[str]:
    """Return the lines of a text without their ends; behind a last end there is an empty one."""
    return BREAK.split(text)
