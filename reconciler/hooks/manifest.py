"""The record of a hook, in JSON in the prefix: what was written, so that an edit is seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from reconciler.errors import HookError
from reconciler.model.hook import (
    FileState,
    Hook,
    HookFile,
    HookManifest,
    HookStatus,
    ScriptState,
    WrittenFile,
)
from reconciler.model.os_name import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA_VERSION = 1
_OURS = re.compile(
    r"etc(?:/conda(?:/(?:de)?activate\.d(?:/~~envfix\.[a-z0-9]+)?)?|/envfix(?:/constraints\.txt)?)?"
    r"|(?:bin|Scripts)/envfix-(?:de)?activate\.[a-z0-9]+"
)


def manifest_of(hook: Hook, files: Iterable[HookFile], folders: Iterable[str] = ()) -> HookManifest:
    """Return the record of the files that were written for a hook, and the folders made for them."""
    written = tuple(WrittenFile(path=file.path, sha256=file.sha256) for file in files)
    return HookManifest(
        schema_version=SCHEMA_VERSION, hook=hook, files=written, folders=tuple(folders)
    )


def encode(manifest: HookManifest) -> bytes:
    """Return the record as it is kept."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(content: bytes, *, where: str) -> HookManifest:
    """Return the record that is kept at ``where``."""
    try:
        manifest = msgspec.json.decode(content, type=HookManifest)
    except msgspec.DecodeError as error:
        raise _unreadable(f"the record of envfix's hook cannot be read: {error}", where) from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise _unreadable(f"the record has the schema {manifest.schema_version}", where)
    for path in (*(file.path for file in manifest.files), *manifest.folders):
        # What envfix removes is what it may have written, whatever a record says.
        if not _OURS.fullmatch(path):
            raise _unreadable(
                f"the record names {printable(path)!r}, which is no file of it", where
            )
    return manifest


def _unreadable(what: str, where: str) -> HookError:
    return HookError(what, where=where, next_step="write the hook anew with envfix hooks install")


def status(
    manifest: HookManifest, found: Mapping[str, str | None], wanted: Hook | None = None
) -> HookStatus:
    """Hold the record against the checksums ``found`` on the disk and the hook that is ``wanted``.

    A path without a checksum is that of a missing file. Without a wanted hook none is stale.
    """
    scripts = (
        ScriptState(path=file.path, state=_state(file, found.get(file.path)))
        for file in manifest.files
    )
    stale = wanted is not None and wanted.variables != manifest.hook.variables
    return HookStatus(scripts=tuple(scripts), is_stale=stale)


def _state(file: WrittenFile, checksum: str | None) -> FileState:
    if checksum is None:
        return FileState.MISSING
    return FileState.INTACT if checksum == file.sha256 else FileState.EDITED
