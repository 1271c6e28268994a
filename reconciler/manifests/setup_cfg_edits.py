"""Edits of setup.cfg: of the requirements that stand on lines of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.manifests.line_splices import Draft
from reconciler.model.fix import Add, HeldBackError, Remove, Replace
from reconciler.model.manifest import Kind, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.fix import Edit, Splice
    from reconciler.model.manifest import Declared, Manifest

_COMMENT = re.compile(r"[ \t]*(?:[ \t]#.*)?")


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to splice the text for the edits; raises HeldBackError."""
    draft = Draft(manifest.text)
    for edit in edits:
        if isinstance(edit, Replace):
            start = _start(draft, edit.line)
            draft.put(start, start + len(edit.line.text), edit.text)
        elif isinstance(edit, Remove):
            _check_alone(draft, edit.line)
            draft.drop(edit.line.line, edit.line.line)
        else:
            _add(draft, manifest, edit)
    return draft.splices()


def _start(draft: Draft, line: Declared) -> int:
    if not draft.line(line.line).startswith(line.text, line.column - 1):
        raise HeldBackError(f"line {line.line} does not hold {line.text!r} as it is read")
    return draft.places.index(line.line, line.column)


def _check_alone(draft: Draft, line: Declared) -> None:
    """Raise HeldBackError where more than a requirement and a comment stands in its line."""
    raw, end = draft.line(line.line), line.column - 1 + len(line.text)
    if raw[: line.column - 1].strip() or not _COMMENT.fullmatch(raw, end):
        raise HeldBackError(f"line {line.line} holds more than {line.text}")


def _add(draft: Draft, manifest: Manifest, edit: Add) -> None:
    if edit.kind is not Kind.REQUIREMENT or edit.section is not Section.PIP:
        raise HeldBackError(f"a setup.cfg has no place for this: {edit.kind} of {edit.section}")
    beside = [d for d in manifest.declared if d.kind is edit.kind and d.scope == edit.scope]
    after = edit.after or next(reversed(beside), None)
    if after is None:
        raise HeldBackError(f"the file asks for nothing yet in {edit.scope or 'install_requires'}")
    _check_alone(draft, after)
    indent = draft.line(after.line)[: after.column - 1]
    draft.insert(after.line, indent + edit.text)
