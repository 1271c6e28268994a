"""What the import of a package adds to the DLL search of Windows, and what it opens."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from reconciler.loader.windows_search import Added, Search, is_absolute, slashed
from reconciler.loader.windows_tree import FoldedTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.loader.answer import Opened
    from reconciler.loader.windows import Process
    from reconciler.loader.windows_tree import WindowsTree
    from reconciler.model.windows_loading import Installed, WindowsLoading

_KNOWN, _VARIABLE = re.compile(r"\{(\w+)\}"), re.compile(r"%(\w+)%")

_LIBS = ".libs"


def imported(
    tree: WindowsTree, installed: Installed, loadings: Iterable[WindowsLoading]
) -> tuple[WindowsLoading, ...]:
    """Return those of the loadings whose package is installed."""
    files = FoldedTree(tree)
    return tuple(row for row in loadings if _home(files, installed, row))


def added_by(
    tree: WindowsTree, installed: Installed, loadings: Iterable[WindowsLoading]
) -> tuple[Added, ...]:
    """Return what is given to os.add_dll_directory where these packages are imported in turn."""
    files = FoldedTree(tree)
    found = [one for place in installed.packages for one in _delvewheel(files, place)]
    for row in imported(tree, installed, loadings):
        first = tuple(_existing(files, installed, row, row.adds))
        wanted = (
            directory
            for pattern, directory in row.adds_without.items()
            if not any(_has(files, one, pattern) for one in first)
        )
        besides = _existing(files, installed, row, wanted)
        found += (Added(directory=one, by=row.title) for one in (*first, *besides))
    return tuple(dict.fromkeys(found))


def opened_by(
    process: Process, tree: WindowsTree, installed: Installed, loading: WindowsLoading
) -> tuple[Opened, ...]:
    """Open what a package opens as it is imported."""
    files = FoldedTree(tree)
    home = _home(files, installed, loading)
    if home is None:
        return ()
    for name in _named(files, home, loading.after):
        process.open(name)
    search = Search[loading.search.upper()]
    names = _named(files, home, loading.opens)
    return tuple(_opened(process, name, search, retries=loading.retries) for name in names)


def _opened(process: Process, name: str, search: Search, *, retries: bool) -> Opened:
    opened = process.open(name, search)
    return process.open(name, Search.EXTENDED_PATH) if retries and opened.error else opened


def _named(files: FoldedTree, home: str, patterns: Iterable[str]) -> Iterator[str]:
    for folder, pattern in map(posixpath.split, patterns):
        directory = files.found(posixpath.join(home, folder))
        # NTFS lists names in the order of the alphabet, and so does glob there.
        for folded, found in sorted(files.names(directory).items()) if directory else ():
            if directory and fnmatchcase(folded, pattern.casefold()):
                yield posixpath.join(directory, found)


def _home(files: FoldedTree, installed: Installed, loading: WindowsLoading) -> str | None:
    """Return the site-packages that has the package."""
    places = (one for one in installed.packages if files.inside(one, loading.module.casefold()))
    return next(places, None)


def _existing(
    files: FoldedTree, installed: Installed, loading: WindowsLoading, wanted: Iterable[str]
) -> Iterator[str]:
    home = _home(files, installed, loading)
    cuda = installed.built_for.get(loading.module)
    known = {"packages": home, "prefix": installed.prefix, "base": installed.base, "cuda": cuda}
    known["cuda_"] = cuda.replace(".", "_") if cuda else None
    variables = {key.casefold(): value for key, value in installed.variables.items()}
    for one in wanted:
        filled = (_filled(part, known, variables) for part in one.split("|"))
        directory = next((path for path in filled if path), None)
        found = files.found(directory) if directory else None
        if found is not None:
            yield found


def _filled(
    template: str, known: Mapping[str, str | None], variables: Mapping[str, str]
) -> str | None:
    """Return the directory that a template stands for; None where a part of it is not known."""
    # A variable's name may have the release in it: %CUDA_PATH_V{cuda_}%.
    for part, values in ((_KNOWN, known), (_VARIABLE, variables)):
        found = {name: values.get(name.casefold()) for name in part.findall(template)}
        if not all(found.values()):
            return None
        template = part.sub(partial(_value, found), template)
    path = slashed(template)
    return path if is_absolute(path) else None


def _delvewheel(files: FoldedTree, packages: str) -> Iterator[Added]:
    """Yield the folders that delvewheel made when it put a wheel's libraries into the wheel.

    It has each wheel's package add its own: numpy.libs.
    """
    for folded, name in sorted(files.names(packages).items()):
        directory = posixpath.join(packages, name)
        if folded.endswith(_LIBS) and _has(files, directory, "*.dll"):
            yield Added(directory=directory, by=name[: -len(_LIBS)])


def _value(found: Mapping[str, str | None], match: re.Match[str]) -> str:
    return found[match[1]] or ""


def _has(files: FoldedTree, directory: str, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern.casefold()) for name in files.names(directory))
