"""What edits make of indexes that serve only the requirements that name them.

One table of uv or of poetry may serve several requirements, and a requirement of pixi takes its own
along when it goes: what counts is where each requirement comes from in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import pip_line
from reconciler.model.fix import Add, HeldBackError, Remove, Replace
from reconciler.model.manifest import IndexRole, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.fix import Edit
    from reconciler.model.manifest import Declared, Manifest


def is_explicit(one: Declared | Add) -> bool:
    """Tell whether a line, or a new one, is such an index."""
    return one.kind is Kind.INDEX and one.role is IndexRole.EXPLICIT


def url_of(text: str) -> str:
    """Return the URL of an index, which may be written as pip's option."""
    option = pip_line.declared(text, path="", line=1, column=1) if text.startswith("-") else None
    return option.name if option else text


def check(before: Manifest, after: Manifest, edits: Sequence[Edit]) -> None:
    """Raise HeldBackError unless the indexes are there that are meant, and serve what they are to."""
    new = [edit for edit in edits if isinstance(edit, Add) and is_explicit(edit)]
    found = {line.name for line in after.declared if is_explicit(line)}
    replaced = {url_of(e.text) for e in edits if isinstance(e, Replace) and is_explicit(e.line)}
    known = {line.name for line in before.declared if is_explicit(line)}
    if lost := (replaced | {*_staying(before, edits)}) - found:
        raise HeldBackError(f"the file would not name the index {min(lost)} afterwards")
    if more := found - known - replaced - {url_of(edit.text) for edit in new}:
        raise HeldBackError(f"the file would name the index {min(more)} as well")
    for edit in new:
        if edit.after and not _is_served(after.declared, edit.after, url_of(edit.text)):
            raise HeldBackError(f"{edit.after.name} would not come from {edit.text} afterwards")


def _staying(before: Manifest, edits: Sequence[Edit]) -> Iterator[str]:
    """Yield the indexes that no edit is about, and that serve none of what goes."""
    changed = [edit.line for edit in edits if not isinstance(edit, Add)]
    loose = {edit.line.index for edit in edits if isinstance(edit, Remove)}
    for line in before.declared:
        if is_explicit(line) and line not in changed and line.name not in loose:
            yield line.name


def _is_served(lines: Iterable[Declared], wanted: Declared, url: str) -> bool:
    return any(
        (line.kind, line.name, line.scope, line.index)
        == (Kind.REQUIREMENT, wanted.name, wanted.scope, url)
        for line in lines
    )
