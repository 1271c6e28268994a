"""Symbols by name: on small libraries of the compiler, on real ones, on damaged and hostile ones."""

from __future__ import annotations

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

from loader import symbol_worlds
from loader.symbol_worlds import Source
from loader.test_elf import library, real_libraries
from loader.test_elf_symbols import HUGE, STUB, holding, reader
from reconciler.loader import elf_symbols, relocations, symbol_file, symbol_hash
from reconciler.loader.elf import NotElfError
from reconciler.model.binding import Definition, FileVersions, Undefined, Use, VersionNeed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.loader.symbol_file import SymbolFile

NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
SMALL = (
    "-Wl,-z,norelro,-z,noseparate-code,--build-id=none",
    "-s",
    "-fno-asynchronous-unwind-tables",
)
PROVIDER = Source({"f0": ["V_0", "V_1"], "f1": ["V_2"], "f2": [""], "v0": ["V_2"]})
CONSUMER = Source(
    {"f5": [""]}, {"f0": "call", "f1": "point", "f2": "call", "f3": "weak", "f4": "call"}
)

Everything = tuple[
    FileVersions, tuple[Undefined, ...], "Mapping[str, tuple[Definition, ...]]", tuple[Use, ...]
]


def everything(file: SymbolFile) -> Everything:
    undefined = file.undefined()
    names = ["f0", "f1", "f2", "f5", "v0", "cublasCreate"]
    return file.versions(), undefined, file.define(names), file.uses(undefined)


def read(content: bytes) -> Everything:
    return symbol_file.read(reader(content), everything)


def read_or_none(content: bytes) -> Everything | None:
    try:
        return read(content)
    except NotElfError:
        return None


@pytest.fixture(scope="module", params=["gnu", "sysv"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A library of versions, and one that asks for them, by both kinds of hash tables."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("pair")
    options = [*SMALL, f"-Wl,--hash-style={request.param}"]
    symbol_worlds.library(folder, "libp.so", PROVIDER, options)
    symbol_worlds.library(folder, "libc1.so", CONSUMER, ["-L.", "-l:libp.so", *options])
    return [(folder / name).read_bytes() for name in ("libp.so", "libc1.so")]


def test_a_provider_s_symbols_are_found_by_name(pair: list[bytes]) -> None:
    versions, undefined, defined, uses = read(pair[0])

    assert versions == FileVersions(defined=("libp.so", "V_0", "V_1", "V_2"))
    assert (undefined, uses) == ((), ())
    assert set(defined.pop("f0")) == {  # type: ignore[attr-defined]  # it is a dict
        Definition(version="V_0", is_hidden=True, is_oldest=True),
        Definition(version="V_1"),
    }
    assert defined == {
        "f1": (Definition(version="V_2"),),
        "f2": (Definition(is_oldest=True),),
        "v0": (Definition(version="V_2"),),
    }


def test_a_consumer_says_what_it_asks_for_and_where_it_uses_it(pair: list[bytes]) -> None:
    versions, undefined, _, uses = read(pair[1])

    assert {(need.file, need.version) for need in versions.needed} == {
        ("libp.so", "V_1"),
        ("libp.so", "V_2"),
    }
    assert set(undefined) == {
        Undefined(name="f0", file="libp.so", version="V_1"),
        Undefined(name="f1", file="libp.so", version="V_2"),
        Undefined(name="f2"),
        Undefined(name="f3", weak=True),
        Undefined(name="f4"),
    }
    assert uses[0] == Use(name="f1", version="V_2")
    assert set(uses[1:]) == {
        Use(name=name, version=version, is_lazy=True, needs_real=True)
        for name, version in (("f0", "V_1"), ("f2", None), ("f3", None), ("f4", None))
    }


@NEEDS_GCC
@pytest.mark.parametrize("option", ["-Wl,-z,now", "-Wl,-z,lazy"])
def test_a_file_says_when_it_is_bound(option: str, tmp_path: Path) -> None:
    symbol_worlds.library(tmp_path, "liba.so", CONSUMER, [option])

    versions, *_ = read((tmp_path / "liba.so").read_bytes())

    assert versions.binds_now == option.endswith("now")


@NEEDS_GCC
def test_a_file_of_no_definitions_has_its_references_all_the_same(tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text('int f4(void); __attribute__((visibility("hidden"))) void *p = f4;\n')
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "a.c", "-o", "a.so"]
    subprocess.run([*command, "-Wl,--hash-style=gnu"], cwd=tmp_path, check=True)

    _, undefined, _, uses = read((tmp_path / "a.so").read_bytes())

    assert undefined == (Undefined(name="f4"),)
    assert uses == (Use(name="f4"),)


@pytest.mark.parametrize(
    ("name", "number"), [("", 5381), ("printf", 0x156B2BB8), ("syscall", 0xBAC212A0)]
)
def test_gnu_s_hash_is_the_one_that_is_documented(name: str, number: int) -> None:
    # https://flapenguin.me/elf-dt-gnu-hash
    assert symbol_hash.gnu_hash(name.encode()) == number


def test_a_long_name_has_the_same_hash_by_either_way() -> None:
    number = 5381
    for _ in range(3000):
        number = (number * 33 + 97) & 0xFFFFFFFF

    assert symbol_hash.gnu_hash(b"a" * 3000) == number
    assert symbol_hash.gnu_hash(b"a" * 1000) == (
        sum(97 * 33**power for power in range(1000)) + 5381 * 33**1000
    ) % (1 << 32)


@pytest.mark.parametrize(
    ("name", "number"), [("", 0), ("printf", 0x077905A6), ("exit", 0x0006CF04)]
)
def test_the_gabi_s_hash_is_the_one_that_is_documented(name: str, number: int) -> None:
    assert symbol_hash.sysv_hash(name.encode()) == number


@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of this system are not ELF")
@pytest.mark.parametrize("path", real_libraries(), ids=lambda path: path.name)
def test_each_symbol_of_a_real_library_is_found_by_its_name(path: Path) -> None:
    content = path.read_bytes()
    whole = elf_symbols.symbols(reader(content))

    undefined = symbol_file.read(reader(content), lambda file: file.undefined())
    found = symbol_file.read(reader(content), lambda file: file.define(list(whole.defined)))

    assert undefined == whole.undefined
    assert {
        name: frozenset(one.version for one in definitions) for name, definitions in found.items()
    } == whole.defined


def test_a_library_cut_anywhere_is_an_error_or_as_it_was(pair: list[bytes]) -> None:
    for whole in pair:
        expected = read(whole)

        seen = [read_or_none(whole[:length]) for length in range(len(whole))]

        assert [one for one in seen if one not in (None, expected)] == []
        assert seen[0] is None
        assert seen[-1] == expected


@settings(deadline=None, max_examples=200)
@given(changes=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_library_is_a_library_or_an_error(
    pair: list[bytes], changes: Sequence[tuple[int, int]]
) -> None:
    for whole in pair:
        damaged = bytearray(whole)
        for position, value in changes:
            damaged[position % len(damaged)] = value

        seen = read_or_none(bytes(damaged))

        assert seen is None or len(seen[1]) < 1000


def sysv_circle() -> bytes:
    symbols = struct.pack("<IBBHQQ", 60_000, 0x12, 0, 1, 1, 0)
    return holding(elf_symbols.DT_HASH, struct.pack("<6I", 1, 3, 1, 0, 2, 1) + symbols * 9)


def gnu_bloom(words: int, *, buckets: int = 1, first: int = 1, bucket: int = 1) -> bytes:
    head = struct.pack("<4I", buckets, first, words, 6)
    return head + b"\xff" * 8 * min(words, 64) + struct.pack("<I", bucket)


HOSTILE = {
    **HUGE,
    "a circle of symbols": sysv_circle(),
    "a filter of no words": holding(elf_symbols.DT_GNU_HASH, gnu_bloom(0)),
    "a filter of three words": holding(elf_symbols.DT_GNU_HASH, gnu_bloom(3)),
    "a filter of billions of words": holding(elf_symbols.DT_GNU_HASH, gnu_bloom(1 << 31)),
    "a bucket before its symbols": holding(
        elf_symbols.DT_GNU_HASH, gnu_bloom(1, first=9, bucket=2) + bytes(999)
    ),
    "billions of symbols that are not hashed": holding(
        elf_symbols.DT_GNU_HASH, gnu_bloom(1, first=1 << 31, bucket=1 << 31)
    ),
    "relocations without an end": holding(
        relocations.DT_JMPREL, bytes(64), (relocations.DT_PLTRELSZ, 1 << 62)
    ),
    "relocations before their start": holding(
        relocations.DT_RELA, bytes(64), (relocations.DT_RELASZ, 24), (relocations.DT_RELACOUNT, 9)
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_symbols_take_neither_memory_nor_time(content: bytes) -> None:
    tracemalloc.start()
    read_or_none(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    start = time.process_time()

    read_or_none(content)

    assert peak < 384 << 20
    assert time.process_time() - start < 20


def test_a_library_without_symbols_has_none() -> None:
    assert read(library([], b"\0")) == (FileVersions(), (), {}, ())


def test_a_library_without_versions_defines_symbols_without() -> None:
    versions, _, defined, _ = read(STUB)

    assert versions == FileVersions()
    assert defined == {"cublasCreate": (Definition(is_oldest=True),)}


def test_few_bytes_of_a_large_library_are_read(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    code = "".join(
        f"int a_function_of_some_name_{n}(void) {{ return {n}; }}\n" for n in range(9000)
    )
    (tmp_path / "big.c").write_text(code + "int other(void); int own(void) { return other(); }\n")
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "big.c", "-o", "big.so"]
    subprocess.run([*command, "-Wl,--hash-style=gnu"], cwd=tmp_path, check=True)
    content = (tmp_path / "big.so").read_bytes()
    sizes: list[int] = []

    def pread(offset: int, size: int) -> bytes:
        sizes.append(size)
        return reader(content)(offset, size)

    found = symbol_file.read(
        pread, lambda file: (file.undefined(), file.define(["own", "a_function_of_some_name_7"]))
    )

    assert [one.name for one in found[0]] == ["other"]
    assert found[1].keys() == {"own", "a_function_of_some_name_7"}
    assert sum(sizes) < len(content) // 10


def test_versions_of_a_file_are_as_they_are_written() -> None:
    need = VersionNeed(file="libc.so.6", version="GLIBC_2.34")

    assert FileVersions(needed=(need,)).is_versioned
    assert FileVersions(defined=()).is_versioned
    assert not FileVersions().is_versioned
