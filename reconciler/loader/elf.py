"""The dynamic section of an ELF file: its machine and name, what it needs, where it looks.

Follows the System V gABI, chapters 4 and 5, and reads only what it must: the header, the program
headers, PT_DYNAMIC and the strings that it names. A library of 520 MB costs what one of 5 kB does.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.library import SharedLibrary
from reconciler.model.os_name import from_os

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Pread = Callable[[int, int], bytes]

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
DT_FLAGS_1 = 0x6FFFFFFB
DF_1_NODEFLIB = 0x800

#: More than any real library has (libtorch_cuda.so: 60 kB of strings that are named, 70 entries).
MAX_DYNAMIC = 1 << 20
MAX_STRING = 1 << 16
#: PATH_MAX: the kernel starts no interpreter of a longer name.
MAX_INTERPRETER = 4096
#: All names together.
MAX_NAMES = 1 << 20
#: A whole string table up to this size is read at once; of a larger one only what is named.
SMALL_STRINGS = 1 << 16


class NotElfError(ValueError):
    """The bytes are no ELF file, or a damaged one; ``str()`` says where they end being one."""


class _Layout(Struct, frozen=True):
    """Where one class of ELF keeps its fields."""

    word: int
    phoff: tuple[str, int]
    phsize: int
    program_header: str
    #: Indexes of offset, virtual address and size in file within a program header.
    fields: tuple[int, int, int]
    dynamic: str


_ELF64 = _Layout(8, ("Q", 32), 54, "IIQQQQQQ", (2, 3, 5), "qQ")
_ELF32 = _Layout(4, ("I", 28), 42, "8I", (1, 2, 4), "iI")


class Segments(Struct, frozen=True):
    """What the program headers say."""

    #: Address, offset and size in the file of what is loaded.
    loads: tuple[tuple[int, int, int], ...]
    #: Offset and size of PT_DYNAMIC and of PT_INTERP; None where there is none.
    dynamic: tuple[int, int] | None
    interpreter: tuple[int, int] | None

    def offset_of(self, address: int) -> int:
        """Return where the byte of an address stands in the file."""
        for base, offset, size in self.loads:
            if 0 <= address - base < size:
                return address - base + offset
        return address


class ElfFile:
    """The parts of one ELF file that the dynamic loader reads; raises NotElfError."""

    def __init__(self, pread: Pread) -> None:
        header = pread(0, 4096)
        if header[:4] != b"\x7fELF":
            raise NotElfError("no ELF magic at its start")
        self.pread = pread
        self.bits = 64 if header[4:5] == b"\x02" else 32
        layout = _ELF64 if self.bits == 64 else _ELF32
        #: The byte order, as struct writes it.
        self.order = "<" if header[5:6] == b"\x01" else ">"
        try:
            (self.machine,) = struct.unpack_from(self.order + "H", header, 18)
            self.segments = _segments(header, pread, layout, self.order)
        except struct.error as error:
            raise NotElfError("truncated ELF header") from error
        #: Tag and value, in their order.
        self.entries = self._entries(self.order + layout.dynamic)
        self.values = dict(self.entries)
        self.strings = _Strings(self.values, self.segments, pread)

    def interpreter(self) -> str | None:
        """Return the loader that an executable asks for."""
        if self.segments.interpreter is None:
            return None
        offset, size = self.segments.interpreter
        name, end, _ = self.pread(offset, min(size, MAX_INTERPRETER)).partition(b"\0")
        if not end:
            raise NotElfError("the name of its interpreter has no end")
        return text_of(name)

    def _entries(self, entry: str) -> list[tuple[int, int]]:
        place = self.segments.dynamic
        if place is None:
            return []
        section = self.pread(*place)
        if len(section) < place[1]:
            raise NotElfError("truncated dynamic section")
        whole = len(section) // struct.calcsize(entry) * struct.calcsize(entry)
        entries = []
        for tag, value in struct.iter_unpack(entry, section[:whole]):
            if tag == DT_NULL:
                break
            entries.append((tag, value))
        return entries


def read(path: str, pread: Pread) -> SharedLibrary:
    """Return what the file says of itself; ``pread(offset, size)`` gives its bytes.

    Raises NotElfError.
    """
    file = ElfFile(pread)
    strings = file.strings
    return SharedLibrary(
        path=path,
        machine=file.machine,
        bits=file.bits,
        interpreter=file.interpreter(),
        soname=strings.of(DT_SONAME),
        needed=tuple(strings.at(value) for tag, value in file.entries if tag == DT_NEEDED),
        rpath=strings.of(DT_RPATH),
        runpath=strings.of(DT_RUNPATH),
        no_default_paths=bool(file.values.get(DT_FLAGS_1, 0) & DF_1_NODEFLIB),
    )


def _segments(header: bytes, pread: Pread, layout: _Layout, order: str) -> Segments:
    offset_format, offset_at = layout.phoff
    (start,) = struct.unpack_from(order + offset_format, header, offset_at)
    size, count = struct.unpack_from(order + "HH", header, layout.phsize)
    wanted = order + layout.program_header
    if size != struct.calcsize(wanted):
        raise NotElfError(f"program headers of {size} bytes")
    table = header[start : start + size * count]
    if len(table) < size * count:
        table = pread(start, size * count)
    if len(table) < size * count:
        raise NotElfError("truncated program headers")
    loads, dynamic, interpreter = [], None, None
    offset_field, address_field, size_field = layout.fields
    for fields in struct.iter_unpack(wanted, table[: size * count]):
        kind, offset, length = fields[0], fields[offset_field], fields[size_field]
        if kind == PT_LOAD:
            loads.append((fields[address_field], offset, length))
        elif kind == PT_DYNAMIC:
            dynamic = (offset, min(length, MAX_DYNAMIC))
        elif kind == PT_INTERP:
            interpreter = (offset, length)
    return Segments(tuple(loads), dynamic, interpreter)


def text_of(raw: bytes) -> str:
    """Return a name of the file as a Snapshot stores it."""
    return from_os(raw.decode("utf-8", "surrogateescape"))


class _Strings:
    """The strings of a dynamic section, by tag or by offset."""

    def __init__(self, values: Mapping[int, int], segments: Segments, pread: Pread) -> None:
        self._values = values
        self._pread = pread
        self._given = 0
        self._start = segments.offset_of(values.get(DT_STRTAB, 0))
        size = values.get(DT_STRSZ, 0)
        self._table = pread(self._start, size) if 0 < size <= SMALL_STRINGS else b""

    def of(self, tag: int) -> str | None:
        value = self._values.get(tag)
        return None if value is None else self.at(value)

    def at(self, offset: int) -> str:
        raw, start = (self._table, offset) if self._table else (self._window(offset), 0)
        end = raw.find(b"\0", start)
        if end < 0:
            raise NotElfError(f"a name at offset {offset} of its strings has no end")
        text = raw[start:end]
        self._given += len(text)
        if self._given > MAX_NAMES:
            raise NotElfError(f"its names are of more than {MAX_NAMES} bytes")
        return text_of(text)

    def _window(self, offset: int) -> bytes:
        # patchelf puts new names far behind the old ones: no one window holds them all.
        raw = self._pread(self._start + offset, 512)
        return raw if b"\0" in raw else self._pread(self._start + offset, MAX_STRING)
