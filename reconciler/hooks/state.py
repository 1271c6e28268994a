"""The names that every shell's scripts agree on."""

from __future__ import annotations

from reconciler.model.hook import Hook, Place


def saved(hook: Hook, name: str) -> str:
    """Return the variable that keeps what ``name`` was."""
    return hook.saved(name)


def absent(hook: Hook, name: str) -> str:
    """Return the variable that is set in the other's stead where ``name`` was not."""
    return hook.absent(name)


def root(hook: Hook) -> str:
    """Return the variable that names the environment while it is being activated."""
    return "CONDA_PREFIX" if hook.place is Place.CONDA else "VIRTUAL_ENV"


def folder(hook: Hook) -> str:
    """Return where a virtual environment has its own scripts, and envfix's beside them."""
    return f"{hook.prefix}/{'Scripts' if hook.windows else 'bin'}"
