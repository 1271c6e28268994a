"""What the model of the loader asks of a file system, and what answers it without one."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from reconciler.model.library import SharedLibrary
    from reconciler.model.loader_view import LoaderView

#: The kernel's: more links than that are a circle.
MAX_LINKS = 40


class Unfit(Struct, frozen=True):
    """A file that can be opened and is no library."""

    #: A clause: "no ELF magic at its start".
    reason: str


class Tree(Protocol):
    """The files of a machine, as the loader sees them. Paths are absolute, and may go through links."""

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory; none where there is no such directory."""

    def elf(self, path: str) -> SharedLibrary | Unfit | None:
        """Return what a file says of itself; None where nothing can be opened."""

    def real_path(self, path: str) -> str:
        """Return the path without links."""

    def identity(self, path: str) -> str:
        """Return what two paths of one file share: its device and inode, or its real path."""


class Resolver:
    """Paths without links, as the kernel resolves them; each is resolved once."""

    def __init__(self, link_of: Callable[[str], str | None]) -> None:
        """Take what tells where a link leads, and None of what is none."""
        self._link_of = link_of
        self._directories: dict[str, str | None] = {}
        self._paths: dict[str, str] = {}

    def real_path(self, path: str) -> str:
        """Return a path without links; one that leads in a circle is left as it is."""
        known = self._paths.get(path)
        if known is None:
            known = self._paths[path] = self._resolved(path)
        return known

    def _resolved(self, path: str) -> str:
        above, _, name = path.rpartition("/")
        if above not in self._directories:
            self._directories[above] = self._walk("/", above)
        directory = self._directories[above]
        found = None if directory is None else self._walk(directory, name)
        return path if found is None else found

    def _walk(self, done: str, path: str) -> str | None:
        left = list(_parts(path))
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                done = posixpath.dirname(done)
                continue
            step = posixpath.join(done, part)
            target = self._link_of(step)
            if target is None:
                done = step
                continue
            links += 1
            if links > MAX_LINKS:
                return None
            done = "/" if target.startswith("/") else done
            left += _parts(target)
        return done


class PlainTree:
    """A Tree over values."""

    def __init__(
        self,
        files: Mapping[str, SharedLibrary | Unfit],
        *,
        links: Mapping[str, str] | None = None,
        identities: Mapping[str, str] | None = None,
    ) -> None:
        """Take each file and link by its real path; ``identities`` tells hard links of one file."""
        self._files = files
        self._identities = identities or {}
        self.real_path = Resolver((links or {}).get).real_path
        self._names: dict[str, set[str]] = {"/": set()}
        for path in (*files, *(links or {})):
            while path not in {"/", ""}:
                parent, name = posixpath.split(path)
                self._names.setdefault(parent, set()).add(name)
                path = parent  # noqa: PLW2901, up to the root

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory."""
        return self._names.get(self.real_path(directory), ())

    def elf(self, path: str) -> SharedLibrary | Unfit | None:
        """Return the file at the end of a path."""
        return self._files.get(self.real_path(path))

    def identity(self, path: str) -> str:
        """Return the identity that was given, or the real path."""
        real = self.real_path(path)
        return self._identities.get(real, real)


class RecordedTree:
    """The Tree that was recorded of a machine."""

    def __init__(self, view: LoaderView) -> None:
        self._view = view
        self._files: dict[str, SharedLibrary | Unfit] = {file.path: file for file in view.files}
        self._files |= {path: Unfit(reason) for path, reason in view.unfit.items()}
        self._whole = frozenset(view.whole) & view.directories.keys()
        self.real_path = Resolver(view.links.get).real_path
        #: What was asked for and never looked at, so that its answer is not certain.
        self.unknown: set[str] = set()

    def names(self, directory: str) -> Collection[str]:
        """Return the names in a directory."""
        real = self.real_path(directory)
        names = self._view.directories.get(real)
        if names is None:
            if not self._is_absent(real):
                self.unknown.add(directory)
            return ()
        return names

    def elf(self, path: str) -> SharedLibrary | Unfit | None:
        """Return the file at the end of a path."""
        real = self.real_path(path)
        found = self._files.get(real)
        if found is None and posixpath.basename(real) in self.names(posixpath.dirname(real)):
            self.unknown.add(real)
        return found

    def _is_absent(self, directory: str) -> bool:
        """Tell whether a directory, or one that it would lie in, is known not to be there."""
        above, _, name = directory.rpartition("/")
        while name:
            if (above or "/") in self._whole:
                return name not in self._view.directories[above or "/"]
            above, _, name = above.rpartition("/")
        return False

    def identity(self, path: str) -> str:
        """Return what the paths of one file share."""
        real = self.real_path(path)
        return self._view.identities.get(real, real)


def _parts(path: str) -> Iterator[str]:
    """Yield the parts of a path, the last one first."""
    return (part for part in reversed(path.split("/")) if part not in {"", "."})
