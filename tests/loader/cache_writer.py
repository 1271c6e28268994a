"""Write an ld.so.cache as ldconfig does, for tests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

X86_64 = 0x303
#: soname, path, flags, field hwcap.
Row = tuple[str, str, int, int]


def row(soname: str, path: str, *, flags: int = X86_64, hwcaps: int | None = None) -> Row:
    """Describe a file; ``hwcaps`` is the index of its glibc-hwcaps subdirectory."""
    return soname, path, flags, 0 if hwcaps is None else 1 << 62 | hwcaps


def write_cache(rows: Sequence[Row], hwcaps: Sequence[str] = (), *, order: str = "<") -> bytes:
    """Write the header, the entries, their strings and the extension that names ``hwcaps``."""
    strings = bytearray()
    start = 48 + 24 * len(rows)

    def place(text: str) -> int:
        at = start + len(strings)
        strings.extend(text.encode() + b"\0")
        return at

    entries = b"".join(
        struct.pack(order + "iIIIQ", flags, place(soname), place(path), 0, needs)
        for soname, path, flags, needs in rows
    )
    names = [place(name) for name in hwcaps]
    strings += bytes(-len(strings) % 4)
    extension = start + len(strings)
    section = struct.pack(order + "6I", 0xEAA42174, 1, 1, 0, extension + 24, 4 * len(names))
    section += struct.pack(f"{order}{len(names)}I", *names)
    header = b"glibc-ld.so.cache1.1" + struct.pack(
        order + "IIB3xI12x", len(rows), len(strings), 2 if order == "<" else 3, extension
    )
    return header + entries + bytes(strings) + section
