"""What the model of Windows' loader asks of a file system, and one of plain values that answers it."""

from __future__ import annotations

import ntpath
import posixpath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.loader.tree import Unfit
    from reconciler.model.windows_image import WindowsImage


class WindowsTree(Protocol):
    """The files of a machine. Paths are absolute and have slashes."""

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory; none where there is no such directory."""

    def image(self, path: str) -> WindowsImage | Unfit | None:
        """Return what a file says of itself; None where nothing can be opened."""


class PlainWindowsTree:
    """A WindowsTree over values: for tests, and for the replay of a Snapshot."""

    def __init__(
        self,
        images: Mapping[str, WindowsImage | Unfit],
        *,
        names: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Take each image by its path, and the names in directories whose images were not read."""
        self._images = images
        self._names: dict[str, set[str]] = {key: set(known) for key, known in (names or {}).items()}
        for path in (*images, *(names or {})):
            here = path
            above, name = ntpath.split(here)
            while name:
                self._names.setdefault(above, set()).add(name)
                here = above
                above, name = ntpath.split(here)

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory."""
        return self._names.get(directory, ())

    def image(self, path: str) -> WindowsImage | Unfit | None:
        """Return the image at a path."""
        return self._images.get(path)


class FoldedTree:
    """A tree whose names are compared as Windows does, without regard to case."""

    def __init__(self, tree: WindowsTree) -> None:
        """Take the tree, whose answers are kept."""
        self._tree = tree
        self._folders: dict[str, dict[str, str]] = {}
        self._found: dict[str, str | None] = {}

    def names(self, directory: str) -> dict[str, str]:
        """Return the names in a directory, by their lower case."""
        if directory not in self._folders:
            names = self._tree.names(directory)
            self._folders[directory] = {name.casefold(): name for name in names}
        return self._folders[directory]

    def image(self, path: str) -> WindowsImage | Unfit | None:
        """Return what the file of a path says of itself."""
        return self._tree.image(path)

    def inside(self, directory: str, base: str) -> str | None:
        """Return the path of a file in a directory; None where there is none."""
        place = directory if self.names(directory) else self.found(directory)
        name = self.names(place).get(base) if place else None
        return posixpath.join(place, name) if place and name else None

    def found(self, path: str) -> str | None:
        """Return a path as the disk writes it; None where there is nothing."""
        if path not in self._found:
            self._found[path] = self._walk(path)
        return self._found[path]

    def _walk(self, path: str) -> str | None:
        """Go up to a directory that can be listed, and down again by names in any case."""
        left: list[str] = []
        here = path
        while not self.names(here):
            above, name = ntpath.split(here)
            if above == here:
                return None
            left.append(name)
            here = above
        for name in reversed(left):
            found = self.names(here).get(name.casefold())
            if found is None:
                return None
            here = posixpath.join(here, found)
        return here
