"""Which boxes of the picture a finding is about, and what its fix does to each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from reconciler.model.finding import Severity, flat
from reconciler.model.fix import Remove, Replace
from reconciler.output.html.rows import DRIVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.report import Report

_OF_DRIVERS = "DRV"
#: What becomes of a package; "keep" where the fix changes others, "" where no fix is known.
Act = Literal["remove", "replace", "reinstall", "keep", ""]


class Mark(Struct, frozen=True, kw_only=True):
    """Something is wrong with it."""

    severity: Severity
    #: The place of the finding among those of the report, from 1; None where no finding tells it.
    finding: int | None = None
    act: Act = ""
    #: The words of the commands that bring it.
    brought_by: frozenset[str] = frozenset()

    @property
    def is_changed(self) -> bool:
        """Whether the finding's fix takes it away or puts something in its place."""
        return self.act in {"remove", "replace", "reinstall"}


class _Deed(Struct, frozen=True):
    act: Act
    brought_by: frozenset[str] = frozenset()


def marks_of(report: Report) -> Mapping[object, Mark]:
    """Return the mark of each place that a finding names, and of the driver; the worst wins.

    What a fix changes has one more, by its manager and name, or by the line that declares it.
    """
    marks: dict[object, Mark] = {}
    for number, root in enumerate(report.findings, 1):
        if root.severity is not Severity.INFO:
            kind = str if report.target.prefix else tuple
            deeds = {k: deed for k, deed in _deeds_of(root).items() if isinstance(k, kind)}
            for key, deed in deeds.items():
                made = Mark(severity=root.severity, finding=number, act=deed.act)
                made = msgspec.structs.replace(made, brought_by=deed.brought_by)
                marks.setdefault(key, made)
            mark = Mark(severity=root.severity, finding=number, act="keep" if deeds else "")
            for place in _places(report, root):
                marks.setdefault(place, mark)
    return marks


def _places(report: Report, root: Finding) -> Iterator[object]:
    for finding in flat([root]):
        # What is only told is no trouble.
        if finding.severity is Severity.INFO:
            continue
        for place in (finding.at, *finding.related):
            yield place
            # Of what is installed, a subject is the package, whichever file of it is meant.
            if report.target.prefix and place.line is None:
                yield place.subject
        if finding.code.startswith(_OF_DRIVERS):
            yield DRIVER


def _deeds_of(root: Finding) -> Mapping[object, _Deed]:
    """Return what the fix of a finding does, and that of the same rule's in another place."""
    same = [finding for finding in flat([root]) if finding.code == root.code and finding.fix]
    deeds: dict[object, _Deed] = {}
    for finding in same:
        if finding.fix:
            deeds = dict(_deeds(finding.fix)) | deeds
    return deeds


def _deeds(fix: Fix) -> Iterator[tuple[object, _Deed]]:
    yield from ((name, _Deed("remove")) for name in fix.removes)
    yield from ((name, _Deed("replace")) for name in fix.replaces)
    for edit in fix.edits:
        if isinstance(edit, Remove | Replace):
            act: Act = "remove" if isinstance(edit, Remove) else "replace"
            yield (edit.path, edit.line.line), _Deed(act)
    gone = dict.fromkeys(n for c in fix.commands if c.destructive for n in c.packages)
    brought: dict[str, frozenset[str]] = {}
    for command in fix.commands:
        if not command.destructive:
            brought |= dict.fromkeys(command.packages, frozenset(command.argv))
    for name in gone:
        words = brought.get(name, frozenset())
        yield name, _Deed("replace" if name in brought else "remove", words)
    # What is written again beside what goes is what stays.
    for name, words in brought.items():
        if name not in gone:
            yield name, _Deed("replace", words) if not gone else _Deed("keep", words)


def mark_of(build: CudaBuild, marks: Mapping[object, Mark]) -> Mark | None:
    """Return the mark of a package: what a fix does to it counts before what is only said of it."""
    named = marks.get(build.at) or marks.get(build.at.subject)
    line = (build.at.path, build.at.line)
    deed = marks.get(f"{build.manager}:{build.package}") or marks.get(line)
    if deed is None or (named is None and deed.act == "keep"):
        return named
    worst = min(deed.severity, (named or deed).severity, key=lambda severity: severity.rank)
    act = "reinstall" if deed.act == "replace" and _is_same(build, deed) else deed.act
    return Mark(severity=worst, finding=deed.finding, act=act)


def _is_same(build: CudaBuild, deed: Mark) -> bool:
    """Tell whether what is brought is the version that is there."""
    pins = (f"{build.package}={build.version}", f"{build.package}=={build.version}")
    return any(word in pins or word.startswith(f"{pins[0]}=") for word in deed.brought_by)


def urgency(mark: Mark | None) -> int:
    """Return what to sort boxes by: what a fix changes first, then the worst, those without last."""
    if mark is None:
        return 2 * len(Severity) + 2
    return 2 * mark.severity.rank + (not mark.is_changed)
