"""What a lock file says of one package, by the address that it was locked to."""

from __future__ import annotations

import re
from typing import NamedTuple

from msgspec.structs import replace

from reconciler.model.distribution import required_name
from reconciler.model.manifest import Declared, IndexRole, Kind, Section

_CONDA = re.compile(r"(.+)-([^-]+)-([^-]+)\.(?:conda|tar\.bz2)")
_WHEEL = re.compile(r"([A-Za-z0-9._]+)-([^-]+)(?:-[^-]+){3,4}\.whl")
_SOURCE = re.compile(r"(.+)-(\d[^-]*)\.(?:tar\.gz|tar\.bz2|zip)")
_PYPI = re.compile(r"https?://(?:files\.pythonhosted\.org|pypi\.org|pypi\.python\.org)/")


class Archive(NamedTuple):
    """What the name of a package's file says."""

    name: str
    version: str
    #: Of conda's packages.
    build: str = ""
    #: conda's name of the platform, or noarch.
    subdir: str = ""


class Place(NamedTuple):
    """Where a lock names a package, and for whom."""

    path: str
    line: int
    column: int
    scope: str = ""
    platforms: tuple[str, ...] = ()


def conda_archive(url: str) -> Archive | None:
    """Read the address of a conda package; None where it is none."""
    folder, _, file = url.partition("#")[0].rpartition("/")
    match = _CONDA.fullmatch(_plain(file))
    if not match:
        return None
    return Archive(match[1].lower(), match[2], match[3], folder.rpartition("/")[2])


def wheel_archive(url: str) -> Archive | None:
    """Read the address of a wheel or a source distribution; None where it is neither."""
    file = _plain(re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2])
    match = _WHEEL.fullmatch(file) or _SOURCE.fullmatch(file)
    return Archive(required_name(match[1]), match[2]) if match else None


def conda_package(place: Place, name: str, version: str, build: str = "") -> Declared:
    """Return a package that is locked for conda."""
    text = f"{name}={version}={build}" if build else f"{name}=={version}"
    return _declared(place, Section.CONDA, text, name.lower())


def pip_package(place: Place, name: str, version: str, url: str = "") -> Declared:
    """Return a package that is locked for pip, with the index that it is from."""
    known = wheel_archive(url) if url else None
    # The file's name has the label of a build that the version may lack.
    if known and known.version.partition("+")[0] == version:
        version = known.version
    return _declared(place, Section.PIP, f"{name}=={version}", required_name(name), index_of(url))


def index_of(url: str) -> str:
    """Return the folder that a wheel lies in; "" for PyPI, which needs no naming."""
    if "://" not in url or _PYPI.match(url):
        return ""
    return re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[0]


def channel(place: Place, name: str) -> Declared:
    """Return a channel of a lock."""
    short = name.rstrip("/").removeprefix("https://conda.anaconda.org/")
    return replace(_declared(place, Section.CONDA, short, short), kind=Kind.CHANNEL)


def index(place: Place, url: str, role: IndexRole) -> Declared:
    """Return an index of a lock."""
    return replace(_declared(place, Section.PIP, url, url), kind=Kind.INDEX, role=role)


def _declared(place: Place, section: Section, text: str, name: str, index: str = "") -> Declared:
    return Declared(
        path=place.path,
        section=section,
        text=text,
        name=name,
        line=place.line,
        column=place.column,
        scope=place.scope,
        platforms=place.platforms,
        index=index,
    )


def _plain(file: str) -> str:
    return file.replace("%2B", "+").replace("%2b", "+").replace("%21", "!")
