"""What a known error means here: the parts that it names are held against the environment."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import msgspec

from reconciler.explain.folding import folded
from reconciler.explain.places import elsewhere, of_place, sentence
from reconciler.explain.replaying import culprit_of_caller, is_of_here, of_replay, opens
from reconciler.explain.windows_replaying import of_windows_replay
from reconciler.model.cuda import Variant
from reconciler.model.diagnosis import CERTAINTIES, Culprit, Diagnosis
from reconciler.model.finding import INSTALLED
from reconciler.model.which import Origin

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
    "here the library is found, and opened without an error as far as is seen: the message is of"
    " another environment or shell, or of before a change"
)
#: Of the files that people write.
_PROJECT = Origin(title="the project's own file", kind="project")
#: A message that names one of these is about a library that was found.
_BUT_FOUND = frozenset(("symbol", "version", "reason"))
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
    told = [_diagnosis(one, world, findings, answers) for one in folded(recognized)]
    return tuple(
        sorted(told, key=lambda d: (d.recognized.error.rank > 1, CERTAINTIES.index(d.certainty)))
    )


def general(recognized: Iterable[Recognized]) -> tuple[Diagnosis, ...]:
    """Return what the messages mean anywhere, where there is no environment to ask."""
    return tuple(_general(one) for one in folded(recognized))


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
    own.sort(key=lambda finding: not _is_installed(finding))
    parts = {one.captured[part] for part in _TELLING if part in one.captured} | {*_sonames(one)}
    named = [finding for finding in own if parts & _words(finding)]
    played = of_replay(plain, world) or of_windows_replay(plain, world)
    # What a file declares need not be what is installed where the message is from.
    mine = [finding for finding in own if _is_about(finding, played)]
    installed = _with_roots([one for one in named if _is_installed(one) and one in mine], mine)
    looked_at = world.snapshot.target.prefix is not None
    told = (
        of_place(plain, own, world)
        or _of_findings(played or plain, "proven", installed, seen)
        or played
        or _of_missing(plain, asked, world)
        or _of_misfit(plain, world, seen)
        or _of_cpu_build(plain, world, own)
        or _of_findings(plain, "likely", named, seen)
        or _of_findings(plain, "likely", () if parts and looked_at else _on_package(own, one), seen)
        or _of_found(plain, opens(plain, world), seen)
    )
    if told.certainty == "proven":
        return told
    # What explains a message of another environment is to be asked of that.
    return msgspec.structs.replace(told, evidence=(*elsewhere(one, world), *told.evidence))


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
        cause=sentence(first.message),
        evidence=(*plain.evidence, *first.evidence, *_seen(seen)),
        remedy=first.remedy,
        culprit=plain.culprit or _declared(first),
        findings=tuple(findings),
    )


def _is_about(finding: Finding, played: Diagnosis | None) -> bool:
    """Tell whether a finding is on the file at fault, where that is known: its package, or folder.

    Several files of one name lie in many environments, and what is wrong with one is not what
    another process has met.
    """
    culprit = played.culprit if played else None
    if culprit is None:
        return True
    places = [finding.at, *finding.related]
    text = " ".join((finding.message, finding.remedy, *finding.evidence))
    text += "".join(f" {place.subject} {place.path}" for place in places)
    words = set(re.split(r"[\s`'\"(),;:=]+", text))
    named = {culprit.path, posixpath.dirname(culprit.path), culprit.owner.package}
    return not named.isdisjoint(words)


def _with_roots(named: Sequence[Finding], findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return findings, before each the one that explains it: the disease before its symptom."""
    by_cause = {finding.cause: finding for finding in findings}
    found: dict[str, Finding] = {}
    for one in named:
        roots = (by_cause[cause] for cause in one.explained_by if cause in by_cause)
        found |= {root.cause: root for root in roots}
    return tuple((found | {one.cause: one for one in named}).values())


def _is_installed(finding: Finding) -> bool:
    return f"@{INSTALLED}" in finding.cause


def _declared(finding: Finding) -> Culprit | None:
    """Return the line of a declared file that a finding is on."""
    at = finding.at
    if not at.path or at.line is None or _is_installed(finding):
        return None
    return Culprit(path=at.path, line=at.line, owner=_PROJECT)


def _of_missing(plain: Diagnosis, asked: Sequence[Which], world: World) -> Diagnosis | None:
    """Say that the library is not found here, to whom a message may be about."""
    one = plain.recognized
    is_path = {"words", "folder"} <= one.captured.keys()
    if _BUT_FOUND & one.captured.keys() or is_path:
        return None
    for which in asked:
        missing = _missing(which, one)
        if not missing:
            continue
        when = ", and ".join(dict.fromkeys(str(answer.situation) for answer in missing))
        near = f" What comes nearest here is {', '.join(which.near)}." if which.near else ""
        is_proven = missing[0].askers or (one.is_opened_by_name and is_of_here(one, world))
        return msgspec.structs.replace(
            plain,
            certainty="proven" if is_proven else "likely",
            cause=f"{which.soname} is not found, {when}.{near} {plain.cause}",
            evidence=_seen((*missing, *which.answers)),
        )
    return None


def _missing(which: Which, one: Recognized) -> Sequence[WhichAnswer]:
    """Return the answers that are none: to libraries that ask, else to whoever opens it by name.

    That a name alone leads nowhere tells nothing where libraries need it and have it by their own
    paths, unless the traceback tells that ctypes opened it.
    """
    lost = [answer for answer in which.answers if answer.path is None]
    askers = [answer for answer in lost if answer.askers]
    are_served = any(answer.askers and answer.path for answer in which.answers)
    if askers or (are_served and not one.is_opened_by_name):
        return askers
    return lost


def _of_found(plain: Diagnosis, fine: tuple[str, ...], seen: Sequence[WhichAnswer]) -> Diagnosis:
    """Say what answers here, and that a library which a message misses is there: no culprit."""
    is_named = "ELF501" in plain.recognized.error.rules
    is_found = fine or (is_named and any(answer.path for answer in seen))
    evidence = (*((_ELSEWHERE,) if is_found else ()), *fine, *_seen(seen))
    return msgspec.structs.replace(plain, culprit=None, evidence=evidence)


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
    real = loading.tree.real_path
    pairs = {(real(who), real(a.path)) for a in seen if a.path for who in a.askers}
    for misfit in view.misfits if pairs else ():
        missing = {unbound.symbol for unbound in misfit.symbols}
        missing |= {version.version for version in misfit.versions}
        if (misfit.consumer, misfit.provider) in pairs and (lacks := missing & wanted):
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
    first = f"{builds[0].manager}'s {builds[0]} is what there is here, and a build for the CPU."
    plain = msgspec.structs.replace(plain, cause=f"{first} {plain.cause}")
    told = _of_findings(plain, "proven", own, ()) or plain
    said = tuple(f"{one} is a build for the CPU: {one.evidence}" for one in builds)
    culprit = culprit_of_caller(plain.recognized, world) or told.culprit
    evidence = (*said, *told.evidence)
    return msgspec.structs.replace(told, certainty="proven", culprit=culprit, evidence=evidence)


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
