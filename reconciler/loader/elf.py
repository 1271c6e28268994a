"""The dynamic section of an ELF file: its machine and name, what it needs, where it looks.

Follows the System V gABI, chapters 4 and 5, and reads only what it must: the header, the program
headers, PT_DYNAMIC and the strings that it names. A library of 520 MB costs what one of 5 kB does.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.library import SharedLibrary
from reconciler.model.os_name import from_os

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
#: Read at once at the start of a file: the program headers, and in most libraries the names, too.
HEAD = 4096
#: Names that lie closer together than this are read at once.
NEAR = 1 << 16
#: Few names are longer.
NAME = 512


class NotElfError(ValueError):
    """The bytes are no ELF file, or a damaged one; ``str()`` says where they end being one."""


class _Layout(Struct, frozen=True):
    """How one class and byte order of ELF writes what is read, and nothing else."""

    bits: int
    #: The byte order, as struct writes it.
    order: str
    #: e_machine, e_phoff, e_phentsize, e_phnum.
    header: struct.Struct
    #: p_type, p_offset, p_vaddr, p_filesz.
    program: struct.Struct
    #: d_tag, d_val.
    dynamic: struct.Struct


_CLASSES = (
    (1, 32, "18xH8xI10xHH", "3I4xI12x", "iI"),
    (2, 64, "18xH12xQ14xHH", "I4xQQ8xQ16x", "qQ"),
)
#: By EI_CLASS and EI_DATA.
_LAYOUTS = {
    bytes((number, data)): _Layout(bits, order, *(struct.Struct(order + one) for one in formats))
    for number, bits, *formats in _CLASSES
    for data, order in ((1, "<"), (2, ">"))
}


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
        head = pread(0, HEAD)
        if head[:4] != b"\x7fELF":
            raise NotElfError("no ELF magic at its start")
        self.pread = pread
        self._head = head
        layout = _LAYOUTS.get(head[4:6])
        if layout is None:
            raise NotElfError("its class or byte order is none that ELF has")
        self.bits = layout.bits
        #: As struct writes it.
        self.order = layout.order
        try:
            self.machine, start, size, count = layout.header.unpack_from(head)
        except struct.error as error:
            raise NotElfError("truncated ELF header") from error
        if size != layout.program.size:
            raise NotElfError(f"program headers of {size} bytes")
        self.segments = _segments(layout, self.part(start, size * count), count)
        #: Offsets of the names of DT_NEEDED, and the last value of each other tag.
        self.needed, self.values = self._entries(layout.dynamic)

    def part(self, offset: int, size: int) -> bytes:
        """Return bytes of the file, fewer where it ends."""
        end = offset + size
        return self._head[offset:end] if end <= len(self._head) else self.pread(offset, size)

    def interpreter(self) -> str | None:
        """Return the loader that an executable asks for."""
        if self.segments.interpreter is None:
            return None
        offset, size = self.segments.interpreter
        name, end, _ = self.part(offset, min(size, MAX_INTERPRETER)).partition(b"\0")
        if not end:
            raise NotElfError("the name of its interpreter has no end")
        return text_of(name)

    def names(self, offsets: Sequence[int]) -> Mapping[int, str]:
        """Return the names at these offsets of the strings of the dynamic section."""
        names: dict[int, str] = {}
        if not offsets:
            return names
        start = self.segments.offset_of(self.values.get(DT_STRTAB, 0))
        size = self.values.get(DT_STRSZ) or sys.maxsize
        first, last = min(offsets), max(offsets)
        if last >= size:
            raise _endless(last)
        # Linkers write them side by side; patchelf puts new ones far behind.
        near = last - first < NEAR
        window = self.part(start + first, min(last - first + NAME, size - first)) if near else b""
        left = MAX_NAMES
        for offset in offsets:
            end = window.find(b"\0", offset - first)
            raw = window[offset - first : end]
            if end < 0:
                raw = self._lone_name(start + offset, offset, size - offset)
            left -= len(raw)
            if left < 0:
                raise NotElfError(f"its names are of more than {MAX_NAMES} bytes")
            names[offset] = text_of(raw)
        return names

    def _lone_name(self, at: int, offset: int, size: int) -> bytes:
        for length in (NAME, MAX_STRING):
            name, end, _ = self.part(at, min(length, size)).partition(b"\0")
            if end:
                return name
        raise _endless(offset)

    def _entries(self, entry: struct.Struct) -> tuple[list[int], dict[int, int]]:
        needed: list[int] = []
        values: dict[int, int] = {}
        place = self.segments.dynamic
        if place is None:
            return needed, values
        section = self.part(*place)
        if len(section) < place[1]:
            raise NotElfError("truncated dynamic section")
        whole = len(section) // entry.size * entry.size
        for tag, value in entry.iter_unpack(section[:whole]):
            if tag > DT_NEEDED:
                values[tag] = value
            elif tag == DT_NEEDED:
                needed.append(value)
            elif tag == DT_NULL:
                break
        return needed, values


def read(path: str, pread: Pread) -> SharedLibrary:
    """Return what the file says of itself; ``pread(offset, size)`` gives its bytes.

    Raises NotElfError.
    """
    file = ElfFile(pread)
    value_of = file.values.get
    offsets = value_of(DT_SONAME), value_of(DT_RPATH), value_of(DT_RUNPATH)
    names = file.names([*file.needed, *[offset for offset in offsets if offset is not None]])
    soname, rpath, runpath = [None if offset is None else names[offset] for offset in offsets]
    return SharedLibrary(
        path=path,
        machine=file.machine,
        bits=file.bits,
        interpreter=file.interpreter() if file.segments.interpreter else None,
        soname=soname,
        needed=tuple([names[offset] for offset in file.needed]),
        rpath=rpath,
        runpath=runpath,
        no_default_paths=bool(value_of(DT_FLAGS_1, 0) & DF_1_NODEFLIB),
    )


def _endless(offset: int) -> NotElfError:
    return NotElfError(f"a name at offset {offset} of its strings has no end")


def _segments(layout: _Layout, table: bytes, count: int) -> Segments:
    if len(table) < layout.program.size * count:
        raise NotElfError("truncated program headers")
    loads, dynamic, interpreter = [], None, None
    for kind, offset, address, length in layout.program.iter_unpack(table):
        if kind > PT_INTERP:
            continue
        if kind == PT_LOAD:
            loads.append((address, offset, length))
        elif kind == PT_DYNAMIC:
            dynamic = (offset, min(length, MAX_DYNAMIC))
        elif kind == PT_INTERP:
            interpreter = (offset, length)
    return Segments(tuple(loads), dynamic, interpreter)


def text_of(raw: bytes) -> str:
    """Return a name of the file as a Snapshot stores it."""
    return raw.decode() if raw.isascii() else from_os(raw.decode("utf-8", "surrogateescape"))
