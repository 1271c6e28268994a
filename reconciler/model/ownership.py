"""Who says that a file is theirs: one index of paths, held against what lies on the disk."""

from __future__ import annotations

import binascii
import posixpath
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.distribution import Distribution
from reconciler.model.library import Claim, PayloadFile
from reconciler.model.owner import Owner
from reconciler.model.prefix import PrefixRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# What names a shared library of Linux, and how the file ends by which a ``*.dist-info`` or
# ``*.egg-info`` names its distribution.
_MARK = re.compile(
    r"\.(?:so|(?P<info>dist-info(?=/METADATA$)|egg-info(?=(?:/PKG-INFO)?$)))", re.MULTILINE
)
#: How a library's name ends, or goes on, on any platform.
_LIBRARY = (".so", ".pyd", ".dll", ".dylib")
_BYTECODE = ".pyc"


class Ownership(Struct, frozen=True, kw_only=True):
    """Every path that a package of the prefix says is its own, relative to the prefix.

    A distribution that conda installed is the other face of its record, and no owner beside it.
    Bytecode of wheels is left out: whoever imports first writes it.
    """

    #: What each owner says is its own; conda's records come first.
    installed: tuple[tuple[Owner, tuple[str, ...]], ...]
    #: All owners of the paths that a wheel has in common with other packages.
    shared: Mapping[str, tuple[Owner, ...]]
    #: The paths that name a shared library of Linux.
    libraries: tuple[str, ...]
    #: The distributions that conda did not install.
    wheels: tuple[Distribution, ...]
    #: conda's record by the metadata directories (or egg-info files) that it installed.
    metadata: Mapping[str, PrefixRecord]

    def owners_of(self, paths: Iterable[str]) -> Mapping[str, tuple[Owner, ...]]:
        """Return who installed each of these files, without those that are no package's."""
        # Few paths are asked for, once: an index of all of them would cost more than it saves.
        return _owners_of(frozenset(paths), self.installed)


class ClaimedFile(Struct, frozen=True, kw_only=True):
    """A file with what each of its owners recorded of it, and as it lies on the disk."""

    path: str
    #: At least one, and a claim of each.
    owners: tuple[Owner, ...]
    claims: tuple[Claim, ...]
    #: None where nobody has looked.
    seen: PayloadFile | None = None

    @property
    def is_library(self) -> bool:
        """Whether a loader or Python maps it as machine code."""
        name = self.path.rpartition("/")[2]
        return name.endswith(_LIBRARY) or ".so." in name

    @property
    def is_gone(self) -> bool:
        """Whether it was looked for and not found."""
        return self.seen is not None and self.seen.size is None

    @property
    def is_disputed(self) -> bool:
        """Whether its owners are known to have installed different contents."""
        first, *others = self.claims
        return any(first.differs(other) for other in others)

    def losers(self) -> tuple[Owner, ...]:
        """Return the owners whose file is not the one that lies there."""
        if self.seen is None or self.seen.size is None or self.seen.is_link:
            return ()
        pairs = zip(self.owners, self.claims, strict=True)
        return tuple(owner for owner, claim in pairs if not claim.allows(self.seen))

    def winner(self) -> Owner | None:
        """Return the one owner whose file lies there; None where that cannot be told."""
        losers = self.losers()
        left = [owner for owner in self.owners if all(owner is not loser for loser in losers)]
        return left[0] if losers and len(left) == 1 else None


@lru_cache(maxsize=1)
def ownership(
    records: tuple[PrefixRecord, ...], distributions: tuple[Distribution, ...]
) -> Ownership:
    """Index all files in one pass; asked again for the same snapshot, it costs nothing."""
    libraries: list[str] = []
    metadata: dict[str, PrefixRecord] = {}
    for record in records:
        # To search one text is faster than to ask each of thousands of paths.
        text = "\n".join((*record.files, ""))
        for match in _MARK.finditer(text):
            start = text.rfind("\n", 0, match.start()) + 1
            if match["info"]:
                metadata[text[start : match.end()]] = record
            else:
                libraries.append(text[start : text.find("\n", start)])
    wheels = tuple(d for d in distributions if not _is_condas(d, metadata))
    of_wheels = tuple((wheel, tuple(installed_paths(wheel))) for wheel in wheels)
    for _, paths in of_wheels:
        libraries += [path for path in paths if ".so" in path]
    installed: tuple[tuple[Owner, tuple[str, ...]], ...] = (
        *((record, record.files) for record in records),
        *of_wheels,
    )
    shared = _owners_of(_shared(records, of_wheels), installed)
    return Ownership(
        installed=installed,
        shared=shared,
        libraries=tuple(libraries),
        wheels=wheels,
        metadata=metadata,
    )


def _shared(
    records: Iterable[PrefixRecord], of_wheels: Iterable[tuple[Distribution, tuple[str, ...]]]
) -> frozenset[str]:
    """Return the paths that a wheel has in common with others; conda keeps its own apart."""
    known: set[str] = set()
    shared: set[str] = set()
    for _, paths in of_wheels:
        shared |= known.intersection(paths)
        known.update(paths)
    return frozenset(shared.union(*(known.intersection(record.files) for record in records)))


def _owners_of(
    wanted: frozenset[str], installed: Iterable[tuple[Owner, tuple[str, ...]]]
) -> Mapping[str, tuple[Owner, ...]]:
    found: dict[str, tuple[Owner, ...]] = {}
    for owner, paths in installed if wanted else ():
        for path in wanted.intersection(paths):
            found[path] = (*found.get(path, ()), owner)
    return found


def _is_condas(distribution: Distribution, metadata: Mapping[str, PrefixRecord]) -> bool:
    # conda-build writes INSTALLER into what it packages; a dist-info without it tells nothing.
    if distribution.installer is not None:
        return distribution.installer == "conda"
    return distribution.path in metadata


def installed_paths(distribution: Distribution) -> list[str]:
    """Return what RECORD lists but bytecode, relative to the prefix where it lies inside it."""
    text = distribution.record
    if not text:
        return []
    if '"' in text:
        # csv: only a path that holds a comma or a quote is written in quotes.
        files = (file.path for file in distribution.files())
        return [_placed(distribution, path) for path in files if not path.endswith(_BYTECODE)]
    start = f"{distribution.location}/"
    # A RECORD lists thousands of paths, and few that lead out of site-packages, such as scripts.
    paths = [
        start + line.partition(",")[0]
        for line in text.removesuffix("\n").split("\n")
        if not line.endswith(".pyc,,")
    ]
    # What begins with ../ or / sorts before what begins with a letter or a digit.
    if paths and min(paths) < f"{start}0":
        outside = (f"{start}../", f"{start}/")
        return [
            _placed(distribution, path[len(start) :]) if path.startswith(outside) else path
            for path in paths
        ]
    return paths


def _placed(distribution: Distribution, recorded: str) -> str:
    return posixpath.normpath(posixpath.join(distribution.location, recorded))


def claimed_files(
    index: Ownership, paths: Collection[str], payload: Iterable[PayloadFile]
) -> tuple[ClaimedFile, ...]:
    """Return each of these paths that has an owner, with what is recorded and seen of it."""
    seen = {file.path: file for file in payload}
    owners_of = index.owners_of(paths)
    owned = {path: owners_of[path] for path in paths if path in owners_of}
    asked: dict[str, tuple[Distribution, list[str]]] = {}
    for path, owners in owned.items():
        for owner in owners:
            if isinstance(owner, Distribution):
                asked.setdefault(owner.path, (owner, []))[1].append(path)
    recorded = {path: _claims(wheel, paths) for path, (wheel, paths) in asked.items()}
    return tuple(
        ClaimedFile(
            path=path,
            owners=owners,
            claims=tuple(_claim(owner, path, recorded, seen.get(path)) for owner in owners),
            seen=seen.get(path),
        )
        for path, owners in owned.items()
    )


def _claim(
    owner: Owner,
    path: str,
    recorded: Mapping[str, Mapping[str, Claim]],
    seen: PayloadFile | None,
) -> Claim:
    if isinstance(owner, Distribution):
        return recorded[owner.path][path]
    of_conda = (claim for claim in seen.recorded if claim.owner == owner.path) if seen else ()
    return next(iter(of_conda), Claim(owner=owner.path))


def _claims(wheel: Distribution, paths: Collection[str]) -> Mapping[str, Claim]:
    """Return what a wheel's RECORD says of each of these paths, relative to the prefix."""
    as_recorded = {_as_recorded(wheel, path): path for path in paths}
    found = dict.fromkeys(paths, Claim(owner=wheel.path))
    for file in wheel.recorded(as_recorded.keys()):
        algorithm, _, digest = file.hash.partition("=")
        found[as_recorded[file.path]] = Claim(
            owner=wheel.path,
            size=file.size,
            sha256=_hexadecimal(digest) if algorithm == "sha256" else None,
        )
    return found


def _as_recorded(wheel: Distribution, path: str) -> str:
    # relpath asks for the working directory, twice a path; few files lie out of site-packages.
    inside = path.removeprefix(f"{wheel.location}/")
    return inside if inside != path else posixpath.relpath(path, wheel.location)


def _hexadecimal(digest: str) -> str | None:
    # RECORD has urlsafe base64 without its padding (PEP 376).
    standard = digest.replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(standard + "=" * (-len(digest) % 4)).hex()
    except ValueError:
        return None
