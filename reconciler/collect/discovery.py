"""Which files of a project declare an environment: its own, and those of its folders."""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter, deque
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from reconciler import manifests
from reconciler.collect import files
from reconciler.collect.gitignore import Ignored, Pattern, ignored_above, is_ignored, with_gitignore
from reconciler.collect.ground import Found
from reconciler.model.os_name import from_os, to_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Folders that hold others' work, or what a program has made.
FOREIGN = frozenset(
    {
        *(".git", ".hg", ".svn", ".tox", ".nox", ".pixi", ".eggs", ".ipynb_checkpoints"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__", "__pypackages__"),
        *("node_modules", "bower_components", "site-packages", "dist-packages"),
        *("vendor", "vendored", "_vendor", "_vendored", "third_party", "third-party"),
    }
)
#: What a folder of the project holds that is an environment, or a project of its own.
MARKS = frozenset({"pyvenv.cfg", "conda-meta", ".git"})
# A monorepo has some ten levels and some ten thousand files; a home folder may have millions.
DEPTH, ENTRIES, FILES = 12, 100_000, 1_000
# So many files of one kind in one folder, and none declares an environment: they are data.
ALIKE = 100
# What most files of a project are, and no declared file is.
_NEVER = (
    *(".py", ".pyi", ".pyc", ".pyx", ".ipynb", ".md", ".rst", ".html", ".css", ".js", ".ts", ".c"),
    *(".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".rs", ".go", ".java", ".svg", ".png", ".jpg"),
    *(
        ".jpeg",
        ".gif",
        ".pdf",
        ".csv",
        ".tsv",
        ".npy",
        ".npz",
        ".pt",
        ".pth",
        ".bin",
        ".gz",
        ".zip",
    ),
)
# What tells an environment file from any other YAML stands near its beginning.
_HEAD = 1 << 14


class _Folder(NamedTuple):
    #: Relative to the project: "", or with a slash at its end.
    path: str
    depth: int
    ignored: Ignored


class _Seen(NamedTuple):
    """What a walk has brought back so far."""

    #: What may declare an environment by its path, with what may leave it out.
    candidates: list[tuple[str, Ignored]]
    gaps: list[Gap]


def find(project: str) -> Found:
    """Return the paths of the declared files below a folder, relative to it."""
    project = to_os(project)
    seen = _walk(project)
    known: dict[str, tuple[Pattern, ...]] = {}
    paths = [
        from_os(path)
        for path, ignored in _declaring(project, seen)
        if not is_ignored(f"{project}/{path}", ignored.by, known)
    ]
    if len(paths) > FILES:
        reason = f"{len(paths)} files declare environments: {FILES} of them are read"
        seen.gaps.append(_gap(reason))
    return Found(value=tuple(paths[:FILES]), gaps=tuple(seen.gaps))


def _walk(project: str) -> _Seen:
    """Look through the folders, those nearest to the project's own first."""
    seen = _Seen([], [])
    pending = deque([_Folder("", 0, ignored_above(project))])
    entries_left = ENTRIES
    while pending:
        folder = pending.popleft()
        try:
            with os.scandir(f"{project}/{folder.path}") as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            reason = f"not searched: {error.strerror or error}"
            seen.gaps.append(_gap(reason, folder.path))
            continue
        entries_left -= len(entries)
        if entries_left < 0:
            reason = f"more than {ENTRIES} files and folders: from here on they are not searched"
            seen.gaps.append(_gap(reason, folder.path))
            break
        pending += _sorted_out(project, folder, entries, seen)
    return seen


def _sorted_out(
    project: str, folder: _Folder, entries: Sequence[os.DirEntry[str]], seen: _Seen
) -> Iterator[_Folder]:
    """Note what in a folder may declare an environment; yield the folders to look through."""
    names = {entry.name for entry in entries}
    if folder.path and names & MARKS:
        return
    ignored, here = folder.ignored, frozenset[str]()
    if ".gitignore" in names:
        ignored, here = with_gitignore(f"{project}/{folder.path}".rstrip("/"), ignored)
    for entry in entries:
        path = f"{folder.path}{entry.name}"
        # A link to a folder may lead round in a circle, or out of the project.
        if entry.is_dir(follow_symlinks=False):
            if entry.name in FOREIGN or entry.name in ignored.names or entry.name in here:
                continue
            if folder.depth < DEPTH:
                yield _Folder(f"{path}/", folder.depth + 1, ignored)
            elif not any(gap.reason == _TOO_DEEP for gap in seen.gaps):
                seen.gaps.append(_gap(_TOO_DEEP, path))
        elif entry.name.endswith(_NEVER):
            continue
        elif _fits(_may_declare(), path) and not _is_link_inside(project, entry):
            seen.candidates.append((path, ignored))


_TOO_DEEP = f"more than {DEPTH} folders deep: this and its like are not searched"


@cache
def _may_declare() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form.path})" for form in manifests.FORMATS))


@cache
def _declares_by_path() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form.path})" for form in manifests.FORMATS if not form.text))


def _fits(formats: re.Pattern[str], path: str) -> bool:
    return formats.fullmatch(path.lower()) is not None


def _is_link_inside(project: str, entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry leads to a file of the project that is found where it lies."""
    # A circle of links leads nowhere: whoever reads it says so.
    if not entry.is_symlink() or not os.path.isfile(entry.path):
        return False
    target, root = os.path.realpath(entry.path), f"{os.path.realpath(project)}/"
    # A target that its own name does not tell of is found by the link alone.
    return target.startswith(root) and _fits(_declares_by_path(), target.removeprefix(root))


def _declaring(project: str, seen: _Seen) -> Iterator[tuple[str, Ignored]]:
    """Yield the candidates that are of a format, by their path or the head of their text."""
    others: Counter[tuple[str, str]] = Counter()
    for path, ignored in seen.candidates:
        if _fits(_declares_by_path(), path):
            yield path, ignored
            continue
        folder, _, name = path.rpartition("/")
        alike = (folder, name.rpartition(".")[2])
        if others[alike] >= ALIKE:
            if not any(gap.reason == _DATA for gap in seen.gaps):
                seen.gaps.append(_gap(_DATA, path))
        elif declares(f"{project}/{path}", from_os(path)):
            yield path, ignored
            # A folder of environments has many of them.
            others[alike] = -ENTRIES
        else:
            others[alike] += 1


_DATA = f"more than {ALIKE} files beside it are not about Python: this and its like are not read"


def declares(full: str, path: str) -> bool:
    """Tell whether a file is of a format, by the head of its text; True where it cannot be read."""
    try:
        raw = files.with_pread(full, lambda pread: pread(0, _HEAD))
    except files.UnreadableError:
        # It may be one: whoever reads it says that it cannot.
        return True
    encoding = "utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    return bool(manifests.format_of(path, raw.decode(encoding, "ignore")))


def _gap(reason: str, item: str = "") -> Gap:
    return Gap(fact=Fact.MANIFESTS, item=from_os(item.rstrip("/")) or ".", reason=reason)
