"""What git leaves out: the .gitignore of each folder, read as git reads it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.collect import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pathspec import GitIgnoreSpec

# What of a pattern of .gitignore stands for other letters.
_WILD = re.compile(r"\[[^]]*\]|[*?\\]+")
_PLAIN = re.compile(r"(/?)([\w.-]+)/?\s*")


class Gitignore(NamedTuple):
    """One .gitignore."""

    #: The folder that it lies in, absolute.
    folder: str
    lines: tuple[str, ...]


class Pattern(NamedTuple):
    """One line of a .gitignore."""

    #: Whether it is of a path from there on, rather than of a name at any depth.
    is_of_path: bool
    spec: GitIgnoreSpec


class Ignored(NamedTuple):
    """What the .gitignore of a folder, and of those above it, leave out."""

    #: The outer ones first.
    by: tuple[Gitignore, ...] = ()
    #: Names of folders that it leaves out at any depth, as far as that is plain without its grammar.
    names: frozenset[str] = frozenset()


def ignored_above(project: str) -> Ignored:
    """Return what the folders above the project leave out, up to that of the repository."""
    folders: list[str] = []
    folder = project
    while not os.path.exists(f"{folder}/.git"):
        if os.path.dirname(folder) == folder:
            # No repository: a .gitignore above the project is none of its own.
            return Ignored()
        folder = os.path.dirname(folder)
        folders.append(folder)
    return Ignored(by=tuple(Gitignore(f, lines) for f in reversed(folders) if (lines := _lines(f))))


def with_gitignore(folder: str, outer: Ignored) -> tuple[Ignored, frozenset[str]]:
    """Add a folder's .gitignore; return also the names that it leaves out in this folder alone.

    A project's data may be a million files in a folder that is left out by its plain name: these
    are not walked through. All else is asked of pathspec, and only where something was found.
    """
    lines = _lines(folder)
    ignored = outer._replace(by=(*outer.by, Gitignore(folder, lines)))
    if any(line.startswith("!") for line in lines):
        # What it takes back, it alone knows.
        return ignored._replace(names=frozenset()), frozenset()
    plain = [match for line in lines if (match := _PLAIN.fullmatch(line))]
    names = frozenset(match[2] for match in plain if not match[1])
    return ignored._replace(names=outer.names | names), frozenset(match[2] for match in plain)


def is_ignored(
    full: str, ignoring: Sequence[Gitignore], known: dict[str, tuple[Pattern, ...]]
) -> bool:
    """Tell whether git would leave a file out: for its own name, or with a folder above it."""
    concerned = [g for g in ignoring if _may_concern(full[len(g.folder) + 1 :], g.lines)]
    if not concerned:
        return False
    for gitignore in concerned:
        if gitignore.folder not in known:
            known[gitignore.folder] = tuple(_patterns(gitignore.lines))
    ends = [i for i, c in enumerate(full) if c == "/" and i > len(concerned[0].folder)]
    for path in (*(full[: end + 1] for end in ends), full):
        # The last word has the .gitignore that lies nearest, and in it the last line.
        below = (g for g in concerned if path.startswith(f"{g.folder}/") and path != f"{g.folder}/")
        said = [_said(known[g.folder], path[len(g.folder) + 1 :]) for g in below]
        if next((verdict for verdict in reversed(said) if verdict is not None), False):
            return True
    return False


def _said(patterns: Sequence[Pattern], path: str) -> bool | None:
    """Return what the last pattern of a path says; None where none is of the path itself."""
    above, _, name = path.rstrip("/").rpartition("/")
    own = f"{name}/" if path.endswith("/") else name
    verdict = None
    for is_of_path, spec in patterns:
        said = spec.check_file(path if is_of_path else own).include
        is_of_above = is_of_path and above and spec.check_file(f"{above}/").include is not None
        if said is not None and not is_of_above:
            verdict = said
    return verdict


def _lines(folder: str) -> tuple[str, ...]:
    try:
        raw = files.read(f"{folder}/.gitignore", limit=files.MEGABYTE)
    except files.UnreadableError:
        return ()
    return tuple(raw.decode("utf-8", "replace").splitlines())


def _may_concern(path: str, lines: Sequence[str]) -> bool:
    """Tell whether a pattern can be of a path at all: most are of what no manifest is called."""
    names = path.split("/")
    ends = ((line.lstrip("!").rstrip(" /").rpartition("/")[2], line) for line in lines)
    return any(
        all(part in name for part in _WILD.split(end))
        for end, line in ends
        if end and not line.startswith("#")
        for name in names
    )


def _patterns(lines: Sequence[str]) -> Iterator[Pattern]:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - 15 ms, where there is something to ask

    for line in lines:
        try:
            spec = GitIgnoreSpec.from_lines([line])
        except ValueError:
            # git itself passes over what is no pattern, such as a lone "!".
            continue
        yield Pattern(is_of_path="/" in line.strip().rstrip("/"), spec=spec)
