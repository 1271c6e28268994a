"""What a known error means here: the parts that it names are held against the environment."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import msgspec

from reconciler.model.cuda import Variant
from reconciler.model.diagnosis import CERTAINTIES, Culprit, Diagnosis
from reconciler.model.finding import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.diagnosis import Certainty
    from reconciler.model.finding import Finding
    from reconciler.model.recognized import Recognized
    from reconciler.model.which import Which, WhichAnswer
    from reconciler.world import World

#: The parts that name one thing and no other.
_TELLING = ("soname", "symbol", "dll")
_ELSEWHERE = (
    "the library is found here: the message is of another environment or shell, or of before a "
    "change"
)
#: As many shells, or starts, of one library are enough to read.
_FEW = 3


def sonames_of(recognized: Iterable[Recognized]) -> tuple[str, ...]:
    """Return the names of libraries that messages name, to be looked for in an environment."""
    names = (part for one in recognized for part in _sonames(one))
    return tuple(dict.fromkeys(names))


def _sonames(one: Recognized) -> Iterator[str]:
    for part in ("soname", "version"):
        name = one.captured.get(part, "")
        if ".so" in name:
            yield posixpath.basename(name)


def diagnose(
    recognized: Iterable[Recognized],
    world: World,
    findings: Sequence[Finding],
    answers: Mapping[str, Which],
) -> tuple[Diagnosis, ...]:
    """Return what each message means here, the surest of the most specific first.

    ``findings`` are what rules found in ``world``, and ``answers`` which files it has for the
    libraries that ``sonames_of`` tells.
    """
    told = [_diagnosis(one, world, findings, answers) for one in recognized]
    return tuple(
        sorted(told, key=lambda d: (d.recognized.error.rank > 1, CERTAINTIES.index(d.certainty)))
    )


def general(recognized: Iterable[Recognized]) -> tuple[Diagnosis, ...]:
    """Return what the messages mean anywhere, where there is no environment to ask."""
    return tuple(_general(one) for one in recognized)


def _general(one: Recognized) -> Diagnosis:
    error = one.error
    return Diagnosis(recognized=one, certainty="general", cause=error.cause, remedy=error.remedy)


def _diagnosis(
    one: Recognized, world: World, findings: Sequence[Finding], answers: Mapping[str, Which]
) -> Diagnosis:
    asked = [answers[name] for name in _sonames(one) if name in answers]
    seen = [answer for which in asked for answer in which.answers]
    plain = msgspec.structs.replace(_general(one), culprit=_culprit(one, seen))
    own = [finding for finding in findings if finding.code in one.error.rules]
    # What is installed is what has spoken; a declared file may be of another environment.
    own.sort(key=lambda finding: f"@{INSTALLED}" not in finding.cause)
    parts = {one.captured[part] for part in _TELLING if part in one.captured} | {*_sonames(one)}
    named = [finding for finding in own if parts & _words(finding)]
    return (
        _of_findings(plain, "proven", named, seen)
        or _of_missing(plain, asked)
        or _of_misfit(plain, world, seen)
        or _of_cpu_build(plain, world, own)
        or _of_findings(plain, "likely", () if parts else _on_package(own, one), seen)
        or _of_found(plain, seen)
    )


def _of_findings(
    plain: Diagnosis,
    certainty: Certainty,
    findings: Sequence[Finding],
    seen: Sequence[WhichAnswer],
) -> Diagnosis | None:
    """Take the cause from what rules found here."""
    if not findings:
        return None
    first = findings[0]
    return msgspec.structs.replace(
        plain,
        certainty=certainty,
        cause=f"{first.message[:1].upper()}{first.message[1:]}.",
        evidence=(*first.evidence, *_seen(seen)),
        remedy=first.remedy,
        findings=tuple(findings),
    )


def _of_missing(plain: Diagnosis, asked: Sequence[Which]) -> Diagnosis | None:
    """Say that the library is not found here, if it is not where nothing but its name is known."""
    for which in asked:
        missing = [a for a in which.answers if a.path is None and not a.askers]
        if missing:
            when = ", and ".join(dict.fromkeys(str(answer.situation) for answer in missing))
            near = f" What comes nearest here is {', '.join(which.near)}." if which.near else ""
            return msgspec.structs.replace(
                plain,
                certainty="proven",
                cause=f"{which.soname} is not found {when}.{near} {plain.cause}",
                evidence=_seen((*missing, *which.answers)),
            )
    return None


def _of_found(plain: Diagnosis, seen: Sequence[WhichAnswer]) -> Diagnosis:
    """Say what answers here, and that a library which a message misses is there."""
    evidence = _seen(seen)
    if evidence and "ELF501" in plain.recognized.error.rules:
        evidence += (_ELSEWHERE,)
    return msgspec.structs.replace(plain, evidence=evidence)


def _seen(answers: Iterable[WhichAnswer]) -> tuple[str, ...]:
    """Return in words which files answer, and why."""
    told = (
        f"{answer.situation}, {answer.path} ({answer.owner.title}): {answer.because}"
        if answer.path and answer.owner
        else f"{answer.situation}, nothing is found: {answer.because}"
        for answer in answers
    )
    return tuple(dict.fromkeys(told))[:_FEW]


def _culprit(one: Recognized, seen: Iterable[WhichAnswer]) -> Culprit | None:
    """Return the file that answers, to the library that asks for it in the message if it is known."""
    asker = posixpath.basename(one.captured.get("file", ""))
    found = [answer for answer in seen if answer.path and answer.owner]
    own = [a for a in found if asker and any(posixpath.basename(p) == asker for p in a.askers)]
    taken = next((a for a in own if a.situation.names[0] == "this shell"), None)
    answer = taken or next(iter((*own, *found)), None)
    if answer is None or not answer.path or not answer.owner:
        return None
    return Culprit(path=answer.path, owner=answer.owner)


def _of_misfit(plain: Diagnosis, world: World, seen: Sequence[WhichAnswer]) -> Diagnosis | None:
    """Say that the file which answers lacks what the message names, if it does."""
    view, loading, captured = world.snapshot.loader, world.loading, plain.recognized.captured
    if view is None or loading is None:
        return None
    wanted = {captured.get("symbol"), captured.get("version")}
    answering = {loading.tree.real_path(answer.path) for answer in seen if answer.path}
    for misfit in view.misfits if answering else ():
        missing = {unbound.symbol for unbound in misfit.symbols}
        missing |= {version.version for version in misfit.versions}
        if misfit.provider in answering and (lacks := missing & wanted):
            name = min(filter(None, lacks))
            said = f"{misfit.provider} does not define {name}, which {misfit.consumer} needs"
            evidence = (said, *_seen(seen))
            return msgspec.structs.replace(plain, certainty="proven", evidence=evidence)
    return None


def _of_cpu_build(plain: Diagnosis, world: World, own: Sequence[Finding]) -> Diagnosis | None:
    """Say that what the message tells of is a build for the CPU, if it is one and nothing else."""
    name = plain.recognized.error.cpu_build_of
    builds = [build for build in world.builds if name and build.component == name]
    if not builds or any(build.variant is not Variant.CPU for build in builds):
        return None
    told = _of_findings(plain, "proven", own, ()) or plain
    said = tuple(f"{one} is a build for the CPU: {one.evidence}" for one in builds)
    return msgspec.structs.replace(told, certainty="proven", evidence=(*said, *told.evidence))


def _on_package(findings: Sequence[Finding], one: Recognized) -> Sequence[Finding]:
    """Return the findings on the package that a message names; all where it names none."""
    named = re.match(r"[\w.-]+", one.captured.get("package", ""))
    if not named:
        return findings
    name = _normal(named[0])
    return [f for f in findings if name in map(_normal, re.findall(r"[\w.-]+", f.message))]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).casefold()


def _words(finding: Finding) -> frozenset[str]:
    """Return the words of a finding, the names of files also without their folders."""
    text = " ".join((finding.message, finding.shows_as, finding.cause, *finding.evidence))
    words = [word.strip("`'\"().,:;") for word in text.replace("`", " ").split()]
    return frozenset((*words, *(posixpath.basename(word) for word in words)))
