"""A conversion as it is told: as comments above the file that came of it, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from reconciler.model.conversion import Converted, Dropped, Kept, Stance
from reconciler.model.look import PLAIN
from reconciler.output import diff as as_diff
from reconciler.output import proof
from reconciler.output.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conversion import Conversion, Line, Rendition
    from reconciler.model.look import Look

SCHEMA = 1
WIDTH = 100
#: What decides whether the file can be used, by its first words.
_STYLES = {
    "Proven for": "good",
    "Not proven": "warning",
    "It has no solution": "error",
    "As converted it has no solution": "warning",
    "CUDA is not decided": "error",
    "Choose": "bold",
    "CUDA ": "bold",
    "For the CPU": "bold",
    "Made of": "dim",
    "Without CUDA": "bold",
}


def render(
    made: Rendition, look: Look = PLAIN, *, form: str, diff: bool, verbose: bool, **_: object
) -> str:
    """Return a conversion in the form that is wished."""
    if diff:
        return as_diff.render([made.file], color=look.color)
    if form == "json":
        return render_json(made.conversion, made.file.after)
    return render_text(made.conversion, made.file.after, look, verbose=verbose)


def render_text(
    conversion: Conversion, text: str, look: Look = PLAIN, *, verbose: bool = False
) -> str:
    """Return the file with what there is to know of it as comments above."""
    # What is kept is of one width, wherever it was made.
    page = Page(look if look.whole else replace(look, width=WIDTH))
    for part in _told(conversion, verbose=verbose):
        page.comment(part, _style(part))
    return "".join(f"{line}\n" for line in page.lines) + text


def _style(said: str) -> str:
    return next((style for start, style in _STYLES.items() if said.startswith(start)), "plain")


def _told(conversion: Conversion, *, verbose: bool) -> Iterator[str]:
    yield f"Made of {conversion.source} by envfix convert, for {', '.join(conversion.platforms)}."
    yield from _cuda(conversion)
    yield from proof.told(conversion, verbose=verbose)
    for line in conversion.lines:
        yield from _line(line, verbose=verbose)
    for setting in conversion.settings:
        fate = "goes to pip" if setting.is_carried else "is left out"
        if verbose or not setting.is_carried:
            yield f"{_place(setting)} {setting.text} {fate}: {setting.reason}."
    for note in conversion.notes:
        yield f"{note}."


def _cuda(conversion: Conversion) -> Iterator[str]:
    cuda = conversion.cuda
    match cuda.stance:
        case Stance.CUDA:
            yield f"CUDA {cuda.release}: {'; '.join(cuda.because[:3])}."
        case Stance.CPU:
            yield f"For the CPU: {'; '.join(cuda.because[:3])}."
        case Stance.ABSENT:
            yield "Without CUDA: nothing that is asked for has to do with it."
        case Stance.CLASH:
            yield f"CUDA is not decided, for no release serves all: {'; '.join(cuda.because)}."
            yield f"Choose: {'; or '.join(cuda.choices)}."


def _line(line: Line, *, verbose: bool) -> Iterator[str]:
    where = f" (on {', '.join(line.platforms)})" if line.platforms else ""
    head = f"{_place(line)} {line.requirement}{where}".lstrip()
    match line:
        case Kept():
            yield f"{head} stays under pip: {line.reason}."
            yield from (f"  {note}." for note in line.notes)
        case Dropped():
            yield f"{head} is left out: {line.reason}."
        case Converted() if verbose:
            yield f"{head}: {', '.join(line.specs)} ({line.provenance})."
            yield from (f"  {note}." for note in line.notes)
        case Converted():
            yield from (f"{head}: {note}." for note in line.notes if line.rest)


def _place(line: Line | object) -> str:
    at = getattr(line, "at", None)
    return f"{at.path}:{at.line}" if at and at.path and at.line else ""


class _Line(msgspec.Struct, frozen=True):
    requirement: str
    path: str | None
    line: int | None
    specs: tuple[str, ...]
    #: Why it stays under pip; null where it does not.
    kept: str | None
    #: Why nothing is asked for any more; null where something is.
    dropped: str | None
    provenance: str
    confidence: str | None
    #: What pip goes on to install of it; null where nothing.
    pip: str | None
    platforms: tuple[str, ...]
    notes: tuple[str, ...]


class _Cuda(msgspec.Struct, frozen=True):
    stance: str
    version: str | None
    because: str
    choices: tuple[str, ...]


class _Setting(msgspec.Struct, frozen=True):
    text: str
    carried: bool
    reason: str


class _Report(msgspec.Struct, frozen=True):
    schema: int
    environment: str
    lines: tuple[_Line, ...]
    cuda: _Cuda
    solve: proof.Solve
    settings: tuple[_Setting, ...]
    notes: tuple[str, ...]


def render_json(conversion: Conversion, text: str) -> str:
    """Return the conversion as the JSON that docs/cli.md promises."""
    cuda = conversion.cuda
    report = _Report(
        schema=SCHEMA,
        environment=text,
        lines=tuple(map(_as_json, conversion.lines)),
        cuda=_Cuda(
            stance=cuda.stance.value,
            version=cuda.release or None,
            because="; ".join(cuda.because),
            choices=cuda.choices,
        ),
        solve=proof.as_json(conversion),
        settings=tuple(
            _Setting(text=s.text, carried=s.is_carried, reason=s.reason)
            for s in conversion.settings
        ),
        notes=conversion.notes,
    )
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def _as_json(line: Line) -> _Line:
    converted = line if isinstance(line, Converted) else None
    return _Line(
        requirement=line.requirement,
        path=line.at.path,
        line=line.at.line,
        specs=converted.specs if converted else (),
        kept=line.reason if isinstance(line, Kept) else None,
        dropped=line.reason if isinstance(line, Dropped) else None,
        provenance=line.provenance if isinstance(line, Converted) else line.reason,
        confidence=converted.confidence.value if converted else None,
        pip=(converted.rest or None) if converted else None,
        platforms=line.platforms,
        notes=() if isinstance(line, Dropped) else line.notes,
    )
