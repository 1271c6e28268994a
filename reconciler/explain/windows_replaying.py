"""A message of Windows held against what the model of its loader says of the same library."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.diagnosis import Culprit
from reconciler.model.owner import installing_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.diagnosis import Diagnosis
    from reconciler.model.recognized import Recognized
    from reconciler.world import World

#: ERROR_BAD_EXE_FORMAT: of another architecture, or no library at all.
_BAD_FORMAT = "193"
_UNTESTED = "modeled on the documented rules of Windows, not tested on Windows itself"
#: As many DLLs are told of as missing.
_FEW = 4
#: More libraries of one name are looked at no further.
_MANY = 16


def of_windows_replay(plain: Diagnosis, world: World) -> Diagnosis | None:
    """Return which DLL nothing answers, where the library that a message names asks for one."""
    loading, one = world.windows, plain.recognized
    if loading is None:
        return None
    named = _named(one, world)
    if one.captured.get("winerror") == _BAD_FORMAT:
        return _of_bad_format(plain, named, world)
    failing = {path: lost for path in named if (lost := _lost(path, world))}
    if not failing:
        return None
    path, lost = next(iter(failing.items()))
    asker, name = lost[0]
    is_certain = loading.view.is_here and len(failing) == len(named)
    where = "" if asker == path else f", which {posixpath.basename(path)} needs,"
    copies = loading.named(name.casefold())
    lies = (
        f" It lies in {posixpath.dirname(copies[0])}, where Windows does not look."
        if copies
        else ""
    )
    return replace(
        plain,
        certainty="proven" if is_certain else "likely",
        cause=(
            f"{asker} ({loading.origin(asker).title}){where} imports {name}, and nothing that"
            f" Windows looks at has a DLL of this name.{lies}"
        ),
        culprit=Culprit(path=asker, owner=loading.origin(asker)),
        evidence=(
            *(f"{who} imports {what}, which is not found" for who, what in lost[:_FEW]),
            *(f"{copy} is of {loading.origin(copy).title}" for copy in copies[:_FEW]),
            _UNTESTED,
        ),
        remedy=_remedy(name, world) or plain.remedy,
    )


def _of_bad_format(plain: Diagnosis, named: Sequence[str], world: World) -> Diagnosis | None:
    """Return the file that Windows comes to and cannot map, of which it names no more than one user."""
    loading = world.windows
    for path in named if loading else ():
        process = loading.started() if loading else None
        answers = process.open(path).answers if process else ()
        refused = ((a, c) for a in answers if a.error for c in a.candidates if c.why_not)
        for answer, candidate in refused:
            assert loading is not None  # noqa: S101 - there is no path without one
            origin = loading.origin(candidate.path)
            return replace(
                plain,
                certainty="proven" if loading.view.is_here else "likely",
                cause=(
                    f"{candidate.path} ({origin.title}) is what Windows comes to for {answer.name},"
                    f" and it cannot be loaded: {candidate.why_not}."
                ),
                culprit=Culprit(path=candidate.path, owner=origin),
                evidence=(f"{answer.asked_by} asks for {answer.name}", _UNTESTED),
            )
    return None


def _named(one: Recognized, world: World) -> Sequence[str]:
    """Return the libraries here that a message may mean; of several, those of the traceback."""
    module, dll = one.captured.get("module", ""), one.captured.get("dll", "")
    images = world.windows.view.images if world.windows else ()
    found = [
        image.path
        for image in images
        if (module and _is_module(image.path, module))
        or (dll and posixpath.basename(image.path).casefold() == dll.casefold())
    ]
    package = _package(one.caller)
    own = [path for path in found if package and f"/{package}/" in path.casefold()]
    return (own or found)[:_MANY]


def _is_module(path: str, module: str) -> bool:
    """Tell whether a file is the extension module of a name: ``_C.cp311-win_amd64.pyd``."""
    name = posixpath.basename(path).casefold()
    return name.endswith(".pyd") and name.partition(".")[0] == module.casefold()


def _package(path: str) -> str:
    """Return the import package of a file of Python."""
    _, _, inside = path.replace("\\", "/").casefold().rpartition("/site-packages/")
    return inside.partition("/")[0] if inside != path else ""


def _lost(path: str, world: World) -> Sequence[tuple[str, str]]:
    """Return who imports what in vain when a library is opened."""
    process = world.windows.started() if world.windows else None
    if process is None:
        return ()
    answers = process.open(path).answers
    return [(a.asked_by, a.name) for a in answers if a.error and not a.candidates]


def _remedy(name: str, world: World) -> str:
    loading = world.windows
    owner = (
        loading.recorded.get(name.casefold())
        if loading and not loading.named(name.casefold())
        else None
    )
    if owner is None:
        return ""
    return (
        f"Install the package again, which has lost its file: `{installing_again(owner)}`. Where the"
        " file goes away again, look for it in what the virus scanner has put aside."
    )
