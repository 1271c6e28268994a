"""The form in which a report is asked for, and what writes it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.model.look import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.diagnosis import Diagnosis
    from reconciler.model.look import Look
    from reconciler.model.plan import FileRepair
    from reconciler.model.report import Report


def renderer(  # noqa: PLR0913 - each is one of the user's wishes
    form: str,
    *,
    verbose: bool = False,
    quiet: bool = False,
    strict: bool = False,
    look: Look = PLAIN,
    files: Sequence[FileRepair] = (),
) -> Callable[[Report], str]:
    """Return what writes a report in a form.

    ``files`` is what fixes would make of declared files, for html; all else is for text.
    """
    # Each is imported where it is asked for: a hook that runs on every commit asks for one.
    if form == "json":
        from reconciler.output import json  # noqa: PLC0415

        return json.render
    if form == "html":
        from reconciler.output import html  # noqa: PLC0415

        return lambda report: html.render(report, files)
    if form == "github":
        from reconciler.output import github  # noqa: PLC0415

        return lambda report: github.render(report, root=os.getcwd())
    if form == "sarif":
        from reconciler.output import sarif  # noqa: PLC0415
        from reconciler.pipeline import selected_rules  # noqa: PLC0415

        return lambda report: sarif.render(report, selected_rules((), ()), root=os.getcwd())
    from reconciler.output import text, text_of_files  # noqa: PLC0415

    if quiet:
        return lambda report: text.render_quiet(report, strict=strict)

    def render(report: Report) -> str:
        said = text_of_files.render if report.target.files else text.render
        return said(report, look, verbose=verbose)

    return render


def explainer(
    form: str, look: Look = PLAIN, *, verbose: bool = False
) -> Callable[[Sequence[Diagnosis], Report | None, str], str]:
    """Return what writes diagnoses in a form, with what they were held against and what is unknown."""
    from reconciler.output import explain  # noqa: PLC0415 - as above

    if form == "json":
        return lambda told, _, unknown: explain.render_json(told, unknown=unknown)
    if form == "github":
        from reconciler.output import github_explanation as github  # noqa: PLC0415 - as above

        return lambda told, report, unknown: github.render(
            told, report, unknown=unknown, root=os.getcwd()
        )
    return lambda told, _, unknown: explain.render(told, look, unknown=unknown, verbose=verbose)
