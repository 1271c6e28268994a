"""Say which releases the tables lack: ``python -m reconciler.catalog.refresh``.

A tool for maintainers, and the only module of envfix that touches the network. It asks a package
index for the versions of each package of which the tables have rows by version, and writes nothing:
a row is written by a person, with its source.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from reconciler import catalog
from reconciler.errors import EnvfixError
from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

INDEX = "https://pypi.org/simple"
#: The variable that names another index; ``--index-url`` comes before it.
VARIABLE = "ENVFIX_INDEX_URL"
TIMEOUT_S = 30
LIMIT = 64 << 20
#: https://packaging.python.org/en/latest/specifications/simple-repository-api/: mirrors often have
#: its older form alone.
FORMS = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


class IndexAnswerError(EnvfixError):
    """The index cannot be asked, or its answer cannot be read."""


class _File(msgspec.Struct, frozen=True):
    filename: str
    yanked: bool | str = False


class _Project(msgspec.Struct, frozen=True):
    files: tuple[_File, ...]


class _Page(HTMLParser):
    """The links of a project's page, each of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[_File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and (link := given.get("href")):
            name = unquote(link.partition("#")[0].rpartition("/")[2])
            self.files.append(_File(name, yanked="data-yanked" in given))


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """The releases of one package that are newer than any row about it."""

    package: str
    #: The newest version that a table has a row of.
    newest: str
    #: From the oldest to the newest.
    versions: tuple[str, ...]

    def __str__(self) -> str:
        """One line of the answer."""
        return f"{self.package}: {', '.join(self.versions)} (the tables end at {self.newest})"


def known_versions() -> Mapping[str, frozenset[str]]:
    """Return the versions of each package of which a table has a row by version."""
    read = catalog.load().read
    versions: dict[str, set[str]] = defaultdict(set)
    for table in catalog.TABLES:
        for row in msgspec.json.decode(read(table), type=list[dict[str, object]]):
            package, version = row.get("package"), row.get("version")
            if isinstance(package, str) and isinstance(version, str):
                versions[package].add(version)
    return {package: frozenset(versions[package]) for package in sorted(versions)}


def lacking(known: Mapping[str, frozenset[str]], index: str) -> Iterator[Lacking]:
    """Yield what an index has that the tables lack; raises IndexAnswerError."""
    for package, versions in known.items():
        newest = max(versions, key=Version)
        if newer := newer_than(newest, released(index, package)):
            yield Lacking(package=package, newest=newest, versions=newer)


def newer_than(newest: str, offered: Iterable[Version]) -> tuple[str, ...]:
    """Return the final releases after ``newest``, the oldest first."""
    after = Version(newest)
    return tuple(str(v) for v in sorted(set(offered)) if v > after and not v.is_prerelease)


def released(index: str, package: str) -> tuple[Version, ...]:
    """Return the versions of the files on an index, less yanked ones; raises IndexAnswerError."""
    url = f"{index.rstrip('/')}/{package}/"
    if not url.startswith(("https://", "http://")):
        raise IndexAnswerError("not the address of an index", where=url, next_step=_NEXT)
    try:
        request = urllib.request.Request(url, headers={"Accept": FORMS})  # noqa: S310 - see above
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            files = _files(answer.read(LIMIT), answer.headers.get_content_type())
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise IndexAnswerError(f"no answer: {why}", where=url, next_step=_NEXT) from error
    offered = (_version(file.filename) for file in files if file.yanked is False)
    return tuple(version for version in offered if version)


def _files(page: bytes, form: str) -> Sequence[_File]:
    if form != "text/html":
        return msgspec.json.decode(page, type=_Project).files
    reader = _Page()
    reader.feed(page.decode())
    return reader.files


def _version(filename: str) -> Version | None:
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a package that lacks releases; 0 none, 1 some, 2 no answer."""
    parser = argparse.ArgumentParser(
        prog="python -m reconciler.catalog.refresh", description=__doc__
    )
    parser.add_argument("--index-url", default=os.environ.get(VARIABLE) or INDEX, metavar="URL")
    index = parser.parse_args(arguments).index_url
    known = known_versions()
    count = 0
    try:
        for found in lacking(known, index):
            sys.stdout.write(f"{printable(str(found))}\n")
            count += 1
    except IndexAnswerError as error:
        sys.stderr.write(f"refresh: {printable(str(error))}\n")
        return 2
    sys.stdout.write(f"{count} of {len(known)} packages have releases that the tables lack\n")
    return 1 if count else 0


_NEXT = f"give an index that can be reached to --index-url or {VARIABLE}"


if __name__ == "__main__":
    sys.exit(main())
