"""Draw what a terminal shows, as SVG: the picture of the README."""

from __future__ import annotations

import re
from html import escape
from itertools import accumulate

SGR = re.compile(r"\x1b\[([\d;]*)m")
#: Of ANSI's codes those that envfix uses (reconciler/output/page.py), for a dark ground.
FILLS = {"31": "#ff8e86", "32": "#7ee2a0", "33": "#f5c76a", "36": "#7fd4e8", "2": "#9aa4b2"}
INK, GROUND, FRAME = "#e6e9ef", "#15181e", "#2b303b"
SIZE, CELL, ROW, EDGE = 14, 8.43, 20, 18


def draw(command: str, printed: str) -> str:
    """Return the picture of a command and what it prints, with ANSI's codes."""
    lines = [f"\x1b[32m$\x1b[0m \x1b[1m{command}\x1b[0m", *printed.rstrip("\n").split("\n")]
    columns = max(len(SGR.sub("", line)) for line in lines)
    width, height = round(columns * CELL + 2 * EDGE), len(lines) * ROW + 2 * EDGE
    rows = "\n".join(_row(number, line) for number, line in enumerate(lines) if line)
    font = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(command)}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}" stroke="{FRAME}"/>\n'
        f'<g font-family="{font}" font-size="{SIZE}" fill="{INK}">\n{rows}\n</g>\n</svg>\n'
    )


def _row(number: int, line: str) -> str:
    y = EDGE + (number + 0.72) * ROW
    pieces = SGR.split(line)
    texts, codes = pieces[::2], ["", *pieces[1::2]]
    starts = accumulate((len(text) for text in texts), initial=0)
    return "".join(
        f'<text x="{EDGE + at * CELL:.1f}" y="{y:.1f}"{_style(code)} textLength="{len(text) * CELL:.1f}" '
        f'xml:space="preserve">{escape(text, quote=False)}</text>'
        for text, code, at in zip(texts, codes, starts, strict=False)
        if text.strip()
    )


def _style(code: str) -> str:
    codes = code.split(";")
    fill = next((f' fill="{FILLS[each]}"' for each in codes if each in FILLS), "")
    return fill + (' font-weight="bold"' if "1" in codes else "")
