"""Writes small PE files, of which only what the loader reads is true."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASE, ADDRESS, OFFSET = 0x180000000, 0x1000, 0x400
KIND = {64: 0x20B, 32: 0x10B}


def stub_image(  # noqa: PLR0913, the parts of a file that may differ
    imports: Mapping[str, Sequence[str]] | None = None,
    delayed: Sequence[str] = (),
    exports: Sequence[str] = (),
    *,
    machine: int = 0x8664,
    bits: int = 64,
    old_delayed: bool = False,
) -> bytes:
    """Write an image of one section; ``imports`` are names by library, ``#7`` being a number."""
    section = _Section()
    section.put(bytes(16))
    places = [(0, 0)] * 16
    if exports:
        places[0] = _exports(section, exports)
    if imports:
        places[1] = _imports(section, imports, bits)
    if delayed:
        places[13] = _delayed(section, delayed, old=old_delayed, bits=bits)
    return _headers(len(section.content), places, machine, bits) + bytes(section.content)


class _Section:
    def __init__(self) -> None:
        self.content = bytearray()

    def put(self, raw: bytes) -> int:
        """Append bytes and return their address."""
        at = ADDRESS + len(self.content)
        self.content += raw + bytes(-len(raw) % 8)
        return at

    def text(self, name: str) -> int:
        return self.put(name.encode() + b"\0")


def _imports(section: _Section, imports: Mapping[str, Sequence[str]], bits: int) -> tuple[int, int]:
    rows = b""
    word, flag = ("<Q", 1 << 63) if bits == 64 else ("<I", 1 << 31)
    for library, names in imports.items():
        thunks = bytearray()
        for name in names:
            numbered = name.startswith("#")
            at = 0 if numbered else section.put(b"\0\0" + name.encode() + b"\0")
            thunks += struct.pack(word, flag | int(name[1:]) if numbered else at)
        thunks += struct.pack(word, 0)
        table, bound = section.put(bytes(thunks)), section.put(bytes(thunks))
        rows += struct.pack("<5I", table, 0, 0, section.text(library), bound)
    return section.put(rows + bytes(20)), len(rows) + 20


def _delayed(section: _Section, delayed: Sequence[str], *, old: bool, bits: int) -> tuple[int, int]:
    rows = b""
    base = (BASE & 0xFFFFFFFF) if old else 0
    assert not (old and bits == 64)
    for library in delayed:
        flag_of_number = (
            struct.pack("<Q", 1 << 63 | 1) if bits == 64 else struct.pack("<I", 1 << 31 | 1)
        )
        table = section.put(flag_of_number + bytes(8))
        named = section.text(library)
        flag = 0 if old else 1
        rows += struct.pack("<8I", flag, base + named, 0, base + table, base + table, 0, 0, 0)
    return section.put(rows + bytes(32)), len(rows) + 32


def _exports(section: _Section, exports: Sequence[str]) -> tuple[int, int]:
    names = section.put(b"".join(struct.pack("<I", section.text(one)) for one in exports))
    functions = section.put(struct.pack("<I", ADDRESS) * len(exports))
    numbers = section.put(b"".join(struct.pack("<H", one) for one in range(len(exports))))
    count = len(exports)
    own = section.text("stub.dll")
    row = struct.pack("<2I2H7I", 0, 0, 0, 0, own, 1, count, count, functions, names, numbers)
    return section.put(row), 0x200


def _headers(size: int, places: Sequence[tuple[int, int]], machine: int, bits: int) -> bytes:
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 0x80)
    known = b"".join(struct.pack("<II", *place) for place in places)
    length = (112 if bits == 64 else 96) + len(known)
    coff = struct.pack("<2H3I2H", machine, 1, 0, 0, 0, length, 0x2022)
    base = struct.pack("<Q", BASE) if bits == 64 else struct.pack("<2I", 0, BASE & 0xFFFFFFFF)
    windows = struct.pack("<2I6H4I2H", 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x10000, OFFSET, 0, 2, 0)
    optional = (
        struct.pack("<H2B5I", KIND[bits], 14, 0, size, 0, 0, ADDRESS, ADDRESS) + base + windows
    )
    optional += bytes(length - 8 - len(known) - len(optional) + 4)
    optional += struct.pack("<I", 16) + known
    section = struct.pack(
        "<8s6I2HI", b".rdata", size, ADDRESS, size, OFFSET, 0, 0, 0, 0, 0x40000040
    )
    head = dos.ljust(0x80, b"\0") + b"PE\0\0" + coff + optional + section
    return head.ljust(OFFSET, b"\0")
