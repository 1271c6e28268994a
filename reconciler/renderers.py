"""The form in which a report is asked for, and what writes it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.report import Report


def renderer(
    form: str,
    *,
    verbose: bool = False,
    quiet: bool = False,
    strict: bool = False,
    color: bool = False,
) -> Callable[[Report], str]:
    """Return what writes a report in a form; all but ``form`` are for text."""
    # Each is imported where it is asked for: a hook that runs on every commit asks for one.
    if form == "json":
        from reconciler.output import json  # noqa: PLC0415

        return json.render
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
        return said(report, width=terminal.width(), color=color, verbose=verbose)

    return render
