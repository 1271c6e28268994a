"""Which platforms a file is evidently for: by its name, its ``prefix:``, or what it asks for.

Nothing here is a guess about CUDA: ``cpu`` and ``amd`` are words of no platform. Linux is that of
x86-64 where no machine is named: a file for ARM servers says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINUX = ("linux-64",)
_ANY_LINUX = ("linux-64", "linux-aarch64")
_MAC = ("osx-64", "osx-arm64")
_WINDOWS = ("win-64",)
_X86 = ("linux-64", "win-64", "osx-64")
_ALL = (*_ANY_LINUX, *_WINDOWS, *_MAC)
#: A word of a file's name and the platforms that it stands for.
_WORDS = {
    **dict.fromkeys(("windows", "win", "win32", "win64", "win10", "win11"), _WINDOWS),
    **dict.fromkeys(("linux", "lin", "ubuntu", "debian", "centos", "wsl", "colab"), _LINUX),
    **dict.fromkeys(("mac", "macos", "osx", "darwin"), _MAC),
}
_MACHINES = {
    **dict.fromkeys(("x86_64", "x64", "amd64"), _X86),
    "aarch64": ("linux-aarch64",),
    "arm64": ("linux-aarch64", "osx-arm64"),
}
_MACHINE = re.compile(r"(?<![a-z0-9])(?:x86[_-]64|x64|amd64|aarch64|arm64)(?![a-z0-9])")
_EXACT = re.compile(
    r"(?<![a-z0-9])(?:linux[-_](?:64|aarch64)|win[-_]64|osx[-_](?:64|arm64))(?![a-z0-9])"
)
_LETTERS = re.compile(r"[a-z]+(?:32|64|10|11)?(?![a-z])")
# Written together with other words: dlcDependenciesFORWINDOWSwTF.yaml
_ANYWHERE = re.compile(r"windows|linux|ubuntu|macos")
# A folder must say it whole: win/ and lin/ may be anything.
_FOLDERS = frozenset({"windows", "linux", "ubuntu", "macos", "osx"})
_SELECTORS = {
    "linux": _ANY_LINUX,
    "linux64": ("linux-64",),
    "unix": (*_ANY_LINUX, *_MAC),
    "win": _WINDOWS,
    "win64": _WINDOWS,
    "osx": _MAC,
    "osx64": ("osx-64",),
    "arm64": ("osx-arm64",),
    "aarch64": ("linux-aarch64",),
    "x86_64": _X86,
}
_SELECTOR = re.compile(r"#[^\[\]]*\[\s*(not\s+)?([\w-]+)\s*\]\s*$")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
#: conda packages that have builds for one system alone: what an export drags in.
_OF_WINDOWS = frozenset({
    "vc", "vc14_runtime", "vs2015_runtime", "ucrt", "pywin32", "pywinpty", "wincertstore",
    "win_inet_pton", "winpty", "menuinst", "console_shortcut",
})  # fmt: skip
_OF_LINUX = frozenset({"libgcc-ng", "libstdcxx-ng", "libgfortran-ng", "libgomp", "_libgcc_mutex"})
_OF_MAC = frozenset({"libcxx", "appnope"})
_OF_TARGET = re.compile(r"_(linux-64|linux-aarch64|win-64|osx-64|osx-arm64)$")
#: Projects on PyPI that have wheels for Windows alone, and no source.
_WINDOWS_WHEELS = frozenset({"pywin32", "pypiwin32", "pywinpty", "windows-curses"})


def of_path(path: str) -> tuple[str, ...]:
    """Return the platforms that the words of a path name; nothing where it names none."""
    *folders, file = path.lower().split("/")
    if exact := _EXACT.findall(file):
        return _ordered({name.replace("_", "-") for name in exact})
    said = {name for word in _words(file) for name in _WORDS.get(word, ())}
    for folder in () if path.startswith("/") else folders:
        if folder in _FOLDERS:
            said |= {*_WORDS[folder]}
    machine = _MACHINE.search(file)
    if machine is None:
        return _ordered(said)
    of_machine = {*_MACHINES[machine[0].replace("-", "_")]}
    if not said:
        # Every system has x86-64, and the most of them are Linux.
        return () if "linux-64" in of_machine else _ordered(of_machine)
    if "linux-64" in said:
        said |= {*_ANY_LINUX}
    return _ordered(said & of_machine)


def of_prefix(prefix: str) -> tuple[str, ...]:
    """Return the platforms that the folder of an environment can be on."""
    if _DRIVE.match(prefix):
        return _WINDOWS
    if prefix.startswith("/Users/"):
        return _MAC
    return _LINUX if prefix.startswith(("/home/", "/root/")) else ()


def of_conda_packages(names: Iterable[str]) -> tuple[str, ...]:
    """Return the platforms on which packages of these names can be installed together."""
    known = {*names}
    targets = {match[1] for name in known if (match := _OF_TARGET.search(name))}
    if len(targets) == 1:
        return (*targets,)
    if known & _OF_WINDOWS:
        return _WINDOWS
    if known & _OF_LINUX:
        return _LINUX
    return _MAC if known >= _OF_MAC else ()


def of_wheels(names: Iterable[str]) -> tuple[str, ...]:
    """Return the platforms on which pip can install projects of these normal names."""
    return _WINDOWS if not _WINDOWS_WHEELS.isdisjoint(names) else ()


def of_selector(line: str) -> tuple[str, ...]:
    """Return the platforms of conda-lock's selector at a line's end: ``# [linux]``."""
    match = _SELECTOR.search(line)
    if match is None:
        return ()
    named = _SELECTORS.get(match[2], (match[2],) if match[2] in _ALL else ())
    if named and match[1]:
        return tuple(platform for platform in _ALL if platform not in named)
    return named


def _words(file: str) -> list[str]:
    return [*_LETTERS.findall(file), *_ANYWHERE.findall(file)]


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(platform for platform in _ALL if platform in names)
