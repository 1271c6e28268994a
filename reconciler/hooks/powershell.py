"""PowerShell, on Windows and elsewhere.

Windows PowerShell reads a script in the machine's code page, and PowerShell takes typographic
quotes for quotes: so what is not plain ASCII is written in numbers. A saved value has a ``+`` in
front: before PowerShell 7.5 an empty variable cannot be written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from reconciler.hooks.state import folder, in_force, indented, root
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

SUFFIX = ".ps1"
COMMENT = "#"


def quote(text: str) -> str:
    """Return ``text`` as one word, which the shell takes letter by letter."""
    pieces = re.findall(r"[ -~]+|[^ -~]", text)
    return "(" + " + ".join(map(_piece, pieces or [""])) + ")"


def _piece(text: str) -> str:
    if re.fullmatch(r"[ -~]*", text):
        return "'" + text.replace("'", "''") + "'"
    units = text.encode("utf-16-be")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return " + ".join(f"[string][char]0x{pair}" for pair in pairs)


def activate(hook: Hook) -> Iterator[str]:
    """Yield the lines that bring a hook into force."""
    if hook.place is Place.VENV:
        yield f". {_script(hook, 'Activate.ps1')}"
    yield f"if ($Env:{root(hook)}) {{"
    lines = in_force(hook, restore=_restore, save=_save, change=_change)
    yield from indented(lines)
    yield "}"
    if hook.place is Place.VENV:
        off = _script(hook, f"envfix-deactivate{SUFFIX}")
        yield f"function global:deactivate {{ . {off} }}"


def deactivate(hook: Hook) -> Iterator[str]:
    """Yield the lines that take a hook back; without the prefix, which may be gone by then."""
    yield from _restore(hook)
    if hook.place is Place.VENV:
        # The environment's own function was replaced: its script defines it again.
        yield f". {_script(hook, 'Activate.ps1')}"
        yield "deactivate"


def _script(hook: Hook, name: str) -> str:
    return quote(f"{folder(hook)}/{name}")


def _restore(hook: Hook) -> Iterator[str]:
    for name in hook.names:
        former, none = hook.saved(name), hook.absent(name)
        yield f"if ($Env:{former}) {{"
        yield f"    $Env:{name} = $Env:{former}.Substring(1)"
        yield f"    $Env:{former} = $null"
        yield f"}} elseif ($Env:{none}) {{"
        yield f"    $Env:{name} = $null"
        yield f"    $Env:{none} = $null"
        yield "}"


def _save(hook: Hook, name: str) -> Iterator[str]:
    yield f"if (Test-Path Env:{name}) {{"
    yield f"    $Env:{hook.saved(name)} = '+' + $Env:{name}"
    yield "} else {"
    yield f"    $Env:{hook.absent(name)} = '1'"
    yield "}"


def _change(variable: HookVariable, hook: Hook) -> Iterator[str]:
    match variable:
        case SetVariable(name=name, value=value, path=None):
            yield f"$Env:{name} = {quote(value)}"
        case SetVariable(name=name, value=value, path=path):
            yield f"$Env:{name} = {quote(value)} + {_below(path or '', hook)}"
        case PrependPath(name=name, directories=directories):
            between = f" + {_between(hook)} + "
            new = between.join(_below(directory, hook) for directory in directories)
            former = f"$(if ($Env:{name}) {{ {_between(hook)} + $Env:{name} }})"
            yield f"$Env:{name} = {new} + {former}"
        case RemoveElement(name=name, directory=directory):
            yield f"if ($Env:{name}) {{"
            left = f"@($Env:{name}.Split({_between(hook)}) -cne {quote(directory)})"
            yield f"    $Env:{name} = {left} -join {_between(hook)}"
            yield f"    if (-not $Env:{name}) {{"
            yield f"        $Env:{name} = $null"
            yield "    }"
            yield "}"
        case Unset(name=name):
            yield f"$Env:{name} = $null"
        case _:
            assert_never(variable)


def _below(path: str, hook: Hook) -> str:
    slash = "\\" if hook.windows else "/"
    below = slash + path.replace("/", slash) if path else ""
    return f"$Env:{root(hook)} + {quote(below)}"


def _between(hook: Hook) -> str:
    return "';'" if hook.windows else "':'"
