"""A minimal shared library with fat binaries, written byte by byte: no CUDA, no compiler.

The form is that of real ones, as cuobjdump lists them: sections of containers, each a header of 16
bytes and entries, each a header of 64 bytes or more and a payload. Payloads here are no code.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
CONTAINER = struct.Struct("<IHHQ")
ENTRY = struct.Struct("<HHIQIIHHIIIQQQ")
MAGIC = 0xBA55ED50
KINDS = {"ptx": 1, "sass": 2}
#: 64 bits, Linux, compressed by zstd.
USUAL_FLAGS = 0x8011
SUFFIXES = {"": 0, "a": 0x100000, "f": 0x200000}
PROGBITS, STRTAB = 1, 3


def entry(
    kind: str | int,
    number: int,
    suffix: str = "",
    *,
    payload: bytes = b"\x28\xb5\x2f\xfd\0\0\0\0",
    header: int = 64,
) -> bytes:
    """Write an entry of a fat binary; those of newer architectures have longer headers."""
    fields = ENTRY.pack(
        *(KINDS.get(kind, kind), 0x101, header, len(payload), len(payload), 0, 8, 1, number),
        *(0, 0, USUAL_FLAGS | SUFFIXES[suffix], 0, 4 * len(payload)),
    )
    return fields.ljust(header, b"\0")[: max(header, ENTRY.size)] + payload


def container(*entries: bytes) -> bytes:
    """Write a fat binary of some entries."""
    size = sum(map(len, entries))
    return CONTAINER.pack(MAGIC, 1, CONTAINER.size, size) + b"".join(entries)


def gpu_library(*containers: bytes, section: str = ".nv_fatbin") -> bytes:
    """Write a library whose one section of its own holds these fat binaries."""
    return library_of({section: b"".join(containers)}.items())


def library_of(sections: Iterable[tuple[str, bytes]]) -> bytes:
    """Write a library of sections by name."""
    named = list(sections)
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _ in named) + b".shstrtab\0"
    at, content, headers = ELF_HEADER.size, b"", [bytes(SECTION_HEADER.size)]
    for name, raw in [*named, (".shstrtab", names)]:
        kind = STRTAB if name == ".shstrtab" else PROGBITS
        place = names.index(b"\0" + name.encode() + b"\0") + 1
        start = at + len(content)
        headers.append(SECTION_HEADER.pack(place, kind, 0, 0, start, len(raw), 0, 0, 8, 0))
        content += raw + bytes(-len(raw) % 8)
    header = ELF_HEADER.pack(
        *(b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 3, 62, 1, 0, 0, at + len(content), 0),
        *(ELF_HEADER.size, 0, 0, SECTION_HEADER.size, len(headers), len(headers) - 1),
    )
    return header + content + b"".join(headers)
