"""What errors mean, for a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.model.os_name import printable
from reconciler.output.page import FEW, Page, few

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.diagnosis import Diagnosis

_CERTAIN = {
    "proven": "proven here",
    "likely": "likely here",
    "general": "not seen here: what such a message means in general",
}
_STYLES = {"proven": "error", "likely": "warning", "general": "bold"}
_NOTHING = (
    "no error that envfix knows stands in this text. `envfix scan` holds the environment itself "
    "against every rule; where a library's name stands in the text, `envfix which NAME` tells "
    "which file answers it"
)


class JsonCulprit(Struct, frozen=True):
    """The file that a message is about."""

    path: str
    owner: str


class JsonDiagnosis(Struct, frozen=True):
    """One message, its cause and what to do."""

    id: str
    title: str
    cause: str
    certainty: str
    captured: dict[str, str]
    culprit: JsonCulprit | None
    rules: tuple[str, ...]
    evidence: tuple[str, ...]
    remedy: str
    #: The title of a repair that `envfix fix` makes.
    fix: str | None
    sources: tuple[str, ...]
    #: Where the message stands first, from 1, and how often it stands there at least.
    line: int
    count: int
    text: str


class JsonExplanation(Struct, frozen=True):
    """All of a text."""

    schema: int
    diagnoses: tuple[JsonDiagnosis, ...]
    #: The last line of a text in which nothing is known.
    unknown: tuple[str, ...]


def render(
    diagnoses: Sequence[Diagnosis],
    *,
    unknown: str = "",
    width: int = 80,
    color: bool = False,
    verbose: bool = False,
) -> str:
    """Return diagnoses as text."""
    page = Page(width=width, color=color)
    for diagnosis in diagnoses:
        _add(page, diagnosis, verbose=verbose)
    if not diagnoses:
        if unknown:
            page.paragraph(unknown, label="unknown  ", indent=0)
        page.paragraph(f"{_NOTHING}.", indent=0)
    return "\n".join(page.lines).rstrip() + "\n"


def _add(page: Page, diagnosis: Diagnosis, *, verbose: bool) -> None:
    one = diagnosis.recognized
    often = f", {one.count} times" if one.count > 1 else ""
    page.add(page.style(printable(one.error.title), "bold"))
    page.paragraph(one.text, label=f"line {one.line}{often}: ")
    certain = _CERTAIN[diagnosis.certainty]
    page.paragraph(certain, label="certain  ", style=_STYLES[diagnosis.certainty])
    page.paragraph(diagnosis.cause, label="cause    ")
    if diagnosis.culprit:
        owner = diagnosis.culprit.owner.title
        page.paragraph(f"{diagnosis.culprit.path} ({owner})", label="culprit  ")
    for number, seen in enumerate(few(diagnosis.evidence, FEW, verbose=verbose)):
        page.paragraph(seen, label="         " if number else "seen     ")
    page.paragraph(diagnosis.remedy, label="remedy   ")
    if fix := _fix(diagnosis):
        page.paragraph(f"{fix} (`envfix fix` shows it)", label="fix      ")
    if diagnosis.rules:
        found = "found by" if diagnosis.findings else "would be found by"
        page.paragraph(f"{found} {', '.join(diagnosis.rules)}", label="rules    ")
    for number, source in enumerate(few(one.error.sources, FEW, verbose=verbose)):
        page.paragraph(source, label="         " if number else "threads  ")
    page.add()


def _fix(diagnosis: Diagnosis) -> str | None:
    return next((f.fix.title for f in diagnosis.findings if f.fix), None)


def render_json(diagnoses: Iterable[Diagnosis], *, unknown: str = "") -> str:
    """Return diagnoses as JSON."""
    told = JsonExplanation(
        schema=1,
        diagnoses=tuple(_json(diagnosis) for diagnosis in diagnoses),
        unknown=(unknown,) if unknown else (),
    )
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def _json(diagnosis: Diagnosis) -> JsonDiagnosis:
    one, culprit = diagnosis.recognized, diagnosis.culprit
    return JsonDiagnosis(
        id=one.error.id,
        title=one.error.title,
        cause=diagnosis.cause,
        certainty=diagnosis.certainty,
        captured=dict(one.captured),
        culprit=JsonCulprit(culprit.path, culprit.owner.title) if culprit else None,
        rules=diagnosis.rules,
        evidence=diagnosis.evidence,
        remedy=diagnosis.remedy,
        fix=_fix(diagnosis),
        sources=one.error.sources,
        line=one.line,
        count=one.count,
        text=one.text,
    )
