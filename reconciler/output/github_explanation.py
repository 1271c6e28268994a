"""What errors mean, as annotations of GitHub: one a diagnosis, on the line that is at fault if one is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.model.os_name import printable
from reconciler.output.anchor import Anchor, anchor_of, from_root, line_of
from reconciler.output.github import attribute, data

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.diagnosis import Certainty, Diagnosis
    from reconciler.model.report import Report

#: What is proven here is as sure as a rule's finding; what is known anywhere may not hold here.
_COMMANDS: Mapping[Certainty, str] = {"proven": "error", "likely": "warning", "general": "notice"}


def render(
    diagnoses: Sequence[Diagnosis], report: Report | None, *, unknown: str = "", root: str
) -> str:
    """Return one command a diagnosis; paths are relative to ``root``, the folder of the checkout."""
    lines = [_command(diagnosis, report, root) for diagnosis in diagnoses]
    if unknown:
        lines.append(f"unknown: {printable(' '.join(unknown.split()))}")
    return "".join(f"{line}\n" for line in lines)


def _command(diagnosis: Diagnosis, report: Report | None, root: str) -> str:
    error = diagnosis.recognized.error
    title = attribute(f"{error.id}: {error.title}")
    place = _place(diagnosis, report, root) if report else ""
    words = data("\n".join(_words(diagnosis)))
    return f"::{_COMMANDS[diagnosis.certainty]} {place}title={title}::{words}"


def _place(diagnosis: Diagnosis, report: Report, root: str) -> str:
    anchor = _anchor(diagnosis, report)
    if anchor is None or not anchor.path:
        return ""
    path = attribute(from_root(report, anchor.path, root))
    return f"file={path},line={anchor.line},col={anchor.column},"


def _anchor(diagnosis: Diagnosis, report: Report) -> Anchor | None:
    if diagnosis.findings:
        return anchor_of(report, diagnosis.findings[0])
    return next((at for name in _packages(diagnosis) if (at := line_of(report, name))), None)


def _packages(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the packages that a declared file may have a line for."""
    if diagnosis.culprit and diagnosis.culprit.owner.package:
        yield diagnosis.culprit.owner.package
    if named := re.match(r"[\w.-]+", diagnosis.recognized.captured.get("package", "")):
        yield named[0]


def _words(diagnosis: Diagnosis) -> Iterator[str]:
    one = diagnosis.recognized
    yield f"Line {one.line}: {one.text}"
    yield f"{diagnosis.certainty.capitalize()}: {diagnosis.cause}"
    if diagnosis.culprit:
        yield f"Culprit: {diagnosis.culprit.path} ({diagnosis.culprit.owner.title})"
    yield from (f"Seen: {seen}" for seen in diagnosis.evidence[:1])
    yield f"What to do: {diagnosis.remedy}"
