"""The hash tables of an ELF file, by which ld.so finds a symbol without reading the others.

Follows the System V gABI, chapter 5 (hash table), and for DT_GNU_HASH
https://flapenguin.me/elf-dt-gnu-hash. Tables that lead nowhere or in a circle are a NotElfError.
"""

from __future__ import annotations

import struct
from array import array
from functools import lru_cache
from operator import mul
from sys import byteorder
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.loader.elf import NotElfError
from reconciler.loader.elf_symbols import DT_GNU_HASH, DT_HASH, MAX_SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.loader.elf import ElfFile

#: The links of chains that are followed in one file, for all names together.
MAX_LINKS = 1 << 18
#: Links that are read at once; an honest chain has about one.
LINKS_AT_ONCE = 16
#: A name is looked for in one file after another.
KNOWN_HASHES = 1 << 15
_WORD = 0xFFFFFFFF
_POWERS = tuple(pow(33, exponent, 1 << 32) for exponent in range(1 << 10))


class GnuTable(Struct, frozen=True):
    """DT_GNU_HASH: how many buckets, the first symbol in them, and where the parts stand."""

    buckets: int
    first: int
    shift: int
    bloom: array[int]
    buckets_at: int
    chains_at: int


class SysvTable(Struct, frozen=True):
    """DT_HASH: how many buckets and symbols, and where the buckets stand."""

    buckets: int
    symbols: int
    buckets_at: int


Table = GnuTable | SysvTable | None


def table_of(file: ElfFile) -> Table:
    """Return the table that ld.so uses; raises NotElfError or struct.error."""
    if DT_GNU_HASH in file.values:
        return _gnu_table(file, file.segments.offset_of(file.values[DT_GNU_HASH]))
    if DT_HASH in file.values:
        at = file.segments.offset_of(file.values[DT_HASH])
        buckets, symbols = struct.unpack(file.order + "2I", file.pread(at, 8))
        if max(buckets, symbols) > MAX_SYMBOLS:
            raise NotElfError(f"{symbols} symbols, more than the {MAX_SYMBOLS} that are read")
        return SysvTable(buckets, symbols, at + 8)
    return None


def words_of(file: ElfFile, raw: bytes, code: str) -> array[int]:
    """Return the numbers of a table, whose kind is ``code`` in the module array."""
    words = array(code, raw)
    if (file.order == "<") != (byteorder == "little"):
        words.byteswap()
    return words


class Chains:
    """The symbols that may have a name, found by its hash; raises NotElfError or struct.error."""

    def __init__(self, file: ElfFile, table: Table) -> None:
        self._file = file
        self.table = table
        self._left = MAX_LINKS

    @property
    def is_empty(self) -> bool:
        """Tell whether no symbol has a bucket."""
        table = self.table
        if not isinstance(table, GnuTable):
            return not table or not table.symbols
        # a table of symbols has more buckets than one, or a symbol in it
        return not table.buckets or (
            table.buckets == 1 and not self._numbers(table.buckets_at, 1)[0]
        )

    def may_have(self, name: bytes) -> bool:
        """Tell whether the name can be in the table, by its Bloom filter; nothing is read."""
        table = self.table
        if not isinstance(table, GnuTable):
            return table is not None
        wanted, bits = gnu_hash(name), self._file.bits
        word = table.bloom[wanted // bits & (len(table.bloom) - 1)]
        return bool(word >> wanted % bits & word >> (wanted >> table.shift) % bits & 1)

    def symbols(self, name: bytes) -> Iterator[int]:
        """Yield the index of each symbol whose hash is that of the name, or in its bucket."""
        if isinstance(self.table, GnuTable):
            return self._by_gnu_hash(self.table, gnu_hash(name))
        if isinstance(self.table, SysvTable) and self.table.buckets:
            return self._by_sysv_hash(self.table, sysv_hash(name))
        return iter(())

    def _by_gnu_hash(self, table: GnuTable, wanted: int) -> Iterator[int]:
        if not table.buckets:
            return
        (index,) = self._numbers(table.buckets_at + 4 * (wanted % table.buckets), 1)
        if not index:
            return
        if index < table.first:
            raise NotElfError("a bucket of its symbols leads to none of them")
        while True:
            at = table.chains_at + 4 * (index - table.first)
            for link in self._numbers(at, LINKS_AT_ONCE):
                self._step()
                if link | 1 == wanted | 1:
                    yield index
                if link & 1:
                    return
                index += 1

    def _by_sysv_hash(self, table: SysvTable, wanted: int) -> Iterator[int]:
        at = table.buckets_at
        chains_at = at + 4 * table.buckets
        (index,) = self._numbers(at + 4 * (wanted % table.buckets), 1)
        left = table.symbols
        while index:
            self._step()
            left -= 1
            if index >= table.symbols or left < 0:
                raise NotElfError("a chain of its symbols leads in a circle, or to none of them")
            yield index
            (index,) = self._numbers(chains_at + 4 * index, 1)

    def _numbers(self, at: int, most: int) -> array[int]:
        raw = self._file.pread(at, 4 * most)
        if len(raw) < 4:
            raise NotElfError("truncated hash table")
        return words_of(self._file, raw[: len(raw) // 4 * 4], "I")

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise NotElfError(f"chains of more than {MAX_LINKS} symbols")


@lru_cache(maxsize=KNOWN_HASHES)
def gnu_hash(name: bytes) -> int:
    """Return Bernstein's hash of a name: 33 times what was before, and the next byte."""
    if len(name) >= len(_POWERS):
        number = 5381
        for byte in name:
            number = (number * 33 + byte) & _WORD
        return number
    # the same as a polynomial: several times as fast
    total = 5381 * _POWERS[len(name)] + sum(map(mul, name[::-1], _POWERS))
    return int(total) & _WORD


def sysv_hash(name: bytes) -> int:
    """Return the hash of the System V gABI."""
    number = 0
    for byte in name:
        number = (number << 4) + byte
        high = number & 0xF0000000
        number = (number ^ high >> 24) & ~high
    return number


def _gnu_table(file: ElfFile, at: int) -> GnuTable:
    buckets, first, words, shift = struct.unpack(file.order + "4I", file.pread(at, 16))
    if max(buckets, first, words) > MAX_SYMBOLS:
        raise NotElfError(f"{buckets} hash buckets, more than any library has")
    if not words or words & (words - 1):
        # ld.so ends the process over it (_dl_setup_hash)
        raise NotElfError(f"a Bloom filter of {words} words, which is no power of two")
    size = words * file.bits // 8
    bloom = file.pread(at + 16, size)
    if len(bloom) < size:
        raise NotElfError("truncated hash table")
    buckets_at = at + 16 + size
    code = "Q" if file.bits == 64 else "I"
    filter_words = words_of(file, bloom, code)
    return GnuTable(buckets, first, shift, filter_words, buckets_at, buckets_at + 4 * buckets)
