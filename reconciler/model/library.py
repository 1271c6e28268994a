"""What a shared library says of itself to the dynamic loader."""

from __future__ import annotations

from msgspec import Struct


class SharedLibrary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The dynamic section of one ELF file (System V gABI, chapter 5)."""

    #: Relative to the prefix where it lies inside it.
    path: str
    #: The name by which others need it; None where it has none.
    soname: str | None = None
    #: The sonames it needs, in its own order.
    needed: tuple[str, ...] = ()
    #: DT_RPATH, as written; the loader ignores it where there is a RUNPATH.
    rpath: str | None = None
    #: DT_RUNPATH, as written.
    runpath: str | None = None


class EvidenceText(Struct, frozen=True, kw_only=True):
    """A small text file of an installed package that tells how it was built."""

    #: Relative to the prefix where it lies inside it.
    path: str
    text: str
