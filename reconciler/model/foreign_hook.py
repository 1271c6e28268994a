"""A script of activation that somebody wrote: what it does to the variables that matter, and its way back."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.activation import (
    Action,
    Asks,
    Assignment,
    Computed,
    Literal,
    ModulePath,
    Reference,
)
from reconciler.model.finding import cause_of
from reconciler.model.fix import Applicability, Fix
from reconciler.model.hook import HookChange, HookVariable, PrependPath
from reconciler.model.hook_variables import merged
from reconciler.model.kept_variables import is_kept
from reconciler.model.location import Location
from reconciler.model.prefix import ActivationScript

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.model.activation import Condition, Part

#: What other programs read as a list too, so that what is in it is shared with them.
LISTS = frozenset({"LD_LIBRARY_PATH", "LD_PRELOAD", "PATH", "PYTHONPATH"})
_CHANGES = frozenset({Action.SET, Action.PREPEND, Action.APPEND})
_MEMBERSHIP = frozenset({Asks.MATCHES, Asks.EQUAL, Asks.UNKNOWN})
#: No script of a person has more, and one that was made to hang a scan has.
_MOST_CHANGES, _MOST_NAMES = 100, 100
_NAME, _VALUE = r"[A-Za-z_]\w*", r"(?:\"[^\"`]*\"|'[^']*'|[^\s;&|`\"'()<>])*"
#: A line, without what it substitutes, that runs no program.
_ONLY_SETS = re.compile(
    rf"#.*|unset(?: +{_NAME})+|export +{_NAME}(?:={_VALUE})?|{_NAME}\+?={_VALUE}|"
)
_LONGEST = 4_096
#: What model/hook.py's changes are made of by builds/hooking.py.
_SET_BY_HOOKS = frozenset({"LD_LIBRARY_PATH", "PYTHONNOUSERSITE", "XLA_FLAGS"})


class WayBack(StrEnum):
    """What becomes of a variable when the environment is deactivated."""

    RESTORED = "restored"
    #: It is taken away, or set to a fixed text, whatever it was before.
    DROPPED = "dropped"
    NONE = "none"


class ForeignHook(Struct, frozen=True, kw_only=True):
    """A script that no package owns, and envfix has not written."""

    script: ActivationScript
    #: Whether it lies in the environment; else the project keeps it.
    in_prefix: bool
    #: Whether it is sourced when the environment is activated; else when it is deactivated.
    is_entering: bool
    #: What the same shell sources on the other way: on the way out, for one of the way in.
    others: tuple[ActivationScript, ...] = ()
    #: The ends of the names of the scripts that do the same for other shells.
    endings: tuple[str, ...] = ()
    #: The script of the project that the one of the environment is a copy of; "" where there is none.
    copied_from: str = ""

    @property
    def path(self) -> str:
        """Relative to the environment, or to the project."""
        return self.script.path

    @property
    def ending(self) -> str:
        """The end of its name, which tells the shell."""
        return self.path[self.path.rfind(".") :]

    def at(self, line: int) -> Location:
        """Return the place of a line."""
        return Location(
            subject=self.path.rpartition("/")[2],
            path=self.path,
            in_prefix=self.in_prefix,
            line=line,
        )

    def shown(self, line: int, text: str) -> str:
        """Return a line as evidence."""
        return f"{self.path}:{line}: {text}"

    def explained_by(self, name: str, *what: str) -> tuple[str, ...]:
        """Return the cause of what a rule of a name finds in the script that it is a copy of."""
        return (cause_of(name, self.copied_from, *what),) if self.copied_from else ()

    @property
    def changes(self) -> tuple[Assignment, ...]:
        """What it does to variables that envfix knows, in its order."""
        found = (
            step
            for step in self.script.assignments
            if step.action in _CHANGES
            and is_kept(step.variable)
            and not step.variable.startswith(("CONDA_", "_ENVFIX_"))
        )
        return tuple(islice(found, _MOST_CHANGES))

    def value(self, step: Assignment) -> tuple[Part, ...]:
        """Return what a step sets, with what the script has set before in the place of its names."""
        index = next(i for i, one in enumerate(self.script.assignments) if one is step)
        before = self.script.assignments[:index]
        return tuple(_resolved(step.parts, before, iter(range(_MOST_NAMES))))

    def keeps_former(self, step: Assignment) -> bool:
        """Tell whether a step sets a variable to what it was, with something beside it."""
        value = self.value(step)
        names = (isinstance(p, Reference) and p.names(step.variable) for p in value)
        return len(value) > 1 and any(names)

    def elements(self, step: Assignment) -> tuple[tuple[Part, ...], ...]:
        """Return the entries of the list that a step sets; an empty one has no parts."""
        between = {".fish": "[: ]", ".bat": ";", ".ps1": ";"}.get(self.ending, ":")
        found: list[list[Part]] = [[]]
        for part in self.value(step):
            if not isinstance(part, Literal):
                found[-1].append(part)
                continue
            first, *more = re.split(between, part.text)
            found[-1] += [Literal(text=first)] if first else []
            found += [[Literal(text=text)] if text else [] for text in more]
        return tuple(map(tuple, found))

    def is_guarded(self, step: Assignment) -> bool:
        """Tell whether a step asks first whether it was taken before."""
        before = self.script.assignments
        ends = (s for s in before if s.action is Action.END and s.line <= step.line)
        own = {one.variable for one in before} - {step.variable}
        guards = (g for one in (step, *ends) for g in one.guards)
        return any(_tells(guard.condition, step.variable, own) for guard in guards)

    def is_exported(self, step: Assignment) -> bool:
        """Tell whether programs are given what a step sets."""
        handed = (one.variable for one in self.script.assignments if one.is_exported)
        return step.variable in LISTS or step.variable in set(handed)

    def only_sets(self, names: Collection[str]) -> bool:
        """Tell whether it does nothing but set some variables, and others that it alone uses."""
        steps = self.script.assignments
        saved = {
            step.variable
            for step in steps
            if any(isinstance(p, Reference) and p.variable in names for p in step.parts)
        }
        is_known = all(
            step.action is not Action.ANYTHING
            and (step.variable in saved.union(names) or not self.is_exported(step))
            for step in steps
        )
        if self.ending != ".sh" or not is_known or len(self.script.text) > _LONGEST:
            return False
        lines = (re.sub(r"\$\(.*\)", "", line).strip() for line in self.script.text.splitlines())
        return all(map(_ONLY_SETS.fullmatch, lines))

    def way_back(self, step: Assignment) -> WayBack:
        """Return what becomes of what a step sets when the environment is left."""
        taken = [
            one
            for script in self.others
            for one in script.assignments
            if one.variable == step.variable or one.action is Action.ANYTHING
        ]
        if not taken:
            return WayBack.NONE
        if step.variable in LISTS and self.keeps_former(step) and all(map(_is_fixed, taken)):
            return WayBack.DROPPED
        return WayBack.RESTORED


class Replacement(Struct, frozen=True, kw_only=True):
    """What envfix's own hook would do, were the scripts that somebody wrote not there."""

    #: None where it cannot be told.
    changes: tuple[HookChange, ...] | None = None
    #: The scripts of which each does nothing but what envfix's hook does, with their twins.
    replaceable: tuple[str, ...] = ()

    def fix_for(self, hook: ForeignHook) -> Fix | None:
        """Return the fix that writes envfix's hook in the place of a script."""
        if not self.changes or hook.path not in self.replaceable:
            return None
        first, *others = self.changes
        names = " and ".join(self.replaceable)
        return Fix(
            title=f"replace {names} by envfix's own hook; `envfix undo` brings back what was there",
            applicability=Applicability.UNSAFE,
            hooks=(replace(first, replaces=self.replaceable), *others),
        )

    def instead_of(self, hook: ForeignHook) -> str:
        """Return what to do in the place of a script, as the end of a sentence; "" where nothing is known.

        What envfix's hooks do not set, they cannot do instead.
        """
        if not any(step.variable in _SET_BY_HOOKS for step in hook.changes):
            return ""
        if self.changes is None or not hook.in_prefix:
            return (
                "; or else: `envfix hooks install` writes what is proven to be needed, if anything is, for every"
                " shell and with its way back"
            )
        if not self.changes:
            return (
                "; as far as the loader can be modelled, the installed packages find CUDA's libraries"
                " without this script: try it without"
            )
        variables = merged(change.variables for change in self.changes)
        names = ", ".join(dict.fromkeys(map(_told, variables)))
        return (
            "; or else: delete this script, and `envfix hooks install` writes one that does what is needed and"
            f" no more ({names}), for every shell and with its way back"
        )


def _told(variable: HookVariable) -> str:
    if isinstance(variable, PrependPath):
        return f"{' and '.join(variable.directories)} on {variable.name}"
    return variable.name


def text_of(parts: Iterable[Part]) -> str:
    """Return a value as it is written, nearly."""
    texts: list[str] = []
    for part in parts:
        match part:
            case Reference(variable=variable, how="") if not part.otherwise:
                texts.append(f"${variable}")
            case Reference(variable=variable, how=how, otherwise=otherwise):
                texts.append(f"${{{variable}{how}{text_of(otherwise)}}}")
            case _:
                texts.append(part.text)
    return "".join(texts)


def _is_fixed(step: Assignment) -> bool:
    """Tell whether a step takes a variable away, or sets it to a text that is always the same."""
    if step.action is Action.ANYTHING or step.guards:
        return False
    is_set = step.action is Action.SET and all(isinstance(p, Literal) for p in step.parts)
    return is_set or step.action is Action.UNSET


def _resolved(
    parts: Iterable[Part], before: tuple[Assignment, ...], budget: Iterator[int]
) -> Iterator[Part]:
    for part in parts:
        is_name = isinstance(part, Reference) and next(budget, None) is not None
        known = _known(part, before) if is_name else None
        if known is None:
            yield part
        elif known.action is not Action.UNSET:
            yield from _resolved(known.parts, before[: before.index(known)], budget)


def _known(part: Part, before: tuple[Assignment, ...]) -> Assignment | None:
    """Return the step that has given a variable its value for certain."""
    if not isinstance(part, Reference):
        return None
    changing = (step for step in before if step.action in {*_CHANGES, Action.UNSET})
    found = [step for step in changing if step.variable == part.variable]
    is_plain = not part.how or part.how in {"-", ":-"}
    if not is_plain or not found or found[-1].guards:
        return None
    return found[-1]


def _tells(condition: Condition, variable: str, own: set[str]) -> bool:
    """Tell whether a condition asks what a list holds, or for a mark that the script sets itself."""
    if condition.of:
        return any(_tells(each, variable, own) for each in condition.of)
    parts = (*condition.left, *condition.right)
    named = {part.variable for part in parts if isinstance(part, Reference)}
    if condition.asks in _MEMBERSHIP:
        is_named = bool(re.search(rf"\b{variable}\b", condition.text))
        return variable in named or is_named or bool(named & own)
    return bool(named & own)


def asks_python(part: Part) -> bool:
    """Tell whether a part of a value is asked of Python when the script runs."""
    is_run = isinstance(part, Computed) and bool(re.search(r"[$`(]\(?[^)]*\bpython", part.text))
    return isinstance(part, ModulePath) or is_run
