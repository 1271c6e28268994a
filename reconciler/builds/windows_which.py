"""Which file answers the name of a DLL, for each that asks: the model of Windows, put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.loader.answer import Reason
from reconciler.loader.windows_search import base_name, slashed
from reconciler.model.which import Which, WhichAnswer, WhichCandidate
from reconciler.model.windows_image import stem_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.builds.windows_loading import WindowsLoading
    from reconciler.loader.answer import Answer, Candidate
    from reconciler.loader.windows import Process

#: What a user should know of every answer about Windows.
UNTESTED = (
    "modeled on the documented rules of Windows, CPython and conda, every installed package being"
    " imported first; not tested on Windows itself"
)


def which(loading: WindowsLoading, asked: str) -> Which:
    """Ask for a DLL by its name, and for each library of a package that imports it.

    A path means the DLL of that name; a name without its release, the only one that begins so.
    """
    name, near = named(asked, loading.names)
    answers: dict[tuple[object, ...], WhichAnswer] = {}
    for asker, process, answer in _asked(loading, base_name(name)):
        told = _told(loading, process, answer)
        key = (told.path, told.because, told.candidates)
        known = answers.get(key)
        askers = (*(known.askers if known else ()), *((asker,) if asker else ()))
        answers[key] = replace(told, askers=askers)
    return Which(
        soname=name,
        asked=asked if asked != name else "",
        near=near,
        answers=tuple(answers.values()),
        notes=(UNTESTED,),
    )


def named(asked: str, names: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Return the DLL that is meant, and those that come near it where there is no such name."""
    name = slashed(asked).rpartition("/")[2]
    if base_name(name) in names:
        return name if "." in name else base_name(name), ()
    stem = stem_of(base_name(name))
    own = tuple(sorted(one for one in names if stem_of(one) == stem))
    return (own[0], ()) if len(own) == 1 and "." not in name else (name, own)


def _asked(loading: WindowsLoading, base: str) -> Iterator[tuple[str | None, Process, Answer]]:
    for path in loading.importing.get(base, ()):
        process = loading.started()
        if process is None:
            return
        opened = process.open(path)
        # what was opened before has asked before
        asked = [*opened.answers, *process.answers]
        if not opened.error:
            asked += process.delayed(path)
        own = (a for a in asked if base_name(a.name) == base and a.asked_by == path)
        yield from ((path, process, answer) for answer in list(own)[:1])
    process = loading.started()
    if process is not None:
        yield None, process, process.open(base).answers[0]


def _told(loading: WindowsLoading, process: Process, answer: Answer) -> WhichAnswer:
    return WhichAnswer(
        situation=loading.situation,
        path=answer.path,
        owner=loading.origin(answer.path) if answer.path else None,
        because=_because(process, answer),
        candidates=tuple(
            WhichCandidate(
                path=one.path, owner=loading.origin(one.path), how=_how(one), why_not=one.why_not
            )
            for one in answer.candidates
        ),
    )


def _because(process: Process, answer: Answer) -> str:
    if answer.path is None:
        return answer.error or "nothing of this name is found"
    if answer.taken is not None:
        return _how(answer.taken)
    first = next((a for a in process.answers if a.path == answer.path and a.taken), None)
    if first is None or first.taken is None:
        return "it is loaded before"
    if first.taken.reason is Reason.PATH:
        return "a package that is imported before, or cuda-pathfinder for it, opens it by its path"
    return f"it was loaded before for {first.asked_by}: {_how(first.taken)}"


def _how(one: Candidate) -> str:
    """Return how the search comes to a file."""
    match one.reason:
        case Reason.ADDED:
            return f"{one.of or 'a package'} gives its folder to os.add_dll_directory"
        case Reason.PATH_VARIABLE:
            return "PATH has its folder"
        case Reason.PATH:
            return "it is opened by its path"
        case Reason.KNOWN_DLL:
            return "it is one of Windows' known DLLs"
        case _:
            return f"it lies in {one.reason.value}"
