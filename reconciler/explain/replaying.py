"""A message held against what the model of the loader says where it opens the same library."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.explain.missing_files import copies_of, near, remedy
from reconciler.model.diagnosis import Culprit
from reconciler.model.distribution import Distribution
from reconciler.model.owner import installing_again, name_of, title_of
from reconciler.model.which import ALL, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.model.diagnosis import Diagnosis
    from reconciler.model.owner import Owner
    from reconciler.model.recognized import Recognized
    from reconciler.model.replay import Replay
    from reconciler.world import World

    Find = Callable[[str], Origin]

_SEARCH = "LD_LIBRARY_PATH"
_STUBS = "stubs"
_IN_WORDS = {"activated": "when activated", "not activated": "without activation"}
_ACTIVATE = (
    "Activate the environment before Python starts, in kernels and jobs as well: it does not fail"
    " then."
)
_THIS, _ACTIVATED = "in this shell", "activated"


def files_of(recognized: Iterable[Recognized]) -> tuple[str, ...]:
    """Return the libraries that messages name, as paths where these are known."""
    names = (name for one in recognized for name in (*_files(one.captured), one.error.about))
    return tuple(dict.fromkeys(filter(None, names)))


def _files(captured: Mapping[str, str]) -> Sequence[str]:
    folder = captured.get("folder", "")
    parts = (captured.get(part, "") for part in ("soname", "file", "version"))
    names = [part for part in parts if ".so" in part]
    if folder.startswith("/") and "soname" in captured:
        names.append(f"{folder}{captured['soname']}")
    return names


def of_replay(plain: Diagnosis, world: World) -> Diagnosis | None:
    """Return what a message means, where opening the same library fails here in the same way."""
    view, loading = world.snapshot.loader, world.loading
    if view is None or loading is None:
        return None
    one = plain.recognized
    same = [replay for replay in view.replays if _is_same(replay, one)]
    if not same:
        return None
    # The shell at hand is where the message is from, as a rule; a library that asks tells more than
    # a name that is opened; the file that the message names tells most.
    file = posixpath.basename(one.captured.get("file", ""))
    first = min(
        same,
        key=lambda r: (
            _THIS not in r.shells,
            posixpath.basename(r.asker or "") != file,
            r.asker is None,
            posixpath.basename(r.opened) != file,
        ),
    )
    origin = loading.origins.of
    return replace(
        plain,
        certainty="proven",
        cause=_cause(first, origin, one.captured.get("reason", ""))
        + (_about_missing(first, world) if first.at is None else ""),
        culprit=_culprit(first, origin) or _copy(first, world) or plain.culprit,
        evidence=_evidence(first, same, origin),
        remedy=_remedy(first, world, is_general=one.error.specificity != "specific")
        or plain.remedy,
    )


def _about_missing(replay: Replay, world: World) -> str:
    """Return where a library lies that is not found, or what comes near it."""
    if replay.outcome != "missing" or world.loading is None or _ACTIVATED not in replay.shells:
        return ""
    copies = copies_of(replay.soname, world)
    if not copies:
        return near(replay.soname, world)
    folder = posixpath.dirname(copies[0])
    owner = world.loading.origins.of(copies[0]).title
    return f" It lies in {folder} ({owner}), where nothing leads the loader."


def _copy(replay: Replay, world: World) -> Culprit | None:
    """Return the file that would serve, of a name that is opened and not found."""
    copies = copies_of(replay.soname, world) if replay.outcome == "missing" else ()
    if not copies or world.loading is None:
        return None
    return Culprit(path=copies[0], owner=world.loading.origins.of(copies[0]))


def opens(plain: Diagnosis, world: World) -> tuple[str, ...]:
    """Return, as evidence, that what the message names is opened here without any failure."""
    view = world.snapshot.loader
    named = {posixpath.basename(name) for name in _files(plain.recognized.captured)}
    fine = [
        replay
        for replay in (view.replays if view else ())
        if replay.outcome == "opened" and posixpath.basename(replay.opened) in named
    ]
    return tuple(f"{_when(one)}, {one.opened} is opened without an error" for one in fine[:1])


def is_of_here(one: Recognized, world: World) -> bool:
    """Tell whether the traceback of a message goes through packages of this environment."""
    return any(owner_of(path, world) for path in one.frames)


def culprit_of_caller(one: Recognized, world: World) -> Culprit | None:
    """Return the file of a package whose code said it, where the traceback tells."""
    owner = owner_of(one.caller, world)
    return Culprit(path=one.caller, owner=origin_of(owner)) if owner else None


def origin_of(owner: Owner) -> Origin:
    """Return a package as the origin of its files."""
    kind = "pip" if isinstance(owner, Distribution) else "conda"
    return Origin(title=title_of(owner), kind=kind, package=name_of(owner), version=owner.version)


def _is_same(replay: Replay, one: Recognized) -> bool:
    """Tell whether a failure is the one that a message tells of: of the same kind and parts."""
    captured = one.captured
    file = posixpath.basename(captured.get("file", ""))
    match replay.outcome:
        case "opened":
            # what the linker is given in place of the driver's own library
            is_stub = posixpath.basename(posixpath.dirname(replay.at or "")) == _STUBS
            return is_stub and replay.opened == one.error.about
        case "symbol":
            asker = posixpath.basename(replay.asker or "")
            return replay.symbol == captured.get("symbol") and file in {"", asker}
        case "version":
            soname = posixpath.basename(captured.get("soname", replay.soname))
            return (replay.version, replay.soname) == (captured.get("version"), soname)
        case "unfit":
            named = {file, posixpath.basename(captured.get("soname", ""))}
            at = {posixpath.basename(replay.at or ""), replay.soname}
            # of another language it is not known whether they tell of this, or of a missing file
            return bool({"reason", "words"} & captured.keys() and named & at)
        case "missing":
            is_missing = not {"symbol", "version", "reason"} & captured.keys()
            is_asked = replay.asker is not None or one.is_opened_by_name
            return is_missing and is_asked and replay.soname == captured.get("soname")


def _cause(replay: Replay, origin: Find, reason: str) -> str:
    at = _named(replay.at, origin)
    asker = _short(replay.asker, origin) if replay.asker else "the program"
    when = _when(replay)
    match replay.outcome:
        case "opened":
            return f"{at} answers to {replay.soname} {when}: a stub to link against, without code."
        case "symbol" if replay.at:
            version = f" in version {replay.version}" if replay.version else ""
            return (
                f"{at} answers to {replay.soname} {when}, and does not define {replay.symbol}"
                f"{version}, which {asker} calls: the two are of different releases."
            )
        case "symbol":
            return (
                f"{asker} calls {replay.symbol}, and {when} no library that it loads defines it: it"
                " was built with another release of one of them."
            )
        case "version":
            return (
                f"{at} answers to {replay.soname} {when}, and does not define the version"
                f" {replay.version}, which {asker} was linked with: it is older than that."
            )
        case "unfit":
            reason = reason or replay.error.partition(": ")[2]
            text = f": it is a text that begins with `{replay.begins}`" if replay.begins else ""
            return (
                f"{at} is what the loader comes to {when}, and no library{text or f': {reason}'}."
            )
    who = f", which {asker} needs," if replay.asker else ""
    found = "is found in no shell" if len(replay.shells) == ALL else f"is not found {when}"
    return f"{replay.soname}{who} {found}."


def _culprit(replay: Replay, origin: Find) -> Culprit | None:
    path = replay.at or replay.asker
    return Culprit(path=path, owner=origin(path)) if path else None


def _named(path: str | None, origin: Find) -> str:
    return f"{path} ({origin(path).title})" if path else ""


def _short(path: str, origin: Find) -> str:
    """Return a file without its folder, which the other lines tell."""
    return f"{posixpath.basename(path)} of {origin(path).title}"


def _when(replay: Replay) -> str:
    names = [_IN_WORDS.get(name, name) for name in replay.shells]
    return " and ".join(names) if len(names) < ALL else "in every shell"


def _evidence(first: Replay, same: Sequence[Replay], origin: Find) -> tuple[str, ...]:
    """Return the chain that leads to the failure."""
    told = [f"opened {_when(first)}, {_opened(first, origin)} fails: {first.error}"]
    told = told if first.error else []
    if first.reason:
        how = f"{first.reason} has `{first.entry}`" if first.entry else f"it is {first.reason}"
        told.append(f"{first.at} answers, as {how}")
    others = dict.fromkeys(r.opened for r in same if r.opened != first.opened)
    if others:
        told.append(f"so does whatever needs it: {', '.join(list(others)[:3])}")
    return tuple(told)


def owner_of(path: str, world: World) -> Owner | None:
    """Return the package that installed a file, the last one where several did."""
    if not path.startswith(f"{world.snapshot.target.prefix}/"):
        return None
    name = path.removeprefix(f"{world.snapshot.target.prefix}/")
    return next(reversed(world.ownership.owners_of([name]).get(name, ())), None)


def _opened(replay: Replay, origin: Find) -> str:
    return _named(replay.opened, origin) if "/" in replay.opened else replay.opened


def _remedy(replay: Replay, world: World, *, is_general: bool) -> str:
    """Return what takes away, or renews, the file at fault; "" where that is not known."""
    if replay.reason == _SEARCH and replay.entry:
        return f"Take `{replay.entry}` out of {_SEARCH}: it leads the loader to {replay.at}."
    if _ACTIVATED not in replay.shells:
        return _ACTIVATE
    if replay.at is None:
        # A specific class knows its own way, such as to import the framework first.
        return remedy(replay, world) if replay.outcome == "missing" and is_general else ""
    owner = owner_of(replay.at, world)
    if replay.outcome == "unfit" and owner is not None:
        return f"Install the package again, whose file is damaged: `{installing_again(owner)}`."
    asker = owner_of(replay.asker, world) if replay.asker else None
    if owner is None or asker is None or owner == asker or replay.outcome == "opened":
        return ""
    return (
        f"Bring {title_of(owner)} and {title_of(asker)} to one release: a newer {name_of(owner)}, or a"
        f" {name_of(asker)} that was built with this one."
    )
