"""What a machine's dynamic loader has built in, and how its administrator set it up."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.loader.ld_cache import CacheEntry

#: The directories of each kind of processor, below each directory of a search: glibc 2.33.
X86_64_LEVELS = ("x86-64-v4", "x86-64-v3", "x86-64-v2")
#: What glibc before 2.37 looks into besides, below each directory of a search.
LEGACY_X86_64 = ("tls/x86_64/x86_64", "tls/x86_64", "tls", "x86_64/x86_64", "x86_64")


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


def debian(hwcaps: tuple[str, ...] = ()) -> System:
    """Return the loader of Debian, Ubuntu and their kin on x86-64, without its cache."""
    lib = "lib/x86_64-linux-gnu"
    return System(
        lib=lib,
        platform="x86_64",
        default_directories=(f"/{lib}", f"/usr/{lib}", "/lib", "/usr/lib"),
        hwcaps=hwcaps,
    )


def lib64(hwcaps: tuple[str, ...] = ()) -> System:
    """Return the loader of glibc as its authors build it on x86-64, without its cache."""
    return System(
        lib="lib64",
        platform="x86_64",
        default_directories=("/lib64", "/usr/lib64"),
        hwcaps=hwcaps,
    )


def musl(directories: tuple[str, ...] = ("/lib", "/usr/local/lib", "/usr/lib")) -> System:
    """Return musl's loader; ``directories`` are those of /etc/ld-musl-*.path where there is one."""
    return System(lib="lib", platform="", default_directories=directories)
