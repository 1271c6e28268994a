"""The scripts of activation that somebody wrote, of the environment and of the project."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.activating import is_active
from reconciler.model.foreign_hook import ForeignHook
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.prefix import ActivationScript
    from reconciler.model.snapshot import Snapshot

#: hooks/writing.py: STEM.
OWN = "/~~envfix."
_FOLDER = re.compile(r"(?P<root>(?:.*/)?)(?P<way>de|)activate\.d/[^/]+\.\w+")


def foreign_hooks(snapshot: Snapshot) -> Iterator[ForeignHook]:
    """Yield the scripts that no package owns; none of the environment where owners are not known."""
    manifests = (m.script for m in snapshot.manifests if m.script)
    committed = [script for script in manifests if _FOLDER.fullmatch(script.path)]
    for _, scripts in groupby(sorted(committed, key=_root), key=_root):
        yield from _hooks(tuple(scripts), in_prefix=False)
    if snapshot.state and not any(
        gap.fact is Fact.RECORDS and gap.item is None for gap in snapshot.gaps
    ):
        texts = {script.text: script.path for script in committed}
        yield from _hooks(snapshot.state.scripts, in_prefix=True, texts=texts)


def without_foreign(snapshot: Snapshot) -> Snapshot | None:
    """Return the environment without the scripts that somebody wrote.

    None where the shell has it active: what the variables were before is then not known.
    """
    prefix = snapshot.target.prefix
    if snapshot.state is None or not prefix or is_active(snapshot.variables, prefix):
        return None
    return _less(snapshot, [s for s in snapshot.state.scripts if s.owner is None])


def without_own(snapshot: Snapshot) -> Snapshot | None:
    """Return the environment, and the shell, without envfix's own hook; None where there is none."""
    own = snapshot.state.own_hook if snapshot.state else None
    if own is None or snapshot.state is None:
        return None
    bare = _less(snapshot, [s for s in snapshot.state.scripts if OWN in s.path])
    variables = dict(snapshot.variables)
    for name in own.hook.names:
        if own.hook.absent(name) in variables:
            variables.pop(name, None)
        elif (before := variables.get(own.hook.saved(name))) is not None:
            variables[name] = before
    return replace(bare, variables=variables)


def _less(snapshot: Snapshot, scripts: Sequence[ActivationScript]) -> Snapshot:
    state = snapshot.state
    if state is None:
        return snapshot
    kept = tuple(script for script in state.scripts if script not in scripts)
    return replace(snapshot, state=replace(state, scripts=kept))


def _root(script: ActivationScript) -> str:
    found = _FOLDER.fullmatch(script.path)
    return found["root"] if found else ""


def _hooks(
    scripts: Iterable[ActivationScript], *, in_prefix: bool, texts: dict[str, str] | None = None
) -> Iterator[ForeignHook]:
    known = [(script, *_shell(script)) for script in scripts]
    for script, is_entering, ending in known:
        if script.owner is not None or OWN in script.path:
            continue
        yield ForeignHook(
            script=script,
            in_prefix=in_prefix,
            is_entering=is_entering,
            others=tuple(s for s, way, end in known if way is not is_entering and end == ending),
            endings=tuple(
                end
                for other, way, end in known
                if way is is_entering and end != ending and _does_the_same(other, script)
            ),
            copied_from=(texts or {}).get(script.text, ""),
        )


def _shell(script: ActivationScript) -> tuple[bool, str]:
    """Return whether a script is of the way in, and the end of its name."""
    return "deactivate.d/" not in script.path, script.path[script.path.rfind(".") :]


def _does_the_same(one: ActivationScript, other: ActivationScript) -> bool:
    if one.path.rpartition(".")[0] == other.path.rpartition(".")[0]:
        return True
    names = {step.variable for step in other.assignments if step.variable}
    return bool(names & {step.variable for step in one.assignments})
