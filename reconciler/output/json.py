"""The report as JSON: the contract with scripts and CI, ``"schema": 1``.

The published schema, ``docs/report.schema.json``, is made of the types here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, assert_never

import msgspec
from msgspec import UNSET, Struct, UnsetType

from reconciler.model.cuda import Manager, Role, Variant
from reconciler.model.finding import Severity
from reconciler.model.fix import Applicability, Tool
from reconciler.model.hook import PrependPath, RemoveElement, SetVariable, Unset
from reconciler.output.graph import JsonGraph, graph_of

if TYPE_CHECKING:
    from reconciler.model.cuda import CudaBuild
    from reconciler.model.finding import Finding, Location
    from reconciler.model.fix import Fix
    from reconciler.model.hook import HookChange, HookVariable
    from reconciler.model.pip_view import LiveView
    from reconciler.model.report import Report


class JsonTarget(Struct, frozen=True):
    """Which project and environment were looked at."""

    project: str
    prefix: str | None
    kind: Literal["conda", "venv", "system", "none"]
    platform: str
    because: str
    notes: tuple[str, ...]
    #: The platforms that declared files were judged for; empty for each that they may be for.
    platforms: tuple[str, ...]
    #: The CUDA that is meant: ``12.4``, ``none``, or ``auto`` where nothing is said.
    cuda: str
    #: The driver and the GPUs that were judged for, and what is around, each in words.
    machine: tuple[str, ...]
    #: The files that ``check`` was asked about, and those of them that declare no environment.
    files: tuple[str, ...]
    left_alone: tuple[str, ...]


class JsonSummary(Struct, frozen=True):
    """How many top-level findings of each severity, and how many rules were passed over."""

    error: int
    warning: int
    info: int
    skipped: int


class JsonBuild(Struct, frozen=True):
    """What one installed package has to do with CUDA."""

    subject: str
    manager: Manager
    role: Role
    component: str
    #: ``12`` or ``12.1``; null where the release is not known, and for other variants.
    cuda: str | None
    variant: Variant
    evidence: str
    path: str | None


class JsonLocation(Struct, frozen=True):
    """A place in words, and a file if there is one."""

    subject: str
    path: str | None
    line: int | None
    column: int | None


class JsonCommand(Struct, frozen=True):
    """A command for the user's own package manager, which envfix does not run."""

    manager: Tool
    #: The program first.
    argv: tuple[str, ...]
    why: str
    #: Whether it takes something away.
    destructive: bool
    #: How often it has to be run.
    times: int


class JsonHook(Struct, frozen=True):
    """A variable that the environment's activation is to change, in every shell, and to restore."""

    name: str
    does: Literal["set", "prepend", "remove", "unset"]
    #: What it is set to, or the elements that are put in front or taken out; ``$PREFIX`` is the
    #: environment, where it is then.
    values: tuple[str, ...]
    why: str


class JsonFix(Struct, frozen=True):
    """A fix that envfix knows for a finding."""

    title: str
    applicability: Applicability
    #: In the order in which they are to be run; empty where files are edited, or a person chooses.
    commands: tuple[JsonCommand, ...]
    hooks: tuple[JsonHook, ...] | UnsetType = UNSET


class JsonFinding(Struct, frozen=True):
    """One finding; those that it explains lie in ``symptoms``."""

    code: str
    name: str
    severity: Severity
    message: str
    shows_as: str
    remedy: str
    evidence: tuple[str, ...]
    subject: str
    path: str | None
    line: int | None
    column: int | None
    related: tuple[JsonLocation, ...]
    #: Those that it holds for; empty for all that its file was judged for.
    platforms: tuple[str, ...]
    cause: str
    symptoms: tuple[JsonFinding, ...]
    #: The rule's page; null until the docs have an address. ``envfix rule CODE`` prints it.
    url: str | None
    fix: JsonFix | UnsetType = UNSET


class JsonIgnored(Struct, frozen=True):
    """A finding that the user's own files silence."""

    finding: JsonFinding
    reason: str
    #: Where that is said.
    by: JsonLocation


class JsonSkip(Struct, frozen=True):
    """A rule that could not be asked, and why."""

    code: str
    reason: str


class JsonGap(Struct, frozen=True):
    """What could not be looked at, and why."""

    fact: str
    item: str | None
    reason: str


class JsonCrash(Struct, frozen=True):
    """A rule with a bug in it."""

    code: str
    traceback: str


class JsonListed(Struct, frozen=True):
    """A distribution as the environment's own pip sees it."""

    version: str
    #: Relative to the prefix where inside it.
    location: str


class JsonDifference(Struct, frozen=True):
    """A distribution of which pip, the disk and conda's records do not say the same."""

    name: str
    pip: JsonListed | None
    #: The versions on the disk, and those that conda has recorded.
    disk: tuple[str, ...]
    conda: tuple[str, ...]


class JsonLive(Struct, frozen=True):
    """What ``--live`` heard: how many distributions pip sees, and where it differs."""

    seen: int
    differences: tuple[JsonDifference, ...]


class JsonReport(Struct, frozen=True):
    """The whole report."""

    schema: Literal[1]
    envfix: str
    target: JsonTarget
    summary: JsonSummary
    builds: tuple[JsonBuild, ...]
    findings: tuple[JsonFinding, ...]
    ignored: tuple[JsonIgnored, ...]
    skipped: tuple[JsonSkip, ...]
    gaps: tuple[JsonGap, ...]
    crashes: tuple[JsonCrash, ...]
    #: Null where pip was not asked, or gave no answer, which is among the gaps.
    live: JsonLive | None
    #: What is mapped for whom; null where no environment of Linux was looked at.
    graph: JsonGraph | None


def render(report: Report) -> str:
    """Return the report as indented JSON."""
    encoded = msgspec.json.encode(_report(report))
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``render`` writes."""
    return msgspec.json.schema(JsonReport) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The report of envfix, schema 1",
    }


def _report(report: Report) -> JsonReport:
    target = report.target
    severities = [finding.severity for finding in report.findings]
    return JsonReport(
        schema=1,
        envfix=report.envfix,
        target=JsonTarget(
            project=target.project,
            prefix=target.prefix,
            kind=target.kind,
            platform=target.platform,
            because=target.because,
            notes=target.notes,
            platforms=target.platforms,
            cuda=target.cuda,
            machine=report.machine,
            files=target.files,
            left_alone=report.left_alone,
        ),
        summary=JsonSummary(
            error=severities.count(Severity.ERROR),
            warning=severities.count(Severity.WARNING),
            info=severities.count(Severity.INFO),
            skipped=len(report.skips),
        ),
        builds=tuple(_build(report, build) for build in report.builds),
        findings=tuple(_finding(report, finding) for finding in report.findings),
        ignored=tuple(
            JsonIgnored(_finding(report, i.finding), i.by.reason, _location(report, i.by.at))
            for i in report.ignored
        ),
        skipped=tuple(JsonSkip(skip.code, skip.reason) for skip in report.skips),
        gaps=tuple(JsonGap(gap.fact, gap.item, gap.reason) for gap in report.gaps),
        crashes=tuple(JsonCrash(crash.code, crash.traceback) for crash in report.crashes),
        live=_live(report.live) if report.live else None,
        graph=graph_of(report.graph) if report.graph else None,
    )


def _live(live: LiveView) -> JsonLive:
    return JsonLive(
        seen=live.seen,
        differences=tuple(
            JsonDifference(
                name=difference.name,
                pip=JsonListed(difference.pip.version, difference.pip.location)
                if difference.pip
                else None,
                disk=difference.disk,
                conda=difference.conda,
            )
            for difference in live.differences
        ),
    )


def _build(report: Report, build: CudaBuild) -> JsonBuild:
    return JsonBuild(
        subject=str(build),
        manager=build.manager,
        role=build.role,
        component=build.component,
        cuda=str(build.cuda) if build.cuda else None,
        variant=build.variant,
        evidence=build.evidence,
        path=report.path_of(build.at),
    )


def _finding(report: Report, finding: Finding) -> JsonFinding:
    return JsonFinding(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        message=finding.message,
        shows_as=finding.shows_as,
        remedy=finding.remedy,
        evidence=finding.evidence,
        subject=finding.at.subject,
        path=report.path_of(finding.at),
        line=finding.at.line,
        column=finding.at.column,
        related=tuple(_location(report, location) for location in finding.related),
        platforms=finding.platforms,
        cause=finding.cause,
        symptoms=tuple(_finding(report, symptom) for symptom in finding.symptoms),
        url=None,
        fix=_fix(finding.fix) if finding.fix else UNSET,
    )


def _fix(fix: Fix) -> JsonFix:
    commands = tuple(
        JsonCommand(c.manager, c.argv, c.why, c.destructive, c.times) for c in fix.commands
    )
    hooks = tuple(_hook(variable, change) for change in fix.hooks for variable in change.variables)
    return JsonFix(fix.title, fix.applicability, commands, hooks or UNSET)


def _hook(variable: HookVariable, change: HookChange) -> JsonHook:
    match variable:
        case SetVariable(name=name, value=value, path=path):
            below = "" if path is None else f"$PREFIX/{path}".rstrip("/")
            return JsonHook(name, "set", (f"{value}{below}",), change.why.sentence)
        case PrependPath(name=name, directories=directories):
            values = tuple(f"$PREFIX/{directory}" for directory in directories)
            return JsonHook(name, "prepend", values, change.why.sentence)
        case RemoveElement(name=name, directory=directory):
            return JsonHook(name, "remove", (directory,), change.why.sentence)
        case Unset(name=name):
            return JsonHook(name, "unset", (), change.why.sentence)
        case _:
            assert_never(variable)


def _location(report: Report, location: Location) -> JsonLocation:
    path = report.path_of(location)
    return JsonLocation(location.subject, path, location.line, location.column)
