"""What /etc/ld.so.cache promises: sonames, and the files that ldconfig found for them.

Follows glibc, sysdeps/generic/dl-cache.h: the format of glibc 2.2 and later, alone or behind the
older one, with the extension of 2.33 that names the glibc-hwcaps subdirectories.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from reconciler.model.os_name import from_os
from reconciler.model.system import CacheEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OLD_MAGIC = b"ld.so-1.7.0"
MAGIC = b"glibc-ld.so.cache1.1"
HEADER_SIZE = 48
#: Of the header's byte of flags: the cache is of a big-endian machine.
BIG_ENDIAN = 3
ENTRY = "iIIIQ"
EXTENSION_MAGIC = 0xEAA42174
HWCAPS_SECTION = 1
#: The high half of the field hwcap of an entry of a glibc-hwcaps directory, without its ISA level.
HWCAPS_ENTRY = 1 << 30
ISA_LEVEL = (1 << 10) - 1

#: PATH_MAX: the loader opens no longer one.
MAX_STRING = 4096
#: All names together; a cache of 3,000 libraries has 250 kB.
MAX_NAMES = 16 << 20


class NotCacheError(ValueError):
    """The bytes are no ld.so.cache of this format, or a damaged one; ``str()`` says where."""


def read(raw: bytes) -> Mapping[str, tuple[CacheEntry, ...]]:
    """Return the files of each soname, in the order of the cache.

    Raises NotCacheError.
    """
    try:
        return _read(raw[_start(raw) :])
    except struct.error as error:
        raise NotCacheError("truncated ld.so.cache") from error


def usable(
    entries: Sequence[CacheEntry], flags: int, hwcaps: Sequence[str]
) -> tuple[CacheEntry, ...]:
    """Return the entries that serve this machine, as the loader prefers them.

    ``hwcaps`` are the glibc-hwcaps subdirectories of its processor, the best one first.
    """
    fit = [entry for entry in entries if entry.flags == flags and not entry.legacy]
    best = [entry for name in hwcaps for entry in fit if entry.hwcaps == name]
    return (*best, *(entry for entry in fit if entry.hwcaps is None))


def _start(raw: bytes) -> int:
    if raw.startswith(MAGIC):
        return 0
    start = raw.find(MAGIC) if raw.startswith(OLD_MAGIC) else -1
    if start < 0:
        raise NotCacheError("no ld.so.cache of glibc 2.2 or later")
    return start


def _read(raw: bytes) -> Mapping[str, tuple[CacheEntry, ...]]:
    order = ">" if raw[28:29] == bytes([BIG_ENDIAN]) else "<"
    (count,) = struct.unpack_from(order + "I", raw, len(MAGIC))
    size = struct.calcsize(order + ENTRY)
    if HEADER_SIZE + count * size > len(raw):
        raise NotCacheError("truncated ld.so.cache")
    strings = _Strings(raw)
    hwcaps = tuple(strings.at(offset) for offset in _hwcaps(raw, order))
    table = memoryview(raw)[HEADER_SIZE : HEADER_SIZE + count * size]
    found: dict[str, list[CacheEntry]] = {}
    for flags, key, value, _, needs in struct.iter_unpack(order + ENTRY, table):
        subdirectory, legacy = _processor(needs, hwcaps)
        entry = CacheEntry(path=strings.at(value), flags=flags, hwcaps=subdirectory, legacy=legacy)
        found.setdefault(strings.at(key), []).append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


def _processor(needs: int, hwcaps: Sequence[str]) -> tuple[str | None, bool]:
    """Return the glibc-hwcaps subdirectory of an entry, and whether it is of the older kind."""
    if needs >> 32 & ~ISA_LEVEL != HWCAPS_ENTRY:
        return None, needs != 0
    index = needs & 0xFFFFFFFF
    if index >= len(hwcaps):
        raise NotCacheError(f"an entry is of glibc-hwcaps subdirectory {index} of {len(hwcaps)}")
    return hwcaps[index], False


def _hwcaps(raw: bytes, order: str) -> Iterable[int]:
    """Return where the names of the glibc-hwcaps subdirectories stand."""
    (extension,) = struct.unpack_from(order + "I", raw, 32)
    if not extension:
        return ()
    magic, sections = struct.unpack_from(order + "II", raw, extension)
    if magic != EXTENSION_MAGIC:
        raise NotCacheError("damaged extension of ld.so.cache")
    for index in range(sections):
        tag, _, offset, size = struct.unpack_from(order + "IIII", raw, extension + 8 + 16 * index)
        if tag == HWCAPS_SECTION:
            names = raw[offset : offset + size]
            return struct.unpack_from(f"{order}{size // 4}I", names)
    return ()


class _Strings:
    """The strings of a cache, by their offset."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._given = 0

    def at(self, offset: int) -> str:
        end = self._raw.find(b"\0", offset, offset + MAX_STRING)
        if end < 0:
            raise NotCacheError(f"a name at offset {offset} has no end")
        self._given += end - offset
        if self._given > MAX_NAMES:
            raise NotCacheError(f"its names are of more than {MAX_NAMES} bytes")
        return from_os(self._raw[offset:end].decode("utf-8", "surrogateescape"))
