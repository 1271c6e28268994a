"""Which pinned wheels were made for none of the Pythons that a file allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.builds import indexes
from reconciler.builds.declared import pinned_version
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import parse_version
from reconciler.model.manifest import Kind, Section
from reconciler.model.offer import PythonMisfit
from reconciler.model.release_clause import read_clauses
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.published import Published, PythonSpan

#: The Pythons that any wheel in the tables was made for, and those that may come.
_MINORS = ("2.7", *(f"3.{minor}" for minor in range(5, 21)))
# A release has fewer patches than this; 3.8.20 was the last of 3.8.
_PATCHES = 30
_IMAGE = re.compile(r"(?:.*/)?python:(\d\.\d+)(?:[.-].*)?")


def misfits(install: InstallSet, published: Published) -> Iterator[PythonMisfit]:
    """Yield the pinned wheels of a set that no allowed Python can install."""
    if not indexes.is_asked_for(install):
        return
    spans = [*_spans(install, published)]
    said = _said(install) if spans else {}
    because = tuple(said)
    allowed = _allowed(said)
    given = indexes.asking(install, published)
    for line, version, span in spans if because and allowed else ():
        # An index of which nothing is known may have wheels of its own.
        if not any(map(span.holds, allowed)) and all(offer.site for offer in given(line)):
            yield PythonMisfit(
                line=line,
                version=version,
                span=span,
                because=because,
                allowed=allowed,
                fitting=_fitting(line.name, span, allowed, published),
            )


def may_have(install: InstallSet, package: str, version: str, published: Published) -> bool:
    """Tell whether a Python that a set allows is one that a release of a wheel was made for."""
    span = published.pythons(package, version)
    return span is None or any(map(span.holds, _allowed(_said(install))))


def _said(install: InstallSet) -> Mapping[Declared, Collection[str]]:
    """Return the lines that keep Python to some minors, each with these."""
    found = {line: _allowed_by(line) for line in _pythons(install)}
    return {line: minors for line, minors in found.items() if minors is not None}


def _allowed(said: Mapping[Declared, Collection[str]]) -> tuple[str, ...]:
    return tuple(minor for minor in _MINORS if all(minor in minors for minors in said.values()))


def _spans(install: InstallSet, published: Published) -> Iterator[tuple[Declared, str, PythonSpan]]:
    """Yield the pinned wheels of a set with the Pythons that they were made for."""
    for line in install.requirements(Section.PIP):
        if "@" in line.text or "python" in line.marker or not published.has_pythons(line.name):
            continue
        version = pinned_version(line)
        if span := published.pythons(line.name, version):
            yield line, version, span


def _fitting(name: str, span: PythonSpan, allowed: tuple[str, ...], published: Published) -> str:
    """Return the release nearest to a pinned one that an allowed Python has a wheel of."""
    is_older = numbers(allowed[-1]) < numbers(span.first)
    minors = reversed(allowed) if is_older else allowed
    found = (published.releases_for(name, minor) for minor in minors)
    return next((releases[-1 if is_older else 0] for releases in found if releases), "")


def _pythons(install: InstallSet) -> Iterator[Declared]:
    yield from install.of_kind(Kind.PYTHON)
    yield from (d for d in install.requirements(Section.CONDA) if d.name == "python")
    # The last stage of a Dockerfile is the image that is built.
    yield from install.of_kind(Kind.IMAGE)[-1:]


def _allowed_by(line: Declared) -> frozenset[str] | None:
    """Return the Pythons that a line allows; None where it says nothing of them."""
    if line.kind is Kind.IMAGE:
        match = _IMAGE.fullmatch(line.text)
        return frozenset({match[1]}) if match else None
    if line.kind is Kind.PYTHON:
        clauses = read_clauses(line.text)
        if not clauses or len(clauses) != line.text.count(",") + 1:
            return None
        named = {patch for clause in clauses for patch in clause.numbers[2:3]}
        patches = (0, *named, *(patch + 1 for patch in named), _PATCHES)
        return frozenset(
            minor
            for minor in _MINORS
            if any(all(c.allows((*numbers(minor), p)) for c in clauses) for p in patches)
        )
    return _allowed_by_conda(line.text)


def _allowed_by_conda(text: str) -> frozenset[str] | None:
    try:
        spec = CondaSpec.parse(text)
    except InvalidCondaSpec:
        return None
    if spec.constraint is None:
        return None
    patches = (0, *{int(patch) for patch in re.findall(r"\d\.\d+\.(\d{1,2})", text)}, _PATCHES)
    return frozenset(
        minor
        for minor in _MINORS
        if any(spec.allows_version(parse_version(f"{minor}.{patch}")) for patch in patches)
    )
