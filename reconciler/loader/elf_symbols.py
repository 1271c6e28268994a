"""The dynamic symbols of an ELF file, and the versions of them that it needs and defines.

Asked for only where they decide something: a large library has 20 MB of them. Follows the System V
gABI, chapter 5 (symbol and hash table), and the Linux Standard Base, "Symbol Versioning".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from reconciler.loader.elf import DT_STRSZ, DT_STRTAB, ElfFile, NotElfError, text_of
from reconciler.model.binding import Undefined, VersionNeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.loader.elf import Pread

DT_HASH, DT_SYMTAB, DT_GNU_HASH, DT_VERSYM = 4, 6, 0x6FFFFEF5, 0x6FFFFFF0
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
STB_LOCAL, STB_WEAK = 0, 2
#: The version is a name of the file itself, not of symbols.
VER_FLG_BASE = 1
VER_FLG_WEAK = 2
#: In the table of versions: the top bit hides a symbol from those that ask for no version.
VERSION_INDEX = 0x7FFF

#: libtorch_cpu.so has 150,000 symbols, and names of 20 MB.
MAX_SYMBOLS = 1 << 20
MAX_STRINGS = 128 << 20
#: All names that are given together.
MAX_NAMES = 64 << 20
MAX_VERSIONS = 1 << 14
#: C++ makes names of some kilobytes.
MAX_NAME = 1 << 16


class Versions(Struct, frozen=True, kw_only=True):
    """What a file needs of others and defines itself."""

    needed: tuple[VersionNeed, ...]
    #: Without the one that is the file's own name.
    defined: tuple[str, ...]


class Symbols(Struct, frozen=True, kw_only=True):
    """The dynamic symbols of one file."""

    undefined: tuple[Undefined, ...]
    #: The name of each symbol that it defines, with its versions; None where it has no version.
    defined: Mapping[str, frozenset[str | None]]


class Names(Protocol):
    """The strings of a file."""

    def at(self, offset: int) -> str:
        """Return the string at an offset."""


def versions(pread: Pread) -> Versions:
    """Return the versions of symbols that a file needs and defines.

    Raises NotElfError.
    """
    try:
        file = ElfFile(pread)
        names = _Names(file)
        return Versions(
            needed=tuple(need for _, need in needs(file, names)),
            defined=tuple(name for _, name, is_base in definitions(file, names) if not is_base),
        )
    except struct.error as error:
        raise NotElfError("truncated versions of symbols") from error


def symbols(pread: Pread) -> Symbols:
    """Return the dynamic symbols of a file.

    Raises NotElfError.
    """
    try:
        file = ElfFile(pread)
        return _symbols(file, _Names(file))
    except struct.error as error:
        raise NotElfError("truncated dynamic symbols") from error


def _symbols(file: ElfFile, names: _Names) -> Symbols:
    count = _count(file)
    entry, fields = ("IBBHQQ", (0, 1, 3)) if file.bits == 64 else ("IIIBBH", (0, 3, 5))
    table = _table(file, DT_SYMTAB, struct.calcsize(file.order + entry) * count)
    indexes = _indexes(file, count)
    needed = dict(needs(file, names))
    own = {index: name for index, name, is_base in definitions(file, names) if not is_base}
    undefined: list[Undefined] = []
    defined: dict[str, set[str | None]] = {}
    name_at, info_at, section_at = fields
    rows = zip(struct.iter_unpack(file.order + entry, table), indexes, strict=True)
    for row, index in rows:
        binding = row[info_at] >> 4
        if binding == STB_LOCAL:
            continue
        name = names.at(row[name_at])
        if row[section_at]:
            defined.setdefault(name, set()).add(own.get(index & VERSION_INDEX))
            continue
        need = needed.get(index & VERSION_INDEX)
        undefined.append(
            Undefined(
                name=name,
                file=need.file if need else None,
                version=need.version if need else None,
                weak=binding == STB_WEAK,
            )
        )
    return Symbols(
        undefined=tuple(undefined),
        defined={name: frozenset(found) for name, found in defined.items()},
    )


def _table(file: ElfFile, tag: int, size: int) -> bytes:
    if tag not in file.values or not size:
        return b""
    table = file.pread(file.segments.offset_of(file.values[tag]), size)
    if len(table) < size:
        raise NotElfError("truncated dynamic symbols")
    return table


def _indexes(file: ElfFile, count: int) -> tuple[int, ...]:
    """Return the index of the version of each symbol."""
    if DT_VERSYM not in file.values:
        return (0,) * count
    return struct.unpack(f"{file.order}{count}H", _table(file, DT_VERSYM, 2 * count))


def _count(file: ElfFile) -> int:
    """Return how many symbols there are: only the hash tables know."""
    if DT_SYMTAB not in file.values:
        return 0
    if DT_HASH in file.values:
        at = file.segments.offset_of(file.values[DT_HASH])
        (count,) = struct.unpack(file.order + "4xI", file.pread(at, 8))
    elif DT_GNU_HASH in file.values:
        count = _count_by_gnu_hash(file, file.segments.offset_of(file.values[DT_GNU_HASH]))
    else:
        count = 0
    if count > MAX_SYMBOLS:
        raise NotElfError(f"{count} symbols, more than the {MAX_SYMBOLS} that are read")
    return int(count)


def _count_by_gnu_hash(file: ElfFile, at: int) -> int:
    """Return the end of the last chain: https://flapenguin.me/elf-dt-gnu-hash."""
    buckets, first, bloom, _ = struct.unpack(file.order + "4I", file.pread(at, 16))
    if buckets > MAX_SYMBOLS:
        raise NotElfError(f"{buckets} hash buckets, more than any library has")
    start = at + 16 + bloom * file.bits // 8
    heads = struct.unpack(f"{file.order}{buckets}I", file.pread(start, 4 * buckets))
    last = max(heads, default=0)
    if last < first:
        return int(first)
    chain = start + 4 * buckets + 4 * (last - first)
    while last < MAX_SYMBOLS:
        window = file.pread(chain, 4096)
        links = struct.unpack_from(f"{file.order}{len(window) // 4}I", window)
        if not links:
            raise NotElfError("its last chain of symbols has no end")
        for link in links:
            last += 1
            if link & 1:
                return int(last)
        chain += 4 * len(links)
    return last + 1


def needs(file: ElfFile, names: Names) -> Iterator[tuple[int, VersionNeed]]:
    """Yield the versions that are needed, with the index by which symbols refer to them."""
    left = MAX_VERSIONS
    for at, (_, count, name, first, _) in _chain(file, DT_VERNEED, DT_VERNEEDNUM, "HHIII"):
        library = names.at(name)
        place = at + first
        for _ in range(min(count, left)):
            left -= 1
            row = struct.unpack(file.order + "IHHII", file.pread(place, 16))
            _, flags, index, version, following = row
            weak = bool(flags & VER_FLG_WEAK)
            yield (
                index & VERSION_INDEX,
                VersionNeed(file=library, version=names.at(version), weak=weak),
            )
            if not following:
                break
            place += following


def definitions(file: ElfFile, names: Names) -> Iterator[tuple[int, str, bool]]:
    """Yield the versions that are defined, with the index by which symbols refer to them.

    The last is whether it is the file's own name, which is no version of symbols.
    """
    for at, row in _chain(file, DT_VERDEF, DT_VERDEFNUM, "HHHHIII"):
        _, flags, index, _, _, first, _ = row
        (name,) = struct.unpack(file.order + "I", file.pread(at + first, 4))
        yield index & VERSION_INDEX, names.at(name), bool(flags & VER_FLG_BASE)


def _chain(
    file: ElfFile, tag: int, number: int, entry: str
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield where each record of a chain stands, and its fields; the last leads to the next."""
    if tag not in file.values:
        return
    at = file.segments.offset_of(file.values[tag])
    size = struct.calcsize(file.order + entry)
    for _ in range(min(file.values.get(number, 0), MAX_VERSIONS)):
        row = struct.unpack(file.order + entry, file.pread(at, size))
        yield at, row
        if not row[-1]:
            return
        at += row[-1]


class _Names:
    """The names of symbols and versions, read at once when the first is asked for."""

    def __init__(self, file: ElfFile) -> None:
        self._file = file
        self._raw: bytes | None = None
        self._given = 0

    def at(self, offset: int) -> str:
        raw = self._raw if self._raw is not None else self._read()
        end = raw.find(b"\0", offset, offset + MAX_NAME)
        if end < 0:
            raise NotElfError(f"a name at offset {offset} of its strings has no end")
        self._given += end - offset
        if self._given > MAX_NAMES:
            raise NotElfError(f"its names are of more than {MAX_NAMES} bytes")
        return text_of(raw[offset:end])

    def _read(self) -> bytes:
        size = self._file.values.get(DT_STRSZ, 0)
        if size > MAX_STRINGS:
            raise NotElfError(f"strings of {size} bytes, more than the {MAX_STRINGS} that are read")
        start = self._file.segments.offset_of(self._file.values.get(DT_STRTAB, 0))
        self._raw = self._file.pread(start, size)
        return self._raw
