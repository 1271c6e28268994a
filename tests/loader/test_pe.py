"""What is read of PE files: held against pefile, and against bytes that mean harm."""

from __future__ import annotations

import struct
import sysconfig
import time
from pathlib import Path

import pefile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.pe_stub import ADDRESS, OFFSET, stub_image
from reconciler.loader import pe
from reconciler.loader.pe import NotPeError
from reconciler.model.windows_image import Imported, WindowsImage

IMPORTS = {
    "cudart64_12.dll": ("cudaFree", "#7", "cudaMalloc"),
    "KERNEL32.dll": ("LoadLibraryW",),
}
STUB = stub_image(IMPORTS, ("cudnn64_9.dll",), ("b", "a", "?launch@@YAXXZ"))
#: Real ones, which pip and setuptools bring along on every system.
REAL = sorted(
    path
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    for path in Path(place).rglob("*")
    if path.suffix in {".exe", ".dll", ".pyd"}
)


def reader(content: bytes) -> pe.Pread:
    """Give the bytes as files.with_pread does: nothing lies beyond their end."""

    def pread(offset: int, size: int) -> bytes:
        assert size >= 0
        return content[offset : offset + size] if 0 <= offset < len(content) else b""

    return pread


def read(content: bytes) -> WindowsImage:
    return pe.read("x.dll", reader(content))


def told_by_pefile(content: bytes) -> tuple[WindowsImage, list[Imported], list[str]]:
    image = pefile.PE(data=content, fast_load=True)
    image.parse_data_directories([0, 1, 13])
    imports = getattr(image, "DIRECTORY_ENTRY_IMPORT", [])
    delayed = getattr(image, "DIRECTORY_ENTRY_DELAY_IMPORT", [])
    exported = getattr(image, "DIRECTORY_ENTRY_EXPORT", None)
    read = WindowsImage(
        path="x.dll",
        machine=image.FILE_HEADER.Machine,
        bits=64 if image.OPTIONAL_HEADER.Magic == 0x20B else 32,
        imports=tuple(one.dll.decode() for one in imports),
        delayed=tuple(one.dll.decode() for one in delayed),
    )
    imported = [
        Imported(
            library=one.dll.decode(),
            names=tuple(symbol.name.decode() for symbol in one.imports if symbol.name),
        )
        for one in imports
    ]
    symbols = exported.symbols if exported else []
    return read, imported, sorted(symbol.name.decode() for symbol in symbols if symbol.name)


def test_a_library_says_what_it_imports_and_what_it_opens_late() -> None:
    assert read(STUB) == WindowsImage(
        path="x.dll",
        imports=("cudart64_12.dll", "KERNEL32.dll"),
        delayed=("cudnn64_9.dll",),
    )


def test_a_library_says_which_functions_it_takes_from_which() -> None:
    assert pe.imported(reader(STUB)) == (
        Imported(library="cudart64_12.dll", names=("cudaFree", "cudaMalloc")),
        Imported(library="KERNEL32.dll", names=("LoadLibraryW",)),
    )


def test_a_library_says_what_it_exports() -> None:
    assert pe.exports(reader(STUB)) == ("b", "a", "?launch@@YAXXZ")
    assert pe.exports(reader(stub_image())) == ()


def test_a_library_may_import_nothing() -> None:
    assert read(stub_image()) == WindowsImage(path="x.dll")


def test_names_that_pefile_cuts_off_are_read_whole() -> None:
    long = "?" + "x" * 5000

    assert pe.exports(reader(stub_image(exports=(long,)))) == (long,)


def test_a_library_of_visual_c_6_writes_addresses_in_memory() -> None:
    old = stub_image({}, ("odbc32.dll",), machine=0x14C, bits=32, old_delayed=True)

    assert read(old) == WindowsImage(path="x.dll", machine=0x14C, bits=32, delayed=("odbc32.dll",))


ROW = struct.Struct("<5I")


def rows_of(content: bytes) -> tuple[int, list[tuple[int, ...]]]:
    """Return where the import table stands in the file, and its rows."""
    (address,) = struct.unpack_from("<I", content, 0x80 + 24 + 112 + 8)
    at = address - ADDRESS + OFFSET
    return at, [ROW.unpack_from(content, at + ROW.size * number) for number in range(2)]


def test_a_linker_may_fill_only_the_table_that_windows_overwrites() -> None:
    at, [first, _] = rows_of(STUB)
    borland = bytearray(STUB)
    ROW.pack_into(borland, at, 0, *first[1:])

    assert read(bytes(borland)) == read(STUB)
    assert pe.imported(reader(bytes(borland))) == pe.imported(reader(STUB))


def test_a_row_without_a_table_to_fill_ends_the_imports_as_it_does_for_windows() -> None:
    at, [first, _] = rows_of(STUB)
    ended = bytearray(STUB)
    ROW.pack_into(ended, at, *first[:4], 0)

    assert read(bytes(ended)).imports == ()


def test_the_place_of_a_section_is_rounded_down_as_windows_does() -> None:
    section = struct.pack("<2I", len(STUB) - OFFSET, OFFSET)
    odd = STUB.replace(section, struct.pack("<2I", len(STUB) - OFFSET, OFFSET + 17))

    assert odd != STUB
    assert read(odd) == read(STUB) == told_by_pefile(odd)[0]


@pytest.mark.parametrize(
    "content",
    [
        STUB,
        stub_image(IMPORTS, ("a.dll", "b.dll"), ("f",), machine=0x14C, bits=32),
        stub_image(exports=[f"f{number}" for number in range(3000)]),
    ],
    ids=["64", "32", "many"],
)
def test_stubs_are_read_as_pefile_reads_them(content: bytes) -> None:
    image, imported, exported = told_by_pefile(content)

    assert read(content) == image
    assert [*pe.imported(reader(content))] == imported
    assert sorted(pe.exports(reader(content))) == exported


@pytest.mark.skipif(not REAL, reason="neither pip nor setuptools is there")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_files_are_read_as_pefile_reads_them(path: Path) -> None:
    content = path.read_bytes()
    image, imported, exported = told_by_pefile(content)

    assert image.imports
    assert read(content) == image
    assert [*pe.imported(reader(content))] == imported
    assert sorted(pe.exports(reader(content))) == exported


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no MZ at its start"),
        (b"\x7fELF", "no MZ at its start"),
        (b"MZ", "truncated PE header"),
        (b"MZ".ljust(200, b"\0"), "no PE signature"),
        (STUB[:0x84], "truncated PE header"),
        (STUB[:OFFSET], "an import table without an end"),
        (STUB.replace(b"\x0b\x02\x0e", b"\x07\x01\x0e"), "of the unknown kind 0x107"),
        (STUB.rstrip(b"\0")[:-60], "without an end|has no end"),
    ],
)
def test_what_is_no_pe_file_is_told_from_one(content: bytes, reason: str) -> None:
    with pytest.raises(NotPeError, match=reason):
        read(content)


def test_more_exports_than_any_library_has_are_refused() -> None:
    row = struct.pack("<II", 3, 3)
    hostile = STUB.replace(row, struct.pack("<II", 3, 1 << 31))

    with pytest.raises(NotPeError, match="exports, more than"):
        pe.exports(reader(hostile))


def test_an_import_table_that_goes_on_for_ever_ends() -> None:
    row = struct.pack("<5I", ADDRESS, 0, 0, ADDRESS + 8, ADDRESS)
    content = bytearray(stub_image(exports=["x" * 4096] * 40))
    content[OFFSET:] = row * ((len(content) - OFFSET) // 20)
    content[0x80 + 24 + 112 + 8 : 0x80 + 24 + 112 + 16] = struct.pack("<II", ADDRESS, 40)

    with pytest.raises(NotPeError, match="more than 4096 libraries"):
        read(bytes(content))


def test_a_table_of_names_that_goes_on_for_ever_ends() -> None:
    content = bytearray(stub_image({"a.dll": ["x"] * 140_000}))

    with pytest.raises(NotPeError, match="more than 131072 names"):
        pe.imported(reader(bytes(content)))


def parts_are_read_or_refused(content: bytes) -> None:
    start = time.perf_counter()
    for part in (lambda pread: pe.read("x", pread), pe.imported, pe.exports):
        try:
            part(reader(content))
        except NotPeError:
            continue
    assert time.perf_counter() - start < 5


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(STUB) - 1), st.binary(min_size=1, max_size=8))
def test_a_file_with_any_bytes_changed_is_read_or_refused(at: int, raw: bytes) -> None:
    parts_are_read_or_refused(STUB[:at] + raw + STUB[at + len(raw) :])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(STUB)))
def test_a_file_that_is_cut_anywhere_is_read_or_refused(size: int) -> None:
    parts_are_read_or_refused(STUB[:size])
