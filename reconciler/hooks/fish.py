"""fish, where a variable whose name ends in PATH is a list."""

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
from reconciler.model.os_name import to_os

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = ".fish"
COMMENT = "#"


def quote(text: str) -> str:
    """Return ``text`` as one word, which the shell takes letter by letter."""
    plain = "'" + to_os(text).replace("\\", r"\\").replace("'", r"\'") + "'"
    # fish keeps a byte that is no character only where it is written as a number
    return re.sub("[\udc80-\udcff]", lambda byte: rf"'\X{ord(byte[0]) - 0xDC00:02x}'", plain)


def activate(hook: Hook) -> Iterator[str]:
    """Yield the lines that bring a hook into force."""
    if hook.place is Place.VENV:
        yield f"source {quote(f'{folder(hook)}/activate.fish')}"
    yield f'if test -n "${root(hook)}"'
    lines = in_force(hook, restore=_restore, save=_save, change=_change)
    yield from indented(lines)
    yield "end"
    yield "true"
    if hook.place is Place.VENV:
        yield "function deactivate"
        yield f"    source {quote(f'{folder(hook)}/envfix-deactivate{SUFFIX}')}"
        yield "end"


def deactivate(hook: Hook) -> Iterator[str]:
    """Yield the lines that take a hook back; without the prefix, which may be gone by then."""
    yield from _restore(hook)
    if hook.place is Place.VENV:
        # The environment's own function was replaced: its script defines it again.
        yield f"source {quote(f'{folder(hook)}/activate.fish')}"
        yield "deactivate"


def _restore(hook: Hook) -> Iterator[str]:
    for name in hook.names:
        former, none = hook.saved(name), hook.absent(name)
        yield f"if set -q {former}"
        yield f'    set -gx {name} "${former}"'
        yield f"    set -eg {former}"
        yield f"else if set -q {none}"
        yield f"    set -eg {name}"
        yield f"    set -eg {none}"
        yield "end"
    yield "true"


def _save(hook: Hook, name: str) -> Iterator[str]:
    yield f"if set -q {name}"
    yield f'    set -gx {hook.saved(name)} "${name}"'
    yield "else"
    yield f"    set -gx {hook.absent(name)} 1"
    yield "end"


def _change(variable: HookVariable, hook: Hook) -> Iterator[str]:
    match variable:
        case SetVariable(name=name, value=value, path=None):
            yield f"set -gx {name} {quote(value)}"
        case SetVariable(name=name, value=value, path=path):
            yield f"set -gx {name} {quote(value) if value else ''}{_below(path or '', root(hook))}"
        case PrependPath(name=name, directories=directories):
            new = " ".join(_below(directory, root(hook)) for directory in directories)
            yield f'if test -n "${name}"'
            yield f"    set -gx --path {name} {new} ${name}"
            yield "else"
            yield f"    set -gx --path {name} {new}"
            yield "end"
        case RemoveElement(name=name, directory=directory):
            yield from _remove(name, directory)
        case Unset(name=name):
            yield f"set -eg {name}"
        case _:
            assert_never(variable)


def _below(path: str, root: str) -> str:
    return f'"${root}"' + (quote(f"/{path}") if path else "")


def _remove(name: str, directory: str) -> Iterator[str]:
    word = quote(directory)
    yield f"if set -q {name}"
    yield f"    set -gx --path {name} ${name}"
    yield f"    while contains -- {word} ${name}"
    yield f"        set -e {name}[(contains -i -- {word} ${name})]"
    yield f'        test -n "${name}"; or set -eg {name}'
    yield "    end"
    yield "end"
