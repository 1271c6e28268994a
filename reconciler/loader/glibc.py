"""The search of glibc's ld.so, in its order: elf/dl-load.c, _dl_map_object; ld.so(8).

RPATH of the one that asks and of those for whom it was mapped, then of the program; but none of
them if the one that asks has a RUNPATH. LD_LIBRARY_PATH. RUNPATH of the one that asks. ld.so.cache.
The system's directories.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reconciler.loader import ld_cache
from reconciler.loader.answer import Candidate, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.loader.manner import Loaded, Scene
    from reconciler.model.library import SharedLibrary

_TOKEN = re.compile(
    r"\$(?:\{(?P<curly>ORIGIN|PLATFORM|LIB)\}|(?P<bare>ORIGIN|PLATFORM|LIB)(?![A-Za-z0-9_]))"
)
#: Of dl-load.c: the second kind of separator is for LD_LIBRARY_PATH alone.
_COLON, _COLON_OR_SEMICOLON = re.compile(":"), re.compile("[:;]")
_PRELOAD_SEPARATOR = re.compile("[ :]+")

Places = list[tuple[str, str]]


class Glibc:
    """The manner of ld-linux.so."""

    checks_machine = True

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._places: dict[tuple[Loaded, str], Places] = {}

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
        listed = self._scene.variables.get("LD_LIBRARY_PATH", "")
        # its $ORIGIN is the program's
        places = self._expanded(listed, program, _COLON_OR_SEMICOLON)
        yield from self._found(name, places, Reason.LD_LIBRARY_PATH)
        places = self._expanded(asker.elf.runpath or "", asker, _COLON)
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
            places = self._expanded(one.elf.rpath, one, _COLON)
            ignored = f"{one.path} has a RUNPATH, for which its RPATH is ignored"
            reason = ignored if of_own else why_not
            yield from self._found(name, places, Reason.RPATH, of=one, why_not=reason)

    def _by_system(self, name: str, asker: Loaded) -> Iterator[Candidate]:
        system = self._scene.system
        defaults = tuple(f"{directory}/" for directory in system.default_directories)
        refused = f"{asker.path} refuses the system's directories (DF_1_NODEFLIB)"
        strict = asker.elf.no_default_paths
        entries = ld_cache.usable(system.cache.get(name, ()), system.cache_flags, system.hwcaps)
        for index, entry in enumerate(entries):
            why_not = refused if strict and entry.path.startswith(defaults) else None
            if index:
                why_not = "ld.so.cache has a better or an earlier file of this name"
            yield Candidate(path=entry.path, reason=Reason.CACHE, why_not=why_not)
        places = [(directory, directory) for directory in system.default_directories]
        why_not = refused if strict else None
        yield from self._found(name, places, Reason.DEFAULT, why_not=why_not)

    def _found(
        self,
        name: str,
        places: Places,
        reason: Reason,
        *,
        of: Loaded | None = None,
        why_not: str | None = None,
    ) -> Iterator[Candidate]:
        whose = of.path if of else None
        return self._scene.found(name, places, reason, of=whose, why_not=why_not)

    def _expanded(self, listed: str, owner: Loaded, separator: re.Pattern[str]) -> Places:
        """Return each entry of a search path as written, and its directory."""
        if not listed:
            return []
        places = self._places.get((owner, listed))
        if places is None:
            entries = dict.fromkeys(separator.split(listed))
            # an empty entry is the working directory
            directories = {entry: self._expand(entry, owner) for entry in entries}
            places = [
                (entry, _without_end(posixpath.join(self._scene.directory, directory)))
                for entry, directory in directories.items()
            ]
            self._places[owner, listed] = places
        return places

    def _expand(self, text: str, owner: Loaded) -> str:
        if "$" not in text:
            return text
        system = self._scene.system
        values = {"ORIGIN": owner.origin, "PLATFORM": system.platform, "LIB": system.lib}
        return _TOKEN.sub(lambda match: values[match["curly"] or match["bare"]], text)


def _without_end(directory: str) -> str:
    return directory.rstrip("/") or directory[:1]
