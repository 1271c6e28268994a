"""The scripts of activation of one environment, held against what the model proves to be needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.builds.foreign_hooks import foreign_hooks, without_foreign, without_own
from reconciler.model.activation import Action
from reconciler.model.fix import Applicability
from reconciler.model.foreign_hook import Replacement
from reconciler.model.hook import PrependPath, SetVariable, StaleHook
from reconciler.model.hook_variables import merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.builds.hooking import Hooking
    from reconciler.builds.loading import Loading
    from reconciler.model.foreign_hook import ForeignHook
    from reconciler.model.hook import HookChange, HookVariable
    from reconciler.model.snapshot import Snapshot

    Needs = Callable[[Snapshot], tuple[Loading | None, Hooking]]


class HookAudit:
    """What is known of the scripts; it looks at the environment without them too."""

    def __init__(self, snapshot: Snapshot, needs: Needs) -> None:
        self._snapshot = snapshot
        self._needs = needs

    @cached_property
    def foreign(self) -> tuple[ForeignHook, ...]:
        """The scripts that somebody wrote, of the project and of the environment."""
        return tuple(foreign_hooks(self._snapshot))

    def set_before(self, hook: ForeignHook) -> frozenset[str]:
        """Return the variables that are set by others whenever a script is sourced."""
        state = self._snapshot.state if hook.in_prefix else None
        entering = hook.others if not hook.is_entering else ()
        if state and hook.is_entering:
            ours = (s for s in state.scripts if "/activate.d/" in s.path and s.path != hook.path)
            entering = tuple(s for s in ours if s.path < hook.path)
        stored = (variable.name for variable in state.variables) if state else ()
        steps = (step for script in entering for step in script.assignments)
        return frozenset({*stored, *(s.variable for s in steps if s.action is not Action.UNSET)})

    @cached_property
    def instead(self) -> Replacement:
        """What envfix's own hook would do in the place of those of the environment."""
        bare = without_foreign(self._snapshot)
        changes = self._proven(bare) if bare else None
        return Replacement(changes=changes, replaceable=self._replaceable(changes or ()))

    def _replaceable(self, changes: Iterable[HookChange]) -> tuple[str, ...]:
        """Return the scripts of the environment, if each of them only sets what the changes set."""
        names = {variable.name for change in changes for variable in change.variables}
        own = [hook for hook in self.foreign if hook.in_prefix]
        is_lone = all(hook.only_sets(names) and not hook.endings for hook in own)
        return tuple(hook.path for hook in own) if is_lone else ()

    @cached_property
    def stale(self) -> StaleHook | None:
        """What envfix's own hook lacks, or need not do; None where it is right, or cannot be told.

        What another shell has set, and a hook takes away, this one need not show: only what is the
        environment's alone is compared.
        """
        own = self._snapshot.state.own_hook if self._snapshot.state else None
        bare = without_own(self._snapshot)
        due = self._proven(bare) if bare else None
        if own is None or bare is None or due is None:
            return None
        known = _parts(own.hook.variables)
        wanted = _parts(merged(change.variables for change in due))
        others = _set_by_others(bare)
        stale = StaleHook(
            lacks=tuple(part for part in wanted if part not in known),
            idle=tuple(p for p in known if p not in wanted and p.name not in others),
        )
        return stale if stale.lacks or stale.idle else None

    def _proven(self, bare: Snapshot) -> tuple[HookChange, ...] | None:
        """Return what an environment needs of its activation; None where that cannot be told."""
        loading, hooking = self._needs(bare)
        shells = loading.situations if loading else ()
        if not any(shell.is_normal_use and not shell.unknown for shell in shells):
            return None
        safe = (fix for fix in hooking.fixes if fix.applicability is Applicability.SAFE)
        return tuple(change for fix in safe for change in fix.hooks)


def _parts(variables: Iterable[HookVariable]) -> tuple[PrependPath | SetVariable, ...]:
    """Return what the environment alone needs, each directory by itself."""
    found: list[PrependPath | SetVariable] = []
    for one in variables:
        if isinstance(one, PrependPath):
            found += [PrependPath(name=one.name, directories=(d,)) for d in one.directories]
        elif isinstance(one, SetVariable) and not one.name.startswith("PIP_"):
            found.append(one)
    return tuple(found)


def _set_by_others(bare: Snapshot) -> frozenset[str]:
    state = bare.state
    if state is None:
        return frozenset()
    steps = (step.variable for script in state.scripts for step in script.assignments)
    return frozenset({*steps, *(variable.name for variable in state.variables)})
