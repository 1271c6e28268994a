"""The search of glibc's ld.so, in its order: elf/dl-load.c, _dl_map_object; ld.so(8).

RPATH of the one that asks and of those for whom it was mapped, then of the program; but none of
them if the one that asks has a RUNPATH. LD_LIBRARY_PATH. RUNPATH of the one that asks. ld.so.cache.
The system's directories.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.loader import ld_cache
from reconciler.loader.answer import Candidate, Reason
from reconciler.loader.tokens import expanded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.loader.manner import Loaded, Place, Scene
    from reconciler.model.library import SharedLibrary

_PRELOAD_SEPARATOR = re.compile("[ :]+")


class Glibc:
    """The manner of ld-linux.so."""

    checks_machine = True

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._places: dict[tuple[str, str, str], tuple[Place, ...]] = {}
        self._by_cache: dict[str, tuple[Candidate, ...]] = {}
        self._library_path = scene.variables.get("LD_LIBRARY_PATH", "")
        directories = scene.system.default_directories
        self._defaults = scene.places((directory, directory) for directory in directories)

    def preloads(self) -> Sequence[str]:
        """Return the names of LD_PRELOAD, then those of /etc/ld.so.preload."""
        named = _PRELOAD_SEPARATOR.split(self._scene.variables.get("LD_PRELOAD", ""))
        return [name for name in (*named, *self._scene.system.preload) if name]

    def path_of(self, name: str, asker: Loaded) -> str:
        """Return the path that a name with a slash stands for."""
        return posixpath.join(self._scene.directory, self._expand(name, asker))

    def is_interpreter(self, name: str) -> bool:  # noqa: ARG002, the protocol's
        """Return False: the interpreter is known by its names."""
        return False

    def asker_of_preload(self, program: Loaded) -> Loaded:
        """Return the program."""
        return program

    def asker_of_dlopen(self, caller: Loaded, program: Loaded) -> Loaded:  # noqa: ARG002, the protocol's
        """Return the one that calls."""
        return caller

    def missing(self, name: str, asker: str) -> str:  # noqa: ARG002, the protocol's
        """Return what ld.so says."""
        return f"{name}: cannot open shared object file: No such file or directory"

    def names_of(self, name: str, path: str, elf: SharedLibrary) -> Collection[str]:
        """Return its path, the name that was asked for, and its soname."""
        return {path, name} if elf.soname is None else {path, name, elf.soname}

    def names_of_known(self, name: str, known: Loaded) -> Collection[str]:  # noqa: ARG002, the protocol's
        """Return the name: a file found by another name gets that name as well."""
        return (name,)

    def search(self, name: str, asker: Loaded, program: Loaded) -> Iterator[Candidate]:
        """Yield the files of a name, in the order of the search."""
        yield from self._by_rpath(name, asker, program)
        # its $ORIGIN is the program's
        places = self._expanded(self._library_path, program, "[:;]")
        yield from self._found(name, places, Reason.LD_LIBRARY_PATH)
        places = self._expanded(asker.elf.runpath or "", asker, ":")
        yield from self._found(name, places, Reason.RUNPATH, of=asker)
        yield from self._by_system(name, asker)

    def _by_rpath(self, name: str, asker: Loaded, program: Loaded) -> Iterator[Candidate]:
        why_not = None
        if asker.elf.runpath is not None:
            why_not = f"{asker.path} has a RUNPATH, so that no RPATH counts for what it needs"
        for one in dict.fromkeys((*asker.chain(), program)):
            if one.elf.rpath is None:
                continue
            of_own = one.elf.runpath is not None
            places = self._expanded(one.elf.rpath, one, ":")
            ignored = f"{one.path} has a RUNPATH, for which its RPATH is ignored"
            reason = ignored if of_own else why_not
            yield from self._found(name, places, Reason.RPATH, of=one, why_not=reason)

    def _by_system(self, name: str, asker: Loaded) -> Iterable[Candidate]:
        known = self._by_cache.get(name)
        if known is None:
            known = self._by_cache[name] = tuple(self._of_system(name))
        if not asker.elf.no_default_paths:
            return known
        refused = f"{asker.path} refuses the system's directories (DF_1_NODEFLIB)"
        defaults = tuple(f"{one}/" for one in self._scene.system.default_directories)
        return (
            replace(one, why_not=one.why_not or refused)
            if one.reason is Reason.DEFAULT or one.path.startswith(defaults)
            else one
            for one in known
        )

    def _of_system(self, name: str) -> Iterator[Candidate]:
        system = self._scene.system
        entries = ld_cache.usable(system.cache.get(name, ()), system.cache_flags, system.hwcaps)
        for index, entry in enumerate(entries):
            why_not = "ld.so.cache has a better or an earlier file of this name" if index else None
            yield Candidate(path=entry.path, reason=Reason.CACHE, why_not=why_not)
        yield from self._scene.found(name, self._defaults, Reason.DEFAULT)

    def _found(
        self,
        name: str,
        places: Iterable[Place],
        reason: Reason,
        *,
        of: Loaded | None = None,
        why_not: str | None = None,
    ) -> Iterator[Candidate]:
        whose = of.path if of else None
        return self._scene.found(name, places, reason, of=whose, why_not=why_not)

    def _expanded(self, listed: str, owner: Loaded, separators: str) -> tuple[Place, ...]:
        """Return the places of a search path."""
        if not listed:
            return ()
        key = owner.origin, listed, separators
        places = self._places.get(key)
        if places is None:
            # an empty entry is the working directory
            places = self._places[key] = self._scene.places(
                (entry, _without_end(posixpath.join(self._scene.directory, directory)))
                for entry in dict.fromkeys(re.split(separators, listed))
                for directory in [self._expand(entry, owner)]
            )
        return places

    def _expand(self, text: str, owner: Loaded) -> str:
        return expanded(text, owner.origin, self._scene.system)


def _without_end(directory: str) -> str:
    return directory.rstrip("/") or directory[:1]
