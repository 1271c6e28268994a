"""The GPU architectures of a library: the headers of its fat binaries, and nothing behind them.

A section holds containers one after the other. A container has a header (magic, version, its own
size, the size of what follows) and entries, each a header and its payload. Only headers are read,
so compression is no matter, and a library of 1 GB costs a few thousand reads of 64 bytes.

NVIDIA documents none of this: CUDA's ``fatbinary_section.h`` has the sections' names alone. What stands
here was held against cuobjdump 13.5 on libraries of CUDA 11 to 13, and on libraries whose headers
were changed: docs/decisions/0024-gpu-architectures-from-headers.md has the figures.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Literal

from reconciler.model.gpu_code import GpuArchitecture, GpuCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pread = Callable[[int, int], bytes]

#: Of executables and shared libraries; ``__nv_relfatbin`` is of code that is linked again.
SECTIONS = (b".nv_fatbin", b"__nv_relfatbin")

_ELF = struct.Struct("<16s24xQ10xHHH")
_SECTION = struct.Struct("<II16xQQII16x")
_SHT_NOBITS, _SHN_XINDEX = 8, 0xFFFF
_CONTAINER = struct.Struct("<IHHQ")
_MAGIC = 0xBA55ED50
#: Kind, size of this header, size of the payload, architecture, flags.
_ENTRY = struct.Struct("<H2xIQ12xI8xQ16x")
#: 16 is how cuobjdump takes it: as an ELF file for a GPU. Others (LTO IR) run on none as they are.
_KINDS: dict[int, Literal["sass", "ptx"]] = {1: "ptx", 2: "sass", 16: "sass"}
_ARCHITECTURE_ALONE, _FAMILY_ALONE = 0x100000, 0x200000

#: More than any real library has (libcublasLt 12: 5,969 entries and 3,015 containers).
MAX_HEADERS = 1 << 17
MAX_NAMES = 1 << 20
#: Zeros between two containers, as a linker aligns them; none was seen.
MAX_PADDING = 1 << 12


class FatbinError(ValueError):
    """The bytes are no ELF file with fat binaries that can be read; ``str()`` says why."""


def read(pread: Pread) -> tuple[GpuCode, ...]:
    """Return the GPU code of a library, in order; ``pread(offset, size)`` gives its bytes.

    A library without fat binaries has none. Raises FatbinError.
    """
    try:
        found = Counter(_code(pread))
    except struct.error as error:
        raise FatbinError("a header of it is truncated") from error
    return tuple(
        sorted(
            GpuCode(kind=kind, architecture=architecture, entries=entries)
            for (kind, architecture), entries in found.items()
        )
    )


def _code(pread: Pread) -> Iterator[tuple[Literal["sass", "ptx"], GpuArchitecture]]:
    count = 0
    for start, size in _sections(pread):
        for kind, number, flags in _entries(pread, start, start + size):
            count += 1
            if count > MAX_HEADERS:
                raise FatbinError(f"its fat binaries have more than {MAX_HEADERS} headers")
            if kind in _KINDS:
                yield _KINDS[kind], GpuArchitecture(number, _suffix(flags))


def _suffix(flags: int) -> Literal["", "a", "f"]:
    if flags & _ARCHITECTURE_ALONE:
        return "a"
    return "f" if flags & _FAMILY_ALONE else ""


def _sections(pread: Pread) -> Iterator[tuple[int, int]]:
    """Yield where the sections of fat binaries lie, and their sizes."""
    header = pread(0, _ELF.size)
    if header[:6] != b"\x7fELF\x02\x01":
        raise FatbinError("no ELF file of 64 bits, little endian, as those with code for GPUs are")
    _, start, size, count, names_at = _ELF.unpack_from(header)
    if start == 0:
        return
    if size != _SECTION.size:
        raise FatbinError(f"its section headers are of {size} bytes")
    if count == 0 or names_at == _SHN_XINDEX:
        raise FatbinError("it has more than 65,279 sections")
    table = pread(start, size * count)
    if len(table) < size * count:
        raise FatbinError("its section headers are truncated")
    if names_at >= count:
        raise FatbinError(f"its section {names_at}, which would hold names, is none of {count}")
    *_, names_start, names_size, _, _ = _SECTION.unpack_from(table, names_at * size)
    names = pread(names_start, min(names_size, MAX_NAMES))
    for name, kind, offset, length, _, _ in _SECTION.iter_unpack(table):
        if names[name : names.find(b"\0", name)] in SECTIONS and kind != _SHT_NOBITS:
            yield offset, length


def _entries(pread: Pread, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the kind, architecture and flags of each entry; a container alone counts as one too."""
    at, padding = start, 0
    while at + _CONTAINER.size <= end:
        magic, _, header, size = _CONTAINER.unpack_from(pread(at, _CONTAINER.size))
        if magic == 0 and padding < MAX_PADDING:
            at, padding = at + 8, padding + 8
            continue
        if magic != _MAGIC:
            raise FatbinError(f"no fat binary at {at:#x}, where one should be")
        behind = at + header + size
        if header < _CONTAINER.size or behind > end:
            raise FatbinError(f"the fat binary at {at:#x} does not fit its section")
        yield 0, 0, 0
        yield from _of_container(pread, at + header, behind)
        at, padding = behind, 0


def _of_container(pread: Pread, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    while at < end:
        kind, header, size, number, flags = _ENTRY.unpack_from(pread(at, _ENTRY.size))
        behind = at + header + size
        if header < _ENTRY.size or behind > end:
            raise FatbinError(f"the entry at {at:#x} does not fit its fat binary")
        yield kind, number, flags
        at = behind
