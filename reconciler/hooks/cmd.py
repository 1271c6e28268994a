"""cmd.exe, for environments of Windows alone.

A variable that cmd.exe sets to nothing is gone, so empty and absent are one. A value that is not
ours goes from variable to variable through ``for``, whose words are not read as commands.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, assert_never

from reconciler.errors import HookError
from reconciler.hooks.state import in_force, root
from reconciler.model.hook import (
    Hook,
    HookVariable,
    Place,
    PrependPath,
    RemoveElement,
    SetVariable,
    Unset,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".bat"
COMMENT = "@rem"
#: What is itself between double quotes, in every mode of the shell: ``%`` when doubled.
_TAKEN = re.compile(r"""[ #-\]_`a-~]*""")


def quote(text: str) -> str:
    """Return ``text`` as it stands between double quotes."""
    if not _TAKEN.fullmatch(text):
        raise HookError(
            f'cmd.exe cannot be given {text!r}: it takes plain ASCII without !, ^ and "',
            where="the hook for cmd.exe",
            next_step="use a value or a directory without them",
        )
    return text.replace("%", "%%")


def activate(hook: Hook) -> Iterator[str]:
    """Yield the lines that bring a hook into force."""
    if hook.place is Place.VENV:
        yield f'@call "{quote(hook.prefix)}\\Scripts\\activate.bat"'
    yield f"@if not defined {root(hook)} @goto :envfix_end"
    labels = (f"envfix_{number}" for number in count())

    def change(variable: HookVariable, hook: Hook) -> Iterator[str]:
        return _change(variable, root(hook), next(labels))

    yield from in_force(hook, restore=_restore, save=_save, change=change)
    yield ":envfix_end"


def deactivate(hook: Hook) -> Iterator[str]:
    """Yield the lines that take a hook back; without the prefix, which may be gone by then."""
    yield from _restore(hook)
    if hook.place is Place.VENV:
        yield f'@call "{quote(hook.prefix)}\\Scripts\\deactivate.bat"'


def _restore(hook: Hook) -> Iterator[str]:
    for name in hook.names:
        former, none = hook.saved(name), hook.absent(name)
        yield f'@if defined {none} @set "{name}="'
        yield f'@set "{none}="'
        yield f"@if not defined {former} @goto :envfix_restored_{name}"
        yield from _assign(name, f"!{former}!")
        yield f'@set "{former}="'
        yield f":envfix_restored_{name}"


def _save(hook: Hook, name: str) -> Iterator[str]:
    yield f'@if not defined {name} @set "{hook.absent(name)}=1"'
    yield f"@if not defined {name} @goto :envfix_saved_{name}"
    yield from _assign(hook.saved(name), f"!{name}!")
    yield f":envfix_saved_{name}"


def _assign(target: str, value: str) -> Iterator[str]:
    yield "@setlocal EnableExtensions EnableDelayedExpansion"
    yield f'@for /f "delims=" %%V in (""{value}"") do @endlocal & @set "{target}=%%~V"'


def _change(variable: HookVariable, root: str, label: str) -> Iterator[str]:
    match variable:
        case SetVariable(name=name, value=value, path=None):
            yield f'@set "{name}={quote(value)}"'
        case SetVariable(name=name, value=value, path=path):
            yield from _assign(name, quote(value) + _below(path or "", root))
        case PrependPath(name=name, directories=directories):
            new = ";".join(_below(directory, root) for directory in directories)
            yield f"@if defined {name} @goto :{label}_longer"
            yield from _assign(name, new)
            yield f"@goto :{label}"
            yield f":{label}_longer"
            yield from _assign(name, f"{new};!{name}!")
            yield f":{label}"
        case RemoveElement(name=name, directory=directory):
            yield from _remove(name, quote(directory), label)
        case Unset(name=name):
            yield f'@set "{name}="'
        case _:
            assert_never(variable)


def _below(path: str, root: str) -> str:
    return f"!{root}!" + quote("\\" + path.replace("/", "\\") if path else "")


def _remove(name: str, directory: str, label: str) -> Iterator[str]:
    """Replace a name between two semicolons by one, twice for a name that stands twice."""
    yield f"@if not defined {name} @goto :{label}"
    yield from _assign(name, f";!{name}!;")
    for _ in range(2):
        yield from _assign(name, f"!{name}:;{directory};=;!")
    yield from _assign(name, f"!{name}:~1,-1!")
    yield f":{label}"
