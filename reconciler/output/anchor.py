"""Where a finding stands for those who want a file: a line of a manifest, even for what is installed."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.editor_lines import split
from reconciler.model.finding import INSTALLED
from reconciler.model.install_set import MAIN
from reconciler.model.manifest import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.finding import Finding, Location
    from reconciler.model.manifest import Declared, Manifest
    from reconciler.model.report import Report

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


class Anchor(NamedTuple):
    """A line of a declared file; ``path`` is "" where there is no such file at all."""

    #: Relative to the project, or absolute.
    path: str
    line: int
    column: int


def anchor_of(report: Report, finding: Finding) -> Anchor:
    """Return a finding's own line, else that of the package's, else the first of the main file."""
    if is_declared(report, finding.at):
        return Anchor(finding.at.path or "", finding.at.line or 1, finding.at.column or 1)
    declared = next(_declaring(report, finding), None)
    if declared:
        return Anchor(declared.path, declared.line, declared.column)
    main = main_manifest(report)
    return Anchor(main.path if main else "", 1, 1)


def line_of(report: Report, package: str) -> Anchor | None:
    """Return the first line that declares a package; None where no file does."""
    name = package.lower().replace("_", "-")
    line = next((d for d in _lines(report) if d.name == name), None)
    return Anchor(line.path, line.line, line.column) if line else None


def is_declared(report: Report, place: Location) -> bool:
    """Tell whether a place is in a declared file."""
    paths = {manifest.path for manifest in report.manifests} | {*report.target.files}
    return place.path is not None and not place.in_prefix and place.path in paths


def main_manifest(report: Report) -> Manifest | None:
    """Return the file that tells most of the project's environment."""

    def rank(manifest: Manifest) -> tuple[bool, int]:
        return manifest.path not in MAIN, manifest.path.count("/")

    return min(report.manifests, key=rank, default=None)


def in_words(report: Report, finding: Finding) -> str:
    """Return a finding's message, its symptoms and its remedy; the environment, if it is there."""
    where = "" if is_declared(report, finding.at) or not report.target.prefix else _where(report)
    on = f" (on {', '.join(finding.platforms)})" if finding.platforms else ""
    hence = "".join(f"\nHence {symptom.code}: {symptom.message}." for symptom in finding.symptoms)
    return (
        f"{finding.message}{on}.{where}\nIt shows: {finding.shows_as}."
        f"\nWhat to do: {finding.remedy}.{hence}"
    )


def _where(report: Report) -> str:
    return f" ({INSTALLED.capitalize()} is {report.target.prefix}.)"


def from_root(report: Report, path: str, root: str) -> str:
    """Return a path of the report relative to a folder; absolute where it lies outside of it."""
    full = posixpath.normpath(posixpath.join(report.target.project, path))
    below = f"{root.rstrip('/')}/"
    return full.removeprefix(below)


def text_of(report: Report, path: str, line: int) -> str:
    """Return a line of a declared file; "" where it has none of that number."""
    manifest = next((m for m in report.manifests if m.path == path), None)
    lines = split(manifest.text) if manifest else []
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _declaring(report: Report, finding: Finding) -> Iterator[Declared]:
    """Yield the lines that declare what a finding is about: the one that its place names first."""
    places = (finding.at, *finding.related)
    for place in places:
        if is_declared(report, place):
            yield from (d for d in _lines(report) if (d.path, d.line) == (place.path, place.line))
        names = {word.lower().replace("_", "-") for word in _NAME.findall(place.subject)}
        yield from (d for d in _lines(report) if d.name in names)


def _lines(report: Report) -> Iterator[Declared]:
    for manifest in report.manifests:
        yield from (d for d in manifest.declared if d.kind is Kind.REQUIREMENT)
