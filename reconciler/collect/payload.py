"""The files that are evidence of who owns what: looked at by stat, and hashed where that is not enough.

Not all files: those that two packages dispute, CUDA's libraries, one module of each wheel, and,
where one of these is gone, the rest of its package.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.libraries import stem_of
from reconciler.model.distribution import Distribution
from reconciler.model.installation import lost_records
from reconciler.model.library import Claim, PayloadFile
from reconciler.model.ownership import claimed_files, installed_paths, ownership
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.collect.ground import EvidenceWanted, Ground
    from reconciler.model.owner import Owner
    from reconciler.model.ownership import ClaimedFile, Ownership
    from reconciler.model.prefix import PrefixRecord
    from reconciler.model.snapshot import Snapshot

#: A larger file is told by its size alone.
HASH_LIMIT = 64 * files.MEGABYTE
#: Of all files together: who won is told by fewer.
HASHED_IN_ALL = 256 * files.MEGABYTE
#: Of one package: that it is broken is told by fewer.
LOOKED_AT = 500
RECORD_LIMIT = 64 * files.MEGABYTE
#: A module at the top of a wheel, not an empty __init__.py, which namespaces share.
_MODULE = re.compile(r"^([^/,\"\n]+(?:/__init__)?\.py),[^,\n]*,[1-9]", re.MULTILINE)


class _Path(msgspec.Struct, frozen=True):
    """One entry of paths_data, in the dialects of conda and rattler."""

    path: str = msgspec.field(name="_path")
    path_type: str | None = None
    prefix_placeholder: str | None = None
    sha256: str | None = None
    sha256_in_prefix: str | None = None
    size_in_bytes: int | None = None


class _PathsData(msgspec.Struct, frozen=True):
    paths: tuple[_Path, ...] = ()


class _Written(msgspec.Struct, frozen=True):
    paths_data: _PathsData | None = None


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Look at what packages dispute and what CUDA rests on."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return Found(value=(), gaps=(Gap(fact=Fact.PAYLOAD, reason="no environment to look at"),))
    index = ownership(snapshot.records, snapshot.distributions)
    eye = _Eye(prefix)
    recorded = _recorded(eye, snapshot, index)
    shared = tuple(eye.look(path, recorded[path]) for path in recorded)
    disputed = (file for file in claimed_files(index, recorded, shared) if file.is_disputed)
    payload = {path: eye.look(path) for path in _evidence(index, ground.wanted)}
    payload |= {file.path: file for file in _hashed(prefix, disputed)}
    for path in tuple(_broken(index, snapshot, payload)):
        payload[path] = payload.get(path) or eye.look(path)
    return Found(
        value=tuple(payload[path] for path in sorted(payload) if path not in eye.blind),
        gaps=tuple(eye.gaps),
    )


class _Eye:
    """Looks at files of one prefix, and keeps what it could not see."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.gaps: list[Gap] = []
        self.blind: set[str] = set()

    def look(self, path: str, recorded: tuple[Claim, ...] = ()) -> PayloadFile:
        try:
            size, is_link = files.size_of(f"{self.prefix}/{path}")
        except files.UnreadableError as error:
            self.miss(path, error)
            size, is_link = 0, True
        return PayloadFile(path=path, size=size, is_link=is_link, recorded=recorded)

    def miss(self, path: str, error: files.UnreadableError) -> None:
        if path not in self.blind:
            self.gaps.append(Gap(fact=Fact.PAYLOAD, item=path, reason=str(error)))
        self.blind.add(path)


def _evidence(index: Ownership, wanted: EvidenceWanted) -> Iterator[str]:
    """Yield the paths of CUDA's libraries, and of one module of each wheel."""
    yield from (path for path in index.libraries if stem_of(path) in wanted.libraries)
    for wheel in index.wheels:
        if module := _MODULE.search(wheel.record or ""):
            yield f"{wheel.location}/{module[1]}"


def _broken(
    index: Ownership, snapshot: Snapshot, payload: Mapping[str, PayloadFile]
) -> Iterator[str]:
    """Yield the files of the packages of which something is known to be gone."""
    gone = [file.path for file in payload.values() if file.size is None]
    owners: dict[str, Owner] = {o.path: o for all_ in index.owners_of(gone).values() for o in all_}
    owners |= {record.path: record for record in lost_records(index, snapshot)}
    for owner in owners.values():
        paths = installed_paths(owner) if isinstance(owner, Distribution) else owner.files
        yield from [path for path in paths if not path.endswith(".pyc")][:LOOKED_AT]


def _recorded(eye: _Eye, snapshot: Snapshot, index: Ownership) -> Mapping[str, tuple[Claim, ...]]:
    """Return the paths that a wheel shares, with what conda's records say of them."""
    shared: dict[str, tuple[Claim, ...]] = dict.fromkeys(index.shared, ())
    by_record: dict[str, tuple[PrefixRecord, list[str]]] = {}
    for path, owners in index.shared.items():
        for owner in owners:
            if not isinstance(owner, Distribution):
                by_record.setdefault(owner.path, (owner, []))[1].append(path)
    for record, paths in by_record.values():
        try:
            claims = _claims(eye.prefix, snapshot, record)
        except files.UnreadableError as error:
            eye.miss(record.path, error)
            continue
        for path in paths:
            shared[path] += (claims[path],) if path in claims else ()
    return shared


def _claims(prefix: str, snapshot: Snapshot, record: PrefixRecord) -> Mapping[str, Claim]:
    """Read again what a record says of its files: only a dispute asks for that."""
    try:
        raw = files.read(f"{prefix}/{record.path}", limit=RECORD_LIMIT)
        written = msgspec.json.decode(raw, type=_Written)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise files.UnreadableError(f"its paths_data: {error}") from error
    places = snapshot.python.site_packages if snapshot.python else ()
    entries = written.paths_data.paths if written.paths_data else ()
    return {_placed(entry.path, places): _claim(record, entry) for entry in entries}


def _placed(path: str, places: tuple[str, ...]) -> str:
    # conda writes noarch packages' paths as the package has them, its ``files`` as they lie.
    if path.startswith("site-packages/") and places:
        return places[0] + path.removeprefix("site-packages")
    if path.startswith("python-scripts/"):
        return "bin" + path.removeprefix("python-scripts")
    return path


def _claim(record: PrefixRecord, entry: _Path) -> Claim:
    # rattler's hash of a link is that of its text, and conda's that of its target.
    if entry.path_type == "softlink":
        return Claim(owner=record.path)
    if entry.prefix_placeholder:
        # The size is that of the package's file, before the prefix was written into it.
        return Claim(owner=record.path, sha256=entry.sha256_in_prefix)
    return Claim(
        owner=record.path,
        size=entry.size_in_bytes,
        sha256=entry.sha256_in_prefix or entry.sha256,
    )


def _hashed(prefix: str, disputed: Iterable[ClaimedFile]) -> Iterator[PayloadFile]:
    """Yield the disputed files, with a hash where their sizes do not tell whose they are."""
    left = HASHED_IN_ALL
    for file in disputed:
        seen = file.seen
        if seen is None:
            continue
        allowed = len(file.owners) - len(file.losers())
        if seen.size and not seen.is_link and allowed > 1 and seen.size <= min(HASH_LIMIT, left):
            left -= seen.size
            seen = msgspec.structs.replace(seen, sha256=files.sha256(f"{prefix}/{file.path}"))
        yield seen
