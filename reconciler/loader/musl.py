"""The search of musl's loader, in its order: ldso/dynlink.c, load_library.

LD_LIBRARY_PATH. RPATH or RUNPATH, which are one, of the one that asks and of those for whom it was
mapped. The directories of /etc/ld-musl-*.path, or those built in. The first file of the name is
taken, whatever it is, even one of another machine; sonames are not looked at, and there is no cache.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reconciler.loader.answer import Reason
from reconciler.loader.manner import Loaded
from reconciler.model.library import SharedLibrary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.loader.answer import Candidate
    from reconciler.loader.manner import Place, Scene

_PRELOAD_SEPARATOR = re.compile(r"[\s:]+")
_SEPARATOR = re.compile("[:\n]+")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")
#: These libraries are the loader itself.
_OWN = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\.")


class Musl:
    """The manner of ld-musl."""

    checks_machine = False

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def preloads(self) -> Sequence[str]:
        """Return the names of LD_PRELOAD."""
        named = _PRELOAD_SEPARATOR.split(self._scene.variables.get("LD_PRELOAD", ""))
        return [name for name in named if name]

    def path_of(self, name: str, asker: Loaded) -> str:  # noqa: ARG002, the protocol's
        """Return the path that a name with a slash stands for."""
        return posixpath.join(self._scene.directory, name)

    def is_interpreter(self, name: str) -> bool:
        """Tell whether the name is of the C library, which is the loader."""
        return bool(_OWN.match(name))

    def asker_of_preload(self, program: Loaded) -> Loaded:  # noqa: ARG002, the protocol's
        """Return one without search paths: those of the program do not count."""
        return Loaded("LD_PRELOAD", SharedLibrary(path="LD_PRELOAD"), None, "/", "")

    def asker_of_dlopen(self, caller: Loaded, program: Loaded) -> Loaded:  # noqa: ARG002, the protocol's
        """Return the program: who calls does not count."""
        return program

    def missing(self, name: str, asker: str) -> str:
        """Return what musl says."""
        return f"Error loading shared library {name}: No such file or directory (needed by {asker})"

    def names_of(self, name: str, path: str, elf: SharedLibrary) -> Collection[str]:  # noqa: ARG002, the protocol's
        """Return the file's name, if it was searched for."""
        return () if "/" in name else (posixpath.basename(path),)

    def names_of_known(self, name: str, known: Loaded) -> Collection[str]:
        """Return the name of a file that was mapped by its path, and is now found by a search."""
        return () if "/" in name or known.names else (posixpath.basename(known.path),)

    def search(self, name: str, asker: Loaded, program: Loaded) -> Iterator[Candidate]:  # noqa: ARG002, the protocol's
        """Yield the files of a name, in the order of the search."""
        listed = self._scene.variables.get("LD_LIBRARY_PATH", "")
        yield from self._scene.found(name, self._places(listed), Reason.LD_LIBRARY_PATH)
        for one in asker.chain():
            path = one.elf.rpath if one.elf.runpath is None else one.elf.runpath
            reason = Reason.RPATH if one.elf.runpath is None else Reason.RUNPATH
            places = self._places(path or "", one)
            yield from self._scene.found(name, places, reason, of=one.path)
        places = self._scene.places(
            (entry, entry) for entry in self._scene.system.default_directories
        )
        yield from self._scene.found(name, places, Reason.DEFAULT)

    def _places(self, listed: str, owner: Loaded | None = None) -> tuple[Place, ...]:
        """Return the places of a search path."""
        entries = [entry for entry in _SEPARATOR.split(listed) if entry]
        if owner is None:
            expanded = entries
        elif "$" in _ORIGIN.sub("", listed):
            # any other token, and the whole path is not looked at
            return ()
        else:
            expanded = [_ORIGIN.sub(lambda _: owner.origin, entry) for entry in entries]
        directory = self._scene.directory
        return self._scene.places(
            (entry, posixpath.join(directory, place))
            for entry, place in zip(entries, expanded, strict=True)
        )
