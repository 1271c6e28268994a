from __future__ import annotations

import re
import shutil
import struct
import subprocess
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.cache_writer import X86_64, row, write_cache
from reconciler.loader import ld_cache
from reconciler.loader.ld_cache import NotCacheError
from reconciler.model.system import CacheEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLAIN = "/usr/lib/libcublas.so.12"
BETTER = "/usr/lib/glibc-hwcaps/x86-64-v3/libcublas.so.12"
HWCAPS = ("x86-64-v2", "x86-64-v3")
CACHE = write_cache(
    [
        row("libcublas.so.12", BETTER, hwcaps=1),
        row("libcublas.so.12", PLAIN),
        row("libcublas.so.12", "/usr/lib32/libcublas.so.12", flags=3),
        row("libz.so.1", "/usr/lib/libz.so.1"),
    ],
    HWCAPS,
)
LDCONFIG = shutil.which("ldconfig", path="/sbin:/usr/sbin")


def read_or_none(raw: bytes) -> Mapping[str, Sequence[CacheEntry]] | None:
    try:
        return ld_cache.read(raw)
    except NotCacheError:
        return None


def paths(raw: bytes, name: str, hwcaps: Sequence[str] = ()) -> list[str]:
    return [entry.path for entry in ld_cache.usable(ld_cache.read(raw)[name], X86_64, hwcaps)]


def test_a_cache_names_the_files_of_a_soname() -> None:
    assert ld_cache.read(CACHE)["libz.so.1"] == (
        CacheEntry(path="/usr/lib/libz.so.1", flags=X86_64),
    )


def test_a_file_of_another_machine_is_not_usable() -> None:
    assert paths(CACHE, "libcublas.so.12") == [PLAIN]


def test_a_better_file_comes_first_where_the_processor_can_use_it() -> None:
    assert paths(CACHE, "libcublas.so.12", ["x86-64-v3", "x86-64-v2"]) == [BETTER, PLAIN]


def test_a_better_file_is_left_out_where_the_processor_cannot_use_it() -> None:
    assert paths(CACHE, "libcublas.so.12", ["x86-64-v2"]) == [PLAIN]


def test_of_two_files_the_first_of_the_cache_comes_first() -> None:
    cache = write_cache([row("liba.so", "/b/liba.so"), row("liba.so", "/a/liba.so")])

    assert paths(cache, "liba.so") == ["/b/liba.so", "/a/liba.so"]


def test_a_file_for_the_processors_of_old_is_not_usable() -> None:
    cache = write_cache([("liba.so", "/usr/lib/tls/liba.so", X86_64, 1 << 63)])

    assert paths(cache, "liba.so") == []


def test_a_cache_behind_one_of_the_older_format_is_read() -> None:
    old = b"ld.so-1.7.0\0" + struct.pack("<I", 1) + struct.pack("<iII", 1, 0, 0) + b"\0\0\0\0"

    assert ld_cache.read(old + CACHE) == ld_cache.read(CACHE)


def test_a_cache_of_a_big_endian_machine_is_read() -> None:
    cache = write_cache([row("liba.so", "/a/liba.so", hwcaps=0)], ["power9"], order=">")

    assert paths(cache, "liba.so", ["power9"]) == ["/a/liba.so"]


def test_a_path_that_is_no_utf8_is_kept_byte_by_byte() -> None:
    cache = write_cache([row("liba.so", "/caf?/liba.so")]).replace(b"caf?", b"caf\xe9")

    assert paths(cache, "liba.so") == ["/caf\U0010ffe9/liba.so"]


@pytest.mark.parametrize("raw", [b"", b"ld.so-1.7.0\0\0\0\0\0", b"\x7fELF", CACHE[:19]])
def test_what_is_no_cache_is_an_error(raw: bytes) -> None:
    with pytest.raises(NotCacheError, match=r"no ld\.so\.cache of glibc"):
        ld_cache.read(raw)


@pytest.mark.parametrize("length", range(len(CACHE)))
def test_a_truncated_cache_is_an_error_or_lacks_its_end(length: int) -> None:
    found = read_or_none(CACHE[:length])

    assert found is None or found.keys() <= {"libcublas.so.12", "libz.so.1"}


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(20, len(CACHE) - 1), st.integers(0, 255)), max_size=8))
def test_a_damaged_cache_is_a_cache_or_an_error(changes: Sequence[tuple[int, int]]) -> None:
    damaged = bytearray(CACHE)
    for position, value in changes:
        damaged[position] = value

    found = read_or_none(bytes(damaged))

    assert found is None or sum(map(len, found.values())) <= 4


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_behind_the_magic_are_a_cache_or_an_error(tail: bytes) -> None:
    found = read_or_none(ld_cache.MAGIC + tail)

    assert found is None or isinstance(found, dict)


HUGE = {
    "more entries than bytes": CACHE[:20] + b"\xff\xff\xff\xff" + CACHE[24:],
    "more sections than bytes": CACHE[:-4] + b"\xff" * 4,
    "many entries of one long name": ld_cache.MAGIC
    + struct.pack("<II24x", 100_000, 0)
    + struct.pack("<iIIIQ", 0x01010101, 48, 48, 0x01010101, 0x0101010101010101) * 100_000
    + b"a" * 5_000
    + b"\0",
}


@pytest.mark.parametrize("raw", HUGE.values(), ids=HUGE)
def test_a_hostile_cache_takes_neither_memory_nor_time(raw: bytes) -> None:
    start = time.process_time()
    tracemalloc.start()

    read_or_none(raw)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert time.process_time() - start < 20


@pytest.mark.skipif(LDCONFIG is None, reason="ldconfig is not installed")
@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="this system has no ld.so.cache")
def test_the_cache_of_this_machine_is_read_as_ldconfig_prints_it() -> None:
    done = subprocess.run([LDCONFIG or "", "-p"], capture_output=True, text=True, check=True)
    printed = re.findall(r"^\t(.+) \(.*\) => (.+)$", done.stdout, re.MULTILINE)

    found = ld_cache.read(Path("/etc/ld.so.cache").read_bytes())

    assert sorted(printed) == sorted(
        (name, entry.path) for name, entries in found.items() for entry in entries
    )
