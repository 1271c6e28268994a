"""What the model of the loader asks of a file system, and one of plain values that answers it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.model.library import SharedLibrary

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


class PlainTree:
    """A Tree over values: for tests, and for the replay of a Snapshot."""

    def __init__(
        self,
        files: Mapping[str, SharedLibrary | Unfit],
        *,
        links: Mapping[str, str] | None = None,
        identities: Mapping[str, str] | None = None,
    ) -> None:
        """Take each file and link by its real path; ``identities`` tells hard links of one file."""
        self._files = files
        self._links = links or {}
        self._identities = identities or {}
        self._names: dict[str, set[str]] = {"/": set()}
        for path in (*files, *self._links):
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

    def real_path(self, path: str) -> str:
        """Follow the links as the kernel does; a circle is left where it began."""
        done = "/"
        left = list(_parts(path))
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                done = posixpath.dirname(done)
                continue
            step = posixpath.join(done, part)
            target = self._links.get(step)
            if target is None:
                done = step
                continue
            links += 1
            if links > MAX_LINKS:
                return path
            done = "/" if target.startswith("/") else done
            left += _parts(target)
        return done

    def identity(self, path: str) -> str:
        """Return the identity that was given, or the real path."""
        real = self.real_path(path)
        return self._identities.get(real, real)


def _parts(path: str) -> Iterator[str]:
    """Yield the parts of a path, the last one first."""
    return (part for part in reversed(path.split("/")) if part not in {"", "."})
