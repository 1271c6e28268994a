"""Which lines of a file ask for a version that does not exist."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.builds import indexes
from reconciler.model.conda_spec import CondaSpec, InvalidCondaSpec
from reconciler.model.conda_version import parse_version
from reconciler.model.manifest import Section
from reconciler.model.offer import NeverReleased, label_of
from reconciler.model.release_clause import clauses_of
from reconciler.model.row import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.catalog import Catalog
    from reconciler.model.install_set import InstallSet
    from reconciler.model.manifest import Declared
    from reconciler.model.published import KnownVersions
    from reconciler.model.release_clause import Clause

_AT_LEAST = {"==", "===", "~=", ">=", ">"}
# 0.9.0a0+33b2469: setuptools' version of a checkout, with the commit behind it.
_COMMIT = re.compile(r"[\d.]+(?:a|b|rc)\d+\+(?:git)?[0-9a-f]{7,40}")


def never_released(install: InstallSet, catalog: Catalog) -> Iterator[NeverReleased]:
    """Yield the lines of a set that no version of their package satisfies."""
    if not indexes.is_asked_for(install):
        return
    given = indexes.asking(install, catalog.published)
    for line in install.requirements(Section.PIP):
        known = catalog.published.versions("pip", line.name)
        # An unknown index may have builds of its own; so may nightly ones.
        if known and "@" not in line.text and all(o.site and not o.is_early for o in given(line)):
            yield from _of_pip(line, known, catalog)
    for line in install.requirements(Section.CONDA):
        if known := catalog.published.versions("conda", line.name):
            yield from _of_conda(line, known)


def _of_pip(line: Declared, known: KnownVersions, catalog: Catalog) -> Iterator[NeverReleased]:
    clauses = clauses_of(line.text)
    if not known.versions:
        yield _found(line, known, "", ())
        return
    for clause in clauses:
        if clause.operator not in _AT_LEAST:
            continue
        if _COMMIT.fullmatch(clause.version):
            because = f"{clause.version} is what a checkout calls itself when it is built"
            nearest = _nearest(_final(clause.version), known)
            yield _found(line, known, clause.version, nearest, because)
            return
        if clause.is_final and (nearest := _mistaken(clause, known, catalog)):
            yield _found(line, known, clause.version, nearest)
            return
        if builds := _other_builds(line, clause, catalog):
            because = f"{clause.version} was not built, its builds are {' and '.join(builds)}"
            plain = clause.version.partition("+")[0]
            nearest = tuple(f"{plain}+{tag}" for tag in builds)
            yield _found(line, known, clause.version, nearest, because)
            return


def _other_builds(line: Declared, clause: Clause, catalog: Catalog) -> tuple[str, ...]:
    """Return the CUDA builds of a release, where the one that a clause names is none of them."""
    tag = label_of(clause.version)
    pair = catalog.pair(line.name, clause.version)
    of_torch = line.name == "torchvision" and pair is not None and not pair.or_later
    torch = pair.release if pair and of_torch else clause.version
    builds = catalog.published.index_builds("torch" if of_torch else line.name, torch)
    return builds.tags if builds and tag.startswith("cu") and tag not in builds.tags else ()


def _mistaken(clause: Clause, known: KnownVersions, catalog: Catalog) -> tuple[str, ...]:
    """Return the nearest versions, where none satisfies a clause; () where one does, or may."""
    wanted = clause.numbers
    if clause.version in known.versions or wanted < numbers(known.since):
        return ()
    if wanted > _final(known.versions[-1]):
        return _misread(wanted, known, catalog)
    same = [version for version in known.versions if clause.allows(_final(version))]
    if clause.operator in {"==", "==="} and not clause.is_starred:
        # 0.0.26.post1 answers ==0.0.26.* and ~=0.0.26, not ==0.0.26; nor does 2.16.0rc0.
        later = tuple(version for version in same if ".post" in version)
        is_there = any(re.fullmatch(r"[\d.]+", version) for version in same)
        return () if is_there else later or _nearest(wanted, known)
    return () if same else _nearest(wanted, known)


@lru_cache(maxsize=4096)
def _final(version: str) -> tuple[int, ...]:
    """Return the numbers of the final release that a version belongs to: 2 of 2rc1 and 2.post3."""
    return numbers(re.split(r"[a-z]", version, maxsplit=1)[0])


def _shortest(release: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers without the zeros at their end: 1.13.0 is 1.13."""
    return _shortest(release[:-1]) if release and not release[-1] else release


def _misread(wanted: tuple[int, ...], known: KnownVersions, catalog: Catalog) -> tuple[str, ...]:
    """Return what a number above the newest was meant to be; () where it may yet come."""
    text = ".".join(map(str, wanted))
    newest = _final(known.versions[-1])
    is_next_major = wanted[0] == newest[0] + 1 and not any(wanted[1:])
    consumer = catalog.consumer("pip", known.package)
    framework = catalog.consumers.get(consumer.extends or "") if consumer else None
    released = catalog.published.versions("pip", framework.name) if framework else None
    theirs = released.versions if released else ()
    same = next((v for v in theirs if _shortest(numbers(v)) == _shortest(wanted)), None)
    if same and not is_next_major:
        paired = catalog.paired(known.package, same)
        return (paired,) if paired else known.versions[-1:]
    if f"0.{text}" in known.versions:
        return (f"0.{text}",)
    return known.versions[-1:] if known.ended else ()


def _of_conda(line: Declared, known: KnownVersions) -> Iterator[NeverReleased]:
    try:
        spec = CondaSpec.parse(line.text)
    except InvalidCondaSpec:
        return
    versions = [parse_version(version) for version in known.versions]
    if any(spec.allows_version(version) for version in versions):
        return
    pinned = [
        parse_version(clause.operand)
        for clauses in (spec.constraint.alternatives if spec.constraint else ())
        for clause in clauses
        if clause.operator not in {"^", "*"}
    ]
    judged = [v for v in pinned if v >= parse_version(known.since)]
    if judged and (known.ended or any(v < versions[-1] for v in judged)):
        wanted = str(judged[0])
        yield _found(line, known, wanted, _nearest(numbers(wanted), known))


def _nearest(wanted: tuple[int, ...], known: KnownVersions) -> tuple[str, ...]:
    """Return the final versions on both sides of one that does not exist."""
    finals = [v for v in known.versions if re.fullmatch(r"[\d.]+(?:\.post\d+)?", v)]
    if same := [version for version in finals if numbers(version) == wanted]:
        return tuple(same)
    below = [version for version in finals if numbers(version) < wanted][-1:]
    above = [version for version in finals if numbers(version) > wanted][:1]
    return (*below, *above)


def _found(
    line: Declared, known: KnownVersions, version: str, nearest: tuple[str, ...], because: str = ""
) -> NeverReleased:
    return NeverReleased(
        line=line,
        version=version,
        because=because,
        nearest=nearest,
        is_known=bool(known.versions),
        source=known.source,
    )
