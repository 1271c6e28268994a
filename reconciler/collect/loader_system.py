"""What the machine's dynamic loader has built in, read from its own file, and its configuration."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.collect import files
from reconciler.loader import ld_cache
from reconciler.loader.system import X86_64_LEVELS, debian, musl
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Fact, Gap
from reconciler.model.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.system import CacheEntry

CACHE = "/etc/ld.so.cache"
PRELOAD = "/etc/ld.so.preload"
CPU = "/proc/cpuinfo"
#: A loader of 250 kB is usual; a cache of 3,000 libraries has 250 kB too.
LIMIT = 16 * files.MEGABYTE
#: glibc's system_dirs (elf/dl-load.c): the directories one behind the other, each with its slash.
_DIRECTORIES = re.compile(rb"(?<=\0)(?:/(?:[\w.+-]+/)*lib[\w./+-]*/\0)+")
#: The first line of ``ld.so --version``, which stands in its file as it is.
_VERSION = re.compile(rb"ld\.so \([^)]*\)[^\0]{0,40}? version (\d+)\.(\d+)")
#: The first glibc that searches no tls/ and x86_64/ any more.
WITHOUT_LEGACY = (2, 37)

X86_64, AARCH64 = 62, 183
#: e_machine -> what the loader takes for $PLATFORM, and the flags of its entries in ld.so.cache
#: (glibc, sysdeps/generic/ldconfig.h and sysdeps/unix/sysv/linux/*/dl-cache.h).
_MACHINES: Mapping[int, tuple[str, int]] = {
    21: ("powerpc64le", 0x503),
    22: ("s390x", 0x403),
    X86_64: ("x86_64", 0x303),
    AARCH64: ("aarch64", 0xA03),
}
#: The flags of /proc/cpuinfo that each level of x86-64 has beyond the one before it: the psABI of
#: x86-64, table 3.1; ``abm`` holds lzcnt, ``pni`` is SSE3.
_LEVELS: Mapping[str, frozenset[str]] = {
    "x86-64-v2": frozenset(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"]),
    "x86-64-v3": frozenset(["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]),
    "x86-64-v4": frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
}
_HASWELL = frozenset(["avx2", "bmi1", "bmi2", "abm", "movbe", "popcnt", "fma"])


class _Cpu(NamedTuple):
    """What of the processor decides which subdirectories are searched."""

    levels: tuple[str, ...] = ()
    is_haswell: bool = False
    has_avx512: bool = False


def read(interpreter: str, machine: int, *, root: str = "") -> tuple[System, tuple[Gap, ...]]:
    """Return the loader that an executable names, as its file and its configuration describe it."""
    gaps: list[Gap] = []
    if interpreter.rpartition("/")[2].startswith("ld-musl-"):
        return _musl(interpreter, root), ()
    raw = _bytes(f"{root}{interpreter}", gaps)
    platform, flags = _MACHINES.get(machine, ("", 0))
    directories = _directories(raw)
    cpu = _cpu(root) if machine == X86_64 else _Cpu()
    is_legacy = machine == X86_64 and _version(raw) < WITHOUT_LEGACY
    if is_legacy and cpu.is_haswell:
        platform = "haswell"
    system = System(
        # Debian's multiarch directory, else lib64 or lib: what libdir is below its root.
        lib=directories[0].removeprefix("/usr").strip("/"),
        platform=platform,
        default_directories=directories,
        hwcaps=cpu.levels,
        legacy=tuple(_legacy(platform, cpu)) if is_legacy else (),
        cache=_cache(root, gaps),
        cache_flags=flags,
        preload=tuple(from_os(_text(f"{root}{PRELOAD}")).replace(":", " ").split()),
    )
    return system, tuple(gaps)


def _directories(raw: bytes) -> tuple[str, ...]:
    match = _DIRECTORIES.search(raw)
    if match is None:
        return debian().default_directories
    return tuple(name.decode().rstrip("/") for name in match[0].split(b"\0") if name)


def _version(raw: bytes) -> tuple[int, int]:
    match = _VERSION.search(raw)
    # Before 2.33 it was not written into the file.
    return (int(match[1]), int(match[2])) if match else (2, 32)


def _cpu(root: str) -> _Cpu:
    text = _text(f"{root}{CPU}")
    match = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    flags = frozenset(match[1].split()) if match else frozenset()
    reached = {*itertools.takewhile(lambda level: flags >= _LEVELS[level], _LEVELS)}
    # glibc before 2.37 knows these two of Intel's processors alone: sysdeps/x86/cpu-features.c.
    is_intel = "GenuineIntel" in text
    return _Cpu(
        levels=tuple(name for name in X86_64_LEVELS if name in reached),
        is_haswell=is_intel and flags >= _HASWELL,
        has_avx512=is_intel and flags >= _LEVELS["x86-64-v4"],
    )


def _legacy(platform: str, cpu: _Cpu) -> Iterator[str]:
    """Yield what glibc searches below each directory, as its _dl_important_hwcaps orders it."""
    parts = ("tls", platform, *(("avx512_1",) if cpu.has_avx512 else ()), "x86_64")
    chosen = itertools.product((True, False), repeat=len(parts))
    paths = (itertools.compress(parts, choice) for choice in chosen)
    return iter(dict.fromkeys(path for names in paths if (path := "/".join(names))))


def _cache(root: str, gaps: list[Gap]) -> Mapping[str, tuple[CacheEntry, ...]]:
    try:
        return ld_cache.read(files.read(f"{root}{CACHE}", limit=LIMIT))
    except files.MissingError:
        return {}
    except (files.UnreadableError, ld_cache.NotCacheError) as error:
        gaps.append(Gap(fact=Fact.LOADER, item=CACHE, reason=str(error)))
        return {}


def _musl(interpreter: str, root: str) -> System:
    # musl, ldso/dynlink.c: /etc/ld-musl-ARCH.path, with lines or colons between the directories.
    architecture = interpreter.rpartition("/ld-musl-")[2].partition(".")[0]
    listed = from_os(_text(f"{root}/etc/ld-musl-{architecture}.path"))
    directories = tuple(part for part in re.split(r"[:\n]", listed) if part)
    return musl(directories) if directories else musl()


def _bytes(path: str, gaps: list[Gap]) -> bytes:
    try:
        return files.read(path, limit=LIMIT)
    except files.UnreadableError as error:
        gaps.append(Gap(fact=Fact.LOADER, item=path, reason=str(error)))
        return b""


def _text(path: str) -> str:
    try:
        return files.read(path, limit=LIMIT).decode("utf-8", "surrogateescape")
    except files.UnreadableError:
        return ""
