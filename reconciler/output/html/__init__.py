"""The report as one page for a browser, which asks for nothing beside itself.

Every name in it is from the environment, and nobody knows who wrote that. So each is escaped, and
the page's own policy lets no script or style run but the two whose hashes it gives.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from typing import TYPE_CHECKING

from reconciler.model.finding import Severity, flat
from reconciler.model.fix import Applicability
from reconciler.model.os_name import printable
from reconciler.model.steps import line_of
from reconciler.output import diff
from reconciler.output.html import words
from reconciler.output.html.layout import layout
from reconciler.output.html.lettering import short
from reconciler.output.html.scene import scene_of
from reconciler.output.html.subject import pictured
from reconciler.output.html.tables import clip, mapped_of, packages_of
from reconciler.output.page import last_line, place_of, says_more, what_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment
    from markupsafe import Markup

    from reconciler.model.finding import Finding
    from reconciler.model.fix import Fix
    from reconciler.model.plan import FileRepair
    from reconciler.model.report import Report

#: How a fix may be trusted.
_SURE = {
    Applicability.SAFE: "Safe",
    Applicability.UNSAFE: "If that is what you mean",
    Applicability.DISPLAY: "For you to choose",
}


def render(report: Report, files: Sequence[FileRepair] = ()) -> str:
    """Return the page of a report; ``files`` is what its fixes make of the declared files."""
    environment = _environment()
    style, script = (_own(environment, name) for name in ("page.css", "page.js"))
    shown, title = pictured(report)
    severities = [finding.severity for finding in report.findings]
    return environment.get_template("page.html.j2").render(
        report=report,
        place=partial(place_of, report),
        style=style,
        script=script,
        policy=_policy(style, script),
        headline=words.headline(shown),
        verdict=words.verdict(report),
        others=words.others(report),
        judged=words.judged(report),
        passed_over=words.passed_over(report),
        unproven=words.unproven(shown),
        sources=tuple(words.sources(shown)),
        drawing=layout(scene_of(shown)),
        brings=words.brings(shown),
        severities=[(s, severities.count(s)) for s in Severity if s in severities],
        diffs=[(file.path, diff.render([file]).splitlines()) for file in files],
        title=title,
        packages=packages_of(shown),
        mapped=mapped_of(report),
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - 30 ms

    environment = Environment(
        loader=PackageLoader("reconciler.output", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters |= {
        "item": what_of,
        "last_line": last_line,
        "commands": _commands,
        "whole": _whole,
        "short": short,
        "prose": _prose,
        "sentence": words.sentence,
        "has_fix": _has_fix,
        "sure": lambda fix: _SURE[fix.applicability],
        "flat": lambda finding: list(flat(finding.symptoms)),
    }
    return environment


def _finalized(value: object) -> object:
    """Return a text as it may be shown: no controls, nothing that turns the line, no mile of it."""
    # What is marked safe, as a macro's output is, has been through here.
    return clip(value) if type(value) is str else value


def _whole(text: str) -> Markup:
    """Return a text of which nothing is cut off, since it is to be copied."""
    from markupsafe import escape  # noqa: PLC0415 - as Jinja2, whose part it is

    return escape(printable(text))


def _prose(text: str) -> Markup:
    """Return a text as it may be shown, what stands between two backticks as code."""
    from markupsafe import Markup  # noqa: PLC0415 - as Jinja2, whose part it is

    parts = clip(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format(clip(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _has_fix(finding: Finding) -> bool:
    """Tell whether a finding's fix says more than what is to be done."""
    fix = finding.fix
    if fix is None:
        return False
    is_choice = fix.applicability is Applicability.DISPLAY and not fix.commands
    return says_more(finding) if is_choice else bool(fix.edits or fix.hooks)


def _commands(fix: Fix) -> list[str]:
    return [line_of(command) for command in fix.commands for _ in range(command.times)]


def _own(environment: Environment, name: str) -> str:
    """Return a file of our own as it stands in the page."""
    if environment.loader is None:
        return ""
    return environment.loader.get_source(environment, name)[0]


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy of a page: its own style and script, and nothing else."""
    # https://www.w3.org/TR/CSP3/#grammardef-hash-source
    hashes = [
        base64.b64encode(hashlib.sha256(own.encode()).digest()).decode() for own in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
