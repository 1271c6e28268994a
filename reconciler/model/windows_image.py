"""What a program or library of Windows says of itself to the loader."""

from __future__ import annotations

import re

from msgspec import Struct

#: cudart64_12.dll, cudnn_ops64_9.dll, nvJitLink_120_0.dll, cupti64_2024.3.2.dll, cutensor.dll.
_DLL = re.compile(r"(.+?)(?:64|32)?(?:_\d+(?:[._]\d+)*)?\.dll")


class WindowsImage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The headers and the import tables of one PE file (Microsoft, "PE Format")."""

    #: Absolute, with slashes.
    path: str
    #: The COFF machine: 0x8664 is x86-64, 0xAA64 is ARM64, 0x14C is 32-bit x86.
    machine: int = 0x8664
    bits: int = 64
    #: The libraries that are mapped with it, as written, in its own order.
    imports: tuple[str, ...] = ()
    #: The libraries that are opened at the first call into them.
    delayed: tuple[str, ...] = ()


class Imported(Struct, frozen=True, kw_only=True):
    """What an image takes from one library."""

    #: As written.
    library: str
    #: The functions and variables; those that are asked for by a number are not among them.
    names: tuple[str, ...]


def stem_of(name: str) -> str:
    """Return a DLL's name without its release, in lower case: ``cudart``; "" of no DLL."""
    match = _DLL.fullmatch(name.casefold())
    return match[1] if match else ""
