"""Which file answers a soname, for each that asks: the model of the loader, put into words."""

from __future__ import annotations

import posixpath
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from reconciler.builds.graph import of_which
from reconciler.loader.answer import Reason
from reconciler.model.which import Situation, Which, WhichAnswer, WhichCandidate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.builds.loading import Loading
    from reconciler.loader.answer import Answer, Candidate
    from reconciler.loader.process import Process

#: As many names come near to one.
NEAR = 5
#: Of difflib's ratio: a letter or two that are missing, or have changed places.
ALIKE = 0.8


def which(loading: Loading, asked: str) -> Which:
    """Ask for a soname in every situation: by name, and for each library that needs it.

    A path means the library of that name; a name without its end, the only one that begins so.
    """
    soname, near = named(asked, loading.names)
    answers: dict[tuple[object, ...], WhichAnswer] = {}
    for situation in loading.situations:
        for asker, process, answer in _asked(loading, situation, soname):
            told = _told(loading, situation, process, answer)
            key = (situation, told.path, told.because, told.candidates)
            known = answers.get(key)
            own = (loading.plain(asker),) if asker else ()
            askers = (*(known.askers if known else ()), *own)
            answers[key] = msgspec.structs.replace(told, askers=askers)
    found = Which(
        soname=soname,
        asked=asked if asked != soname else "",
        near=near,
        answers=tuple(_merged(answers.values())),
        unknown=tuple(sorted(loading.tree.unknown)),
    )
    return msgspec.structs.replace(found, graph=of_which(loading, found))


def _merged(answers: Iterable[WhichAnswer]) -> Iterator[WhichAnswer]:
    """Yield the answers, the shells that have the same ones as one."""
    by_shell: dict[Situation, list[WhichAnswer]] = {}
    for answer in answers:
        by_shell.setdefault(answer.situation, []).append(answer)
    nowhere = Situation(names=(), variables=())
    alike: dict[tuple[WhichAnswer, ...], list[Situation]] = {}
    for situation, own in by_shell.items():
        key = tuple(msgspec.structs.replace(answer, situation=nowhere) for answer in own)
        alike.setdefault(key, []).append(situation)
    for found, shells in alike.items():
        shell = msgspec.structs.replace(
            shells[0],
            names=tuple(name for one in shells for name in one.names),
            unknown=tuple(dict.fromkeys(doubt for one in shells for doubt in one.unknown)),
        )
        yield from (msgspec.structs.replace(answer, situation=shell) for answer in found)


def named(asked: str, names: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Return the soname that is meant, and those that come near it where there is no such name."""
    name = posixpath.basename(asked)
    if name in names or not name:
        return name or asked, ()
    stem = name.partition(".so")[0]
    stem = stem if stem.startswith("lib") else f"lib{stem}"
    by_stem: dict[str, list[str]] = {}
    for one in sorted(names):
        by_stem.setdefault(one.partition(".so")[0], []).append(one)
    own = by_stem.get(stem, [])
    if len(own) == 1 and ".so" not in name:
        return own[0], ()
    alike = get_close_matches(stem, by_stem, n=NEAR, cutoff=ALIKE) if not own else ()
    return name, tuple(own or (one for other in alike for one in by_stem[other]))


def _asked(
    loading: Loading, situation: Situation, soname: str
) -> Iterator[tuple[str | None, Process, Answer]]:
    for path in loading.needing.get(soname, ()):
        stage = loading.stage(situation)
        if stage is None:
            return
        process = stage.process
        opened = process.dlopen(path, loading.importer(process))
        own = (a for a in opened.answers if a.name == soname and a.asked_by == path)
        for answer in own:
            yield path, process, answer
    stage = loading.stage(situation)
    if stage is not None:
        stage.ctypes(soname, because="it is asked for by its name", is_optional=True)
        yield None, stage.process, stage.outcomes[-1].opened[0].answers[0]


def _told(loading: Loading, situation: Situation, process: Process, answer: Answer) -> WhichAnswer:
    candidates = tuple(candidate_of(loading, one, answer.path) for one in answer.candidates)
    return WhichAnswer(
        situation=situation,
        path=loading.plain(answer.path) if answer.path else None,
        owner=loading.origins.of(answer.path) if answer.path else None,
        because=because(loading, answer, process),
        candidates=candidates,
    )


def candidate_of(loading: Loading, one: Candidate, taken: str | None) -> WhichCandidate:
    """Return a candidate as a report shows it, beside the path of the file that is mapped."""
    real_path = loading.tree.real_path
    why_not = one.why_not
    if why_not and taken:
        why_not = why_not.replace(taken, loading.plain(taken))
    return WhichCandidate(
        path=loading.plain(one.path),
        owner=loading.origins.of(one.path),
        how=how(loading, one),
        why_not=why_not,
        is_same=bool(one.why_not and taken and real_path(one.path) == real_path(taken)),
    )


def because(loading: Loading, answer: Answer, process: Process) -> str:
    """Return why a file answers, or what the loader says where none does."""
    if answer.path is None:
        return answer.error or "nothing of this name is found"
    if answer.taken is not None:
        return how(loading, answer.taken)
    first = next((a for a in process.answers if a.path == answer.path and a.taken), None)
    if first is None or first.taken is None:
        return "it is loaded before"
    asker = loading.plain(first.asked_by)
    return f"it was loaded before for {asker}: {how(loading, first.taken)}"


def how(loading: Loading, candidate: Candidate) -> str:
    """Return how the search comes to a file."""
    entry = f"`{candidate.entry}`"
    match candidate.reason:
        case Reason.RPATH | Reason.RUNPATH:
            of = loading.plain(candidate.of or "")
            return f"the {candidate.reason.value} {entry} of {of} leads to it"
        case Reason.LD_LIBRARY_PATH:
            return f"LD_LIBRARY_PATH has {entry}"
        case Reason.CACHE:
            return "ld.so.cache has it, which ldconfig makes of /etc/ld.so.conf"
        case Reason.DEFAULT:
            return f"{candidate.entry} is one of the system's directories"
        case Reason.PATH:
            return "it is opened by its path"
        case _:
            return str(candidate.reason.value)
