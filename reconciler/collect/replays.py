"""What becomes of the libraries that the user asks about, when Python opens them: nothing is run."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.collect import files
from reconciler.collect.disk_symbols import DiskSymbols
from reconciler.loader.process import CannotStartError, Process
from reconciler.loader.tree import Unfit
from reconciler.model.binding import Outcome, VersionMissing
from reconciler.model.library import SharedLibrary
from reconciler.model.os_name import from_os
from reconciler.model.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.collect.disk_tree import DiskTree
    from reconciler.loader.answer import Answer, Opened
    from reconciler.model.binding import Fault
    from reconciler.model.system import System
    from reconciler.model.which import Situation

#: So many libraries are opened: a message is about one, and the others that need the same file
#: tell whether it is missing to all.
MAX_OPENED = 24
#: Of those whose names no message says, so many have their symbols bound: that may take seconds.
MAX_OTHERS_BOUND = 4
#: So many libraries of a framework may have to be opened before an extension of it.
MAX_BEFORE = 12
#: Libpython's code, or the program's, opens extension modules; _ctypes opens all else.
_CTYPES = "_ctypes."


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What every replay has in common."""

    tree: DiskTree
    system: System
    executable: str
    directory: str
    shells: Sequence[Situation]
    #: CPython's own extension modules, by path.
    modules: Sequence[str]
    #: The libraries of packages, by path.
    packaged: Sequence[str]


def replays(scene: Scene, asked: Collection[str]) -> Iterator[Replay]:
    """Yield what comes of the libraries of these names or paths, and of those that need them.

    What comes out alike in several shells is told once.
    """
    found: dict[tuple[Replay, ...], list[str]] = {}
    symbols = DiskSymbols()
    named, others = _targets(scene, asked)
    for index, target in enumerate((*named, *others)[:MAX_OPENED]):
        bound = symbols if index < len(named) + MAX_OTHERS_BOUND else None
        for shell in scene.shells:
            told = tuple(_played(scene, bound, target, dict(shell.variables)))
            found.setdefault(told, []).extend(shell.names)
    for told, shells in found.items():
        yield from (replace(one, shells=tuple(dict.fromkeys(shells))) for one in told)


def _targets(scene: Scene, asked: Collection[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return what is opened: the files that are named; and the names, and those that need them."""
    names = {posixpath.basename(from_os(name)) for name in asked} - {""}
    there = [path for path in asked if "/" in path and scene.tree.elf(path) is not None]
    # Many packages have a module of one name, and of these the path tells which.
    rest = names - {posixpath.basename(path) for path in there}
    named = dict.fromkeys((*there, *(p for p in scene.packaged if posixpath.basename(p) in rest)))
    needing = (path for path in scene.packaged if names & _needs(scene.tree, path))
    others = dict.fromkeys((*sorted(names), *needing))
    return tuple(named), tuple(one for one in others if one not in named)


def _needs(tree: DiskTree, path: str) -> frozenset[str]:
    file = tree.elf(path)
    return frozenset(file.needed if isinstance(file, SharedLibrary) else ())


def _played(
    scene: Scene, symbols: DiskSymbols | None, target: str, variables: Mapping[str, str]
) -> Iterator[Replay]:
    """Yield what fails when one library is opened in a process of its own.

    An extension may find what it needs because the import of its framework has opened that: what
    packages have of it is opened first then, to see whether its symbols are there.
    """
    opened = _opened(scene, None, target, variables, ())
    before: list[str] = []
    lost = _lost(opened)
    while opened and lost and "/" in target and len(before) < MAX_BEFORE:
        own = (p for p in scene.packaged if posixpath.basename(p) == lost and p not in before)
        found = next(own, None)
        if found is None:
            break
        before.append(found)
        lost = _lost(_opened(scene, None, target, variables, before))
    if opened and _lost(opened):
        yield from _told(scene.tree, target, opened)
    if not lost:
        bound = _opened(scene, symbols, target, variables, before) if symbols else opened
        if bound and (bound.faults or not before):
            yield from _told(scene.tree, target, bound)


def _lost(opened: Opened | None) -> str:
    """Return the first name that is not answered."""
    answers = opened.answers if opened else ()
    return next((answer.name for answer in answers if answer.error), "")


def _opened(
    scene: Scene,
    symbols: DiskSymbols | None,
    target: str,
    variables: Mapping[str, str],
    before: Sequence[str],
) -> Opened | None:
    """Open a library in a new process, after others; None where no loader starts Python.

    The symbols of those others are not bound: it takes seconds, and nobody has asked.
    """
    try:
        process = Process(
            scene.tree, scene.system, scene.executable, variables, directory=scene.directory
        )
    except CannotStartError:
        return None
    for path in before:
        process.dlopen(path)
    caller = None
    if "/" not in target:
        caller = next((path for path in scene.modules if _CTYPES in path), None)
        if caller and process.dlopen(caller).error:
            caller = None
    if symbols:
        process.bind(symbols)
    return process.dlopen(target, caller)


def _told(tree: DiskTree, target: str, opened: Opened) -> Iterator[Replay]:
    blank = Replay(opened=target, shells=(), outcome="opened")
    lost = next((answer for answer in opened.answers if answer.error), None)
    if lost:
        yield _of_answer(tree, blank, lost)
        return
    real = [fault for fault in opened.faults if fault.outcome is not Outcome.AT_CALL]
    faults = [*real, *(fault for fault in opened.faults if fault not in real)]
    if not faults:
        first = opened.answers[0]
        told = replace(blank, soname=first.name, at=_place(tree, first.path))
        reason = first.taken.reason.value if first.taken else ""
        entry = (first.taken.entry if first.taken else "") or ""
        yield replace(told, reason=reason, entry=entry)
    for fault in faults[:5]:
        yield _of_fault(tree, blank, fault, opened.answers)


def _of_answer(tree: DiskTree, blank: Replay, lost: Answer) -> Replay:
    """Tell of a name that no file answers, or one that cannot be mapped."""
    refused = [one for one in lost.candidates if tree.elf(one.path) is not None]
    at = refused[0] if refused else None
    asker = lost.asked_by if lost.name != blank.opened else None
    told = replace(blank, asker=asker, soname=lost.name, error=lost.error or "", outcome="missing")
    if at is None:
        return told
    file = tree.elf(at.path)
    error = f"{at.path}: {file.reason if isinstance(file, Unfit) else at.why_not}"
    begins = _begins(tree.real_path(at.path))
    told = replace(told, outcome="unfit", at=_place(tree, at.path), error=error, begins=begins)
    return replace(told, reason=at.reason.value, entry=at.entry or "")


def _begins(path: str) -> str:
    """Return how a text begins: a pointer of git-lfs, a script for the linker; "" of what is none."""
    try:
        start = files.with_pread(path, lambda pread: pread(0, 200))
    except files.UnreadableError:
        return ""
    line = start.partition(b"\n")[0][:80]
    is_text = line.isascii() and line.decode("latin-1").isprintable()
    return line.decode("ascii").strip() if is_text else ""


def _of_fault(tree: DiskTree, blank: Replay, fault: Fault, answers: Iterable[Answer]) -> Replay:
    """Tell of a version or a symbol that the file which answers does not define."""
    found = (a.taken for a in answers if a.path == fault.provider and a.taken)
    taken = next(found, None)
    told = replace(
        blank,
        outcome="symbol",
        error=fault.error,
        asker=_place(tree, fault.wanted_by),
        version=fault.version or "",
        at=_place(tree, fault.provider),
        reason=taken.reason.value if taken else "",
        entry=(taken.entry if taken else "") or "",
    )
    if isinstance(fault, VersionMissing):
        return replace(told, outcome="version", soname=fault.file)
    return replace(told, soname=fault.expected_in or "", symbol=fault.symbol)


def _place(tree: DiskTree, path: str | None) -> str | None:
    """Return a path without the ``..`` of the search path that led to it."""
    normal = posixpath.normpath(path) if path else None
    return normal if path and normal and tree.identity(normal) == tree.identity(path) else path
