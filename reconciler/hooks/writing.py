"""A hook as files: checked, headed, and written for every shell that the environment may meet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import HookError
from reconciler.hooks import cmd, csh, fish, posix, powershell
from reconciler.hooks.header import header
from reconciler.hooks.state import root
from reconciler.model.hook import Hook, HookFile, Place, PrependPath, RemoveElement, SetVariable
from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.hook import HookVariable


class Shell(Protocol):
    """A module that writes for one family of shells."""

    SUFFIX: str
    COMMENT: str

    def activate(self, hook: Hook) -> Iterator[str]:
        """Yield the lines that bring a hook into force."""

    def deactivate(self, hook: Hook) -> Iterator[str]:
        """Yield the lines that take a hook back."""


SHELLS: dict[str, Shell] = {
    "posix": posix,
    "fish": fish,
    "csh": csh,
    "powershell": powershell,
    "cmd": cmd,
}
#: Not looked for elsewhere: fish and csh are not on Windows, cmd.exe is there alone.
ON_WINDOWS = ("posix", "powershell", "cmd")
ELSEWHERE = ("posix", "fish", "csh", "powershell")
#: Behind every other script, conda-forge's ~cuda-nvcc_activate.sh too: the managers source them in
#: the order of their names. On the way back conda takes the reverse order, rattler the same.
STEM = "~~envfix"
MANIFEST = "etc/envfix/hooks.json"
#: conda and venv change these themselves in between, or the shell is tied to them.
_NOT_OURS = {"PATH", "HOME", "SHELL", "TERM", "USER", "IFS", "PS1"}


def scripts(hook: Hook, shells: Collection[str] = ()) -> tuple[HookFile, ...]:
    """Return the files of a hook, an activation and a deactivation for each shell, or for some."""
    _check(hook)
    names = (name for name in shells_of(hook) if not shells or name in shells)
    return tuple(file for name in names for file in _twins(hook, SHELLS[name]))


def shells_of(hook: Hook) -> tuple[str, ...]:
    """Return the families of shells that an environment may meet."""
    return ON_WINDOWS if hook.windows else ELSEWHERE


def _twins(hook: Hook, shell: Shell) -> Iterator[HookFile]:
    paths = _paths(hook, shell.SUFFIX)
    for path, lines in zip(paths, (shell.activate(hook), shell.deactivate(hook)), strict=True):
        head = header(hook, shell.COMMENT, (*paths, MANIFEST))
        newline = "\r\n" if shell is cmd else "\n"
        yield HookFile(path=path, text="".join(f"{line}{newline}" for line in (*head, *lines)))


def _paths(hook: Hook, suffix: str) -> tuple[str, str]:
    if hook.place is Place.CONDA:
        folders = ("etc/conda/activate.d", "etc/conda/deactivate.d")
        return (f"{folders[0]}/{STEM}{suffix}", f"{folders[1]}/{STEM}{suffix}")
    folder = "Scripts" if hook.windows else "bin"
    return (f"{folder}/envfix-activate{suffix}", f"{folder}/envfix-deactivate{suffix}")


def _check(hook: Hook) -> None:
    found = re.search(r"[:;$\0]", hook.prefix[2:] if hook.windows else hook.prefix)
    if found:
        raise HookError(
            f"a hook cannot serve an environment with {found[0]!r} in its path, which the loader"
            " and conda read as something else",
            where=printable(hook.prefix),
            next_step="make it again in a folder without it",
        )
    for variable in hook.variables:
        for trouble in _troubles(variable, root(hook)):
            raise HookError(
                trouble,
                where=f"the hook's {printable(variable.name)!r}",
                next_step="this is a fault of the plan that asked for it: please report it",
            )


def _troubles(variable: HookVariable, root: str) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable.name):
        yield "this is no name of a variable"
    name = variable.name.upper()
    if name in _NOT_OURS or name == root or name.startswith(("_ENVFIX", "CONDA_")):
        yield "a hook must not change this variable: the shell, conda or envfix needs it"
    match variable:
        case SetVariable(value=value, path=path):
            if "\0" in value:
                yield "a value cannot hold the byte 0"
            yield from _path_troubles(path or "", "\0")
        case PrependPath(directories=directories):
            if not directories:
                yield "no directory is named"
            for directory in directories:
                yield from _path_troubles(directory, ":;$\0")
        case RemoveElement(directory=directory):
            if not directory or re.search(r"[:;\0]", directory):
                yield f"{printable(directory)!r} is no single element of a list of directories"
        case _:
            return


def _path_troubles(path: str, refused: str) -> Iterator[str]:
    if path.startswith(("/", "\\")) or ".." in path.split("/"):
        yield f"{printable(path)!r} does not lie below the prefix"
    if set(path) & set(refused):
        yield f"{printable(path)!r} holds a character that the loader reads as something else"
