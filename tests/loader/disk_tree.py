"""The files of this machine, as the model of the loader asks for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.loader import elf
from reconciler.loader.tree import Unfit

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.library import SharedLibrary


class DiskTree:
    """A Tree over the disk that remembers."""

    def __init__(self) -> None:
        self._names: dict[str, Collection[str]] = {}
        self._elves: dict[str, SharedLibrary | Unfit | None] = {}

    def names(self, directory: str) -> Collection[str]:
        if directory not in self._names:
            try:
                self._names[directory] = frozenset(os.listdir(directory))
            except OSError:
                self._names[directory] = ()
        return self._names[directory]

    def elf(self, path: str) -> SharedLibrary | Unfit | None:
        if path not in self._elves:
            self._elves[path] = _elf(path)
        return self._elves[path]

    def real_path(self, path: str) -> str:
        return os.path.realpath(path)

    def identity(self, path: str) -> str:
        try:
            status = os.stat(path)
        except OSError:
            return path
        return f"{status.st_dev}:{status.st_ino}"


def _elf(path: str) -> SharedLibrary | Unfit | None:
    try:
        return files.with_pread(path, lambda pread: elf.read(path, pread))
    except elf.NotElfError as error:
        return Unfit(str(error))
    except files.UnreadableError:
        return None
