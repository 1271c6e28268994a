from __future__ import annotations

import struct
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.elf_stub import stub_library
from lab.fatbin_stub import (
    CONTAINER,
    ELF_HEADER,
    MAGIC,
    container,
    entry,
    gpu_library,
    library_of,
)

from reconciler.loader import fatbin
from reconciler.loader.fatbin import FatbinError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.gpu_code import GpuCode

SAMPLES = sorted((Path(__file__).parent / "fatbin_samples").glob("*.json"))
TWO = gpu_library(
    container(entry("sass", 80), entry("sass", 90, "a"), entry("ptx", 90)),
    container(entry("sass", 80)),
)
#: What an ELF header and a section header hold, by offset: see lab.fatbin_stub.
SECTIONS_AT, COUNT_AT, NAMES_AT = 40, 60, 62


def read(content: bytes) -> tuple[GpuCode, ...]:
    """Read a library from memory, as files.with_pread gives it: nothing lies beyond its end."""

    def pread(offset: int, size: int) -> bytes:
        assert size >= 0
        return content[offset : offset + size] if 0 <= offset < len(content) else b""

    return fatbin.read(pread)


def names(content: bytes) -> Mapping[str, int]:
    return {str(code): code.entries for code in read(content)}


def changed(content: bytes, offset: int, form: str, value: int) -> bytes:
    copy = bytearray(content)
    struct.pack_into(form, copy, offset, value)
    return bytes(copy)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_headers_of_a_real_library_say_what_cuobjdump_says(sample: Path) -> None:
    recorded = msgspec.json.decode(sample.read_bytes())
    ranges = {int(at): bytes.fromhex(raw) for at, raw in recorded["reads"].items()}

    def pread(offset: int, size: int) -> bytes:
        # What is not recorded are payloads: to ask for one fails here.
        start = max(at for at in ranges if at <= offset)
        assert offset + size <= start + len(ranges[start])
        return ranges[start][offset - start :][:size]

    found = fatbin.read(pread)

    assert {f"{c.kind} {c.architecture}": c.entries for c in found} == recorded["cuobjdump 13.5.37"]


def test_entries_are_counted_by_kind_and_architecture() -> None:
    assert names(TWO) == {"compute_90": 1, "sm_80": 2, "sm_90a": 1}


def test_architectures_come_in_the_order_of_their_numbers() -> None:
    numbers = (120, 75, 100, 90)

    assert list(names(gpu_library(container(*(entry("sass", n) for n in numbers))))) == [
        "sm_75",
        "sm_90",
        "sm_100",
        "sm_120",
    ]


@pytest.mark.parametrize(
    ("kind", "suffix", "name"),
    [
        ("sass", "", "sm_100"),
        ("sass", "a", "sm_100a"),
        ("sass", "f", "sm_100f"),
        ("ptx", "", "compute_100"),
        ("ptx", "a", "compute_100a"),
        ("ptx", "f", "compute_100f"),
        (16, "", "sm_100"),
    ],
)
def test_an_entry_has_the_name_that_a_compiler_gives_it(
    kind: str | int, suffix: str, name: str
) -> None:
    assert names(gpu_library(container(entry(kind, 100, suffix)))) == {name: 1}


@pytest.mark.parametrize("kind", [0, 3, 4, 8, 32, 64])
def test_an_entry_of_another_kind_is_passed_over(kind: int) -> None:
    assert names(gpu_library(container(entry(kind, 90), entry("sass", 80)))) == {"sm_80": 1}


@pytest.mark.parametrize("header", [64, 80, 96, 104, 112, 120])
def test_an_entry_may_have_a_longer_header(header: int) -> None:
    library = gpu_library(container(entry("ptx", 100, header=header), entry("sass", 120)))

    assert names(library) == {"compute_100": 1, "sm_120": 1}


def test_code_that_is_linked_again_is_counted_too() -> None:
    both = {
        ".nv_fatbin": container(entry("sass", 80)),
        "__nv_relfatbin": container(entry("sass", 80), entry("ptx", 90)),
    }

    assert names(library_of(both.items())) == {"compute_90": 1, "sm_80": 2}


@pytest.mark.parametrize("zeros", [8, 64, 4096])
def test_zeros_may_lie_between_two_fat_binaries_and_at_the_end(zeros: int) -> None:
    gap = bytes(zeros)
    library = gpu_library(container(entry("sass", 80)), gap, container(entry("sass", 90)), gap)

    assert names(library) == {"sm_80": 1, "sm_90": 1}


@pytest.mark.parametrize(
    "content",
    [
        stub_library("libc10.so"),
        library_of({".text": b"code"}.items()),
        library_of({".nv_fatbinary": container(entry("sass", 80))}.items()),
        gpu_library(),
        gpu_library(container()),
    ],
    ids=["no sections", "none of CUDA's", "another name", "an empty one", "an empty container"],
)
def test_a_library_without_fat_binaries_has_no_code(content: bytes) -> None:
    assert read(content) == ()


def test_a_section_that_a_debug_file_left_out_is_no_fat_binary() -> None:
    library = gpu_library(container(entry("sass", 80)))
    (sections,) = struct.unpack_from("<Q", library, SECTIONS_AT)
    no_bits = 8

    assert read(changed(library, sections + 64 + 4, "<I", no_bits)) == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no ELF file of 64 bits"),
        (b"MZ" + TWO, "no ELF file of 64 bits"),
        (b"\x7fELF\x01\x01" + TWO[6:], "no ELF file of 64 bits"),
        (TWO[:40], "truncated"),
        (TWO[:-1], "section headers are truncated"),
        (changed(TWO, 58, "<H", 40), "section headers are of 40 bytes"),
        (changed(TWO, COUNT_AT, "<H", 0), "more than 65,279 sections"),
        (changed(TWO, NAMES_AT, "<H", 0xFFFF), "more than 65,279 sections"),
        (changed(TWO, NAMES_AT, "<H", 7), "section 7, which would hold names, is none of 3"),
        (gpu_library(b"what is no container"), "no fat binary at 0x40"),
        (gpu_library(bytes(5000), container()), "no fat binary at 0x1040"),
        (gpu_library(container()[:-1] + b"\x01"), "fat binary at 0x40 does not fit its section"),
        (gpu_library(CONTAINER.pack(MAGIC, 1, 8, 8)), "fat binary at 0x40 does not fit"),
        (gpu_library(container(entry("sass", 80, header=56))), "entry at 0x50 does not fit"),
        (gpu_library(container(entry("sass", 80)[:-1])), "entry at 0x50 does not fit"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(FatbinError, match=reason):
        read(content)


def test_an_entry_may_not_reach_into_the_next_fat_binary() -> None:
    whole = entry("sass", 80)
    at = ELF_HEADER.size + CONTAINER.size
    library = gpu_library(container(whole), container(whole))

    with pytest.raises(FatbinError, match="entry at 0x50"):
        read(changed(library, at + 8, "<Q", len(whole)))


@pytest.mark.parametrize("length", range(0, len(TWO), 5))
def test_a_truncated_library_is_an_error(length: int) -> None:
    with pytest.raises(FatbinError):
        read(TWO[:length])


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(0, len(TWO) - 1), st.integers(0, 255)), max_size=8))
def test_a_damaged_library_is_read_or_an_error(changes: Sequence[tuple[int, int]]) -> None:
    damaged = bytearray(TWO)
    for position, value in changes:
        damaged[position] = value

    with suppress(FatbinError):
        assert sum(code.entries for code in read(bytes(damaged))) <= len(TWO) // 64


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_an_error(tail: bytes) -> None:
    for start in (b"", b"\x7fELF\x02\x01", TWO[:64]):
        with suppress(FatbinError):
            read(start + tail)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300))
def test_any_section_is_read_or_an_error(section: bytes) -> None:
    for start in (b"", CONTAINER.pack(MAGIC, 1, 16, len(section))):
        with suppress(FatbinError):
            read(gpu_library(start, section))


HUGE = {
    "many empty fat binaries": gpu_library(container() * 300_000),
    "many entries": gpu_library(container(entry("sass", 80, payload=b"") * 300_000)),
    "zeros": gpu_library(bytes(50_000_000)),
    "many sections, all of one name": changed(
        TWO + (TWO[-128:-64] * 60_000), COUNT_AT, "<H", 60_000
    ),
    "names of exabytes": changed(TWO, len(TWO) - 64 + 32, "<Q", 1 << 62),
    "a section of exabytes": changed(TWO, len(TWO) - 128 + 32, "<Q", 1 << 62),
}


@pytest.mark.parametrize("content", HUGE.values(), ids=HUGE)
def test_a_hostile_library_takes_neither_memory_nor_time(content: bytes) -> None:
    start = time.process_time()
    tracemalloc.start()

    with suppress(FatbinError):
        read(content)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert time.process_time() - start < 20
