"""The activation hook of an environment: how it is, what it should do, written and taken away."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler import __version__, apply, catalog, pipeline
from reconciler.collect import own_hook
from reconciler.errors import EnvfixError, HookError
from reconciler.hooks import manifest, writing
from reconciler.model.fix import Applicability
from reconciler.model.hook import (
    Hook,
    HookFile,
    HookOffer,
    Place,
    Reason,
    RemoveElement,
    SetVariable,
    Unset,
)
from reconciler.model.hook_variables import merged
from reconciler.model.os_name import from_os, printable, to_os
from reconciler.model.report import FileChange, Written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.collect.own_hook import OwnHook
    from reconciler.model.hook import HookChange, HookStatus, HookVariable
    from reconciler.model.plan import Repair
    from reconciler.model.snapshot import Choice, Snapshot, Target

__all__ = [
    "at",
    "install",
    "offer",
    "plan",
    "remove",
    "status",
    "without_own",
    "write",
    "write_repair",
]

CONSTRAINTS = "etc/envfix/constraints.txt"
PINNING = "PIP_CONSTRAINT"


def at(project: str, choice: Choice, environ: Mapping[str, str]) -> Target:
    """Return the environment whose hook is meant, with what a crash left in it answered."""
    from reconciler.collect.prefixes import choose  # noqa: PLC0415 - as the pipeline does it

    target = choose(project, choice, environ)
    if target.prefix is None:
        raise HookError(
            "there is no environment here whose activation could be looked at",
            where=target.project,
            next_step="name one with -p or -n",
        )
    apply.recover(to_os(target.prefix))
    return target


def offer(target: Target, environ: Mapping[str, str], *, unsafe: bool) -> HookOffer:
    """Look at an environment as it would be without its hook, and return what it needs of one."""
    own = own_hook.read(target.prefix or "")
    bare = without_own(environ, own.manifest.hook) if own else environ
    choice = pipeline.Choice(prefix=to_os(target.prefix or ""))
    snapshot = _without_scripts(pipeline.look(to_os(target.project), choice, bare, host=False))
    return plan(snapshot, unsafe=unsafe)


def plan(snapshot: Snapshot, *, unsafe: bool) -> HookOffer:
    """Return what an environment needs of its activation, parted into what is made and what not."""
    from reconciler.world import World  # noqa: PLC0415 - heavy, and the pipeline has it lazily too

    hooking = World(snapshot, catalog.load()).hooking
    fixes = hooking.fixes
    made = [fix for fix in fixes if unsafe or fix.applicability is Applicability.SAFE]
    left = tuple(fix for fix in fixes if fix not in made)
    return HookOffer(
        changes=tuple(change for fix in made for change in fix.hooks),
        left_out=tuple(change for fix in left for change in fix.hooks),
        refusals=hooking.refusals,
        pins=_pins(snapshot),
    )


def without_own(environ: Mapping[str, str], hook: Hook) -> Mapping[str, str]:
    """Return the variables as they would be if a hook were not in force in this shell."""
    bare = dict(environ)
    for name in hook.names:
        if hook.absent(name) in environ:
            bare.pop(name, None)
        elif (before := environ.get(hook.saved(name))) is not None:
            bare[name] = before
    return bare


def _without_scripts(snapshot: Snapshot) -> Snapshot:
    if snapshot.state is None:
        return snapshot
    others = (s for s in snapshot.state.scripts if f"/{writing.STEM}." not in s.path)
    return replace(snapshot, state=replace(snapshot.state, scripts=tuple(others)))


def _pins(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the exact versions of what conda has installed and has to do with CUDA, for pip."""
    known = catalog.load()
    return tuple(
        sorted(
            f"{one.key}=={one.version}"
            for one in snapshot.distributions
            if one.installer == "conda"
            and (known.consumer("pip", one.key) or ("pip", one.key) in known.cuda_packages)
        )
    )


def status(target: Target, wanted: HookOffer | None = None) -> HookStatus | None:
    """Return how the hook of an environment is; None where envfix has written none."""
    own = own_hook.read(target.prefix or "")
    if own is None:
        return None
    known = own.manifest.hook
    if wanted is None:
        return manifest.status(own.manifest, own.checksums)
    due = (change.variables for change in wanted.changes)
    asked = (v for change in wanted.left_out for v in change.variables if v in known.variables)
    today = merged([*due, tuple(asked), _lasting(known)])
    # The scripts of a virtual environment, and no others, hold its path.
    is_moved = known.place is Place.VENV and known.prefix != target.prefix
    is_same = set(today) == set(known.variables) and not is_moved
    wish = known if is_same else replace(known, variables=() if is_moved else today)
    return manifest.status(own.manifest, own.checksums, wish)


def _lasting(hook: Hook) -> tuple[HookVariable, ...]:
    """Return what of a hook stays, whatever this shell shows: it answers what some shell has set."""
    return tuple(
        variable
        for variable in hook.variables
        if isinstance(variable, RemoveElement | Unset) or variable.name == PINNING
    )


def install(
    target: Target,
    changes: Sequence[HookChange],
    *,
    pins: Sequence[str] = (),
    shells: Collection[str] = (),
    keeps: bool = False,
) -> tuple[FileChange, ...]:
    """Return what writes the hook of an environment.

    What it takes away already stays, and with ``keeps`` all that it does.
    """
    prefix = target.prefix or ""
    _refuse_unwritable(prefix)
    own = own_hook.read(prefix)
    known = own.manifest.hook if own else None
    kept = () if known is None else known.variables if keeps else _lasting(known)
    hook = _hook(target, changes, kept, known.why if known and kept else (), pins)
    files = [*writing.scripts(hook, shells), *_constraints(pins, own, hook)]
    replaced = dict.fromkeys(path for change in changes for path in change.replaces)
    return (*_writing(prefix, hook, files, own), *_taking_away(prefix, replaced))


def write(target: Target, changes: Sequence[FileChange], emptied: Sequence[str] = ()) -> Written:
    """Write the files of a hook, or take them away: all or none; raises WriteError."""
    return apply.commit(changes, to_os(target.prefix or ""), makes_folders=True, emptied=emptied)


def write_repair(repair: Repair) -> Written:
    """Write the hook and the files of a repair: all of them, or none; raises EnvfixError."""
    if not repair.hooks:
        return pipeline.write(repair)
    target = repair.before.target
    wanted = [change for planned in repair.hooks for change in planned.fix.hooks]
    hook = write(target, install(target, wanted, keeps=True))
    try:
        files = pipeline.write(repair)
    except EnvfixError:
        if hook.names:
            apply.undo(to_os(target.prefix or ""))
        raise
    names = (f"{to_os(target.prefix or '')}/{name}" for name in hook.names)
    return Written(names=(*files.names, *names), notes=hook.notes + files.notes)


def remove(target: Target) -> tuple[tuple[FileChange, ...], tuple[str, ...]]:
    """Return what takes the hook of an environment away, and the folders that were made for it."""
    prefix = target.prefix or ""
    own = own_hook.read(prefix)
    if own is None:
        return (), ()
    _refuse_unwritable(prefix)
    _refuse_edited(prefix, own)
    gone = [(path, content) for path, content in own.contents.items() if content is not None]
    changes = (
        _change(prefix, path, before, None) for path, before in (*gone, (_record(), own.record))
    )
    return tuple(changes), own.manifest.folders


def _hook(
    target: Target,
    changes: Sequence[HookChange],
    kept: tuple[HookVariable, ...],
    reasons: tuple[Reason, ...],
    pins: Sequence[str],
) -> Hook:
    pin = SetVariable(name=PINNING, path=CONSTRAINTS)
    why = [change.why for change in changes]
    if pins:
        _refuse_spaces(target.prefix or "")
        packages = ", ".join(pins[:3])
        why.append(Reason(code="PIP_CONSTRAINT", sentence=f"pip is to leave {packages} to conda"))
    return Hook(
        prefix=target.prefix or "",
        place=Place.CONDA if target.kind == "conda" else Place.VENV,
        windows=target.platform.startswith("win-"),
        variables=merged(
            [
                kept,
                *(change.variables for change in changes),
                (pin,) if pins else (),
            ]
        ),
        why=tuple(dict.fromkeys((*reasons, *why))),
        created_by=__version__,
    )


def _constraints(pins: Sequence[str], own: OwnHook | None, hook: Hook) -> Iterator[HookFile]:
    before = own.contents.get(CONSTRAINTS) if own else None
    if not pins and before is not None and PINNING in hook.names:
        yield HookFile(path=CONSTRAINTS, text=from_os(before.decode("utf-8", "surrogateescape")))
    if pins:
        head = "# Written by envfix: what conda has installed is not pip's to replace.\n"
        yield HookFile(path=CONSTRAINTS, text=head + "".join(f"{pin}\n" for pin in pins))


def _record() -> str:
    return writing.MANIFEST


def _writing(
    prefix: str, hook: Hook, files: Sequence[HookFile], own: OwnHook | None
) -> Iterator[FileChange]:
    known = own.contents if own else {}
    if own:
        _refuse_edited(prefix, own)
    folders = {*_missing_folders(prefix, files), *(own.manifest.folders if own else ())}
    record = manifest.encode(manifest.manifest_of(hook, files, sorted(folders)))
    for file in files:
        before = known.get(file.path) or own_hook.content_of(f"{prefix}/{file.path}")
        yield _change(prefix, file.path, before, file.content)
    written = {file.path for file in files}
    for path, content in known.items():
        if path not in written and content is not None:
            yield _change(prefix, path, content, None)
    yield _change(prefix, _record(), own.record if own else None, record)


def _taking_away(prefix: str, paths: Iterable[str]) -> Iterator[FileChange]:
    """Yield what removes the scripts of somebody's that a hook replaces."""
    for path in paths:
        before = own_hook.content_of(f"{prefix}/{path}")
        if before is not None:
            yield _change(prefix, path, before, None)


def _missing_folders(prefix: str, files: Iterable[HookFile]) -> Iterator[str]:
    for path in (*(file.path for file in files), _record()):
        folder = os.path.dirname(path)
        while folder:
            if not os.path.lexists(to_os(f"{prefix}/{folder}")):
                yield folder
            folder = os.path.dirname(folder)


def _change(prefix: str, path: str, before: bytes | None, after: bytes | None) -> FileChange:
    return FileChange(path=to_os(f"{prefix}/{path}"), name=path, before=before, after=after)


def _refuse_edited(prefix: str, own: OwnHook) -> None:
    edited = [
        file.path
        for file in own.manifest.files
        if own.checksums[file.path] not in {None, file.sha256}
    ]
    if edited:
        raise HookError(
            f"edited since envfix wrote it: {', '.join(edited)}; nothing was changed",
            where=printable(prefix),
            next_step="take the edit back, or delete these files, and run envfix again",
        )


def _refuse_unwritable(prefix: str) -> None:
    path = to_os(prefix)
    found = os.stat(path)
    if os.path.lexists(os.path.join(path, "conda-meta", "frozen")):
        # CEP 22: the environment is not to be changed.
        what = "the environment is frozen (conda-meta/frozen), so that no tool changes it"
        next_step = "make one of your own, or remove that mark if it is yours"
    elif hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        what = f"the environment belongs to another user (uid {found.st_uid})"
        next_step = "let its owner run envfix, or make an environment of your own"
    elif not found.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        what = "the environment is read-only"
        next_step = "allow writing to it, or make an environment of your own"
    else:
        return
    raise HookError(what, where=printable(prefix), next_step=next_step)


def _refuse_spaces(prefix: str) -> None:
    # pip takes a list from a variable, and parts it at spaces: pip/_internal/cli/parser.py.
    if prefix.split() != [prefix]:
        raise HookError(
            f"{PINNING} cannot name a file in it, since pip parts the value at spaces",
            where=printable(from_os(prefix)),
            next_step="leave out --pin-conda, or make the environment again in a folder without them",
        )
