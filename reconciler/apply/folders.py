"""The folders that files are written into: made where they are missing, and removed again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.apply.project import Project
    from reconciler.model.report import FileChange


def missing(changes: Mapping[str, FileChange], project: Project) -> tuple[str, ...]:
    """Return the folders that files need and that are not there, the outer ones first."""
    found: dict[str, None] = {}
    for path, change in changes.items():
        folder = os.path.dirname(path)
        while change.after is not None and not os.path.lexists(folder):
            found[from_os(os.path.relpath(folder, project.folder))] = None
            folder = os.path.dirname(folder)
    return tuple(sorted(found))


def make(folders: Sequence[str], project: Project) -> None:
    """Make folders of a project; raises OSError."""
    for path in _located(folders, project):
        project.disk.make_part(path)
        project.disk.sync_folder(os.path.dirname(path))


def remove(folders: Sequence[str], project: Project) -> None:
    """Remove the folders in which nothing is left; raises OSError."""
    for path in reversed(_located(folders, project)):
        project.disk.remove_part(path)


def _located(folders: Sequence[str], project: Project) -> Sequence[str]:
    # A journal may come with a project of strangers: it must not lead out of it.
    return [path for folder in folders if (path := project.locate(to_os(folder)))]
