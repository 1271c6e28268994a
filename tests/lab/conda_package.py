"""A ``.conda`` package, written with the standard library alone.

References: the .conda format, https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html;
the Zstandard frame, RFC 8878, section 3.1.1.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class File:
    """A regular file of a package."""

    content: bytes = b""
    executable: bool = False
    #: The path inside the text that the installer replaces with the prefix.
    placeholder: str | None = None
    mtime: int = 0


@dataclass(frozen=True)
class Link:
    """A symbolic link of a package, relative as conda-build makes all of them."""

    target: str


BLOCK = 128 * 1024


def write_package(
    channel: Path,
    index: Mapping[str, object],
    files: Mapping[str, File | Link],
    entry_points: Sequence[str] = (),
) -> Path:
    """Write one package into its subdir of the channel, and return its path."""
    name = "{name}-{version}-{build}".format_map(index)
    path = channel / str(index["subdir"]) / f"{name}.conda"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        archive.writestr(f"pkg-{name}.tar.zst", zstd_frame(_tar(files)))
        info = _info(index, files, entry_points)
        archive.writestr(f"info-{name}.tar.zst", zstd_frame(_tar(info)))
    return path


def zstd_frame(content: bytes) -> bytes:
    """Wrap bytes in a Zstandard frame of raw blocks: nothing is compressed, every reader takes it."""
    starts = range(0, len(content), BLOCK) or (0,)
    blocks = (content[start : start + BLOCK] for start in starts)
    last = starts[-1]
    # magic number; descriptor 0: no checksum, no size; window descriptor: 2**(10 + 7) bytes
    parts = [bytes.fromhex("28b52ffd"), b"\0", bytes([7 << 3])]
    for start, block in zip(starts, blocks, strict=True):
        parts += [(len(block) << 3 | (start == last)).to_bytes(3, "little"), block]
    return b"".join(parts)


def _info(
    index: Mapping[str, object], files: Mapping[str, File | Link], entry_points: Sequence[str]
) -> Mapping[str, File]:
    texts = {
        "info/index.json": json.dumps(index, indent=2),
        "info/about.json": json.dumps({"summary": f"envfix lab: {index['name']}"}),
        "info/paths.json": json.dumps({"paths": list(_paths(files)), "paths_version": 1}),
        "info/files": _lines(sorted(files)),
    }
    if index.get("noarch") == "python":
        noarch = {"type": "python", "entry_points": list(entry_points)}
        texts["info/link.json"] = json.dumps({"noarch": noarch, "package_metadata_version": 1})
    placeholders = [
        f"{file.placeholder} text {path}"
        for path, file in sorted(files.items())
        if isinstance(file, File) and file.placeholder
    ]
    if placeholders:
        texts["info/has_prefix"] = _lines(placeholders)
    return {path: File(text.encode()) for path, text in texts.items()}


def _paths(files: Mapping[str, File | Link]) -> Iterator[Mapping[str, object]]:
    for path, file in sorted(files.items()):
        content = _pointed_to(files, path).content
        entry: dict[str, object] = {
            "_path": path,
            "path_type": "softlink" if isinstance(file, Link) else "hardlink",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_in_bytes": len(content),
        }
        if isinstance(file, File) and file.placeholder:
            entry |= {"prefix_placeholder": file.placeholder, "file_mode": "text"}
        yield entry


def _pointed_to(files: Mapping[str, File | Link], path: str) -> File:
    """Follow links inside the package; what lies outside of it counts as empty, as conda-build."""
    file = files.get(path, File())
    while isinstance(file, Link):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.target))
        file = files.get(path, File())
    return file


def _tar(files: Mapping[str, File | Link]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, file in sorted(files.items()):
            member = tarfile.TarInfo(path)
            if isinstance(file, Link):
                member.type, member.linkname = tarfile.SYMTYPE, file.target
                archive.addfile(member)
                continue
            member.size, member.mtime = len(file.content), file.mtime
            member.mode = 0o755 if file.executable else 0o644
            archive.addfile(member, io.BytesIO(file.content))
    return buffer.getvalue()


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
