"""What the model of binding asks of the symbols of files, and one of plain values that answers it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from reconciler.model.binding import Definition, FileVersions, Undefined, Use

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class Symbols(Protocol):
    """The symbols of the files of a machine. None is the answer of a file that cannot be read."""

    def versions(self, path: str) -> FileVersions | None:
        """Return the versions that a file needs and defines."""

    def undefined(self, path: str) -> tuple[Undefined, ...] | None:
        """Return the symbols that a file asks others for."""

    def bound(self, path: str, file: str) -> tuple[Undefined, ...] | None:
        """Return those of them that another file defined when this one was linked."""

    def define(
        self, path: str, names: Collection[str]
    ) -> Mapping[str, tuple[Definition, ...]] | None:
        """Return the definitions of those names that a file defines."""

    def uses(self, path: str, wanted: Collection[Undefined]) -> tuple[Use, ...] | None:
        """Return where a file uses these symbols, in the order in which the loader fills them in."""


class FileSymbols(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The symbols of one file."""

    versions: FileVersions = FileVersions()
    undefined: tuple[Undefined, ...] = ()
    defined: Mapping[str, tuple[Definition, ...]] = {}
    uses: tuple[Use, ...] = ()


class PlainSymbols:
    """Symbols over values."""

    def __init__(
        self,
        files: Mapping[str, FileSymbols],
        real_path: Callable[[str], str] = posixpath.normpath,
    ) -> None:
        """Take each file by its real path; ``real_path`` is the tree's where there are links."""
        self._files = files
        self._real_path = real_path

    def versions(self, path: str) -> FileVersions | None:
        """Return the versions of a file."""
        file = self._files.get(self._real_path(path))
        return None if file is None else file.versions

    def undefined(self, path: str) -> tuple[Undefined, ...] | None:
        """Return what a file asks others for."""
        file = self._files.get(self._real_path(path))
        return None if file is None else file.undefined

    def bound(self, path: str, file: str) -> tuple[Undefined, ...] | None:
        """Return what a file asks one other for."""
        asked = self.undefined(path)
        return None if asked is None else tuple(one for one in asked if one.file == file)

    def define(
        self, path: str, names: Collection[str]
    ) -> Mapping[str, tuple[Definition, ...]] | None:
        """Return the definitions of those names that a file defines."""
        file = self._files.get(self._real_path(path))
        if file is None:
            return None
        return {name: file.defined[name] for name in names if name in file.defined}

    def uses(self, path: str, wanted: Collection[Undefined]) -> tuple[Use, ...] | None:
        """Return where a file uses these symbols."""
        file = self._files.get(self._real_path(path))
        keys = {(one.name, one.version) for one in wanted}
        if file is None:
            return None
        return tuple(use for use in file.uses if (use.name, use.version) in keys)
