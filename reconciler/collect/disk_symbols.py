"""The symbols of the files of this machine, as the model of binding asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.collect import files
from reconciler.loader import symbol_file
from reconciler.loader.elf import NotElfError
from reconciler.loader.symbol_file import SymbolFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from reconciler.model.binding import Definition, FileVersions, Undefined, Use

T = TypeVar("T")


class DiskSymbols:
    """Symbols over the disk. Each file is asked once for each thing."""

    def __init__(self) -> None:
        self._versions: dict[str, FileVersions | None] = {}
        self._undefined: dict[str, tuple[Undefined, ...] | None] = {}
        #: Opened for each page that is read of them, and no longer.
        self._files: dict[str, SymbolFile] = {}
        self._bound: dict[tuple[str, str], tuple[Undefined, ...] | None] = {}
        #: By path; a name that is not defined there has no definitions.
        self._defined: dict[str, dict[str, tuple[Definition, ...]] | None] = {}
        #: Why a file could not be read, by path.
        self.unread: dict[str, str] = {}

    def versions(self, path: str) -> FileVersions | None:
        """Return the versions that a file needs and defines."""
        if path not in self._versions:
            self._versions[path] = self._read(path, lambda file: file.versions())
        return self._versions[path]

    def undefined(self, path: str) -> tuple[Undefined, ...] | None:
        """Return the symbols that a file asks others for."""
        if path not in self._undefined:
            self._undefined[path] = self._read(path, lambda file: file.undefined())
        return self._undefined[path]

    def bound(self, path: str, file: str) -> tuple[Undefined, ...] | None:
        """Return those of them that another file defined when this one was linked."""
        key = (path, file)
        if key not in self._bound:
            self._bound[key] = self._read(path, lambda symbols: symbols.bound(file))
        return self._bound[key]

    def define(
        self, path: str, names: Collection[str]
    ) -> Mapping[str, tuple[Definition, ...]] | None:
        """Return the definitions of those names that a file defines."""
        known = self._defined.setdefault(path, {})
        if known is None:
            return None
        missing = [name for name in names if name not in known]
        if missing:
            found = self._read(path, lambda file: file.define(missing))
            if found is None:
                self._defined[path] = None
                return None
            known |= {name: found.get(name, ()) for name in missing}
        return {name: known[name] for name in names if known[name]}

    def uses(self, path: str, wanted: Collection[Undefined]) -> tuple[Use, ...] | None:
        """Return where a file uses these symbols, in the order in which the loader fills them in."""
        return self._read(path, lambda file: file.uses(wanted))

    def _read(self, path: str, ask: Callable[[SymbolFile], T]) -> T | None:
        def pread(offset: int, size: int) -> bytes:
            return files.with_pread(path, lambda pread: pread(offset, size))

        def question() -> T:
            if path not in self._files:
                self._files[path] = SymbolFile(symbol_file.paged(pread))
            return ask(self._files[path])

        try:
            return symbol_file.asked(question)
        except (NotElfError, files.UnreadableError) as error:
            self.unread[path] = str(error)
            return None
