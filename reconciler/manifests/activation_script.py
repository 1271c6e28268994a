"""A script of ``activate.d`` that a project keeps: the variables that it exports.

The form: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

from itertools import count

from reconciler.manifests import shell_lines
from reconciler.manifests.script import from_file
from reconciler.model.manifest import Kind, Manifest


def read(path: str, text: str) -> Manifest:
    """Return the file at ``path``, relative to the project, with what it exports."""
    found = shell_lines.read(from_file(text), path=path, numbers=count(1))
    declared = (line.declared for line in found.lines if line.declared)
    return Manifest(
        path=path,
        text=text,
        tool="shell",
        declared=tuple(d for d in declared if d.kind is Kind.VARIABLE),
    )
