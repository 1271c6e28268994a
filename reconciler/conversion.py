"""What ``envfix convert`` does: files, or an environment, turned into conda's alone, and proven."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler import catalog, converting, pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.converting import Prove
    from reconciler.model.conversion import Rendition
    from reconciler.model.report import Written
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.solution import Terms
    from reconciler.model.turning import Turning


def convert(  # noqa: PLR0913 - each is an option of the command
    project: str,
    sources: Sequence[str],
    *,
    to: str = "conda",
    platforms: Sequence[str] = (),
    cuda: str | None = None,
    comments: bool = False,
    terms: Terms | None = None,
) -> Rendition:
    """Turn declared files into an environment in which conda supplies CUDA; raises EnvfixError.

    With ``terms`` a solver is asked, and what it refuses is repaired.
    """
    taken = pipeline.look_at_files(project, sources, platforms=platforms)
    folder = taken.target.project
    paths = tuple(pipeline.relative(os.path.join(folder, source), folder) for source in sources)
    form = converting.Form(to=to, cuda=cuda or "auto", driver=_driver(terms), comments=comments)
    return converting.convert(taken, paths, catalog.load(), form, _prover(terms))


def convert_installed(  # noqa: PLR0913 - as convert
    snapshot: Snapshot,
    *,
    to: str = "conda",
    platforms: Sequence[str] = (),
    cuda: str | None = None,
    comments: bool = False,
    terms: Terms | None = None,
) -> Rendition:
    """Turn what was asked for in an installed environment into one of conda's alone."""
    form = converting.Form(to=to, cuda=cuda or "auto", driver=_driver(terms), comments=comments)
    return converting.convert_installed(snapshot, catalog.load(), form, platforms, _prover(terms))


def turned(snapshot: Snapshot, made: Rendition) -> Turning:
    """Return the commands that make an environment what it was converted to; raises EnvfixError."""
    from reconciler import turning  # noqa: PLC0415 - few ask for it

    return turning.turn(snapshot, catalog.load(), made.conversion)


def _driver(terms: Terms | None) -> str:
    return terms.driver if terms else ""


def _prover(terms: Terms | None) -> Prove | None:
    """Return what asks a solver on these terms; None where there are none."""
    if terms is None:
        return None
    from reconciler import proving  # noqa: PLC0415 - asks the solver

    return lambda made, manifests: proving.proven(made, manifests, terms, catalog.load())


def write_conversion(project: str, made: Rendition) -> Written:
    """Write the file of a conversion: the source itself, edited, or a new one; raises WriteError."""
    return converting.write(os.path.realpath(project), made)
