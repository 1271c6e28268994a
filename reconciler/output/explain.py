"""What errors mean, for a terminal and for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reconciler.model.look import PLAIN
from reconciler.model.os_name import printable
from reconciler.output.page import FEW, Page, few

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.diagnosis import Culprit, Diagnosis
    from reconciler.model.look import Look

_CERTAIN = {
    "proven": "proven here",
    "likely": "likely here",
    "general": "not seen here: what such a message means in general",
}
_STYLES = {"proven": "error", "likely": "warning", "general": "bold"}
_NOTHING = "No error that envfix knows stands in this text."
_LIBRARY = re.compile(r"(?<![\w.+-])(?:lib[\w+-][\w.+-]*?\.so(?:\.\d+)*|[\w.+-]+\.dll)(?![\w+-])")
_RAISED = re.compile(r"\b([A-Z]\w*(?:Error|Exception))\b")


class JsonCulprit(Struct, frozen=True, omit_defaults=True):
    """The file that a message is about."""

    path: str
    owner: str
    #: Of a declared file, from 1.
    line: int | None = None


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
    #: Where less specific messages tell of the same.
    also_at: tuple[int, ...]
    text: str


class JsonExplanation(Struct, frozen=True):
    """All of a text."""

    schema: int
    diagnoses: tuple[JsonDiagnosis, ...]
    #: The last line of a text in which nothing is known.
    unknown: tuple[str, ...]


def render(
    diagnoses: Sequence[Diagnosis],
    look: Look = PLAIN,
    *,
    unknown: str = "",
    verbose: bool = False,
) -> str:
    """Return diagnoses as text."""
    page = Page(look)
    for diagnosis in diagnoses:
        _add(page, diagnosis, verbose=verbose)
    if not diagnoses:
        if unknown:
            page.paragraph(unknown, label="unknown  ", indent=0)
        page.paragraph(f"{_NOTHING} {_after_nothing(unknown)}", indent=0)
    return "\n".join(page.lines).rstrip() + "\n"


def _after_nothing(text: str) -> str:
    """Return what of an unknown text is known all the same, and what to run next."""
    named = list(dict.fromkeys(_LIBRARY.findall(text)))[:FEW]
    asked = " and ".join(f"`envfix which {name}`" for name in named)
    if named:
        return f"It names {', '.join(named)}: {asked} tells what answers here, and why."
    scan = "`envfix scan` holds the environment itself against every rule."
    if raised := _RAISED.search(text):
        return f"{raised[1]} is raised by the program itself, as far as this text tells. {scan}"
    return f"{scan} The lines above the last one of a traceback often say more: pipe all of it."


def _next(diagnosis: Diagnosis) -> str:
    """Return the command that tells more where nothing was seen here; "" elsewhere."""
    if diagnosis.certainty != "general":
        return ""
    captured = diagnosis.recognized.captured
    name = captured.get("soname") or captured.get("dll") or ""
    if name and "/" not in name:
        return f"`envfix which {name}` tells what answers here, and why"
    return "`envfix scan` holds the environment against every rule"


def _add(page: Page, diagnosis: Diagnosis, *, verbose: bool) -> None:
    one = diagnosis.recognized
    often = f", {one.count} times" if one.count > 1 else ""
    page.add(page.style(printable(one.error.title), "bold"))
    also = f" (and, in other words, {', '.join(map(str, one.also_at))})" if one.also_at else ""
    page.paragraph(one.text, label=f"line {one.line}{also}{often}: ", style="dim")
    certain = _CERTAIN[diagnosis.certainty]
    page.paragraph(certain, label="certain  ", style=_STYLES[diagnosis.certainty])
    page.paragraph(diagnosis.cause, label="cause    ", style="dim")
    if diagnosis.culprit:
        page.paragraph(_culprit(diagnosis.culprit), label="culprit  ", style="dim")
    for number, seen in enumerate(few(diagnosis.evidence, FEW, verbose=verbose)):
        label = "         " if number else "seen     "
        page.paragraph(seen, label=label, style="dim", body="quiet")
    page.paragraph(diagnosis.remedy, label="remedy   ", style="good")
    if further := _next(diagnosis):
        page.paragraph(further, label="next     ", style="dim")
    if fix := _fix(diagnosis):
        page.paragraph(f"{fix} (`envfix fix` shows it)", label="fix      ", style="good")
    if diagnosis.rules and (diagnosis.findings or diagnosis.certainty == "general"):
        found = "found by" if diagnosis.findings else "would be found by"
        page.paragraph(f"{found} {', '.join(diagnosis.rules)}", label="rules    ", style="dim")
    for number, source in enumerate(few(one.error.sources, FEW, verbose=verbose)):
        label = "         " if number else "threads  "
        page.paragraph(source, label=label, style="dim", body="quiet")
    page.add()


def _culprit(culprit: Culprit) -> str:
    line = f":{culprit.line}" if culprit.line else ""
    return f"{culprit.path}{line} ({culprit.owner.title})"


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
        culprit=JsonCulprit(culprit.path, culprit.owner.title, culprit.line) if culprit else None,
        rules=diagnosis.rules,
        evidence=diagnosis.evidence,
        remedy=diagnosis.remedy,
        fix=_fix(diagnosis),
        sources=one.error.sources,
        line=one.line,
        count=one.count,
        also_at=one.also_at,
        text=one.text,
    )
