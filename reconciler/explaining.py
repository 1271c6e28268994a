"""``envfix explain`` as a sentence: a text is recognized, and tested against an environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler import catalog, explain
from reconciler.errors import EnvfixError
from reconciler.model.finding import flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.config import Config
    from reconciler.model.diagnosis import Diagnosis
    from reconciler.model.recognized import Recognized
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.which import Which

#: As much of a file is held at once.
_PIECE = 1 << 20


def recognize(pieces: Iterable[str | bytes]) -> tuple[Recognized, ...]:
    """Return the known errors of a text, whose pieces may come one by one."""
    return explain.recognize(pieces, catalog.load().errors)


def sonames_of(recognized: Iterable[Recognized]) -> tuple[str, ...]:
    """Return the libraries that have to be looked for before messages can be told of."""
    return explain.sonames_of(recognized)


def diagnose(
    recognized: tuple[Recognized, ...], snapshot: Snapshot | None, config: Config | None = None
) -> tuple[Diagnosis, ...]:
    """Return what messages mean in an environment; without one, what they mean anywhere."""
    if snapshot is None or not recognized:
        return explain.general(recognized)
    from reconciler import pipeline  # noqa: PLC0415 - a text without known errors needs no rules
    from reconciler.world import World  # noqa: PLC0415

    report = pipeline.scan(snapshot, config=config)
    answers = dict(_answers(snapshot, sonames_of(recognized)))
    world = World(snapshot, catalog.load())
    return explain.diagnose(recognized, world, tuple(flat(report.findings)), answers)


def _answers(snapshot: Snapshot, sonames: Iterable[str]) -> Iterator[tuple[str, Which]]:
    from reconciler import pipeline  # noqa: PLC0415 - as above

    for soname in sonames:
        try:
            yield soname, pipeline.which(snapshot, soname)
        except EnvfixError:  # no loader is modeled: what is known anywhere is told
            return


def pieces_of(path: str) -> Iterator[str | bytes]:
    """Yield the text of a file piece by piece; raises EnvfixError."""
    try:
        with open(path, "rb") as file:
            head = file.read(_PIECE)
            # What PowerShell's > writes; no other log has these bytes, which UTF-8 has nowhere.
            if head.startswith((b"\xff\xfe", b"\xfe\xff")):
                yield (head + file.read()).decode("utf-16", "replace")
                return
            while head:
                yield head
                head = file.read(_PIECE)
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
