"""The files of this machine, as the model of the loader asks for them; what was seen is kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.loader import elf
from reconciler.loader.tree import Resolver, Unfit
from reconciler.model.os_name import from_os, to_os

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.library import SharedLibrary


class DiskTree:
    """A Tree over the disk. Each file and directory is looked at once."""

    def __init__(self, root: str = "") -> None:
        """Look below ``root`` for what does not lie in it already: the folder of a made-up machine."""
        self._root = root
        #: By real path: what was seen.
        self.directories: dict[str, frozenset[str]] = {}
        self.elves: dict[str, SharedLibrary | Unfit | None] = {}
        #: Where each link leads that was met.
        self.links: dict[str, str] = {}
        #: Device and inode of each file that was asked for, by real path.
        self.inodes: dict[str, str] = {}
        self.real_path = Resolver(self._link_of).real_path

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory; none where it cannot be listed."""
        real = self.real_path(directory)
        known = self.directories.get(real)
        if known is None:
            try:
                known = frozenset(files.names(self._disk(real)))
            except files.UnreadableError:
                known = frozenset()
            self.directories[real] = known
        return known

    def elf(self, path: str) -> SharedLibrary | Unfit | None:
        """Return the file at the end of a path."""
        real = self.real_path(path)
        if real not in self.elves:
            self.elves[real] = _elf(real, self._disk(real))
        return self.elves[real]

    def identity(self, path: str) -> str:
        """Return a file's device and inode."""
        real = self.real_path(path)
        known = self.inodes.get(real)
        if known is None:
            try:
                status = os.stat(to_os(self._disk(real)))
                known = f"{status.st_dev}:{status.st_ino}"
            except (OSError, ValueError):
                known = real
            self.inodes[real] = known
        return known

    def _disk(self, path: str) -> str:
        return path if path.startswith(self._root) else f"{self._root}{path}"

    def _link_of(self, path: str) -> str | None:
        if path in self.links:
            return self.links[path]
        try:
            target = from_os(os.readlink(to_os(self._disk(path))))
        except (OSError, ValueError):
            return None
        self.links[path] = target
        return target


def _elf(path: str, place: str) -> SharedLibrary | Unfit | None:
    try:
        return files.with_pread(place, lambda pread: elf.read(path, pread))
    except elf.NotElfError as error:
        return Unfit(str(error))
    except files.UnreadableError:
        return None
