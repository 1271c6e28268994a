"""What the picture is of: an environment, or one file that declares one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from reconciler.model.report import Report


def pictured(report: Report) -> tuple[Report, str]:
    """Return a report with the builds that are drawn, and the title of the picture.

    Files of one project need not be for one environment: of several, that of the worst finding is
    drawn.
    """
    if report.target.prefix is not None:
        return report, "Who brings which CUDA"
    paths = dict.fromkeys(b.at.path for b in report.declared if b.at.path)
    found = [finding.at.path for finding in report.findings if finding.at.path in paths]
    path = next(iter((*found, *paths)), "") if found or len(paths) == 1 else ""
    driver = report.driver if report.target.driver else None
    builds = tuple(build for build in report.declared if build.at.path == path)
    only = msgspec.structs.replace(report, builds=builds, toolkits=(), driver=driver)
    return only, f"What {path} asks for" if builds else ""
