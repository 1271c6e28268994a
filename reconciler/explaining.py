"""``envfix explain`` as a sentence: a text is recognized, and tested against an environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler import catalog, explain
from reconciler.errors import EnvfixError, LoaderUnknownError
from reconciler.model.finding import flat
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.config import Config
    from reconciler.model.diagnosis import Diagnosis
    from reconciler.model.recognized import Recognized
    from reconciler.model.report import Report
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.which import Which

#: As much of a file is held at once.
_PIECE = 1 << 20
#: In so much of a text its last line is looked for.
_TAIL = 2_000


def recognize(pieces: Iterable[str | bytes]) -> tuple[Recognized, ...]:
    """Return the known errors of a text, whose pieces may come one by one."""
    return explain.recognize(pieces, catalog.load().errors)


def heard(pieces: Iterable[str | bytes]) -> tuple[tuple[Recognized, ...], str]:
    """Return the known errors of a text; and its last line, where there is none."""
    last = b""

    def watched() -> Iterator[str | bytes]:
        nonlocal last
        for piece in pieces:
            raw = piece[-_TAIL:]
            last = (last + (raw.encode() if isinstance(raw, str) else raw))[-_TAIL:]
            yield piece

    known = recognize(watched())
    lines = last.replace(b"\0", b"").decode("utf-8", "replace").splitlines()
    said = (line.strip() for line in reversed(lines) if line.strip())
    return known, "" if known else next(said, "")


def sonames_of(recognized: Iterable[Recognized]) -> tuple[str, ...]:
    """Return the libraries that have to be looked for before messages can be told of."""
    return explain.sonames_of(recognized)


def files_of(recognized: Iterable[Recognized]) -> tuple[str, ...]:
    """Return the libraries that are to be opened by the model before messages can be told of."""
    return explain.files_of(recognized)


def is_of_build(recognized: Iterable[Recognized]) -> bool:
    """Tell whether messages are of a compilation, so that the machine's compilers are looked at."""
    from reconciler import pipeline  # noqa: PLC0415 - a text without known errors needs no rules

    codes = {code for one in recognized for code in one.error.rules}
    asked = pipeline.selected_rules(codes, ()) if codes else ()
    return any(Fact.TOOLCHAIN in module.RULE.needs for module in asked)


def diagnose(
    recognized: tuple[Recognized, ...], snapshot: Snapshot | None, config: Config | None = None
) -> tuple[Diagnosis, ...]:
    """Return what messages mean in an environment; without one, what they mean anywhere."""
    return explained(recognized, snapshot, config)[0]


def explained(
    recognized: tuple[Recognized, ...], snapshot: Snapshot | None, config: Config | None = None
) -> tuple[tuple[Diagnosis, ...], Report | None]:
    """Return what messages mean, and the report of the environment that they were held against."""
    if snapshot is None or not recognized:
        return explain.general(recognized), None
    from reconciler import pipeline  # noqa: PLC0415 - a text without known errors needs no rules
    from reconciler.world import World  # noqa: PLC0415

    report = pipeline.scan(snapshot, config=config)
    answers = dict(_answers(snapshot, sonames_of(recognized)))
    world = World(snapshot, catalog.load())
    return explain.diagnose(recognized, world, tuple(flat(report.findings)), answers), report


def _answers(snapshot: Snapshot, sonames: Iterable[str]) -> Iterator[tuple[str, Which]]:
    from reconciler import pipeline  # noqa: PLC0415 - as above

    names = tuple(sonames)
    try:
        yield from zip(names, pipeline.whiches(snapshot, names), strict=True)
    except LoaderUnknownError:  # what is known anywhere is told
        return


def pieces_of(path: str) -> Iterator[str | bytes]:
    """Yield the text of a file piece by piece; raises EnvfixError."""
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise EnvfixError(
            error.strerror or str(error), where=path, next_step="give a file that can be read"
        ) from error


def pieces(text: str) -> Iterator[str | bytes]:
    """Yield the text that an argument is, or that is in the file which it names."""
    return pieces_of(text) if is_file(text) else iter((text,))


def is_file(text: str) -> bool:
    """Tell whether an argument names a file rather than being an error itself."""
    return "\n" not in text and os.path.isfile(text)
