"""Write the smallest ELF file that a dynamic loader's eye can read: headers, one dynamic section, its strings."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# System V ABI, figures 4-3, 5-1 and 5-10, for x86-64.
FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
DYNAMIC_ENTRY = struct.Struct("<qQ")
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RUNPATH = 0, 1, 5, 10, 14, 29
IDENT = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
DYNAMIC_AT = FILE_HEADER.size + 2 * PROGRAM_HEADER.size


def shared_object(soname: str = "", needed: Sequence[str] = (), runpath: str = "") -> bytes:
    """Return a shared object for x86-64 Linux with these entries in its dynamic section."""
    named = [(DT_NEEDED, name) for name in needed]
    named += [(tag, text) for tag, text in ((DT_SONAME, soname), (DT_RUNPATH, runpath)) if text]
    strings, entries = b"\0", []
    for tag, text in named:
        entries.append((tag, len(strings)))
        strings += text.encode() + b"\0"
    strings_at = DYNAMIC_AT + DYNAMIC_ENTRY.size * (len(entries) + 3)
    entries += [(DT_STRTAB, strings_at), (DT_STRSZ, len(strings)), (DT_NULL, 0)]
    dynamic = b"".join(DYNAMIC_ENTRY.pack(*entry) for entry in entries)
    return _headers(len(dynamic), strings_at + len(strings)) + dynamic + strings


def _headers(dynamic_size: int, size: int) -> bytes:
    sizes = (FILE_HEADER.size, PROGRAM_HEADER.size, 2, 0, 0, 0)
    header = FILE_HEADER.pack(IDENT, 3, 62, 1, 0, FILE_HEADER.size, 0, 0, *sizes)
    load = PROGRAM_HEADER.pack(PT_LOAD, 5, 0, 0, 0, size, size, 0x1000)
    at = (DYNAMIC_AT, DYNAMIC_AT, DYNAMIC_AT)
    return header + load + PROGRAM_HEADER.pack(PT_DYNAMIC, 6, *at, dynamic_size, dynamic_size, 8)
