"""pip's distributions: the ``*.dist-info`` and ``*.egg-info`` of each site-packages."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

import msgspec

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.distribution import Distribution, normalize_name
from reconciler.model.os_name import from_os, to_os
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

DIST_INFO, EGG_INFO = ".dist-info", ".egg-info"
#: Where conda-build works, and what it leaves in direct_url.json: nobody's editable install.
BUILD_FOLDERS = ("/feedstock_root/", "/croot/")
HEAD_LIMIT = 4 * files.MEGABYTE
RECORD_LIMIT = 64 * files.MEGABYTE
SMALL_LIMIT = 1 << 12


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read every distribution of the environment's own site-packages."""
    prefix, python = snapshot.target.prefix, snapshot.python
    if prefix is None:
        reason = "no environment to look at"
        return Found(value=(), gaps=(Gap(fact=Fact.DISTRIBUTIONS, reason=reason),))
    locations = python.site_packages if python else ()
    providers = ground.wanted.providers
    read = [in_folder(f"{prefix}/{at}", at, Fact.DISTRIBUTIONS, providers) for at in locations]
    return Found(
        value=tuple(d for found in read for d in found.value),
        gaps=tuple(gap for found in read for gap in found.gaps),
    )


def in_folder(
    path: str, location: str, fact: Fact, providers: Collection[str] = frozenset()
) -> Found:
    """Read the distributions of one entry of sys.path; ``location`` is what a Snapshot calls it.

    Of those of conda, the RECORDs of ``providers`` alone are read.
    """
    found: list[Distribution] = []
    gaps: list[Gap] = []
    try:
        names = files.names(path)
    except files.MissingError:
        return Found(value=())
    except files.UnreadableError as error:
        return Found(value=(), gaps=(Gap(fact=fact, item=location, reason=str(error)),))
    for name in names:
        # pip renames what it is about to remove to ~ame; a crash leaves it behind.
        if not name.endswith((DIST_INFO, EGG_INFO)) or name.startswith("~"):
            continue
        item = f"{location}/{name}"
        try:
            if name.endswith(DIST_INFO):
                found.append(_distribution(path, location, name, providers))
            else:
                found.append(_egg_info(path, location, name))
            item += "/direct_url.json"
            found[-1] = _with_origin(found[-1], f"{path}/{name}")
        except files.UnreadableError as error:
            gaps.append(Gap(fact=fact, item=item, reason=str(error)))
    return Found(value=tuple(found), gaps=tuple(gaps))


def _distribution(
    path: str, location: str, directory: str, providers: Collection[str]
) -> Distribution:
    folder = f"{path}/{directory}"
    name, version, requires = _fields(_head(f"{folder}/METADATA"))
    if not name or not version:
        raise files.UnreadableError("METADATA names no distribution and version")
    installer = (_optional(f"{folder}/INSTALLER", SMALL_LIMIT) or "").strip() or None
    # conda's own record lists the same files, and owns them.
    is_listed = installer == "conda" and normalize_name(name) not in providers
    return Distribution(
        name=name,
        version=version,
        requires=requires,
        location=location,
        directory=directory,
        installer=installer,
        record=None if is_listed else _record(f"{folder}/RECORD", location),
    )


class _DirInfo(msgspec.Struct, frozen=True):
    editable: bool = False


class _VcsInfo(msgspec.Struct, frozen=True):
    vcs: str = ""
    commit_id: str = ""


class _DirectUrl(msgspec.Struct, frozen=True):
    """direct_url.json (PEP 610)."""

    url: str
    dir_info: _DirInfo = _DirInfo()
    vcs_info: _VcsInfo | None = None
    subdirectory: str | None = None

    @property
    def pinned(self) -> str | None:
        """The URL of a commit, as pip takes it; None where it is of no repository."""
        if self.vcs_info is None or not self.vcs_info.commit_id:
            return None
        below = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        return f"{self.vcs_info.vcs}+{self.url}@{self.vcs_info.commit_id}{below}"


def _with_origin(distribution: Distribution, folder: str) -> Distribution:
    """Add what was asked for by name or by URL; conda-build marks all its packages so."""
    if distribution.installer == "conda":
        return distribution
    requested = files.exists(f"{folder}/REQUESTED")
    url = None
    if files.exists(f"{folder}/direct_url.json"):
        url = _direct_url(f"{folder}/direct_url.json")
    if not requested and url is None:
        return distribution
    return msgspec.structs.replace(
        distribution,
        requested=requested,
        direct_url=masked(from_os(url.url)) if url else None,
        pinned_url=masked(from_os(url.pinned)) if url and url.pinned else None,
        editable=bool(url and url.dir_info.editable),
    )


def _direct_url(path: str) -> _DirectUrl | None:
    try:
        found = msgspec.json.decode(files.read(path, limit=SMALL_LIMIT << 4), type=_DirectUrl)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise files.UnreadableError(f"not a direct_url.json: {error}") from error
    return None if any(root in found.url for root in BUILD_FOLDERS) else found


class _Egg(msgspec.Struct, frozen=True):
    """The texts of an egg-info; a single file has the first alone."""

    head: str
    requires: str | None = None
    installed: str | None = None
    installer: str | None = None


def _egg_info(path: str, location: str, directory: str) -> Distribution:
    egg = _egg(f"{path}/{directory}")
    name, version, requires = _fields(egg.head)
    if not name or not version:
        raise files.UnreadableError("PKG-INFO names no distribution and version")
    return Distribution(
        name=name,
        version=version,
        requires=requires or _requires_txt(egg.requires or ""),
        location=location,
        directory=directory,
        installer=(egg.installer or "").strip() or None,
        record=None if egg.installed is None else _as_record(egg.installed, directory),
    )


def _egg(path: str) -> _Egg:
    if not os.path.isdir(to_os(path)):
        # distutils writes one file in place of the folder.
        return _Egg(_head(path))
    return _Egg(
        _head(f"{path}/PKG-INFO"),
        _optional(f"{path}/requires.txt", RECORD_LIMIT),
        _optional(f"{path}/installed-files.txt", RECORD_LIMIT),
        _optional(f"{path}/INSTALLER", SMALL_LIMIT),
    )


def _requires_txt(text: str) -> tuple[str, ...]:
    """Return the requirements of setuptools' own format: sections are ``[extra:marker]``."""
    requires, condition = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            extra, _, marker = line.strip("[]").partition(":")
            parts = [f'extra == "{extra}"'] * bool(extra) + [f"({marker})"] * bool(marker)
            condition = " and ".join(parts)
        else:
            requires.append(masked(f"{line} ; {condition}" if condition else line))
    return tuple(requires)


def _as_record(installed: str, directory: str) -> str:
    """Return installed-files.txt, which is relative to its own folder, as lines of a RECORD."""
    paths = (posixpath.normpath(posixpath.join(directory, p)) for p in installed.splitlines() if p)
    return "".join(f'"{path}",,\n' if "," in path else f"{path},,\n" for path in paths)


def _head(path: str) -> str:
    """Return the fields of a METADATA or PKG-INFO, without the description below them."""
    try:
        head = files.read_head(path, end=b"\n\n", limit=HEAD_LIMIT)
    except files.UnreadableError as error:
        raise files.UnreadableError(f"{posixpath.basename(path)}: {error}") from error
    # The end of a head in lines of Windows is not that which is searched for.
    return from_os(head.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape"))


def _record(path: str, location: str) -> str | None:
    text = _optional(path, RECORD_LIMIT)
    if text is None or not location.startswith("Lib/"):
        return text
    # pip writes slashes on Windows too, but other installers the system's own separator.
    return text.replace("\\", "/")


def _fields(head: str) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and requirements of a head (core metadata: RFC 822 fields)."""
    # A line is found by str's own search: a scan reads 60,000 of them, and wants one in ten.
    text = "\n" + head
    requires = text.split("\nRequires-Dist:")[1:]
    return (
        _field(text, "\nName:"),
        _field(text, "\nVersion:"),
        # Credentials of a requirement stand in its URL, and one in a thousand has one.
        tuple([masked(line) if "://" in line else line for line in map(_first_line, requires)]),
    )


def _first_line(text: str) -> str:
    return text.partition("\n")[0].strip()


def _field(text: str, name: str) -> str:
    start = text.find(name)
    return text[start + len(name) :].partition("\n")[0].strip() if start >= 0 else ""


def _optional(path: str, limit: int) -> str | None:
    try:
        raw = files.read(path, limit=limit)
    except files.MissingError:
        return None
    return from_os(raw.decode("utf-8", "surrogateescape"))
