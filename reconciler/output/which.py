"""Which file a soname means, for a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.model.look import PLAIN
from reconciler.model.os_name import printable
from reconciler.output.graph import JsonGraph, graph_of
from reconciler.output.page import FEW, Page, few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.look import Look
    from reconciler.model.which import Which, WhichAnswer, WhichCandidate

_BY_NAME = "Python itself, by name (ctypes)"


class JsonCandidate(Struct, frozen=True):
    """A file that bears the soname."""

    path: str
    owner: str
    how: str
    why_not: str | None
    #: Whether it is the very file that wins, by another path.
    same: bool


class JsonAnswer(Struct, frozen=True):
    """What the soname means in some shells to some libraries."""

    situations: tuple[str, ...]
    #: The libraries that need it; empty for Python itself, which opens it by its name.
    askers: tuple[str, ...]
    winner: str | None
    owner: str | None
    because: str
    candidates: tuple[JsonCandidate, ...]


class JsonWhich(Struct, frozen=True):
    """The answers to one soname; the first one stands on top too."""

    schema: int
    soname: str
    winner: str | None
    because: str
    candidates: tuple[JsonCandidate, ...]
    answers: tuple[JsonAnswer, ...]
    #: What was asked of a snapshot that has not recorded it.
    unknown: tuple[str, ...]
    #: What should be known of all answers.
    notes: tuple[str, ...]
    #: What was asked for, where that is not the soname itself.
    asked: str | None
    #: The names that come nearest, where no library has this one.
    near: tuple[str, ...]
    #: Null for Windows.
    graph: JsonGraph | None


def render(which: Which, look: Look = PLAIN, *, verbose: bool = False) -> str:
    """Return the answers as text, those of one situation together."""
    page = Page(look)
    page.add(page.style(printable(which.soname), "bold"))
    if which.asked:
        page.paragraph(f"the library that {which.asked} names", indent=2)
    if which.near:
        page.add()
        names = ", ".join(few(which.near, FEW, verbose=verbose))
        page.paragraph(f"no library has this name; there is {names}", indent=0)
        page.add(page.inked(f"`envfix which {printable(which.near[0])}` tells of the first"))
        if not any(answer.path or answer.askers for answer in which.answers):
            return "\n".join(page.lines) + "\n"
    situation = None
    for answer in which.answers if verbose else _by_file(which.answers):
        if answer.situation != situation:
            situation = answer.situation
            page.add()
            page.paragraph(f"{situation}:", indent=0)
            for unknown in situation.unknown:
                page.paragraph(unknown, label="unknown  ", indent=2)
        _answer(page, answer, verbose=verbose)
    for path in which.unknown:
        page.paragraph(f"{path} is not in the snapshot", label="not seen  ", indent=0)
    for note in which.notes:
        page.add()
        page.paragraph(f"{note}.", label="note     ", indent=0)
    return "\n".join(page.lines) + "\n"


def render_json(which: Which) -> str:
    """Return the answers as JSON."""
    first = which.answers[0] if which.answers else None
    told = JsonWhich(
        schema=1,
        soname=which.soname,
        winner=first.path if first else None,
        because=first.because if first else "",
        candidates=tuple(_candidates(first.candidates)) if first else (),
        answers=tuple(_answers(which)),
        unknown=which.unknown,
        notes=which.notes,
        asked=which.asked or None,
        near=which.near,
        graph=graph_of(which.graph) if which.graph else None,
    )
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def _answers(which: Which) -> Iterator[JsonAnswer]:
    for answer in which.answers:
        yield JsonAnswer(
            situations=answer.situation.names,
            askers=answer.askers,
            winner=answer.path,
            owner=answer.owner.title if answer.owner else None,
            because=answer.because,
            candidates=tuple(_candidates(answer.candidates)),
        )


def _candidates(candidates: Iterable[WhichCandidate]) -> Iterator[JsonCandidate]:
    for one in candidates:
        yield JsonCandidate(
            path=one.path,
            owner=one.owner.title,
            how=one.how,
            why_not=one.why_not,
            same=one.is_same,
        )


def _by_file(answers: Iterable[WhichAnswer]) -> Iterator[WhichAnswer]:
    """Yield the answers, those of one shell that are the same file as one."""
    alike: dict[tuple[object, ...], list[WhichAnswer]] = {}
    for answer in answers:
        key = (answer.situation, answer.path, None if answer.path else answer.because)
        alike.setdefault(key, []).append(answer)
    for first, *others in alike.values():
        askers = [asker for one in (first, *others) for asker in one.askers or (_BY_NAME,)]
        more = "; others come to it in other ways (-v)" if others else ""
        yield msgspec.structs.replace(first, askers=tuple(askers), because=f"{first.because}{more}")


def _answer(page: Page, answer: WhichAnswer, *, verbose: bool) -> None:
    if answer.path and answer.owner:
        page.paragraph(f"{answer.path} ({answer.owner.title})", label="is       ", style="good")
    else:
        page.paragraph("nothing", label="is       ", style="error")
    page.paragraph(f"{answer.because}.", label="because  ", style="dim")
    for number, asker in enumerate(few(answer.askers or (_BY_NAME,), FEW, verbose=verbose)):
        page.paragraph(asker, label="         " if number else "for      ", style="dim")
    others = [one for one in answer.candidates if one.why_not and (verbose or not one.is_same)]
    for one in others if verbose else others[:FEW]:
        said = f"{one.path} ({one.owner.title}): {one.why_not}"
        page.paragraph(said, label="not      ", style="dim", body="quiet")
    if not verbose and len(others) > FEW:
        page.paragraph(f"and {len(others) - FEW} more (-v)", label="         ")
