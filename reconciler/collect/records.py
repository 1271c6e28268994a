"""conda's records: ``conda-meta/*.json``, in the dialects of conda, rattler and micromamba."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.collect import files
from reconciler.collect.ground import Found
from reconciler.collect.secrets import masked
from reconciler.model.os_name import from_os
from reconciler.model.prefix import PrefixRecord
from reconciler.model.snapshot import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.collect.ground import Ground
    from reconciler.model.snapshot import Snapshot

FOLDER = "conda-meta"
LIMIT = 64 * files.MEGABYTE


class _Written(msgspec.Struct, frozen=True):
    """The fields of a record as they are written; all else is passed over."""

    name: str
    version: str
    build: str | None = None
    build_number: int | None = None
    channel: Any = None
    subdir: str | None = None
    depends: list[str] | None = None
    constrains: list[str] | None = None
    files: list[str] | None = None
    #: conda writes the one spec of the last command, rattler a list.
    requested_spec: str | None = None
    requested_specs: list[str] | None = None
    python_site_packages_path: str | None = None


_decoder = msgspec.json.Decoder(_Written)
_HALVES = "[\ud800-\udfff]"


def collect(ground: Ground, snapshot: Snapshot) -> Found:
    """Read every record of the prefix; a venv has none, which is no gap."""
    prefix = snapshot.target.prefix
    if prefix is None:
        return Found(value=(), gaps=(Gap(fact=Fact.RECORDS, reason="no environment to look at"),))
    if snapshot.target.kind != "conda":
        return Found(value=())
    folder = f"{prefix}/{FOLDER}"
    try:
        names = files.names(folder)
    except files.UnreadableError as error:
        return Found(value=(), gaps=(Gap(fact=Fact.RECORDS, reason=str(error)),))
    records, gaps = [], []
    is_windows = snapshot.target.platform.startswith("win")
    for name in names:
        if name.endswith(".json"):
            try:
                records.append(_record(files.read(f"{folder}/{name}", limit=LIMIT), is_windows))
            except (files.UnreadableError, ValueError, RecursionError) as error:
                gaps.append(Gap(fact=Fact.RECORDS, item=f"{FOLDER}/{name}", reason=_why(error)))
    return Found(value=tuple(records), gaps=tuple(gaps))


def _record(raw: bytes, is_windows: bool) -> PrefixRecord:  # noqa: FBT001
    written = _decode(raw)
    paths = written.files or ()
    return PrefixRecord(
        name=written.name,
        version=written.version,
        build=written.build or "",
        build_number=written.build_number or 0,
        channel=masked(written.channel) if isinstance(written.channel, str) else "",
        subdir=written.subdir or "",
        depends=_specs(written.depends),
        constrains=_specs(written.constrains),
        # conda writes slashes on Windows too, and other installers their system's own separator.
        files=tuple(path.replace("\\", "/") for path in paths) if is_windows else tuple(paths),
        requested_specs=tuple(masked(spec) for spec in _requested(written)),
        python_site_packages_path=written.python_site_packages_path,
    )


def _specs(written: Sequence[str] | None) -> tuple[str, ...]:
    # There are thousands, and few name a channel.
    return tuple([masked(spec) if "://" in spec else spec for spec in written or ()])


def _decode(raw: bytes) -> _Written:
    try:
        if raw.isascii():
            return _decoder.decode(raw)
    except msgspec.DecodeError:
        # json.dumps of conda writes a byte that is not UTF-8 as a lone surrogate, \udce9, which
        # only the standard library takes back.
        pass
    import json  # noqa: PLC0415

    return msgspec.convert(stored(json.loads(raw.decode("utf-8", "surrogateescape"))), _Written)


def stored(value: Any) -> Any:
    """Return what ``json`` made of bytes that need not be UTF-8, as a Snapshot stores it."""
    match value:
        case str():
            # Half of a UTF-16 pair, which no operating system of bytes gives, is not to be stored.
            return re.sub(_HALVES, "\ufffd", from_os(value))
        case list():
            return [stored(item) for item in value]
        case dict():
            return {stored(key): stored(item) for key, item in value.items()}
        case _:
            return value


def _requested(written: _Written) -> Iterator[str]:
    yield from written.requested_specs or ()
    # conda writes the text "None" for a package that nobody asked for.
    if written.requested_spec and written.requested_spec != "None":
        yield written.requested_spec


def _why(error: Exception) -> str:
    if isinstance(error, files.UnreadableError):
        return str(error)
    return f"not a record of conda: {from_os(str(error))}"
