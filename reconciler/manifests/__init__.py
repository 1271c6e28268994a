"""Declared files: text in, Manifest out. One module a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests import environment_yml, requirements_txt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.model.manifest import Manifest

    Reader = Callable[[str, str], Manifest]

#: The reader of each file name that counts in a project's folder.
READERS: Mapping[str, Reader] = {
    "environment.yml": environment_yml.read,
    "environment.yaml": environment_yml.read,
    "requirements.txt": requirements_txt.read,
}


def reader_of(path: str) -> Reader:
    """Return the reader of a file; one that another includes is of pip's, whatever its name."""
    return READERS.get(path, requirements_txt.read)
