"""The dynamic section of an ELF file: what it is called, what it needs, where it looks.

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
    from collections.abc import Callable

    Pread = Callable[[int, int], bytes]

PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29

#: More than any real library has (libtorch_cuda.so: 60 kB of strings that are named, 70 entries).
MAX_DYNAMIC = 1 << 20
MAX_STRING = 1 << 16
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
    #: Indexes of type, offset, virtual address and size in file within a program header.
    fields: tuple[int, int, int, int]
    dynamic: str


_ELF64 = _Layout(8, ("Q", 32), 54, "IIQQQQQQ", (0, 2, 3, 5), "qQ")
_ELF32 = _Layout(4, ("I", 28), 42, "8I", (0, 1, 2, 4), "iI")


def read(path: str, pread: Pread) -> SharedLibrary:
    """Return what the file says of itself; ``pread(offset, size)`` gives its bytes.

    Raises NotElfError.
    """
    try:
        return _read(path, pread)
    except struct.error as error:
        raise NotElfError("truncated ELF header") from error


def _read(path: str, pread: Pread) -> SharedLibrary:
    header = pread(0, 4096)
    if header[:4] != b"\x7fELF":
        raise NotElfError("no ELF magic at its start")
    layout = _ELF64 if header[4:5] == b"\x02" else _ELF32
    order = "<" if header[5:6] == b"\x01" else ">"
    loads, dynamic = _segments(header, pread, layout, order)
    if dynamic is None:
        return SharedLibrary(path=path)
    section = pread(*dynamic)
    if len(section) < dynamic[1]:
        raise NotElfError("truncated dynamic section")
    entries = _entries(section, order + layout.dynamic)
    strings = _Strings(entries, loads, pread)
    return SharedLibrary(
        path=path,
        soname=strings.of(DT_SONAME),
        needed=tuple(strings.at(value) for tag, value in entries if tag == DT_NEEDED),
        rpath=strings.of(DT_RPATH),
        runpath=strings.of(DT_RUNPATH),
    )


def _segments(
    header: bytes, pread: Pread, layout: _Layout, order: str
) -> tuple[list[tuple[int, int, int]], tuple[int, int] | None]:
    """Return the loaded segments (address, offset, size) and where PT_DYNAMIC lies."""
    offset_format, offset_at = layout.phoff
    (start,) = struct.unpack_from(order + offset_format, header, offset_at)
    size, count = struct.unpack_from(order + "HH", header, layout.phsize)
    wanted = order + layout.program_header
    if size != struct.calcsize(wanted):
        raise NotElfError(f"program headers of {size} bytes")
    table = header[start : start + size * count]
    if len(table) < size * count:
        table = pread(start, size * count)
    loads, dynamic = [], None
    for index in range(count):
        fields = struct.unpack_from(wanted, table, index * size)
        kind, offset, address, length = (fields[i] for i in layout.fields)
        if kind == PT_LOAD:
            loads.append((address, offset, length))
        elif kind == PT_DYNAMIC:
            dynamic = (offset, min(length, MAX_DYNAMIC))
    return loads, dynamic


def _entries(section: bytes, entry: str) -> list[tuple[int, int]]:
    whole = len(section) // struct.calcsize(entry) * struct.calcsize(entry)
    entries = []
    for tag, value in struct.iter_unpack(entry, section[:whole]):
        if tag == DT_NULL:
            break
        entries.append((tag, value))
    return entries


class _Strings:
    """The strings of a dynamic section, by tag or by offset."""

    def __init__(
        self, entries: list[tuple[int, int]], loads: list[tuple[int, int, int]], pread: Pread
    ) -> None:
        self._values = dict(entries)
        self._pread = pread
        self._given = 0
        address = self._values.get(DT_STRTAB, 0)
        self._start = next(
            (address - base + offset for base, offset, size in loads if 0 <= address - base < size),
            address,
        )
        size = self._values.get(DT_STRSZ, 0)
        self._table = pread(self._start, size) if size <= SMALL_STRINGS else b""

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
        return from_os(text.decode("utf-8", "surrogateescape"))

    def _window(self, offset: int) -> bytes:
        # patchelf puts new names far behind the old ones: no one window holds them all.
        raw = self._pread(self._start + offset, 512)
        return raw if b"\0" in raw else self._pread(self._start + offset, MAX_STRING)
