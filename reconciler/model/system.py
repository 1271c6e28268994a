"""What a machine's dynamic loader has built in, and how its administrator set it up."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class CacheEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file that ldconfig found."""

    #: Absolute, as ldconfig wrote it.
    path: str
    #: The C library and the machine: 0x303 is glibc on x86-64.
    flags: int
    #: The glibc-hwcaps subdirectory, "x86-64-v3"; None for a file that serves every processor.
    hwcaps: str | None = None
    #: Whether it serves only processors with the hwcaps of before glibc 2.33.
    legacy: bool = False


class System(Struct, frozen=True, kw_only=True):
    """The loader of one machine."""

    #: What $LIB and $PLATFORM stand for.
    lib: str
    platform: str
    #: Where everything is looked for at last.
    default_directories: tuple[str, ...]
    #: The glibc-hwcaps subdirectories that the processor can use, the best one first.
    hwcaps: tuple[str, ...] = ()
    #: The subdirectories of before, in the order of the search; none since glibc 2.37.
    legacy: tuple[str, ...] = ()
    #: ld.so.cache, by soname; empty where there is none.
    cache: Mapping[str, tuple[CacheEntry, ...]] = {}
    #: The flags of the cache's entries for this machine.
    cache_flags: int = 0x303
    #: The names in /etc/ld.so.preload.
    preload: tuple[str, ...] = ()

    @property
    def subdirectories(self) -> tuple[str, ...]:
        """What is searched below each directory, before the directory itself."""
        return (*(f"glibc-hwcaps/{name}" for name in self.hwcaps), *self.legacy)
