"""What every shell's scripts agree on: the order in which a hook acts, and the names it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.hook import Hook, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.model.hook import HookVariable


def in_force(
    hook: Hook,
    *,
    restore: Callable[[Hook], Iterable[str]],
    save: Callable[[Hook, str], Iterable[str]],
    change: Callable[[HookVariable, Hook], Iterable[str]],
) -> Iterator[str]:
    """Yield the lines that bring a hook into force: what was is restored, saved, and changed."""
    yield from restore(hook)
    for name in hook.names:
        yield from save(hook, name)
    for variable in hook.variables:
        yield from change(variable, hook)


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Return lines as they stand within a block."""
    return (f"    {line}" for line in lines)


def root(hook: Hook) -> str:
    """Return the variable that names the environment while it is being activated."""
    return "CONDA_PREFIX" if hook.place is Place.CONDA else "VIRTUAL_ENV"


def folder(hook: Hook) -> str:
    """Return where a virtual environment has its own scripts, and envfix's beside them."""
    return f"{hook.prefix}/{'Scripts' if hook.windows else 'bin'}"
