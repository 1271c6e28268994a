"""The headers, imports and exports of a PE file: .dll, .pyd and .exe.

Follows Microsoft's "PE Format" (learn.microsoft.com/windows/win32/debug/pe-format) and reads only
what it must. A library of 1 GB costs what one of 5 kB does, but for the names of its exports.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.os_name import from_os
from reconciler.model.windows_image import Imported, WindowsImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pread = Callable[[int, int], bytes]

EXPORTS, IMPORTS, DELAYED = 0, 1, 13
PE32, PE32_PLUS = 0x10B, 0x20B
#: Windows takes the place of a section's bytes as a multiple of this, rounded down.
SECTOR = 512
#: The specification's: the loader maps no more sections.
MAX_SECTIONS = 96
#: An import descriptor, and one of delayed import: of both, the most that any file has is some 60.
DESCRIPTOR, DELAYED_DESCRIPTOR = struct.Struct("<5I"), struct.Struct("<8I")
MAX_LIBRARIES = 4096
#: NTFS has no longer file name, and C++ makes names of some kilobytes.
MAX_FILE_NAME, MAX_NAME = 512, 1 << 16
#: A library exports 65,536 names at most, since their numbers have 16 bits.
MAX_NAMES = 1 << 17
#: All names that are given together.
MAX_TEXT = 64 << 20
#: What is read at once, and how many of it are kept.
PAGE, PAGES = 1 << 14, 64


class NotPeError(ValueError):
    """The bytes are no PE file, or a damaged one; ``str()`` says where they end being one."""


class Section(Struct, frozen=True):
    """Where a part of the image stands in memory and in the file."""

    address: int
    size: int
    offset: int


class PeFile:
    """The parts of one PE file that the loader reads; raises NotPeError."""

    def __init__(self, pread: Pread) -> None:
        header = pread(0, 4096)
        if header[:2] != b"MZ":
            raise NotPeError("no MZ at its start")
        self._pread = pread
        self._pages: dict[int, bytes] = {}
        self._given = 0
        try:
            (start,) = struct.unpack_from("<I", header, 60)
            header = header[start:] if start < 2048 else pread(start, 4096)
            if header[:4] != b"PE\0\0":
                raise NotPeError("no PE signature: it is a program for DOS, or damaged")
            self._read_headers(header)
        except struct.error as error:
            raise NotPeError("truncated PE header") from error

    def _read_headers(self, header: bytes) -> None:
        self.machine, count, size = struct.unpack_from("<HH12xH", header, 4)
        (magic,) = struct.unpack_from("<H", header, 24)
        if magic not in {PE32, PE32_PLUS}:
            raise NotPeError(f"an optional header of the unknown kind {magic:#x}")
        self.bits = 64 if magic == PE32_PLUS else 32
        base, at = ("<Q", 24 + 24) if self.bits == 64 else ("<I", 24 + 28)
        (self.base,) = struct.unpack_from(base, header, at)
        (self._head,) = struct.unpack_from("<I", header, 24 + 60)
        places = 24 + (112 if self.bits == 64 else 96)
        (known,) = struct.unpack_from("<I", header, places - 4)
        known = min(known, 16, max(0, size - places + 24) // 8)
        #: Address and size of each directory; those that the file does not have are missing.
        self.directories = tuple(
            struct.unpack_from("<II", header, places + 8 * index) for index in range(known)
        )
        self.sections = tuple(_sections(header[24 + size :], min(count, MAX_SECTIONS)))

    def directory(self, index: int) -> tuple[int, int] | None:
        """Return address and size of a directory; None where there is none."""
        place = self.directories[index] if index < len(self.directories) else (0, 0)
        return place if place[0] else None

    def bytes_at(self, address: int, size: int) -> bytes:
        """Return what stands at an address, or less where the section ends before."""
        section = next(
            (one for one in self.sections if 0 <= address - one.address < one.size), None
        )
        if section is None:
            # Before the sections, the file is mapped as it is.
            return self._window(address, min(size, max(0, self._head - address)))
        inside = address - section.address
        return self._window(section.offset + inside, min(size, section.size - inside))

    def text_at(self, address: int, limit: int = MAX_FILE_NAME) -> str:
        """Return the name at an address."""
        raw, end, _ = self.bytes_at(address, MAX_FILE_NAME).partition(b"\0")
        if not end and limit > MAX_FILE_NAME:
            raw, end, _ = self.bytes_at(address, limit).partition(b"\0")
        if not end:
            raise NotPeError(f"a name at address {address:#x} has no end")
        self._given += len(raw)
        if self._given > MAX_TEXT:
            raise NotPeError(f"its names are of more than {MAX_TEXT} bytes")
        return from_os(raw.decode("utf-8", "surrogateescape"))

    def _window(self, offset: int, size: int) -> bytes:
        """Return bytes of the file; names lie beside each other, so that few are read twice."""
        if size > PAGE:
            return self._pread(offset, size)
        first, last = offset // PAGE, (offset + size - 1) // PAGE
        raw = self._page(first) if first >= last else self._page(first) + self._page(last)
        return raw[offset - first * PAGE : offset - first * PAGE + size]

    def _page(self, index: int) -> bytes:
        if index not in self._pages:
            if len(self._pages) >= PAGES:
                self._pages.clear()
            self._pages[index] = self._pread(index * PAGE, PAGE)
        return self._pages[index]


def read(path: str, pread: Pread) -> WindowsImage:
    """Return what the file says of itself; ``pread(offset, size)`` gives its bytes.

    Raises NotPeError.
    """
    file = PeFile(pread)
    return WindowsImage(
        path=path,
        machine=file.machine,
        bits=file.bits,
        imports=tuple(file.text_at(row[3]) for row in _imports(file)),
        delayed=tuple(file.text_at(name) for name, _ in _delayed(file)),
    )


def imported(pread: Pread) -> tuple[Imported, ...]:
    """Return what a file takes from each library, without what is opened at the first call.

    Raises NotPeError.
    """
    file = PeFile(pread)
    # The linkers of Borland fill only the second table.
    places = ((row[3], row[0] or row[4]) for row in _imports(file))
    budget = iter(range(MAX_NAMES))
    return tuple(
        Imported(library=file.text_at(name), names=tuple(_thunks(file, table, budget)))
        for name, table in places
    )


def exports(pread: Pread) -> tuple[str, ...]:
    """Return the names that a library exports, in its own order.

    Raises NotPeError.
    """
    file = PeFile(pread)
    place = file.directory(EXPORTS)
    if place is None:
        return ()
    header = file.bytes_at(place[0], 40)
    if len(header) < 40:
        raise NotPeError("truncated export directory")
    count, _, names = struct.unpack_from("<III", header, 24)
    if count > MAX_NAMES:
        raise NotPeError(f"{count} exports, more than the {MAX_NAMES} that are read")
    table = file.bytes_at(names, 4 * count)
    if len(table) < 4 * count:
        raise NotPeError("truncated names of exports")
    return tuple(file.text_at(address, MAX_NAME) for (address,) in struct.iter_unpack("<I", table))


def _sections(table: bytes, count: int) -> Iterator[Section]:
    for index in range(count):
        virtual, address, size, offset = struct.unpack_from("<4I", table, 40 * index + 8)
        length = min(size, virtual) if virtual else size
        yield Section(address=address, size=length, offset=offset // SECTOR * SECTOR)


def _imports(file: PeFile) -> Iterator[tuple[int, ...]]:
    """Yield the descriptors of import: the loader goes by the last one, not by their size."""
    for row in _descriptors(file, IMPORTS, DESCRIPTOR):
        if not (row[3] and row[4]):
            return
        yield row


def _delayed(file: PeFile) -> Iterator[tuple[int, int]]:
    """Yield the addresses of the name and the table of names of each library."""
    for row in _descriptors(file, DELAYED, DELAYED_DESCRIPTOR):
        if not row[1]:
            return
        # Visual C++ 6 wrote addresses in memory, for a base that was fixed.
        base = 0 if row[0] & 1 else file.base
        yield row[1] - base, row[4] - base


def _descriptors(file: PeFile, index: int, entry: struct.Struct) -> Iterator[tuple[int, ...]]:
    place = file.directory(index)
    if place is None:
        return
    for number in range(MAX_LIBRARIES):
        row = file.bytes_at(place[0] + number * entry.size, entry.size)
        if len(row) < entry.size:
            raise NotPeError("an import table without an end")
        yield entry.unpack(row)
    raise NotPeError(f"more than {MAX_LIBRARIES} libraries are imported")


def _thunks(file: PeFile, table: int, budget: Iterator[int]) -> Iterator[str]:
    entry = struct.Struct("<Q" if file.bits == 64 else "<I")
    by_number = 1 << (file.bits - 1)
    address = table
    for _ in budget:
        raw = file.bytes_at(address, entry.size)
        if len(raw) < entry.size:
            raise NotPeError("a table of imported names without an end")
        (value,) = entry.unpack(raw)
        if not value:
            return
        if not value & by_number:
            yield file.text_at((value & 0x7FFFFFFF) + 2, MAX_NAME)
        address += entry.size
    raise NotPeError(f"more than {MAX_NAMES} names are imported")
