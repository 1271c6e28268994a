"""A Snapshot for the eyes of others: no path in it has the name of a person or of a machine.

Every path is rewritten alike, from its left, and stays as it is from where its folders are a
package's: what lay inside of another lies there still, and the same is found.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.model.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from reconciler.model.person import Person

#: What the folders of people lie in.
_HOMES = frozenset({"home", "homes", "users", "documents and settings"})
#: Folders of the operating system, right below the root of a file system: no one lives in them.
_SYSTEM = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "library", "nix", "opt", "proc"}
    | {"program files", "program files (x86)", "programdata", "root", "sbin", "snap", "sys"}
    | {"system", "usr", "windows"}
)
#: What lies in them has the names that its package, or conda, gives it.
_OF_PACKAGES = frozenset(
    {"bin", "conda-meta", "dist-packages", "envs", "include", "lib", "lib32", "lib64", "pkgs"}
    | {"scripts", "share", "site-packages", "targets"}
)
#: Folders that are named for what they hold: nobody is known by such a name.
_WORDS = frozenset(
    {"anaconda3", "cache", "compat", "conda", "conda-bld", "croot", "cuda", "data", "host"}
    | {"feedstock_root", "local", "localhost", "media", "mnt", "miniconda3", "miniforge3"}
    | {"nvidia", "project", "projects", "python", "run", "scratch", "shared", "src", "stubs"}
    | {"tmp", "user", "var", "venv", "volumes", "work", "workspace"}
)
_MEANT = _HOMES | _SYSTEM | _OF_PACKAGES | _WORDS
_DRIVE = re.compile(r"[A-Za-z]:")
_SEPARATORS = re.compile(r"([\\/]+)")
#: What is deeper than that has nobody's home in it.
_DEPTH = 16
# Where a path may begin: not within another one, nor in a URL; -L/home/ann/lib is an option's.
_START = r"""(?:(?<![\w.~}%$@+*?&#/\\-])|(?<=-[ILBFR])|(?<=file://localhost)|(?<=-isystem))"""
_TILDE = r"(?<![\w~/\\])~([^\\/\s~]+)(?=[\\/])"
# A period behind a name ends a sentence.
_NAME = r"""(?:\.\.(?=[\\/])|[^\\/\s:;,"'<>|`()\[\]{}*?#\x00-\x1f]+(?<!\.))"""


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    """What each name becomes, and where."""

    #: Folders of homes that are not in one of the usual places, in parts.
    homes: frozenset[tuple[str, ...]]
    #: The prefix and the project, in parts: what lies in them may be told relative to them.
    roots: frozenset[tuple[str, ...]]
    #: The prefix, in parts: its own name is that of an environment.
    prefix: tuple[str, ...]
    #: The names of folders that have spaces.
    spaced: tuple[str, ...]
    #: In a folder of homes, and behind a tilde.
    people: Mapping[str, str] = {}
    #: In every other path.
    anywhere: Mapping[str, str] = {}
    #: In a URL.
    hosts: Mapping[str, str] = {}

    def all(self) -> frozenset[str]:
        """Return every name that becomes another one, in small letters."""
        return frozenset(map(str.casefold, (*self.people, *self.anywhere, *self.hosts)))

    def pattern(self) -> re.Pattern[str]:
        """Return what matches the absolute paths in a text."""
        spaced = "".join(rf"{re.escape(name)}(?![\w-])|" for name in self.spaced)
        return re.compile(rf"{_START}(?:[A-Za-z]:)?(?:[\\/]{{1,4}}(?:{spaced}{_NAME}))+")


def scrub(snapshot: Snapshot, person: Person) -> Snapshot:
    """Return a snapshot in whose paths no user, home folder or machine has its own name."""
    plain = msgspec.to_builtins(snapshot)
    names = _named(tuple(_texts(plain)), snapshot, person)
    if plain["loader"]:
        _rename_listed(plain["loader"], names)
    in_texts, known = names.pattern(), names.all()

    def change(text: str) -> str:
        return _scrubbed(text, names, in_texts) if _holds(text, known) else text

    return msgspec.convert(_each(plain, change), Snapshot)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _each(below, change) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_each(below, change) for below in value]
    return value


def _named(texts: Sequence[str], snapshot: Snapshot, person: Person) -> _Names:
    """Find whose names stand in a snapshot, and give each another."""
    own_homes = tuple(map(_folders, person.homes))
    roots = tuple(map(_folders, filter(None, (snapshot.target.prefix, snapshot.target.project))))
    own = {*person.names, *(home[-1] for home in own_homes if home)} - {""}
    hosts = {name for full in person.hosts for name in (full, full.partition(".")[0])} - {""}
    names = _Names(
        homes=frozenset(h for h in own_homes if len(h) > 1 and h[-1].casefold() not in _MEANT),
        roots=frozenset(roots),
        prefix=_folders(snapshot.target.prefix or ""),
        spaced=tuple(sorted({n for path in (own, *own_homes, *roots) for n in path if " " in n})),
    )
    people = _pseudonyms([*sorted(own), *_lived_in(texts, names)], "user", texts)
    people = {name.casefold(): people[name] for name in own} | people
    machines = {
        name: new
        for name, new in _pseudonyms(sorted(hosts, key=len)[::-1], "host", texts).items()
        if name.casefold() not in _MEANT
    }
    cased = {cased for name in own for cased in (name, name.casefold())}
    known = {name: people[name] for name in cased if name.casefold() not in _MEANT}
    return msgspec.structs.replace(
        names, people=people, anywhere={**machines, **known}, hosts=machines
    )


def _lived_in(texts: Sequence[str], names: _Names) -> Iterator[str]:
    """Yield the names that folders of homes have."""
    pattern, homes = names.pattern(), {*_HOMES, *(home[-1].casefold() for home in names.homes)}
    # The longest texts are the RECORDs of pip's packages, which hold thousands of relative paths.
    about = (text for text in texts if _holds(text, homes))
    for path in (found for text in about for found in pattern.findall(text)):
        folders = _folders(path)
        home = _home_in(folders, names)
        if home is not None:
            yield _key(folders[home], path)


def _holds(text: str, names: Collection[str]) -> bool:
    """Tell whether a text can hold a path in which one of some names stands."""
    if "/" not in text and "\\" not in text:
        return False
    folded = text.casefold()
    return any(name in folded for name in names)


def _pseudonyms(names: Iterable[str], word: str, texts: Sequence[str]) -> dict[str, str]:
    """Give each name one that no folder has; a name that is one already stays."""
    given = {name: name for name in names if re.fullmatch(rf"{word}\d*", name)}
    for name in names:
        if name not in given:
            given[name] = next(new for new in _numbered(word) if not _is_taken(new, given, texts))
    return given


def _numbered(word: str) -> Iterator[str]:
    yield word
    yield from (f"{word}{n}" for n in count(2))


def _is_taken(new: str, given: Mapping[str, str], texts: Sequence[str]) -> bool:
    folder = re.compile(rf"[\\/]{new}(?![\w.-])")
    return new in given.values() or any(new in text and folder.search(text) for text in texts)


def _rename_listed(loader: dict[str, Any], names: _Names) -> None:
    """Rename, in the lists of a folder and in relative links, what is somebody's folder there."""
    for folder, listed in loader["directories"].items():
        loader["directories"][folder] = [
            _path(f"{folder.rstrip('/')}/{name}", names).rpartition("/")[2]
            if name in names.people or name in names.anywhere
            else name
            for name in listed
        ]
    for link, target in loader["links"].items():
        if not target.startswith("/") and not names.people.keys().isdisjoint(target.split("/")):
            loader["links"][link] = posixpath.normpath(f"{posixpath.dirname(link)}/{target}")


def _scrubbed(text: str, names: _Names, in_texts: re.Pattern[str]) -> str:
    def path(match: re.Match[str]) -> str:
        scheme = text[max(0, match.start() - 5) : match.start()]
        is_url = match[0].startswith("//") and scheme.endswith(":") and scheme != "file:"
        return match[0] if is_url else _path(match[0], names)

    text = in_texts.sub(path, text)
    if "~" in text:
        text = re.sub(_TILDE, lambda match: "~" + names.people.get(match[1], match[1]), text)
    for host, new in names.hosts.items():
        if host in text:
            text = re.sub(rf"(?<=//|.@){re.escape(host)}(?![\w-])", new, text)
    return text


def _path(path: str, names: _Names) -> str:
    """Return an absolute path with other names, until it comes to what is a package's."""
    folders = _folders(path)
    home = _home_in(folders, names)
    pieces = _SEPARATORS.split(path, maxsplit=_DEPTH)
    for index, name in enumerate(folders):
        if folders[:index] in names.roots or _is_of_packages(folders[:index], home):
            break
        if index != home and folders[: index + 1] == names.prefix:
            break
        known = names.people if index == home else names.anywhere
        pieces[2 * index + 2] = known.get(_key(name, path), name)
    return "".join(pieces)


def _folders(path: str) -> tuple[str, ...]:
    """Return the names in an absolute path, without its drive; none in another."""
    root, *names = _SEPARATORS.split(path.rstrip("\\/"), maxsplit=_DEPTH)[::2]
    return tuple(names[: _DEPTH - 1]) if not root or _DRIVE.fullmatch(root) else ()


def _home_in(folders: tuple[str, ...], names: _Names) -> int | None:
    """Return where in a path the name of a person stands, as that of a home."""
    for index in range(len(folders)):
        if folders[: index + 1] in names.homes:
            return index
        if index and folders[index - 1].casefold() in _HOMES:
            return index
    return None


def _is_of_packages(above: tuple[str, ...], home: int | None) -> bool:
    """Tell whether what lies in a folder has its name from the system, or from a package."""
    if above and above[0].casefold() in _SYSTEM:
        return True
    return any(n.casefold() in _OF_PACKAGES for i, n in enumerate(above) if i != home)


def _key(name: str, path: str) -> str:
    # Windows does not tell apart names that differ in case alone.
    return name.casefold() if "\\" in path or path[1:2] == ":" else name
