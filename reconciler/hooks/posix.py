"""bash, zsh, dash and ksh; xonsh reads these scripts through bash."""

from __future__ import annotations

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

SUFFIX = ".sh"
COMMENT = "#"


def quote(text: str) -> str:
    """Return ``text`` as one word, which the shell takes letter by letter."""
    return "'" + text.replace("'", r"'\''") + "'"


def activate(hook: Hook) -> Iterator[str]:
    """Yield the lines that bring a hook into force."""
    if hook.place is Place.VENV:
        yield f". {quote(f'{folder(hook)}/activate')}"
    yield f'if [ -n "${{{root(hook)}:-}}" ]; then'
    lines = in_force(hook, restore=_restore, save=_save, change=_change)
    yield from indented(lines)
    yield "fi"
    if hook.place is Place.VENV:
        off = quote(f"{folder(hook)}/envfix-deactivate{SUFFIX}")
        yield f"deactivate () {{ . {off}; }}"


def deactivate(hook: Hook) -> Iterator[str]:
    """Yield the lines that take a hook back; without the prefix, which may be gone by then."""
    yield from _restore(hook)
    if hook.place is Place.VENV:
        # The environment's own function was replaced: its script defines it again.
        yield f". {quote(f'{folder(hook)}/activate')}"
        yield "deactivate"


def _restore(hook: Hook) -> Iterator[str]:
    for name in hook.names:
        former, none = hook.saved(name), hook.absent(name)
        yield f'if [ -n "${{{former}+x}}" ]; then'
        yield f'    \\export {name}="${former}"'
        yield f"    \\unset {former}"
        yield f'elif [ -n "${{{none}+x}}" ]; then'
        yield f"    \\unset {name} {none}"
        yield "fi"


def _save(hook: Hook, name: str) -> Iterator[str]:
    yield f'if [ -n "${{{name}+x}}" ]; then'
    yield f'    \\export {hook.saved(name)}="${name}"'
    yield "else"
    yield f"    \\export {hook.absent(name)}=1"
    yield "fi"


def _change(variable: HookVariable, hook: Hook) -> Iterator[str]:
    match variable:
        case SetVariable(name=name, value=value, path=None):
            yield f"\\export {name}={quote(value)}"
        case SetVariable(name=name, value=value, path=path):
            yield f"\\export {name}={quote(value) if value else ''}{_below(path or '', root(hook))}"
        case PrependPath(name=name, directories=directories):
            new = ":".join(_below(directory, root(hook)) for directory in directories)
            yield f'\\export {name}={new}"${{{name}:+:${name}}}"'
        case RemoveElement(name=name, directory=directory):
            yield from _remove(name, directory)
        case Unset(name=name):
            yield f"\\unset {name}"
        case _:
            assert_never(variable)


def _below(path: str, root: str) -> str:
    return f'"${root}"' + (quote(f"/{path}") if path else "")


def _remove(name: str, directory: str) -> Iterator[str]:
    """Take what stands between two colons out, as often as it does."""
    # zsh may warn of a variable that a function makes without a word (warn_create_global)
    yield f'\\export _envfix_gone={quote(directory)} _envfix_left=":${{{name}:-}}:"'
    yield 'case "$_envfix_left" in'
    yield '    *:"$_envfix_gone":*)'
    yield '        while case "$_envfix_left" in *:"$_envfix_gone":*) true;; *) false;; esac; do'
    left, right = '${_envfix_left%%:"$_envfix_gone":*}', '${_envfix_left#*:"$_envfix_gone":}'
    yield f"            _envfix_left={left}:{right}"
    yield "        done"
    yield "        _envfix_left=${_envfix_left#:}"
    yield "        _envfix_left=${_envfix_left%:}"
    yield '        if [ -n "$_envfix_left" ]; then'
    yield f'            \\export {name}="$_envfix_left"'
    yield "        else"
    yield f"            \\unset {name}"
    yield "        fi"
    yield "        ;;"
    yield "esac"
    yield "\\unset _envfix_gone _envfix_left"
