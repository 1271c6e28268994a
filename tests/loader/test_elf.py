from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import sysconfig
import time
import tracemalloc
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.elf_stub import DYNAMIC, HEADER, PT_DYNAMIC, PT_LOAD, SEGMENT, TAGS, stub_library

from reconciler.loader import elf
from reconciler.loader.elf import NotElfError
from reconciler.model.library import SharedLibrary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEEDED = ("libcublasLt.so.12", "libc.so.6")
STUB = stub_library("libcublas.so.12", NEEDED, runpath="$ORIGIN:$ORIGIN/../lib", symbols=("a", "b"))
READELF = shutil.which("readelf")
REAL = 50


def read(content: bytes) -> SharedLibrary:
    """Read a library from memory, as files.with_pread gives it: nothing lies beyond its end."""

    def pread(offset: int, size: int) -> bytes:
        assert size >= 0
        return content[offset : offset + size] if 0 <= offset < len(content) else b""

    return elf.read("lib/x.so", pread)


def read_or_none(content: bytes) -> SharedLibrary | None:
    try:
        return read(content)
    except NotElfError:
        return None


def library(
    entries: Iterable[tuple[str, int]], strings: bytes, *, gap: int = 0, size: int | None = None
) -> bytes:
    """Write a library of these dynamic entries, its strings ``gap`` bytes behind them."""
    at = HEADER.size + 2 * SEGMENT.size
    known = list(entries)
    strings_at = at + (len(known) + 3) * DYNAMIC.size + gap
    known += [("STRTAB", strings_at), ("STRSZ", len(strings) if size is None else size)]
    dynamic = b"".join(DYNAMIC.pack(TAGS[tag], value) for tag, value in [*known, ("NULL", 0)])
    end = strings_at + len(strings)
    header = HEADER.pack(
        b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0
    )
    load = SEGMENT.pack(PT_LOAD, 4, 0, 0, 0, end, end, 0x1000)
    place = SEGMENT.pack(PT_DYNAMIC, 4, at, at, at, len(dynamic), len(dynamic), 8)
    return header + load + place + dynamic + bytes(gap) + strings


def test_a_library_says_what_it_is_called_and_needs() -> None:
    assert read(STUB) == SharedLibrary(
        path="lib/x.so",
        soname="libcublas.so.12",
        needed=NEEDED,
        runpath="$ORIGIN:$ORIGIN/../lib",
    )


def test_a_library_may_say_nothing() -> None:
    assert read(stub_library()) == SharedLibrary(path="lib/x.so")


def test_rpath_is_no_runpath() -> None:
    found = read(stub_library(rpath="$ORIGIN"))

    assert (found.rpath, found.runpath) == ("$ORIGIN", None)


def test_a_name_may_be_empty() -> None:
    assert read(stub_library("", runpath="")).runpath == ""


def test_a_file_without_a_dynamic_section_is_a_library_of_no_names() -> None:
    static = HEADER.pack(
        b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 2, 62, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0
    )

    assert read(static) == SharedLibrary(path="lib/x.so")


def test_an_executable_names_its_interpreter() -> None:
    name = b"/lib64/ld-linux-x86-64.so.2\0"
    at = HEADER.size + SEGMENT.size
    header = HEADER.pack(
        b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    place = SEGMENT.pack(3, 4, at, at, at, len(name), len(name), 1)

    assert read(header + place + name).interpreter == "/lib64/ld-linux-x86-64.so.2"
    with pytest.raises(NotElfError, match="interpreter has no end"):
        read(header + place + name[:-1])


def test_a_library_may_refuse_the_system_s_directories() -> None:
    content = library([("SONAME", 0)], b"libc.so.6\0")
    flagged = content.replace(DYNAMIC.pack(TAGS["SONAME"], 0), DYNAMIC.pack(0x6FFFFFFB, 0x801))

    assert read(flagged).no_default_paths
    assert not read(content).no_default_paths


@pytest.mark.parametrize("gap", [0, 5_000, 70_000, 5_000_000])
def test_names_may_lie_far_behind(gap: int) -> None:
    content = library([("NEEDED", 1), ("SONAME", 11)], b"\0libc.so.6\0libx.so\0", gap=gap)

    found = read(content)

    assert (found.needed, found.soname) == (("libc.so.6",), "libx.so")


@pytest.mark.parametrize("length", [600, 60_000])
def test_a_name_may_be_long_and_at_the_end_of_many_strings(length: int) -> None:
    name = b"a" * length
    content = library([("RUNPATH", 100_000)], bytes(100_000) + name + b"\0")

    assert read(content).runpath == name.decode()


def test_a_library_of_32_bits_is_read() -> None:
    strings = b"\0libc.so.6\0"
    at = 52 + 2 * 32
    entries = [(1, 1), (5, at + 32), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<iI", *entry) for entry in entries)
    header = struct.pack(
        "<16sHHIIIIIHHHHHH",
        b"\x7fELF\x01\x01\x01".ljust(16, b"\0"), 3, 3, 1, 0, 52, 0, 0, 52, 32, 2, 0, 0, 0,
    )  # fmt: skip
    load = struct.pack("<8I", PT_LOAD, 0, 0, 0, 4096, 4096, 4, 4096)
    place = struct.pack("<8I", PT_DYNAMIC, at, at, at, len(dynamic), len(dynamic), 4, 4)

    found = read(header + load + place + dynamic + strings)

    assert (found.needed, found.bits, found.machine) == (("libc.so.6",), 32, 3)


def test_a_name_that_is_no_utf8_is_kept_byte_by_byte() -> None:
    assert read(library([("SONAME", 0)], b"caf\xe9\0")).soname == "caf\U0010ffe9"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7f", b"\x7fELF", b"\x7fELF\x02\x01", b"MZ", b"INPUT(-lc)", b"\xca\xfe\xba\xbe" * 9],
)
def test_what_is_no_elf_file_is_an_error(content: bytes) -> None:
    with pytest.raises(NotElfError):
        read(content)


@pytest.mark.parametrize("length", range(len(STUB)))
def test_a_truncated_library_is_an_error_or_as_it_was(length: int) -> None:
    assert read_or_none(STUB[:length]) in {None, read(STUB)}


@pytest.mark.parametrize("place", [4, 5])
def test_a_class_or_byte_order_that_elf_does_not_have_is_an_error(place: int) -> None:
    with pytest.raises(NotElfError, match="class or byte order"):
        read(STUB[:place] + b"\x03" + STUB[place + 1 :])


def test_a_name_behind_the_strings_is_an_error() -> None:
    with pytest.raises(NotElfError, match="offset 1000 of its strings has no end"):
        read(library([("SONAME", 1000)], b"\0libc.so.6\0"))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(STUB) - 1), st.integers(0, 255)), max_size=8))
def test_a_damaged_library_is_a_library_or_an_error(changes: Sequence[tuple[int, int]]) -> None:
    damaged = bytearray(STUB)
    for position, value in changes:
        damaged[position] = value

    found = read_or_none(bytes(damaged))

    assert found is None or found.path == "lib/x.so"


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_behind_the_magic_are_a_library_or_an_error(tail: bytes) -> None:
    found = read_or_none(b"\x7fELF" + tail)

    assert found is None or found.path == "lib/x.so"


HUGE = {
    "many needs of one long name": library([("NEEDED", 0)] * 60_000, b"a" * 60_000 + b"\0"),
    "many needs of many long names": library(
        [("NEEDED", n) for n in range(60_000)], b"a" * 60_000 + b"\0"
    ),
    "many needs in a large table": library(
        [("NEEDED", n % 60_000) for n in range(60_000)], b"a" * 60_000 + b"\0", size=1 << 40
    ),
    "many needs without an end": library([("NEEDED", 0)] * 60_000, b"a" * 70_000, size=1 << 40),
    "a table of exabytes": library([("NEEDED", 1)], b"\0a\0", size=1 << 60),
    "a name of megabytes": library([("SONAME", 0)], b"a" * 5_000_000 + b"\0", size=1 << 40),
    "program headers of exabytes": STUB[:32]
    + struct.pack("<Q", 1 << 62)
    + STUB[40:56]
    + b"\xff\xff"
    + STUB[58:],
}


@pytest.mark.parametrize("content", HUGE.values(), ids=HUGE)
def test_a_hostile_library_takes_neither_memory_nor_time(content: bytes) -> None:
    start = time.process_time()
    tracemalloc.start()

    read_or_none(content)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert time.process_time() - start < 20


def real_libraries() -> Sequence[Path]:
    """Some libraries of the running interpreter and of the system."""
    folders = [
        Path(sysconfig.get_path("platlib")),
        Path(sysconfig.get_path("stdlib")) / "lib-dynload",
        Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib"),
        Path("/usr/lib") / (sysconfig.get_config_var("MULTIARCH") or ""),
    ]
    found = (sorted(folder.rglob("*.so*"))[: REAL // 2] for folder in folders)
    files = (path for path in chain.from_iterable(found) if path.is_file())
    return tuple(islice(filter(is_elf, files), REAL))


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


@pytest.mark.skipif(READELF is None, reason="readelf (binutils) is not installed")
@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of this system are not ELF")
@pytest.mark.parametrize("path", real_libraries() if READELF else (), ids=lambda path: path.name)
def test_a_real_library_is_read_as_readelf_reads_it(path: Path) -> None:
    found = read(path.read_bytes())

    assert shown(found) == by_readelf(path)


def shown(found: SharedLibrary) -> list[str]:
    named = [("SONAME", found.soname), ("RPATH", found.rpath), ("RUNPATH", found.runpath)]
    named += [("NEEDED", name) for name in found.needed]
    return sorted(f"{tag} {text}" for tag, text in named if text is not None)


def by_readelf(path: Path) -> list[str]:
    done = subprocess.run(
        ["readelf", "--wide", "--dynamic", path], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 2) for line in done.stdout.splitlines() if "[" in line)
    tags = {"(NEEDED)", "(SONAME)", "(RPATH)", "(RUNPATH)"}
    return sorted(
        f"{tag.strip('()')} {text.partition('[')[2].rpartition(']')[0]}"
        for _, tag, text in rows
        if tag in tags
    )
