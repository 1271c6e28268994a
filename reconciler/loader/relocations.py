"""Where the addresses of symbols are filled in: the relocations of an ELF file, in ld.so's order.

Follows the System V gABI, chapters 4 and 5, and glibc's elf/do-rel.h for what is filled when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.loader.elf import NotElfError
from reconciler.loader.symbol_hash import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.loader.elf import ElfFile

DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_REL, DT_RELSZ = 2, 7, 8, 17, 18
DT_PLTREL, DT_JMPREL = 20, 23
DT_RELACOUNT, DT_RELCOUNT = 0x6FFFFFF9, 0x6FFFFFFA
#: Offset, info, addend; without the addend. In words.
RELA_WORDS, REL_WORDS = 3, 2
#: libtorch_cpu.so has 40 MB of them, nearly all without a symbol.
MAX_BYTES = 128 << 20
ENTRIES_AT_ONCE = 1 << 16


class _Range(Struct, frozen=True):
    """One table of relocations."""

    start: int
    size: int
    #: Of one entry.
    words: int
    #: Filled at the first call.
    is_lazy: bool


class Relocation(Struct, frozen=True):
    """A place that is filled with the address of a symbol."""

    #: Of the symbol.
    index: int
    #: Its number among the machine's kinds: 7 is R_X86_64_JUMP_SLOT.
    kind: int
    #: In DT_JMPREL: filled at the first call, unless the file is bound at once.
    is_lazy: bool


def relocations(file: ElfFile) -> Iterator[Relocation]:
    """Yield the relocations that have a symbol; raises NotElfError."""
    left = MAX_BYTES
    for table in _ranges(file):
        left -= table.size
        if left < 0:
            raise NotElfError(f"relocations of more than {MAX_BYTES} bytes")
        yield from _of(file, table)


def _of(file: ElfFile, table: _Range) -> Iterator[Relocation]:
    half, code = (32, "Q") if file.bits == 64 else (8, "I")
    entry = table.words * file.bits // 8
    place, end = table.start, table.start + table.size // entry * entry
    while place < end:
        wanted = min(end - place, ENTRIES_AT_ONCE * entry)
        raw = file.pread(place, wanted)
        if len(raw) < wanted:
            raise NotElfError("truncated relocations")
        mask = (1 << half) - 1
        for info in words_of(file, raw, code)[1 :: table.words]:
            # kind 0 fills nothing
            if info >> half and info & mask:
                yield Relocation(info >> half, info & mask, table.is_lazy)
        place += wanted


def _ranges(file: ElfFile) -> Iterator[_Range]:
    """Yield the tables without the relative relocations that they begin with."""
    values = file.values
    lazy = values.get(DT_JMPREL), values.get(DT_PLTRELSZ, 0)
    for tag, size_tag, count_tag, words in (
        (DT_REL, DT_RELSZ, DT_RELCOUNT, REL_WORDS),
        (DT_RELA, DT_RELASZ, DT_RELACOUNT, RELA_WORDS),
    ):
        if tag not in values:
            continue
        address, size = values[tag], values.get(size_tag, 0)
        if lazy[0] is not None and address + size == lazy[0] + lazy[1]:
            # some linkers count the lazy ones among these, at their end
            size -= lazy[1]
        skipped = min(values.get(count_tag, 0) * words * file.bits // 8, max(size, 0))
        start = file.segments.offset_of(address) + skipped
        yield _Range(start, max(size - skipped, 0), words, is_lazy=False)
    if lazy[0] is not None:
        words = REL_WORDS if values.get(DT_PLTREL) == DT_REL else RELA_WORDS
        yield _Range(file.segments.offset_of(lazy[0]), lazy[1], words, is_lazy=True)
