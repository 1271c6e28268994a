"""The symbols of a stub library: what it defines, what it asks of others, and in which versions.

References: System V gABI, chapter 5 (symbol table, hash table, relocation); Linux Standard Base,
"Symbol Versioning", https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SYMBOL = struct.Struct("<IBBHQQ")
RELOCATION = struct.Struct("<QQq")
GLOBAL_FUNCTION = 1 << 4 | 2
#: st_shndx of a defined symbol; there are no sections, but 0 would say undefined.
SOME_SECTION = 1
#: The version indexes of what has no version: of this file, and of any other.
GLOBAL = 1
VER_FLG_BASE = 1


@dataclass(frozen=True)
class Import:
    """A symbol that another library has to define."""

    symbol: str
    #: The version, and the library that has it; "" for a symbol without a version.
    version: str = ""
    file: str = ""


@dataclass(frozen=True)
class Symbols:
    """The symbols of one library."""

    #: Each symbol that it defines, with its version; "" for none.
    defined: Mapping[str, str] = field(default_factory=dict)
    imports: Sequence[Import] = ()
    #: Versions that it defines beside those of its symbols.
    versions: Sequence[str] = ()
    soname: str = ""

    @property
    def nodes(self) -> Sequence[str]:
        """The versions that it defines."""
        return tuple(dict.fromkeys(v for v in (*self.defined.values(), *self.versions) if v))

    @property
    def needs(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Each library, and the versions that it has to define."""
        found: dict[str, dict[str, None]] = {}
        for one in self.imports:
            if one.version:
                found.setdefault(one.file, {})[one.version] = None
        return [(file, tuple(versions)) for file, versions in found.items()]

    @property
    def is_versioned(self) -> bool:
        """Whether it has the tables of versions at all."""
        return bool(self.nodes or self.needs)

    @property
    def texts(self) -> Sequence[str]:
        """All that has to stand in the string table."""
        names = (*self.defined, *(one.symbol for one in self.imports))
        needs = (text for file, versions in self.needs for text in (file, *versions))
        return (*names, *self.nodes, *needs, self.soname)

    def table(self, offsets: Mapping[str, int], address: int, size: int) -> bytes:
        """Write .dynsym: the defined ones, whose code is at this address, then the others."""
        defined = (
            SYMBOL.pack(offsets[name], GLOBAL_FUNCTION, 0, SOME_SECTION, address, size)
            for name in self.defined
        )
        asked = (
            SYMBOL.pack(offsets[one.symbol], GLOBAL_FUNCTION, 0, 0, 0, 0) for one in self.imports
        )
        return bytes(SYMBOL.size) + b"".join((*defined, *asked))

    def hash_table(self) -> bytes:
        """Chain all symbols in one bucket: the loader compares names, so no hash is needed."""
        count = len(self.defined) + len(self.imports)
        links = [*range(2, count + 1), 0] if count else []
        return struct.pack(f"<{4 + len(links)}I", 1, count + 1, 1 if count else 0, 0, *links)

    def relocations(self, kind: int, slots: int) -> bytes:
        """Write .rela.dyn: from ``slots`` on, one address for each symbol that is asked for."""
        first = 1 + len(self.defined)
        return b"".join(
            RELOCATION.pack(slots + 8 * number, (first + number) << 32 | kind, 0)
            for number in range(len(self.imports))
        )

    def version_indexes(self) -> bytes:
        """Write .gnu.version: one number for each symbol."""
        if not self.is_versioned:
            return b""
        own = {name: number for number, name in enumerate(self.nodes, 2)}
        asked = self._needed_indexes()
        numbers = [0, *(own.get(version, GLOBAL) for version in self.defined.values())]
        numbers += [asked.get((one.file, one.version), GLOBAL) for one in self.imports]
        return struct.pack(f"<{len(numbers)}H", *numbers)

    def definitions(self, offsets: Mapping[str, int]) -> bytes:
        """Write .gnu.version_d: the file itself, then its versions."""
        if not self.nodes:
            return b""
        names = (self.soname, *self.nodes)
        return b"".join(
            struct.pack(
                "<HHHHIIIII",
                *(1, VER_FLG_BASE if number == 1 else 0, number, 1, elf_hash(name), 20),
                *(28 if number < len(names) else 0, offsets[name], 0),
            )
            for number, name in enumerate(names, 1)
        )

    def requirements(self, offsets: Mapping[str, int]) -> bytes:
        """Write .gnu.version_r: each library, followed by the versions wanted of it."""
        indexes, written = self._needed_indexes(), b""
        for number, (file, versions) in enumerate(self.needs, 1):
            following = 16 * (1 + len(versions)) if number < len(self.needs) else 0
            written += struct.pack("<HHIII", 1, len(versions), offsets[file], 16, following)
            for nth, version in enumerate(versions, 1):
                own = (elf_hash(version), 0, indexes[file, version], offsets[version])
                written += struct.pack("<IHHII", *own, 16 if nth < len(versions) else 0)
        return written

    def _needed_indexes(self) -> Mapping[tuple[str, str], int]:
        pairs = ((file, version) for file, versions in self.needs for version in versions)
        return {pair: number for number, pair in enumerate(pairs, 2 + len(self.nodes))}


def plain(names: Iterable[str]) -> Mapping[str, str]:
    """Give symbols without versions."""
    return dict.fromkeys(names, "")


def elf_hash(name: str) -> int:
    """Hash a name as the gABI says, chapter 5."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high if high else value
    return value & 0xFFFFFFFF
