"""What a loader may come to from some files: every place that it may search, every file it may find.

Not a process: who is loaded first is left open. What is surveyed answers any question about these
files, under any variables that lead to these directories.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reconciler.loader.tokens import expanded
from reconciler.model.library import SharedLibrary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.loader.tree import Tree
    from reconciler.model.system import System

#: An environment of 600 packages leads to 300; a hostile library may name 20,000 by itself.
MAX_PLACES = 5_000
_SEPARATOR = re.compile("[:;]")


class Survey:
    """The files and directories that were come to; the Tree remembers what it was asked."""

    def __init__(self, tree: Tree, system: System, directory: str) -> None:
        self._tree = tree
        self._system = system
        self._directory = directory
        self._names: set[str] = set()
        #: What is searched, each with the names in it.
        self._places: dict[str, frozenset[str]] = {}
        self._paths: set[str] = set()
        #: What is named by its path, as in LD_PRELOAD: it answers to its soname, wherever it lies.
        self._named: dict[str, None] = {}
        #: Search paths, each with the directory of an owner.
        self._followed: set[tuple[str, str]] = set()
        self._left: list[str] = []
        #: Whether more directories were named than are looked at.
        self.is_cut = False
        self.search(system.default_directories)

    def need(self, names: Collection[str], *, origin: str = "/") -> None:
        """Look for libraries of these names, wherever they may be found; or at these paths.

        ``origin`` is the directory of whoever names them.
        """
        for name in (name for name in names if "/" in name):
            path = posixpath.join(self._directory, expanded(name, origin, self._system))
            self.look_at([path])
            self._named[path] = None
            # so that it is known, too, where nothing is there
            self._tree.names(posixpath.dirname(path))
        new = {*names} - self._names
        if not new:
            return
        self._names |= new
        for name in new:
            self.look_at(entry.path for entry in self._system.cache.get(name, ()))
        for directory, inside in self._places.items():
            if not new.isdisjoint(inside):
                self.look_at(f"{directory}/{name}" for name in new & inside)

    def follow(self, listed: str | None, origin: str) -> None:
        """Look for all names in the directories of a search path, of an owner that lies in one."""
        if listed and (listed, origin) not in self._followed:
            self._followed.add((listed, origin))
            # A semicolon separates those of LD_LIBRARY_PATH alone: here both readings are followed.
            entries = dict.fromkeys((*listed.split(":"), *_SEPARATOR.split(listed)))
            self.search(expanded(entry, origin, self._system) for entry in entries)

    def search(self, directories: Iterable[str]) -> None:
        """Look for all names in these directories too."""
        below = self._system.subdirectories
        heads = {sub.partition("/")[0] for sub in below}
        for entry in directories:
            directory = self._tree.real_path(posixpath.join(self._directory, entry))
            if directory in self._places:
                continue
            inside = self._listed(directory)
            for sub in below if not heads.isdisjoint(inside) else ():
                self._listed(self._tree.real_path(f"{directory}/{sub}"))

    def look_at(self, paths: Iterable[str]) -> None:
        """Read these files, and all that they may need."""
        for path in paths:
            # The folder without links, as it is what $ORIGIN leads on from: else two libraries that
            # lead to each other by .. would have a longer path each time.
            folder, _, name = path.rpartition("/")
            found = f"{self._tree.real_path(folder)}/{name}"
            if found not in self._paths:
                self._paths.add(found)
                self._left.append(found)

    def candidates(self, name: str) -> tuple[str, ...]:
        """Return the files of a name that were come to, their links resolved."""
        placed = (f"{place}/{name}" for place, inside in self._places.items() if name in inside)
        cached = (entry.path for entry in self._system.cache.get(name, ()))
        named = (path for path in self._named if self._soname(path) == name)
        found = (*placed, *cached, *named)
        return tuple(dict.fromkeys(self._tree.real_path(path) for path in found))

    def _soname(self, path: str) -> str | None:
        file = self._tree.elf(path)
        return file.soname if isinstance(file, SharedLibrary) else None

    def finish(self) -> None:
        """Follow what was found to its end."""
        while self._left:
            path = self._left.pop()
            file = self._tree.elf(path)
            if not isinstance(file, SharedLibrary):
                continue
            self._tree.identity(path)
            origin = posixpath.dirname(path)
            self.need(file.needed, origin=origin)
            if file.interpreter:
                self.look_at([file.interpreter])
            self.follow(file.rpath, origin)
            self.follow(file.runpath, origin)

    def _listed(self, directory: str) -> frozenset[str]:
        self.is_cut = len(self._places) >= MAX_PLACES
        inside = frozenset(self._tree.names(directory) if not self.is_cut else ())
        self._places[directory] = inside
        self.look_at(f"{directory}/{name}" for name in self._names & inside)
        return inside
