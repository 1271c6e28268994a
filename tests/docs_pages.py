"""Read the pages of the docs as they run: examples, files, and commands with what they print.

A page is Markdown, and what makes it run is nothing that a reader sees:

- ``<!-- example: NAME -->`` begins anew with the environment of ``fixtures/envs/NAME``, or with
  none (``nothing``), or with small channels of conda beside the project (``channels``);
- a fence with ``title="FILE"`` is that file of the project;
- a fence of ``console`` has commands behind ``$`` and what they print; a line ``[...]`` stands for
  any number of lines;
- ``<!-- not run: WHY -->`` before such a fence says why no test runs it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
#: A code block that is indented is no fence, so that no test would see it.
INDENTED = re.compile(r"(?<=\n\n)    \S.*(?:\n    .*|\n(?=\n    ))*")
PART = re.compile(
    r"<!-- (?P<tag>example|not run): (?P<said>[^>]*) -->\n"
    r'|^```(?P<kind>\w+)(?: title="(?P<title>[^"]*)")?\n(?P<body>.*?)^```\n',
    re.MULTILINE | re.DOTALL,
)
ELISION = "[...]"
#: Folders whose pages docs/generate.py writes, or which are records of their day.
OTHERS = ("docs/rules/", "docs/errors", "docs/decisions/", "docs/changelog", "docs/json-fields")


class Part(NamedTuple):
    """A comment or a fence of a page."""

    tag: str
    #: Of a comment what it says; of a fence that is a file, its name.
    said: str
    body: str
    #: Where its body begins in the page.
    at: int


def pages() -> list[Path]:
    """Return the pages that somebody has written, as they stand in the repository."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [p for p in found if not p.relative_to(ROOT).as_posix().startswith(OTHERS)]


def parts(text: str) -> Iterator[Part]:
    """Yield the comments and the fences of a page in their order."""
    for found in PART.finditer(text):
        if found["tag"]:
            yield Part(found["tag"], found["said"].strip(), "", found.end())
        else:
            yield Part(found["kind"], found["title"] or "", found["body"], found.start("body"))


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console with the output shown below it."""
    for piece in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = piece.partition("\n")
        yield command, output


def agrees(shown: str, printed: str) -> bool:
    """Tell whether what is shown is what was printed, but for what is elided."""
    pattern = re.escape(shown).replace(re.escape(f"{ELISION}\n"), r"(?:.*\n)*?")
    return re.fullmatch(pattern, printed) is not None
