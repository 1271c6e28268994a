"""A minimal shared library of Linux, written byte by byte: no compiler, no linker.

The real loader maps it, follows its DT_NEEDED, and finds its symbols; readelf and the collector
read its dynamic section. Every symbol is one function that returns 0.

References: System V gABI, chapters 4 and 5 (ELF header, symbol table, hash table, program header,
dynamic section), https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html; the machine
numbers and page sizes of the psABI supplements for x86-64 and AArch64.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Machine:
    """What differs between two processors."""

    #: e_machine.
    number: int
    #: The largest page of the processor, by which a segment is aligned.
    page: int
    #: The code of a function that returns 0.
    return_zero: bytes


MACHINES = {
    "x86_64": Machine(62, 0x1000, bytes.fromhex("31c0c3")),  # xor eax, eax; ret
    "aarch64": Machine(183, 0x10000, bytes.fromhex("00008052c0035fd6")),  # mov w0, #0; ret
}

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SYMBOL = struct.Struct("<IBBHQQ")
DYNAMIC = struct.Struct("<qQ")
SEGMENTS = 4

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK = 1, 2, 3, 0x6474E551
EXECUTE, WRITE, READ = 1, 2, 4
ET_DYN = 3
GLOBAL_FUNCTION = 1 << 4 | 2
#: st_shndx of a defined symbol; there are no sections, but 0 would say undefined.
SOME_SECTION = 1
DF_1_NODEFLIB = 0x800
TAGS = {
    "NULL": 0,
    "NEEDED": 1,
    "HASH": 4,
    "STRTAB": 5,
    "SYMTAB": 6,
    "STRSZ": 10,
    "SYMENT": 11,
    "SONAME": 14,
    "RPATH": 15,
    "RUNPATH": 29,
    "FLAGS_1": 0x6FFFFFFB,
}


def stub_library(  # noqa: PLR0913, the entries of a dynamic section
    soname: str | None = None,
    needed: Sequence[str] = (),
    *,
    rpath: str | None = None,
    runpath: str | None = None,
    machine: str = "x86_64",
    symbols: Sequence[str] = (),
    no_default_paths: bool = False,
) -> bytes:
    """Write a shared library that has this dynamic section and exports these functions."""
    target = MACHINES[machine]
    named = [("NEEDED", name) for name in needed]
    named += [
        (tag, text)
        for tag, text in (("SONAME", soname), ("RPATH", rpath), ("RUNPATH", runpath))
        if text is not None
    ]
    strings, offsets = _string_table([*symbols, *(text for _, text in named)])

    code_at = HEADER.size + SEGMENTS * SEGMENT.size
    code = _padded(target.return_zero)
    symtab_at = code_at + len(code)
    symtab = _symbol_table([offsets[name] for name in symbols], code_at, len(target.return_zero))
    hash_at = symtab_at + len(symtab)
    hash_table = _padded(_hash_table(len(symbols)))
    strtab_at = hash_at + len(hash_table)
    dynamic_at = strtab_at + len(_padded(strings))

    dynamic = _dynamic_section(
        [(tag, offsets[text]) for tag, text in named]
        + [("HASH", hash_at), ("STRTAB", strtab_at), ("SYMTAB", symtab_at)]
        + [("STRSZ", len(strings)), ("SYMENT", SYMBOL.size)]
        + ([("FLAGS_1", DF_1_NODEFLIB)] if no_default_paths else [])
    )
    return b"".join(
        (
            _header(target),
            _segments(dynamic_at, len(dynamic), target.page),
            code,
            symtab,
            hash_table,
            _padded(strings),
            dynamic,
        )
    )


def stub_program(
    interpreter: str, *, rpath: str | None = None, runpath: str | None = None
) -> bytes:
    """Write what says of itself that it is a program of this loader: to be read, never to be run."""
    library = stub_library(rpath=rpath, runpath=runpath)
    name = interpreter.encode() + b"\0"
    # in the place of PT_GNU_STACK, the last of them
    at = HEADER.size + (SEGMENTS - 1) * SEGMENT.size
    place = SEGMENT.pack(PT_INTERP, READ, len(library), 0, 0, len(name), len(name), 1)
    return library[:at] + place + library[at + SEGMENT.size :] + name


def _header(target: Machine) -> bytes:
    identity = b"\x7fELF" + bytes([2, 1, 1])  # 64 bits, little endian, version 1
    return HEADER.pack(
        *(identity, ET_DYN, target.number, 1, 0, HEADER.size, 0, 0),
        *(HEADER.size, SEGMENT.size, SEGMENTS, 0, 0, 0),
    )


def _segments(dynamic_at: int, dynamic_size: int, page: int) -> bytes:
    # The dynamic section gets a page of its own that can be written: before glibc 2.35 the loader
    # relocates it in place. Without PT_GNU_STACK it would ask for an executable stack.
    address = dynamic_at + page
    dynamic = (dynamic_at, address, address, dynamic_size, dynamic_size)
    return b"".join(
        (
            SEGMENT.pack(PT_LOAD, READ | EXECUTE, 0, 0, 0, dynamic_at, dynamic_at, page),
            SEGMENT.pack(PT_LOAD, READ | WRITE, *dynamic, page),
            SEGMENT.pack(PT_DYNAMIC, READ | WRITE, *dynamic, 8),
            SEGMENT.pack(PT_GNU_STACK, READ | WRITE, 0, 0, 0, 0, 0, 16),
        )
    )


def _string_table(texts: Iterable[str]) -> tuple[bytes, Mapping[str, int]]:
    table = bytearray(b"\0")
    offsets: dict[str, int] = {}
    for text in texts:
        if text not in offsets:
            offsets[text] = len(table)
            table += text.encode() + b"\0"
    return bytes(table), offsets


def _symbol_table(names: Iterable[int], address: int, size: int) -> bytes:
    return bytes(SYMBOL.size) + b"".join(
        SYMBOL.pack(name, GLOBAL_FUNCTION, 0, SOME_SECTION, address, size) for name in names
    )


def _hash_table(symbols: int) -> bytes:
    """Chain all symbols in one bucket: the loader compares names, so no hash is needed."""
    links = [*range(2, symbols + 1), 0] if symbols else []
    first = 1 if symbols else 0
    return struct.pack(f"<{4 + len(links)}I", 1, symbols + 1, first, 0, *links)


def _dynamic_section(entries: Iterable[tuple[str, int]]) -> bytes:
    return b"".join(DYNAMIC.pack(TAGS[tag], value) for tag, value in [*entries, ("NULL", 0)])


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 8)
