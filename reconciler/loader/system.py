"""The loaders that are known by how they are built: those of Debian's kin, of glibc and of musl."""

from __future__ import annotations

from reconciler.model.system import System

#: The directories of each kind of processor, below each directory of a search: glibc 2.33.
X86_64_LEVELS = ("x86-64-v4", "x86-64-v3", "x86-64-v2")
#: What glibc before 2.37 looks into besides, below each directory of a search.
LEGACY_X86_64 = ("tls/x86_64/x86_64", "tls/x86_64", "tls", "x86_64/x86_64", "x86_64")


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
