"""What the loaders of glibc and musl do differently, and what both know while they work."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from reconciler.loader.answer import Candidate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    #: An entry of a search path as written, a directory that it leads to, and the names in that.
    Place = tuple[str, str, Collection[str]]

    from reconciler.loader.answer import Reason
    from reconciler.loader.tree import Tree
    from reconciler.model.library import SharedLibrary
    from reconciler.model.system import System


@dataclass(eq=False, slots=True)
class Loaded:
    """A file that is mapped."""

    #: As it was found, links and all.
    path: str
    elf: SharedLibrary
    #: The one for whom it was mapped; None for the program.
    loader: Loaded | None
    #: What $ORIGIN stands for in it.
    origin: str
    identity: str
    #: Under which it is found without a search.
    names: set[str] = field(default_factory=set)
    #: What serves each of its NEEDED, in their order.
    needs: list[Loaded] = field(default_factory=list)

    def chain(self) -> Iterator[Loaded]:
        """Yield it, the one for whom it was mapped, and so on up to the program."""
        one: Loaded | None = self
        while one is not None:
            yield one
            one = one.loader


@dataclass(frozen=True)
class Scene:
    """What does not change while a process runs."""

    tree: Tree
    system: System
    variables: Mapping[str, str]
    #: The working directory.
    directory: str

    @cached_property
    def _listed(self) -> dict[str, tuple[tuple[str, Collection[str]], ...]]:
        """What is searched for each directory, in its order: where anything lies, and its names."""
        return {}

    @cached_property
    def _below(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """What is searched below each directory, and the names of it that stand there."""
        below = self.system.subdirectories
        return below, frozenset(sub.partition("/")[0] for sub in below)

    def places(self, entries: Iterable[tuple[str, str]]) -> tuple[Place, ...]:
        """Return the places of a search path; an entry is given as written, and as a directory."""
        return tuple(
            (entry, folder, names)
            for entry, directory in entries
            for folder, names in self._folders(directory)
        )

    def _folders(self, directory: str) -> tuple[tuple[str, Collection[str]], ...]:
        known = self._listed.get(directory)
        if known is not None:
            return known
        below, heads = self._below
        own = frozenset(self.tree.names(directory))
        folders = [posixpath.join(directory, sub) for sub in below] if own & heads else []
        inside = [(folder, frozenset(self.tree.names(folder))) for folder in folders]
        listed = tuple(one for one in (*inside, (directory, own)) if one[1])
        self._listed[directory] = listed
        return listed

    def found(
        self,
        name: str,
        places: Iterable[Place],
        reason: Reason,
        *,
        of: str | None = None,
        why_not: str | None = None,
    ) -> Iterator[Candidate]:
        """Yield the files of this name in the places, in their order."""
        for entry, folder, names in places:
            if name in names:
                path = posixpath.join(folder, name)
                yield Candidate(path=path, reason=reason, of=of, entry=entry, why_not=why_not)


class Manner(Protocol):
    """How one C library loads."""

    #: Whether a file of another machine is passed over; musl maps it.
    checks_machine: bool

    def preloads(self) -> Sequence[str]:
        """Return the names that are mapped before all others."""

    def path_of(self, name: str, asker: Loaded) -> str:
        """Return the path that a name with a slash stands for."""

    def search(self, name: str, asker: Loaded, program: Loaded) -> Iterator[Candidate]:
        """Yield the files of a name without a slash, in the order of the search.

        One that is never tried has its ``why_not``.
        """

    def is_interpreter(self, name: str) -> bool:
        """Tell whether the loader gives itself for this name."""

    def asker_of_preload(self, program: Loaded) -> Loaded:
        """Return the one whose search paths count for LD_PRELOAD."""

    def asker_of_dlopen(self, caller: Loaded, program: Loaded) -> Loaded:
        """Return the one whose search paths count."""

    def missing(self, name: str, asker: str) -> str:
        """Return what the loader says of a name without a file."""

    def names_of(self, name: str, path: str, elf: SharedLibrary) -> Collection[str]:
        """Return the names of a file that was mapped as ``name``."""

    def names_of_known(self, name: str, known: Loaded) -> Collection[str]:
        """Return the names that a mapped file gets, found again as ``name``."""
