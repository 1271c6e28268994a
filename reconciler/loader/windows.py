"""The loader of Windows, modelled on its documented rules: which file serves a name, and why.

docs/decisions/0028-windows-by-the-book.md tells what is modelled. Held against no Windows.
"""

from __future__ import annotations

import ntpath
import posixpath
from copy import copy
from typing import TYPE_CHECKING

import msgspec

from reconciler.loader.answer import Answer, Candidate, Opened, Reason
from reconciler.loader.process import CannotStartError, NotLoadedError
from reconciler.loader.tree import Unfit
from reconciler.loader.windows_search import (
    PART_OF_WINDOWS,
    Added,
    Search,
    base_name,
    is_absolute,
    is_api_set,
    places,
    slashed,
)
from reconciler.loader.windows_tree import FoldedTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.loader.windows_search import Place, Site
    from reconciler.loader.windows_tree import WindowsTree
    from reconciler.model.windows_image import WindowsImage

#: ERROR_MOD_NOT_FOUND and ERROR_BAD_EXE_FORMAT, as FormatMessage words them.
NOT_FOUND = "[WinError 126] The specified module could not be found"
BAD_FORMAT = "[WinError 193] %1 is not a valid Win32 application"


class Process:
    """A process of Python on Windows that has been started, without anything having been run."""

    def __init__(self, tree: WindowsTree, site: Site) -> None:
        """Map python.exe and all that it imports; raises CannotStartError."""
        self._site = site
        self._files = FoldedTree(tree)
        program = tree.image(site.python)
        if program is None:
            raise CannotStartError(f"{site.python} cannot be opened")
        if isinstance(program, Unfit):
            raise CannotStartError(f"{site.python} is no program: {program.reason}")
        self._program = program
        #: By path, in the order in which they were mapped.
        self._loaded: dict[str, WindowsImage | None] = {}
        self._names: dict[str, str] = {}
        self._map(site.python)
        #: What was asked while the program started, and by every open that succeeded since.
        self.answers = self._close([site.python], places(site, Search.STANDARD))

    @property
    def mapped(self) -> tuple[str, ...]:
        """The paths of all files that are mapped, in the order of it."""
        return tuple(self._loaded)

    @property
    def missing(self) -> tuple[Answer, ...]:
        """What was asked and is not mapped: a program with any of it does not start."""
        return tuple(answer for answer in self.answers if answer.error)

    @property
    def sees_windows(self) -> bool:
        """Tell whether System32 could be looked into; otherwise a name may be missing, or be there."""
        return bool(self._files.names(self._site.windows.system32))

    def directories(
        self,
        path: str | None = None,
        searches: Iterable[Search] = (Search.DEFAULT_DIRS, Search.STANDARD),
    ) -> tuple[Place, ...]:
        """Return every directory that is looked into: by imports, and for libraries opened late."""
        orders = [places(self._site, one, path) for one in searches]
        return tuple(dict.fromkeys(place for order in orders for place in order))

    def fork(self) -> Process:
        """Return another process that has come as far, in which something else may be opened."""
        other = copy(self)
        other._loaded = dict(self._loaded)  # noqa: SLF001 - of the same class
        other._names = dict(self._names)  # noqa: SLF001 - of the same class
        return other

    def add_dll_directory(self, directory: str, by: str) -> None:
        """Add a directory to those that are searched from now on."""
        added = (*self._site.added, Added(directory=directory, by=by))
        self._site = msgspec.structs.replace(self._site, added=added)

    def loaded(self, name: str) -> str | None:
        """Return the file that is loaded under a name without a path."""
        return self._names.get(base_name(name))

    def open(self, name: str, search: Search = Search.DEFAULT_DIRS) -> Opened:
        """Map a library and all that it imports, or nothing.

        As the import of an extension module does by its path, and ctypes.CDLL by a path or a name.
        """
        known = tuple(self._loaded)
        opened = self._opened(name)
        where = places(self._site, search, opened)
        answers = [self._ask(opened or name, self._site.python, where)]
        answers += self._close(self.mapped[len(known) :], where)
        error = next((answer.error for answer in answers if answer.error), None)
        mapped = self.mapped[len(known) :]
        if error is None:
            self.answers += tuple(answers)
        else:
            mapped = ()
            self._forget(known)
        return Opened(answers=tuple(answers), mapped=mapped, error=error)

    def delayed(self, path: str) -> tuple[Answer, ...]:
        """Tell what a mapped library would open at its first calls; raises NotLoadedError.

        Visual C++ opens it with LoadLibrary, whose order has PATH and not os.add_dll_directory.
        """
        found = self._files.found(slashed(path)) or path
        if found not in self._loaded:
            raise NotLoadedError(f"{path} is not loaded")
        image = self._loaded[found]
        known = tuple(self._loaded)
        where = places(self._site, Search.STANDARD)
        answers = tuple(self._ask(name, found, where) for name in (image.delayed if image else ()))
        self._forget(known)
        return answers

    def _opened(self, name: str) -> str | None:
        """Return the path that is opened; None where only a name is given."""
        name = slashed(name)
        if "/" not in name:
            return None
        path = name if is_absolute(name) else posixpath.join(self._site.directory, name)
        return posixpath.normpath(path)

    def _close(self, roots: Sequence[str], where: Sequence[Place]) -> tuple[Answer, ...]:
        """Map what the roots import, breadth first.

        Windows names none that is missing, so that all of them are told. All are looked for as the one that was opened is: the folder of a library counts for all that
        its import brings in, and their own folders do not.
        """
        answers: list[Answer] = []
        queue = list(roots)
        for path in queue:
            image = self._loaded[path]
            for name in image.imports if image else ():
                known = len(self._loaded)
                answers.append(self._ask(name, path, where))
                queue += self.mapped[known:]
        return tuple(answers)

    def _ask(self, name: str, asker: str, where: Sequence[Place]) -> Answer:
        base = base_name(name)
        if is_api_set(base):
            return Answer(name=name, asked_by=asker, reason=Reason.API_SET)
        known = self._known(name, base)
        if known is not None:
            return self._answer_of_known(name, asker, known, self._search(name, base, where))
        candidates, error = self._judged(self._search(name, base, where))
        taken = next((one for one in candidates if one.why_not is None), None)
        if taken is None:
            error = error or NOT_FOUND
            return Answer(name=name, asked_by=asker, candidates=candidates, error=error)
        self._map(taken.path)
        return Answer(
            name=name,
            asked_by=asker,
            path=taken.path,
            reason=taken.reason,
            candidates=candidates,
        )

    def _answer_of_known(
        self, name: str, asker: str, known: str, candidates: Iterable[Candidate]
    ) -> Answer:
        why_not = f"{known} is already loaded under this name"
        others = (one for one in candidates if one.path != known)
        return Answer(
            name=name,
            asked_by=asker,
            path=known,
            reason=Reason.LOADED,
            candidates=tuple(
                msgspec.structs.replace(one, why_not=why_not, tied=False) for one in others
            ),
        )

    def _known(self, name: str, base: str) -> str | None:
        """Return the file that is loaded: one of the name, or, of a path, that very file."""
        if "/" not in name:
            return self._names.get(base)
        found = self._files.found(name)
        return found if found in self._loaded else None

    def _search(self, name: str, base: str, where: Sequence[Place]) -> Iterator[Candidate]:
        windows = self._site.windows
        if "/" in name:
            yield Candidate(path=self._files.found(name) or name, reason=Reason.PATH)
            return
        if base in windows.known:
            yield Candidate(path=posixpath.join(windows.system32, base), reason=Reason.KNOWN_DLL)
        first: Place | None = None
        seen: set[str] = set()
        for place in where:
            path = self._in(place, base)
            if path is None or path in seen:
                continue
            seen.add(path)
            tied = first is not None and first.is_tied and place.is_tied
            first = first or place
            yield Candidate(path=path, reason=place.reason, of=place.by, tied=tied)

    def _in(self, place: Place, base: str) -> str | None:
        found = self._files.inside(place.directory, base)
        if found is None and place.reason is Reason.SYSTEM32 and base in PART_OF_WINDOWS:
            return None if self.sees_windows else posixpath.join(place.directory, base)
        return found

    def _judged(self, candidates: Iterable[Candidate]) -> tuple[tuple[Candidate, ...], str | None]:
        """Return the candidates, one of them without a ``why_not``, and why the search stopped."""
        judged: list[Candidate] = []
        passed, error = None, None
        for one in candidates:
            why_not = passed or self._fault(one)
            if passed is None and why_not is None:
                passed = f"{one.path} comes first"
            elif passed is None and one.reason is not Reason.PATH:
                passed, error = f"Windows gives up at {one.path}", BAD_FORMAT
            elif passed is None:
                error = BAD_FORMAT if self._files.image(one.path) else NOT_FOUND
            if one.tied and passed is not None:
                why_not = f"{passed}, though Windows promises no order among added directories"
            judged.append(msgspec.structs.replace(one, why_not=why_not))
        return tuple(judged), error

    def _fault(self, one: Candidate) -> str | None:
        """Return why a file cannot be mapped."""
        if self._is_windows(one.path):
            return None
        image = self._files.image(one.path)
        if image is None:
            return "nothing can be opened there"
        if isinstance(image, Unfit):
            return image.reason
        if image.machine == self._program.machine:
            return None
        return f"it is for another machine (number {image.machine:#x}, {image.bits} bits)"

    def _is_windows(self, path: str) -> bool:
        """Tell whether a file is Windows' own: what it imports is found, and is not looked at."""
        return ntpath.dirname(path).casefold() == self._site.windows.system32.casefold()

    def _map(self, path: str) -> None:
        image = None if self._is_windows(path) else self._files.image(path)
        self._loaded[path] = None if isinstance(image, Unfit) else image
        self._names.setdefault(base_name(path), path)

    def _forget(self, known: Sequence[str]) -> None:
        """Unmap all but the first files."""
        self._loaded = {path: self._loaded[path] for path in known}
        self._names = {base_name(path): path for path in reversed(known)}
