"""Symbols and their versions, held against readelf on real libraries."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.elf_stub import stub_library

from loader.test_elf import READELF, library, real_libraries
from reconciler.loader import elf_symbols
from reconciler.loader.elf import NotElfError
from reconciler.loader.elf_symbols import Symbols, Versions
from reconciler.model.binding import Undefined, VersionNeed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COMPILER = shutil.which("gcc")
STUB = stub_library("libcublas.so.12", ("libc.so.6",), symbols=("cublasCreate", "cublasDestroy"))


def reader(content: bytes) -> Callable[[int, int], bytes]:
    def pread(offset: int, size: int) -> bytes:
        assert size >= 0
        return content[offset : offset + size] if 0 <= offset < len(content) else b""

    return pread


def read_or_none(content: bytes) -> tuple[Versions | None, Symbols | None]:
    found: list[Versions | Symbols | None] = []
    for read in (elf_symbols.versions, elf_symbols.symbols):
        try:
            found.append(read(reader(content)))
        except NotElfError:
            found.append(None)
    versions, symbols = found
    assert not isinstance(versions, Symbols)
    assert not isinstance(symbols, Versions)
    return versions, symbols


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A library of two versions of a symbol, and one that needs another library's version."""
    if COMPILER is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("versioned")
    (folder / "p.map").write_text("V_1 { global: old; local: *; };\nV_2 { global: new; } V_1;\n")
    (folder / "p.c").write_text("int old(void){return 1;} int new(void){return 2;}")
    (folder / "c.c").write_text(
        "int old(void); int new(void); __attribute__((weak)) int maybe(void);"
        "int own(void){return old()+new()+(maybe?maybe():0);}"
    )
    shared = [COMPILER, "-shared", "-fPIC", "-nostdlib"]
    script = ["-Wl,--version-script=p.map", "-Wl,-soname,libp.so.1"]
    subprocess.run([*shared, "p.c", *script, "-o", "libp.so"], cwd=folder, check=True)
    subprocess.run([*shared, "c.c", "libp.so", "-o", "libc.so"], cwd=folder, check=True)
    return (folder / "libp.so").read_bytes() + b"SPLIT" + (folder / "libc.so").read_bytes()


def test_a_library_defines_symbols() -> None:
    found = elf_symbols.symbols(reader(STUB))

    assert found.undefined == ()
    assert found.defined == {
        "cublasCreate": frozenset({None}),
        "cublasDestroy": frozenset({None}),
    }


def test_a_library_may_have_no_symbols() -> None:
    assert elf_symbols.symbols(reader(library([], b"\0"))) == Symbols(undefined=(), defined={})


def test_a_library_may_have_no_versions() -> None:
    assert elf_symbols.versions(reader(STUB)) == Versions(needed=(), defined=())


def test_a_provider_defines_versions_of_its_symbols(versioned: bytes) -> None:
    provider = reader(versioned.split(b"SPLIT")[0])

    assert elf_symbols.versions(provider).defined == ("V_1", "V_2")
    assert (
        elf_symbols.symbols(provider).defined.items()
        >= {
            "old": frozenset({"V_1"}),
            "new": frozenset({"V_2"}),
        }.items()
    )


def test_a_consumer_needs_a_version_of_a_file(versioned: bytes) -> None:
    consumer = reader(versioned.split(b"SPLIT")[1])

    assert set(elf_symbols.versions(consumer).needed) == {
        VersionNeed(file="libp.so.1", version="V_1"),
        VersionNeed(file="libp.so.1", version="V_2"),
    }
    assert set(elf_symbols.symbols(consumer).undefined) == {
        Undefined(name="old", file="libp.so.1", version="V_1"),
        Undefined(name="new", file="libp.so.1", version="V_2"),
        Undefined(name="maybe", weak=True),
    }


@pytest.mark.parametrize("length", range(0, len(STUB), 3))
def test_truncated_symbols_are_an_error_or_as_they_were(length: int) -> None:
    _, symbols = read_or_none(STUB[:length])

    assert symbols in (None, elf_symbols.symbols(reader(STUB)))


@settings(deadline=None, max_examples=100)
@given(changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=8))
def test_damaged_versions_are_versions_or_an_error(
    versioned: bytes, changes: Sequence[tuple[int, int]]
) -> None:
    for whole in versioned.split(b"SPLIT"):
        damaged = bytearray(whole)
        for position, value in changes:
            # the tables of symbols and versions lie in the first 1,200 bytes
            damaged[position % 1_200] = value

        versions, _ = read_or_none(bytes(damaged))

        assert versions is None or len(versions.needed) <= elf_symbols.MAX_VERSIONS


def gnu_hash(buckets: int, *, links: int) -> bytes:
    table = struct.pack("<4I", buckets, 1, 0, 0) + struct.pack("<I", 1) * min(buckets, 9)
    return table + bytes(4 * links)


def holding(tag: int, content: bytes, *more: tuple[int, int]) -> bytes:
    """Write a library whose one table of this tag stands at the start of its strings."""
    probe = library([("NEEDED", 0)] * (2 + len(more)), b"")
    raw = library([("NEEDED", 0)] * (2 + len(more)), content)
    entry = struct.Struct("<qQ")
    start = len(probe)
    rows = [(tag, start), (elf_symbols.DT_SYMTAB, start), *more]
    at = raw.index(entry.pack(1, 0))
    return raw[:at] + b"".join(entry.pack(*row) for row in rows) + raw[at + 16 * len(rows) :]


HUGE = {
    "a chain of symbols without an end": holding(
        elf_symbols.DT_GNU_HASH, gnu_hash(1, links=1_500_000)
    ),
    "billions of hash buckets": holding(elf_symbols.DT_GNU_HASH, gnu_hash(1 << 31, links=9)),
    "billions of symbols": holding(elf_symbols.DT_HASH, b"\xff" * 64),
    "a million symbols of one long name": holding(
        elf_symbols.DT_HASH,
        struct.pack("<II", 1, 1_000_000)
        + struct.pack("<I", 24_000_032) * 6_000_006
        + b"a" * 60_000
        + b"\0",
    ),
    "many needs, each of many versions": holding(
        elf_symbols.DT_VERNEED,
        struct.pack("<HHIII", 1, 0xFFFF, 0, 0, 16) * 20_000 + b"\0",
        (elf_symbols.DT_VERNEEDNUM, 1 << 60),
    ),
}


@pytest.mark.parametrize("content", HUGE.values(), ids=HUGE)
def test_hostile_symbols_take_neither_memory_nor_time(content: bytes) -> None:
    tracemalloc.start()
    read_or_none(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    start = time.process_time()

    read_or_none(content)

    assert peak < 384 << 20
    assert time.process_time() - start < 20


@pytest.mark.skipif(READELF is None, reason="readelf (binutils) is not installed")
@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of this system are not ELF")
@pytest.mark.parametrize("path", real_libraries() if READELF else (), ids=lambda path: path.name)
def test_the_symbols_of_a_real_library_are_as_readelf_prints_them(path: Path) -> None:
    found = elf_symbols.symbols(reader(path.read_bytes()))

    assert shown(found) == by_readelf(path)


def shown(found: Symbols) -> list[str]:
    undefined = [f"{one.name} {one.version or ''} undefined" for one in found.undefined]
    defined = [f"{name} {one or ''}" for name, them in found.defined.items() for one in them]
    return sorted({*undefined, *defined})


def by_readelf(path: Path) -> list[str]:
    done = subprocess.run(
        ["readelf", "--wide", "--dyn-syms", path], capture_output=True, text=True, check=True
    )
    found = set()
    for line in done.stdout.splitlines():
        row = line.split()
        if len(row) < 8 or not re.match(r"\d+:$", row[0]) or row[4] == "LOCAL":
            continue
        name, _, version = row[7].replace("@@", "@").partition("@")
        found.add(f"{name} {version}{' undefined' if row[6] == 'UND' else ''}")
    return sorted(found)
