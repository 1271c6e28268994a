"""One process, as its dynamic loader builds it up: what is mapped, for whom, and by which rule.

The program with all that it needs, breadth first; then what it opens with dlopen. Held against the
real loader by the tests of the marker ``truth``.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import msgspec

from reconciler.loader.answer import Answer, Candidate, Opened, Reason
from reconciler.loader.binder import Binder
from reconciler.loader.binding import error_of
from reconciler.loader.glibc import Glibc
from reconciler.loader.manner import Loaded, Scene
from reconciler.loader.musl import Musl
from reconciler.loader.tree import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.loader.manner import Manner
    from reconciler.loader.symbols import Symbols
    from reconciler.loader.tree import Tree
    from reconciler.model.binding import Fault
    from reconciler.model.library import SharedLibrary
    from reconciler.model.system import System


class CannotStartError(ValueError):
    """No dynamic loader starts this program; ``str()`` says why."""


class NotLoadedError(ValueError):
    """The library that is said to call dlopen is not in the process."""


class Process:
    """A process that has been started, without anything having been run."""

    def __init__(
        self,
        tree: Tree,
        system: System,
        executable: str,
        variables: Mapping[str, str],
        *,
        directory: str = "/",
    ) -> None:
        """Map the program and all that it needs; raises CannotStartError."""
        self._tree = tree
        self._loaded: list[Loaded] = []
        self._names: dict[str, Loaded] = {}
        self._identities: dict[str, Loaded] = {}
        elf = self._program_of(executable)
        interpreter = elf.interpreter or ""
        own = self._tree.elf(interpreter)
        if own is None or isinstance(own, Unfit):
            raise CannotStartError(f"{executable} asks for {interpreter}, which cannot be opened")
        scene = Scene(tree, system, variables, directory)
        is_musl = posixpath.basename(interpreter).startswith("ld-musl-")
        self._manner: Manner = Musl(scene) if is_musl else Glibc(scene)
        self._program = self._map("", tree.real_path(executable), elf, None)
        self._interpreter = self._map(interpreter, interpreter, own, None)
        #: The answers to LD_PRELOAD and its kin; one that fails is ignored with a warning.
        asker = self._manner.asker_of_preload(self._program)
        self.preloads = tuple(self._ask(name, asker) for name in self._manner.preloads())
        self._preloaded = self._loaded[2:]
        #: What was asked while the program started, and by every dlopen that succeeded since.
        self.answers = self._close([self._program, *self._preloaded])
        self._variables = variables
        self._binder: Binder | None = None

    @property
    def mapped(self) -> tuple[str, ...]:
        """The paths of all files that are mapped, in the order of it; links are not followed."""
        return tuple(one.path for one in self._loaded)

    @property
    def missing(self) -> tuple[Answer, ...]:
        """What was asked and is not mapped: a program with any of it does not start."""
        return tuple(answer for answer in self.answers if answer.path is None)

    def bind(self, symbols: Symbols) -> tuple[Fault, ...]:
        """Bind the symbols of what is mapped, and from now on of what is opened.

        Returns what is not found as the program starts. musl's binding is not modelled: nothing.
        """
        if isinstance(self._manner, Musl) or self.missing:
            return ()
        self._binder = Binder(symbols, self._variables)
        return self._binder.start(self._program, self._preloaded, self._names)

    def dlopen(
        self, name: str, caller: str | None = None, *, is_now: bool = True, is_global: bool = False
    ) -> Opened:
        """Map a library and all that it needs, or nothing; raises NotLoadedError.

        ``caller`` is the path of the library whose code calls dlopen, None for the program;
        ``is_now`` tells of RTLD_NOW, with which Python opens everything, and ``is_global`` of
        RTLD_GLOBAL.
        """
        known = len(self._loaded)
        asker = self._manner.asker_of_dlopen(self._caller(caller), self._program)
        # Held against glibc 2.36: the caller's RPATH finds the library that is opened, and does not
        # count for what that needs in turn.
        answers = [self._ask(name, asker, self._program)]
        if answers[0].path is not None:
            answers += self._close(self._loaded[known:], patient=False)
        mapped = tuple(one.path for one in self._loaded[known:])
        error = answers[-1].error
        faults: tuple[Fault, ...] = ()
        if error is None and self._binder and answers[0].path:
            root = self._at(answers[0].path)
            new = self._loaded[known:]
            faults = self._binder.open(root, new, self._names, is_now=is_now)
            error = error_of(faults)
            if is_global and error is None:
                self._binder.share(root)
        if error is None:
            self.answers += answers
        else:
            mapped = ()
            self._forget(known)
        return Opened(answers=tuple(answers), mapped=mapped, error=error, faults=faults)

    def _program_of(self, executable: str) -> SharedLibrary:
        elf = self._tree.elf(executable)
        if elf is None:
            raise CannotStartError(f"{executable} cannot be opened")
        if isinstance(elf, Unfit):
            raise CannotStartError(f"{executable} is no program: {elf.reason}")
        if elf.interpreter is None:
            raise CannotStartError(f"{executable} is linked statically, or is no program")
        return elf

    def _caller(self, path: str | None) -> Loaded:
        if path is None:
            return self._program
        caller = self._identities.get(self._tree.identity(path))
        if caller is None:
            raise NotLoadedError(f"{path} is not loaded, and cannot call dlopen")
        return caller

    def _at(self, path: str) -> Loaded:
        return self._identities[self._tree.identity(path)]

    def _close(self, roots: Sequence[Loaded], *, patient: bool = True) -> list[Answer]:
        """Map what the roots need, breadth first; unless patient, up to the first that is missing."""
        answers: list[Answer] = []
        queue = list(roots)
        for one in queue:
            for name in one.elf.needed:
                known = len(self._loaded)
                answers.append(self._ask(name, one))
                path = answers[-1].path
                if path is not None:
                    one.needs.append(self._at(path))
                elif not patient:
                    return answers
                queue += self._loaded[known:]
        return answers

    def _ask(self, name: str, asker: Loaded, loader: Loaded | None = None) -> Answer:
        """Find the file of a name, and map it if it is not mapped, for ``loader`` or the asker."""
        known = self._interpreter if self._manner.is_interpreter(name) else self._names.get(name)
        if known is not None:
            return self._known(name, asker, known)
        candidates, error = self._judged(self._search(name, asker))
        taken = next((one for one in candidates if one.why_not is None), None)
        if taken is None:
            shown = candidates[0].path if "$" in name and candidates else name
            error = error or self._manner.missing(shown, asker.path)
            return Answer(name=name, asked_by=asker.path, candidates=candidates, error=error)
        found = self._identities.get(self._tree.identity(taken.path))
        if found is None:
            found = self._map(name, taken.path, self._library(taken.path), loader or asker)
        else:
            self._name(found, self._manner.names_of_known(name, found))
        return Answer(
            name=name,
            asked_by=asker.path,
            path=found.path,
            reason=taken.reason,
            candidates=candidates,
        )

    def _known(self, name: str, asker: Loaded, known: Loaded) -> Answer:
        why_not = f"{known.path} is already loaded under this name"
        others = self._search(name, asker) if "/" not in name else ()
        return Answer(
            name=name,
            asked_by=asker.path,
            path=known.path,
            reason=Reason.LOADED,
            candidates=tuple(msgspec.structs.replace(one, why_not=why_not) for one in others),
        )

    def _search(self, name: str, asker: Loaded) -> Iterable[Candidate]:
        if "/" in name:
            return (Candidate(path=self._manner.path_of(name, asker), reason=Reason.PATH),)
        return self._manner.search(name, asker, self._program)

    def _judged(self, candidates: Iterable[Candidate]) -> tuple[tuple[Candidate, ...], str | None]:
        """Return the candidates, one of them without a ``why_not``, and why the search stopped."""
        judged: list[Candidate] = []
        passed, error = None, None
        for one in candidates:
            why_not = one.why_not or passed
            if why_not is None:
                why_not, stops = self._fault(one.path)
                if why_not is None:
                    passed = f"{one.path} comes first"
                elif stops:
                    passed, error = f"the loader gives up at {one.path}", f"{one.path}: {why_not}"
            judged.append(msgspec.structs.replace(one, why_not=why_not))
        return tuple(judged), error

    def _fault(self, path: str) -> tuple[str | None, bool]:
        """Return why a file cannot be mapped, and whether the loader gives up over it."""
        elf = self._tree.elf(path)
        if elf is None:
            return "nothing can be opened there", False
        if isinstance(elf, Unfit):
            return elf.reason, True
        ours = self._program.elf
        same_machine = elf.machine == ours.machine or not self._manner.checks_machine
        if same_machine and elf.bits == ours.bits:
            return None, False
        fault = f"it is for another machine (number {elf.machine}, {elf.bits} bits)"
        return fault, not self._manner.checks_machine

    def _library(self, path: str) -> SharedLibrary:
        elf = self._tree.elf(path)
        assert elf is not None and not isinstance(elf, Unfit)  # noqa: S101, PT018, just judged
        return elf

    def _map(self, name: str, path: str, elf: SharedLibrary, loader: Loaded | None) -> Loaded:
        one = Loaded(
            path=path,
            elf=elf,
            loader=loader,
            origin=posixpath.dirname(path),
            identity=self._tree.identity(path),
        )
        self._loaded.append(one)
        self._identities.setdefault(one.identity, one)
        self._name(one, self._manner.names_of(name, path, elf))
        return one

    def _name(self, one: Loaded, names: Iterable[str]) -> None:
        for name in names:
            one.names.add(name)
            self._names.setdefault(name, one)

    def _forget(self, known: int) -> None:
        """Unmap all but the first files; the names that those got in the meantime stay."""
        del self._loaded[known:]
        self._identities = {one.identity: one for one in reversed(self._loaded)}
        self._names = {name: one for one in reversed(self._loaded) for name in one.names}
