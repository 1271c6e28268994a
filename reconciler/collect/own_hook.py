"""The hook that envfix has written into an environment: its record, and its scripts as they lie there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from msgspec import Struct

from reconciler.collect import files
from reconciler.errors import HookError
from reconciler.hooks import manifest, writing
from reconciler.model.hook import HookManifest

#: No record of envfix comes near it, nor does a script.
_LONGEST = 1 << 20


class OwnHook(Struct, frozen=True, kw_only=True):
    """What lies in a prefix of envfix's own."""

    manifest: HookManifest
    #: The bytes of the record.
    record: bytes
    #: Of each script, relative to the prefix: its bytes, or None where it is not there.
    contents: Mapping[str, bytes | None]

    @property
    def checksums(self) -> Mapping[str, str | None]:
        """The SHA-256 of each script that is there."""
        return {
            path: None if content is None else hashlib.sha256(content).hexdigest()
            for path, content in self.contents.items()
        }


def read(prefix: str) -> OwnHook | None:
    """Return what envfix has written into a prefix; None where it has not. Raises HookError."""
    place = f"{prefix}/{writing.MANIFEST}"
    record = content_of(place)
    if record is None:
        return None
    known = manifest.decode(record, where=place)
    contents = {file.path: content_of(f"{prefix}/{file.path}") for file in known.files}
    return OwnHook(manifest=known, record=record, contents=contents)


def content_of(path: str) -> bytes | None:
    """Return a small file's bytes; None where there is none. Raises HookError."""
    try:
        return files.read(path, limit=_LONGEST)
    except files.MissingError:
        return None
    except files.UnreadableError as error:
        next_step = "see to the file, and run envfix again"
        raise HookError(str(error), where=path, next_step=next_step) from error
