"""Requirements written anew: with another name, other versions, another build, another channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.fix import Replace
from reconciler.model.manifest import Section
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from reconciler.model.manifest import Declared

_PIP = re.compile(
    r"(?P<channel>)(?P<name>[\w.-]+)(?P<extras>\s*\[[^\]]*\])?\s*(?P<spec>[^;@]*?)(?P<rest>\s*;.*)?",
    re.DOTALL,
)
_CONDA = re.compile(
    r"(?P<channel>[^\s'\"\[=<>]*::)?(?P<name>[\w.-]+)(?P<extras>)\s*(?P<spec>[^\[]*)(?P<rest>)"
)


def written(
    line: Declared,
    *,
    name: str | None = None,
    spec: str | None = None,
    channel: str | None = None,
) -> Replace | None:
    """Return a requirement with some of its parts changed; None where it is of another form.

    ``spec`` stands right behind the name, ``=2.1.2`` for conda, ``==2.1.2`` for pip; extras and
    markers stay.
    """
    match = (_PIP if line.section is Section.PIP else _CONDA).fullmatch(line.text.strip())
    if match is None:
        return None
    source = match["channel"] or "" if channel is None else f"{channel}::" if channel else ""
    said = match["spec"] if spec is None else spec
    space = " " if spec is None and re.search(rf"{re.escape(match['name'])}\s", line.text) else ""
    text = (
        f"{source}{name or match['name']}{match['extras'] or ''}"
        f"{space if said else ''}{said}{match['rest'] or ''}"
    )
    return Replace(line=line, text=text)


def pinned(line: Declared, version: str) -> Replace | None:
    """Return a requirement that pins one version."""
    return written(line, spec=f"{'==' if line.section is Section.PIP else '='}{version}")


def bounded(line: Declared, before: str) -> Replace | None:
    """Return a requirement that keeps below a version, with those of its bounds that lie below."""
    kept = [
        f"{clause.operator}{clause.version}{'.*' if clause.is_starred else ''}"
        for clause in clauses_of(line.text)
        if clause.operator == "!="
        or (clause.operator in {">=", ">"} and clause.numbers < numbers(before))
    ]
    return written(line, spec=",".join((*(kept if "|" not in line.text else ()), f"<{before}")))


def reversioned(line: Declared, old: str, new: str) -> Replace | None:
    """Return a requirement with another version in the place of one that it names once."""
    place = re.compile(rf"(?<![\w.+]){re.escape(old)}(?:\.\*)?(?![\w.+*])")
    text, times = place.subn(lambda _: new, line.text)
    return Replace(line=line, text=text) if times == 1 else None
