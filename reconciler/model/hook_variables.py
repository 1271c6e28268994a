"""What a hook makes of the variables of a shell, as its scripts would."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reconciler.model.hook import PrependPath, RemoveElement, SetVariable, Unset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.hook import HookVariable


def changes(
    variables: Iterable[HookVariable], shell: Mapping[str, str], prefix: str
) -> Mapping[str, str | None]:
    """Return the new values of what is changed; None of what is then not set."""
    changed: dict[str, str | None] = {}
    for variable in variables:
        name = variable.name
        before = changed[name] if name in changed else shell.get(name)
        changed[name] = _after(variable, before, prefix)
    return changed


def merged(groups: Iterable[Iterable[HookVariable]]) -> tuple[HookVariable, ...]:
    """Return what several changes do together: taken away first, then brought; each once.

    Of two that set one variable, the first holds.
    """
    wanted = tuple(dict.fromkeys(variable for group in groups for variable in group))
    taken = [one for one in wanted if isinstance(one, RemoveElement | Unset)]
    values: dict[str, SetVariable] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for one in wanted:
        if isinstance(one, SetVariable):
            values.setdefault(one.name, one)
        elif isinstance(one, PrependPath):
            known = lists.get(one.name, ())
            lists[one.name] = tuple(dict.fromkeys((*known, *one.directories)))
    brought = (PrependPath(name=name, directories=found) for name, found in lists.items())
    return (*taken, *brought, *values.values())


def _after(variable: HookVariable, before: str | None, prefix: str) -> str | None:
    match variable:
        case SetVariable(value=value, path=None):
            return value
        case SetVariable(value=value, path=path):
            return f"{value}{prefix}/{path}" if path else f"{value}{prefix}"
        case PrependPath(directories=directories):
            own = ":".join(f"{prefix}/{directory}" for directory in directories)
            return f"{own}:{before}" if before else own
        case RemoveElement(directory=directory):
            if before is None:
                return None
            kept = [one for one in before.split(":") if one != directory]
            return ":".join(kept) if kept else None
        case Unset():
            return None
        case _:
            assert_never(variable)
