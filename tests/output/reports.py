"""Reports to be shown: of the rules' own examples, and of what no rule has found yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import pipeline, rules
from reconciler.model.finding import Finding, Location, Severity
from reconciler.model.report import Crash, Report, Skip
from reconciler.model.snapshot import Fact, Gap, Target
from reconciler.testing import sketch

if TYPE_CHECKING:
    from collections.abc import Mapping

ESCAPE = "\x1b[31mred\x07\r\n\u202e"
WORDS = "the libraries of CUDA 11 and of CUDA 12 are loaded into one process"

#: What each rule says of its own example.
BAD: Mapping[str, Report] = {
    code: pipeline.scan(sketch(module.BAD), with_loads=True)
    for code, module in rules.all_rules().items()
}
EMPTY = pipeline.scan(sketch(""))


def finding(text: str = WORDS, severity: Severity = Severity.ERROR, *below: Finding) -> Finding:
    """Make a finding all of whose words are of one text."""
    place = Location(subject=text, path=text, line=12, column=5)
    return Finding(
        code="XYZ901",
        name="example",
        severity=severity,
        message=text,
        at=place,
        shows_as=text,
        remedy=text,
        evidence=(text,) * 8,
        related=(Location(subject=text),) * 8,
        cause=text,
        symptoms=below,
    )


def report(text: str = WORDS, *findings: Finding) -> Report:
    """Make a report that has something of everything, in one text."""
    return Report(
        envfix="0.1.0",
        target=Target(
            project=text,
            prefix=text,
            kind="venv",
            platform="linux-64",
            because=text,
            notes=(text, text),
        ),
        builds=BAD["CUD201"].builds,
        findings=findings or (finding(text, Severity.ERROR, finding(text)),),
        skips=(Skip(code="XYZ902", reason=text),),
        gaps=(
            Gap(fact=Fact.RECORDS, item=text, reason=f"{text} it is not"),
            Gap(fact=Fact.DRIVER, reason=f"{text} none is there"),
        ),
        crashes=(Crash(code="XYZ903", traceback=f"Traceback:\n{text}\nKeyError: {text}"),),
    )
