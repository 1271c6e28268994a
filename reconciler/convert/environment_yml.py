"""A conversion as the text of an environment.yml."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reconciler.model.conversion import Converted, Dropped, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conversion import Conversion, Line

# What YAML reads as the text that it is: no indicator first, no ": " or " #" inside.
_PLAIN = re.compile(r"[A-Za-z0-9.~/][^\r\n\t\"'\\]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "~", "y", "n"})


def render(conversion: Conversion, platform: str, *, comments: bool = False) -> str:
    """Return the file for one platform, with the reason behind each line where that is wanted."""
    lines = [f"name: {_scalar(conversion.name)}", "channels:"]
    lines += [f"  - {_scalar(channel)}" for channel in conversion.channels]
    lines.append("dependencies:")
    why = _reasons(conversion, platform) if comments else {}
    lines += [_item(spec, why.get(spec, "")) for spec in conversion.specs(platform)]
    pip = dict.fromkeys(s.text for s in conversion.settings if s.is_carried)
    if requirements := conversion.pip_lines(platform):
        lines.append("  - pip:")
        lines += [f"  {_item(text, why.get(text, ''))}" for text in (*pip, *requirements)]
    return "\n".join(lines) + "\n"


def _item(text: str, why: str) -> str:
    comment = f"  # {why}" if why else ""
    return f"  - {_scalar(text)}{comment}"


def _scalar(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and not re.search(r":(?:\s|$)|\s#|\s$", text)
    if is_plain and text.lower() not in _WORDS and not _is_number(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[\d._+eE-]+", text) is not None


def _reasons(conversion: Conversion, platform: str) -> dict[str, str]:
    found = {spec: "; ".join(conversion.cuda.because[:1]) for spec in conversion.cuda.specs}
    for line in conversion.on(platform):
        found |= dict(_reason(line))
    return {text: " ".join(why.split()) for text, why in found.items()}


def _reason(line: Line) -> Iterator[tuple[str, str]]:
    place = f"{line.at.path}:{line.at.line}" if line.at.line else f"{line.at.path}"
    match line:
        case Converted(specs=specs):
            yield from ((spec, f"{place} {line.requirement}") for spec in specs)
        case Kept():
            yield line.requirement, line.reason
        case Dropped():
            pass
