r"""csh as it is everywhere today, tcsh.

The shell looks for ``!`` in single quotes too, and a user's ``backslash_quote`` gives ``\`` a meaning
there: so ``!``, ``\`` and ``'`` each stand behind a ``\`` outside of the quotes. A value with ``:q``
is one word as it is; in double quotes it would lose a ``\`` before a line break.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from reconciler.hooks.state import folder, in_force, root
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

SUFFIX = ".csh"
COMMENT = "#"


def quote(text: str) -> str:
    """Return ``text`` as one word, which the shell takes letter by letter."""
    parts = re.split(r"(['!\\])", text)
    quoted = (f"\\{part}" if part in {"'", "!", "\\"} else _plain(part) for part in parts)
    return "".join(quoted) or "''"


def _plain(text: str) -> str:
    return "'" + text.replace("\n", "\\\n") + "'" if text else ""


def activate(hook: Hook) -> Iterator[str]:
    """Yield the lines that bring a hook into force."""
    if hook.place is Place.VENV:
        yield f"source {quote(f'{folder(hook)}/activate.csh')}"
    yield f"if ( $?{root(hook)} ) then"
    yield f"if ( x{_value(root(hook))} != x ) then"
    lines = in_force(hook, restore=_restore, save=_save, change=_change)
    yield from _indented(lines)
    yield "endif"
    yield "endif"
    if hook.place is Place.VENV:
        off = quote(f"{folder(hook)}/envfix-deactivate{SUFFIX}")
        yield f"alias deactivate {quote(f'source {off}')}"


def deactivate(hook: Hook) -> Iterator[str]:
    """Yield the lines that take a hook back; without the prefix, which may be gone by then."""
    yield from _restore(hook)
    if hook.place is Place.VENV:
        # The environment's own alias was replaced: its script defines it again.
        yield f"source {quote(f'{folder(hook)}/activate.csh')}"
        yield "deactivate"


def _restore(hook: Hook) -> Iterator[str]:
    for name in hook.names:
        former, none = hook.saved(name), hook.absent(name)
        yield f"if ( $?{former} ) then"
        yield f"    setenv {name} {_value(former)}"
        yield f"    unsetenv {former}"
        yield f"else if ( $?{none} ) then"
        yield f"    unsetenv {name}"
        yield f"    unsetenv {none}"
        yield "endif"


def _save(hook: Hook, name: str) -> Iterator[str]:
    yield f"if ( $?{name} ) then"
    yield f"    setenv {hook.saved(name)} {_value(name)}"
    yield "else"
    yield f"    setenv {hook.absent(name)} 1"
    yield "endif"


def _change(variable: HookVariable, hook: Hook) -> Iterator[str]:
    match variable:
        case SetVariable(name=name, value=value, path=None):
            yield f"setenv {name} {quote(value)}"
        case SetVariable(name=name, value=value, path=path):
            yield f"setenv {name} {quote(value) if value else ''}{_below(path or '', root(hook))}"
        case PrependPath(name=name, directories=directories):
            yield from _prepend(name, ":".join(_below(each, root(hook)) for each in directories))
        case RemoveElement(name=name, directory=directory):
            yield from _remove(name, directory)
        case Unset(name=name):
            yield f"unsetenv {name}"
        case _:
            assert_never(variable)


def _below(path: str, root: str) -> str:
    return _value(root) + (quote(f"/{path}") if path else "")


def _value(name: str) -> str:
    return f"${{{name}:q}}"


def _prepend(name: str, new: str) -> Iterator[str]:
    yield f"if ( ! $?{name} ) setenv {name} ''"
    yield f"if ( x{_value(name)} != x ) then"
    yield f"    setenv {name} {new}:{_value(name)}"
    yield "else"
    yield f"    setenv {name} {new}"
    yield "endif"


def _remove(name: str, directory: str) -> Iterator[str]:
    """Split at line breaks: in double quotes each line of ``printenv``, a builtin, is a word.

    So a list with a line break in it is left as it is.
    """
    yield f"if ( $?{name} ) then"
    yield f"if ( :{_value(name)}: =~ *:{_like(directory)}:* && {_value(name)} !~ *'\\"
    yield "'* ) then"
    yield f"    setenv {name} ${{{name}:as,:,\\"
    yield ",:q}"
    yield f'    set envfix_elements = ( "`printenv {name}`" )'
    yield f"    unsetenv {name}"
    yield "    foreach envfix_element ( $envfix_elements:q )"
    yield f"        if ( x{_value('envfix_element')} != x{quote(directory)} ) then"
    yield f"            if ( $?{name} ) then"
    yield f"                setenv {name} {_value(name)}:{_value('envfix_element')}"
    yield "            else"
    yield f"                setenv {name} {_value('envfix_element')}"
    yield "            endif"
    yield "        endif"
    yield "    end"
    yield "    unset envfix_elements envfix_element"
    yield "endif"
    yield "endif"


def _like(directory: str) -> str:
    """Return a pattern that ``directory`` fits, with nothing in it that means more."""
    return re.sub(r"[^\w/.-]+", "*", directory, flags=re.ASCII)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    # The line behind a line break in a value must stay as it is.
    return (line if line.startswith((",:q", "'*")) else f"    {line}" for line in lines)
