"""Edits of requirements.txt: each of a line that pip sees, wherever that stands in the file.

A comment on a line of its own stays when the line below it goes: nothing says whose it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests import pip_edits
from reconciler.manifests.line_splices import Draft
from reconciler.manifests.logical_lines import logical_lines
from reconciler.model.fix import Add, Edit, HeldBackError, Remove, Replace, Splice
from reconciler.model.manifest import FaultKind, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.manifests.logical_lines import LogicalLine

_COMMENT_LINE = re.compile(r"\s*#")


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text for the edits; raises HeldBackError."""
    if any(fault.kind is FaultKind.CONFLICT for fault in manifest.faults):
        raise HeldBackError("the file holds both sides of an unfinished merge")
    pip_edits.check_hashes(edits, manifest.text)
    draft = Draft(manifest.text)
    lines = [*logical_lines(manifest.text)]
    changed = {pip_edits.place(e.line): e for e in edits if not isinstance(e, Add)}
    urls = frozenset(e.text for e in edits if isinstance(e, Add) and e.kind is Kind.INDEX)
    ends: dict[pip_edits.Place, int] = {}
    for logical in lines:
        offsets = pip_edits.offsets(logical, path=manifest.path)
        ends |= dict.fromkeys(offsets, _last_line(draft, logical))
        here = {offset: changed[p] for p, offset in offsets.items() if p in changed}
        if here:
            _change(draft, logical, here, urls)
    for edit in edits:
        if isinstance(edit, Add):
            _add(draft, manifest, edit, ends)
    return draft.splices()


def _change(
    draft: Draft,
    logical: LogicalLine,
    edits: dict[int, Remove | Replace],
    urls: frozenset[str],
) -> None:
    made = pip_edits.changes(logical.text, edits, urls)
    if made is None:
        draft.drop(logical.number, _last_line(draft, logical))
        return
    for change in made:
        # The line may go on behind a backslash where the characters end.
        start = draft.places.index(*logical.at(change.start))
        end = draft.places.index(*logical.at(change.end - 1)) + 1
        draft.put(start, end, change.text)


def _last_line(draft: Draft, logical: LogicalLine) -> int:
    """Return the last line of the file that it takes, but for a comment that ends it."""
    # Behind a last backslash, pip sees a line that is not there.
    last = min(logical.pieces[-1].line, len(draft.lines))
    is_comment = last > logical.number and _COMMENT_LINE.match(draft.line(last))
    return last - 1 if is_comment else last


def _add(draft: Draft, manifest: Manifest, edit: Add, ends: dict[pip_edits.Place, int]) -> None:
    if edit.section is not Section.PIP or edit.kind is Kind.CHANNEL:
        raise HeldBackError(
            f"a requirements file has no place for this: {edit.kind} of {edit.section}"
        )
    text = edit.text
    if edit.kind is Kind.INDEX:
        text = pip_edits.option_line(edit, manifest.declared)
    if edit.after:
        draft.insert(ends[pip_edits.place(edit.after)], text)
    else:
        draft.insert(_front(draft) if edit.kind is Kind.INDEX else _back(draft), text)


def _front(draft: Draft) -> int:
    """Return the line behind the first paragraph of comments."""
    numbers = range(1, len(draft.lines) + 1)
    return next((n - 1 for n in numbers if not _COMMENT_LINE.match(draft.line(n))), len(numbers))


def _back(draft: Draft) -> int:
    """Return the last line that is not blank."""
    numbers = range(len(draft.lines), 0, -1)
    return next((n for n in numbers if draft.line(n).strip()), 0)
