"""A script of ``activate.d`` or ``deactivate.d`` that a project keeps: what it exports, and what it does.

The form: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from reconciler.hooks.reading import with_steps
from reconciler.manifests import shell_lines
from reconciler.manifests.line_splices import Draft
from reconciler.manifests.script import from_file
from reconciler.model.fix import HeldBackError, Replace
from reconciler.model.manifest import Kind, Manifest
from reconciler.model.prefix import ActivationScript

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.fix import Edit, Splice
    from reconciler.model.manifest import Declared

_OF_SH = (".sh", ".bash", ".zsh")


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with what it exports and does."""
    # What is exported on the way out is in force nowhere, and other shells write it in other ways.
    is_exporting = path.lower().endswith(_OF_SH) and "deactivate.d/" not in path.lower()
    return Manifest(
        path=path,
        text=text,
        tool="shell",
        declared=tuple(_exported(path, text)) if is_exporting else (),
        script=with_steps(ActivationScript(path=path, text=text)),
    )


def _exported(path: str, text: str) -> Iterator[Declared]:
    found = shell_lines.read(from_file(text), path=path, numbers=count(1))
    declared = (line.declared for line in found.lines if line.declared)
    return (d for d in declared if d.kind is Kind.VARIABLE)


def rewrite(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """Return where to write other values of variables; raises HeldBackError."""
    draft = Draft(manifest.text)
    for edit in edits:
        if not isinstance(edit, Replace):
            raise HeldBackError("a script does more than it declares: only its values are replaced")
        line = edit.line
        raw, at = draft.line(line.line), line.column - 1
        old, new = (_written(raw[at:], line.text, text) for text in (line.text, edit.text))
        start = draft.lines[line.line - 1].start + at
        draft.put(start, start + len(old), new)
    return draft.splices()


def _written(raw: str, stands: str, text: str) -> str:
    """Return an assignment as it is written there, with its quotes; raises HeldBackError."""
    name, _, value = stands.partition("=")
    for quote in ("", '"'):
        form = f"{name}={quote}{value}{quote}"
        if raw.startswith(form) and raw[len(form) : len(form) + 1] in {"", " ", ";", "\t", "\r"}:
            name, _, value = text.partition("=")
            return f"{name}={quote}{value}{quote}"
    raise HeldBackError(f"{stands!r} is written there in another way")
