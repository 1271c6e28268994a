"""A minimal shared library of Linux, written byte by byte: no compiler, no linker.

The real loader maps it, follows its DT_NEEDED, and finds its symbols; readelf and the collector
read its dynamic section. Every symbol is one function that returns 0.

References: System V gABI, chapters 4 and 5 (ELF header, symbol table, hash table, program header,
dynamic section), https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html; the machine
numbers and page sizes of the psABI supplements for x86-64 and AArch64.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .elf_symbols import RELOCATION, SYMBOL, Import, Symbols, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Machine:
    """What differs between two processors."""

    #: e_machine.
    number: int
    #: The largest page of the processor, by which a segment is aligned.
    page: int
    #: The code of a function that returns 0.
    return_zero: bytes
    #: The relocation that fills in the address of a symbol.
    glob_dat: int


MACHINES = {
    "x86_64": Machine(62, 0x1000, bytes.fromhex("31c0c3"), 6),  # xor eax, eax; ret
    "aarch64": Machine(183, 0x10000, bytes.fromhex("00008052c0035fd6"), 1025),  # mov w0, #0; ret
}

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
DYNAMIC = struct.Struct("<qQ")
SEGMENTS = 4

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK = 1, 2, 3, 0x6474E551
EXECUTE, WRITE, READ = 1, 2, 4
ET_DYN = 3
DF_1_NODEFLIB = 0x800
TAGS = {
    "NULL": 0,
    "NEEDED": 1,
    "HASH": 4,
    "STRTAB": 5,
    "SYMTAB": 6,
    "RELA": 7,
    "RELASZ": 8,
    "RELAENT": 9,
    "STRSZ": 10,
    "SYMENT": 11,
    "SONAME": 14,
    "RPATH": 15,
    "RUNPATH": 29,
    "VERSYM": 0x6FFFFFF0,
    "FLAGS_1": 0x6FFFFFFB,
    "VERDEF": 0x6FFFFFFC,
    "VERDEFNUM": 0x6FFFFFFD,
    "VERNEED": 0x6FFFFFFE,
    "VERNEEDNUM": 0x6FFFFFFF,
}


def stub_library(  # noqa: PLR0913, the entries of a dynamic section
    soname: str | None = None,
    needed: Sequence[str] = (),
    *,
    rpath: str | None = None,
    runpath: str | None = None,
    machine: str = "x86_64",
    symbols: Sequence[str] | Mapping[str, str] = (),
    imports: Sequence[Import] = (),
    versions: Sequence[str] = (),
    no_default_paths: bool = False,
) -> bytes:
    """Write a shared library that has this dynamic section and exports these functions.

    ``symbols`` may tell the version of each, and ``versions`` more of them; ``imports`` are bound
    as the library is opened.
    """
    target = MACHINES[machine]
    defined = symbols if isinstance(symbols, Mapping) else plain(symbols)
    table = Symbols(defined, imports, versions, soname or "")
    named = [("NEEDED", name) for name in needed]
    named += [
        (tag, text)
        for tag, text in (("SONAME", soname), ("RPATH", rpath), ("RUNPATH", runpath))
        if text is not None
    ]
    strings, offsets = _string_table([*table.texts, *(text for _, text in named)])

    code_at = HEADER.size + SEGMENTS * SEGMENT.size
    code = _padded(target.return_zero)
    head = [(tag, offsets[text]) for tag, text in named]
    head += [("FLAGS_1", DF_1_NODEFLIB)] if no_default_paths else []
    parts = {
        "SYMTAB": table.table(offsets, code_at, len(target.return_zero)),
        "HASH": table.hash_table(),
        "STRTAB": strings,
        "VERSYM": table.version_indexes(),
        "VERDEF": table.definitions(offsets),
        "VERNEED": table.requirements(offsets),
        # of the right size, until it is known where the addresses are
        "RELA": table.relocations(target.glob_dat, 0),
    }
    places, dynamic_at = _places(parts, code_at + len(code))
    entries = head + _entries(table, parts, places)
    dynamic_size = DYNAMIC.size * (len(entries) + 1)
    slots = dynamic_at + target.page + dynamic_size
    parts["RELA"] = table.relocations(target.glob_dat, slots)
    writable = _dynamic_section(entries) + bytes(8 * len(imports))
    return b"".join(
        (
            _header(target),
            _segments(dynamic_at, dynamic_size, len(writable), target.page),
            code,
            *(_padded(part) for part in parts.values()),
            writable,
        )
    )


def _places(parts: Mapping[str, bytes], start: int) -> tuple[Mapping[str, int], int]:
    """Give the place of each part behind the others, and that of what follows them."""
    places = {}
    for name, part in parts.items():
        places[name] = start
        start += len(_padded(part))
    return places, start


def _entries(
    table: Symbols, parts: Mapping[str, bytes], places: Mapping[str, int]
) -> list[tuple[str, int]]:
    """Give the entries of the dynamic section that lead to the parts, and tell their sizes."""
    found = [(name, places[name]) for name, part in parts.items() if part]
    found += [("STRSZ", len(parts["STRTAB"])), ("SYMENT", SYMBOL.size)]
    found += [("VERDEFNUM", 1 + len(table.nodes))] if table.nodes else []
    found += [("VERNEEDNUM", len(table.needs))] if table.needs else []
    if parts["RELA"]:
        found += [("RELASZ", len(parts["RELA"])), ("RELAENT", RELOCATION.size)]
    return found


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


def _segments(dynamic_at: int, dynamic_size: int, writable: int, page: int) -> bytes:
    # The dynamic section gets a page of its own that can be written: before glibc 2.35 the loader
    # relocates it in place. Without PT_GNU_STACK it would ask for an executable stack.
    address = dynamic_at + page
    dynamic = (dynamic_at, address, address, dynamic_size, dynamic_size)
    own = (dynamic_at, address, address, writable, writable)
    return b"".join(
        (
            SEGMENT.pack(PT_LOAD, READ | EXECUTE, 0, 0, 0, dynamic_at, dynamic_at, page),
            SEGMENT.pack(PT_LOAD, READ | WRITE, *own, page),
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


def _dynamic_section(entries: Iterable[tuple[str, int]]) -> bytes:
    return b"".join(DYNAMIC.pack(TAGS[tag], value) for tag, value in [*entries, ("NULL", 0)])


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 8)
