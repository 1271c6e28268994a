"""The tokens that stand for a directory in a search path: ld.so(8), dynamic string tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.system import System

_TOKEN = re.compile(
    r"\$(?:\{(?P<curly>ORIGIN|PLATFORM|LIB)\}|(?P<bare>ORIGIN|PLATFORM|LIB)(?![A-Za-z0-9_]))"
)


def expanded(text: str, origin: str, system: System) -> str:
    """Return a text with what its tokens stand for; ``origin`` is the directory of its owner."""
    if "$" not in text:
        return text
    values = {"ORIGIN": origin, "PLATFORM": system.platform, "LIB": system.lib}
    return _TOKEN.sub(lambda match: values[match["curly"] or match["bare"]], text)
