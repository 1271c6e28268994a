"""The symbols of one ELF file by name, as ld.so looks for them.

Nothing is read but what is asked for: a name costs a few bytes, however large the file is. Follows
the System V gABI, chapter 5 (symbol table), and the LSB, "Symbol Versioning".
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from reconciler.loader import elf_symbols
from reconciler.loader.elf import DT_FLAGS_1, DT_STRSZ, DT_STRTAB, ElfFile, NotElfError, text_of
from reconciler.loader.elf_symbols import (
    DT_SYMTAB,
    DT_VERDEF,
    DT_VERNEED,
    DT_VERSYM,
    MAX_NAME,
    MAX_NAMES,
    MAX_STRINGS,
    MAX_SYMBOLS,
    STB_LOCAL,
    STB_WEAK,
    VERSION_INDEX,
)
from reconciler.loader.relocations import relocations
from reconciler.loader.symbol_hash import Chains, GnuTable, SysvTable, table_of
from reconciler.model.binding import Definition, FileVersions, Undefined, Use
from reconciler.model.os_name import to_os

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.loader.elf import Pread
    from reconciler.model.binding import VersionNeed

DT_BIND_NOW, DT_FLAGS = 24, 30
DF_BIND_NOW, DF_1_NOW = 8, 1
STB_GNU_UNIQUE = 10
STT_TLS = 6
#: NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC: what defines code or data (glibc, check_match).
DEFINING_TYPES = frozenset((0, 1, 2, 5, STT_TLS, 10))
#: STB_GLOBAL, STB_WEAK and STB_GNU_UNIQUE.
FOUND_BINDINGS = frozenset((1, STB_WEAK, STB_GNU_UNIQUE))
SHN_ABS = 0xFFF1
#: STV_INTERNAL and STV_HIDDEN: bound within the file.
BOUND_WITHIN = (1, 2)
HIDDEN = 0x8000
#: The first two indexes of versions are no version; the third is the file's first.
FIRST_VERSION = 2
#: Relocations for which a program's stub does not do, by machine: calls and thread-local variables
#: (glibc, elf_machine_type_class of x86-64 and AArch64).
NEEDS_REAL = {
    62: frozenset((7, 16, 17, 18, 36)),
    183: frozenset((1026, 1028, 1029, 1030, 1031)),
}
#: A whole string table is read where each of its names that are asked for pays for so much of it.
BYTES_A_NAME = 1 << 13

#: As the kernel has them; two are read at once.
PAGE = 1 << 12

T = TypeVar("T")


class _Symbol(Struct, frozen=True):
    """One row of the table of symbols."""

    name: int
    info: int
    other: int
    section: int
    value: int

    @property
    def is_bound_within(self) -> bool:
        """Tell whether no other file is asked for it, or may have it."""
        return self.info >> 4 == STB_LOCAL or self.other & 3 in BOUND_WITHIN

    @property
    def defines(self) -> bool:
        """Tell whether there is something to bind to: glibc, check_match and do_lookup_x."""
        kind = self.info & 15
        has_value = self.value or self.section == SHN_ABS or kind == STT_TLS
        return bool(
            has_value
            and kind in DEFINING_TYPES
            and self.info >> 4 in FOUND_BINDINGS
            and self.other & 3 not in BOUND_WITHIN
        )


def read(pread: Pread, ask: Callable[[SymbolFile], T]) -> T:
    """Return what ``ask`` finds in a file; raises NotElfError."""
    return asked(lambda: ask(SymbolFile(paged(pread))))


def asked(ask: Callable[[], T]) -> T:
    """Return what is asked of a SymbolFile; raises NotElfError."""
    try:
        return ask()
    except (struct.error, OverflowError) as error:
        raise NotElfError("truncated dynamic symbols") from error


def paged(pread: Pread) -> Pread:
    """Return what reads a file in pages, each once: names are looked up in thousands of steps."""
    pages: dict[int, bytes] = {}

    def read_paged(offset: int, size: int) -> bytes:
        number, start = divmod(offset, PAGE)
        if size > PAGE or offset < 0:
            return pread(offset, size)
        page = pages.get(number)
        if page is None:
            # and the next one, for what begins in this one
            page = pages[number] = pread(number * PAGE, 2 * PAGE)
        return page[start : start + size]

    return read_paged


class SymbolFile:
    """The dynamic symbols of one ELF file; its questions are asked through ``read``."""

    def __init__(self, pread: Pread) -> None:
        self._file = ElfFile(pread)
        #: Name, info, other, section and value, in 64 bits; name, value, info, other and section.
        form = "IBBHQ8x" if self._file.bits == 64 else "II4xBBH"
        self._row = struct.Struct(self._file.order + form)
        self._section_field = 3 if self._file.bits == 64 else 4
        self._strings = _Strings(self._file)
        self._symbols_at = self._file.segments.offset_of(self._file.values.get(DT_SYMTAB, 0))

    def versions(self) -> FileVersions:
        """Return the versions that the file needs and defines."""
        values = self._file.values
        names = tuple(name for _, name, _ in self._defined)
        return FileVersions(
            needed=tuple(need for _, need in self._needed),
            defined=names if DT_VERDEF in values else None,
            binds_now=DT_BIND_NOW in values
            or bool(values.get(DT_FLAGS, 0) & DF_BIND_NOW)
            or bool(values.get(DT_FLAGS_1, 0) & DF_1_NOW),
        )

    def undefined(self) -> tuple[Undefined, ...]:
        """Return the symbols that other files have to define, in the file's order."""
        return tuple(self._undefined.values())

    def bound(self, file: str) -> tuple[Undefined, ...]:
        """Return those that were defined by one file when this one was linked, with versions."""
        numbers = frozenset(index for index, need in self._needed if need.file == file)
        return tuple(self._read_undefined(numbers).values()) if self._has_indexes else ()

    def define(self, names: Collection[str]) -> Mapping[str, tuple[Definition, ...]]:
        """Return the definitions of those names that the file defines."""
        found = {}
        for name in names:
            raw = raw_of(name)
            if self._chains.may_have(raw) and (definitions := tuple(self._definitions_of(raw))):
                found[name] = definitions
        return found

    def uses(self, wanted: Collection[Undefined]) -> tuple[Use, ...]:
        """Return where these symbols are filled in, in the loader's order, each kind of use once."""
        kept = set(wanted)
        symbols = {index: one for index, one in self._undefined.items() if one in kept}
        needs_real = NEEDS_REAL.get(self._file.machine, frozenset())
        found: dict[Use, None] = {}
        for one in relocations(self._file):
            symbol = symbols.get(one.index)
            if symbol is not None:
                use = Use(
                    name=symbol.name,
                    version=symbol.version,
                    is_lazy=one.is_lazy,
                    needs_real=one.kind in needs_real,
                )
                found.setdefault(use)
        return tuple(found)

    @cached_property
    def _chains(self) -> Chains:
        return Chains(self._file, table_of(self._file))

    @cached_property
    def _needed(self) -> tuple[tuple[int, VersionNeed], ...]:
        return tuple(elf_symbols.needs(self._file, self._strings))

    @cached_property
    def _defined(self) -> tuple[tuple[int, str, bool], ...]:
        return tuple(elf_symbols.definitions(self._file, self._strings))

    @cached_property
    def _version_names(self) -> Mapping[int, str]:
        """The version behind each index, but the one that is the file's own name."""
        names = {index: need.version for index, need in self._needed}
        names |= {index: name for index, name, is_base in self._defined if not is_base}
        return names

    @cached_property
    def _has_indexes(self) -> bool:
        """Whether symbols have versions: the loader looks if there are needs or definitions."""
        values = self._file.values
        return DT_VERSYM in values and (DT_VERNEED in values or DT_VERDEF in values)

    @cached_property
    def _undefined(self) -> Mapping[int, Undefined]:
        """The symbols that are not defined here, by their index."""
        return self._read_undefined(None)

    def _read_undefined(self, numbers: frozenset[int] | None) -> Mapping[int, Undefined]:
        """Return the symbols that are not defined here, by index: all, or those of some versions."""
        if DT_SYMTAB not in self._file.values:
            return {}
        count = self._count_of_undefined()
        indexes = self._indexes(count)
        needs, versions = dict(self._needed), self._version_names
        rows = self._part(self._symbols_at, count * self._row.size)
        wanted: Iterable[int] = range(count)
        if numbers is not None:
            wanted = [i for i in wanted if indexes[i] & VERSION_INDEX in numbers]
        found = [
            (index, row)
            for index in wanted
            if not (fields := self._row.unpack_from(rows, index * self._row.size))[
                self._section_field
            ]
            and not (row := self._symbol(fields)).is_bound_within
        ]
        names = self._strings.all_at([row.name for _, row in found])
        undefined = {}
        for (index, row), name in zip(found, names, strict=True):
            number = indexes[index] & VERSION_INDEX
            need = needs.get(number)
            undefined[index] = Undefined(
                name=name,
                file=need.file if need else None,
                version=versions.get(number),
                weak=row.info >> 4 == STB_WEAK,
            )
        return undefined

    def _count_of_undefined(self) -> int:
        """Return before which symbol all stand that are not defined here.

        Linkers write those first that are in no bucket of DT_GNU_HASH.
        """
        table = self._chains.table
        if isinstance(table, SysvTable):
            return table.symbols
        if isinstance(table, GnuTable) and not self._chains.is_empty:
            return table.first
        # GNU ld says 1 in a table without symbols, whatever else there is.
        count = max((one.index for one in relocations(self._file)), default=-1) + 1
        if count > MAX_SYMBOLS:
            raise NotElfError(f"{count} symbols, more than the {MAX_SYMBOLS} that are read")
        return count

    def _definitions_of(self, name: bytes) -> Iterator[Definition]:
        for index in self._chains.symbols(name):
            at = self._symbols_at + index * self._row.size
            row = self._symbol(self._row.unpack(self._part(at, self._row.size)))
            if not row.defines or not self._strings.is_at(row.name, name):
                continue
            number = self._index(index)
            yield Definition(
                version=self._version_names.get(number & VERSION_INDEX),
                is_hidden=bool(number & HIDDEN),
                is_oldest=number & VERSION_INDEX <= FIRST_VERSION,
                is_stub=not row.section,
            )

    def _symbol(self, row: tuple[int, ...]) -> _Symbol:
        if self._file.bits == 64:
            return _Symbol(*row)
        name, value, info, other, section = row
        return _Symbol(name, info, other, section, value)

    def _index(self, symbol: int) -> int:
        if not self._has_indexes:
            return 0
        at = self._file.segments.offset_of(self._file.values[DT_VERSYM]) + 2 * symbol
        (index,) = struct.unpack(self._file.order + "H", self._part(at, 2))
        return int(index)

    def _indexes(self, count: int) -> tuple[int, ...]:
        if not self._has_indexes:
            return (0,) * count
        at = self._file.segments.offset_of(self._file.values[DT_VERSYM])
        return struct.unpack(f"{self._file.order}{count}H", self._part(at, 2 * count))

    def _part(self, at: int, size: int) -> bytes:
        raw = self._file.pread(at, size)
        if len(raw) < size:
            raise NotElfError("truncated dynamic symbols")
        return raw


def raw_of(name: str) -> bytes:
    """Return a name as the file has it: the reverse of ``text_of``."""
    return name.encode() if name.isascii() else to_os(name).encode("utf-8", "surrogateescape")


class _Strings:
    """The names of a file, each read by itself until many are expected."""

    def __init__(self, file: ElfFile) -> None:
        self._file = file
        self._start = file.segments.offset_of(file.values.get(DT_STRTAB, 0))
        self._size = file.values.get(DT_STRSZ, 0)
        self._whole: bytes | None = None
        self._given = 0

    def all_at(self, offsets: Sequence[int]) -> list[str]:
        """Return the names at these offsets; the whole table is read if that is the shorter way."""
        if self._size <= min(len(offsets) * BYTES_A_NAME, MAX_STRINGS):
            self._whole = self._file.pread(self._start, self._size)
        return [self.at(offset) for offset in offsets]

    def at(self, offset: int) -> str:
        """Return the name at an offset."""
        raw = self._in_whole(offset) if self._whole is not None else self._lone(offset)
        self._given += len(raw)
        if self._given > MAX_NAMES:
            raise NotElfError(f"its names are of more than {MAX_NAMES} bytes")
        return text_of(raw)

    def is_at(self, offset: int, name: bytes) -> bool:
        """Tell whether the name at an offset is this one."""
        return self._file.pread(self._start + offset, len(name) + 1) == name + b"\0"

    def _in_whole(self, offset: int) -> bytes:
        assert self._whole is not None  # noqa: S101 - the caller's question
        end = self._whole.find(b"\0", offset, offset + MAX_NAME)
        if end < 0:
            raise NotElfError(f"a name at offset {offset} of its strings has no end")
        return self._whole[offset:end]

    def _lone(self, offset: int) -> bytes:
        for size in (128, MAX_NAME):
            raw, end, _ = self._file.pread(self._start + offset, size).partition(b"\0")
            if end:
                return raw
        raise NotElfError(f"a name at offset {offset} of its strings has no end")
