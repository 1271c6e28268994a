"""The bytes of a declared file once more, to be changed where a repair says so, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collect import files
from reconciler.collect.manifest_files import limit_of
from reconciler.collect.secrets import masked
from reconciler.collect.text_encoding import Decoded, decode, encode
from reconciler.errors import WriteError
from reconciler.manifests.rewriting import apply_splices
from reconciler.model.os_name import from_os, to_os
from reconciler.model.report import FileChange

if TYPE_CHECKING:
    from reconciler.model.plan import FileRepair

_BY_HAND = "nothing was written; change the file by hand"


def change_of(project: str, repair: FileRepair) -> FileChange:
    """Return what a repair makes of a file's bytes; raises WriteError.

    What a repair knows of a file is masked: it is laid over the file's own words, in the file's own
    encoding, and what comes out has to be, masked again, what was judged.
    """
    path = f"{project}/{repair.path}"
    before = _read(path, repair)
    decoded = _decoded(before)
    if decoded is None or masked(from_os(decoded.text)) != repair.before:
        raise WriteError(
            "not what it was when envfix read it; nothing was written",
            where=repair.path,
            next_step="run envfix again",
        )
    text = decoded.text
    if len(from_os(text)) != len(text) or _encoded(text, decoded) != before:
        said = f"its bytes are not all {decoded.encoding}"
        raise WriteError(said, where=repair.path, next_step=_BY_HAND)
    for splices in repair.rounds:
        text = apply_splices(text, splices)
    if masked(from_os(text)) != repair.after:
        said = "what would be written is not what was judged, for a secret is in the way"
        raise WriteError(said, where=repair.path, next_step=_BY_HAND)
    after = _encoded(text, decoded)
    if after is None:
        said = f"its encoding, {decoded.encoding}, lacks a character of what would be written"
        raise WriteError(said, where=repair.path, next_step=_BY_HAND)
    return FileChange(path=to_os(path), name=to_os(repair.path), before=before, after=after)


def _decoded(raw: bytes) -> Decoded | None:
    try:
        return decode(raw)
    except UnicodeDecodeError:
        return None


def _encoded(text: str, like: Decoded) -> bytes | None:
    try:
        return encode(text, like)
    except UnicodeEncodeError:
        return None


def _read(path: str, repair: FileRepair) -> bytes:
    try:
        return files.read(path, limit=limit_of(path))
    except files.UnreadableError as error:
        raise WriteError(
            str(error), where=repair.path, next_step="nothing was written; run envfix again"
        ) from error
