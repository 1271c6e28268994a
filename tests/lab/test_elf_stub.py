"""The stub libraries are what the real loader and the real readelf take for libraries."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.loader import elf

from .elf_stub import MACHINES, stub_library, stub_program

if TYPE_CHECKING:
    from pathlib import Path

loads = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES,
    reason="only a loader of Linux for x86-64 or AArch64 takes these libraries",
)


@loads
@pytest.mark.parametrize("kind", ["rpath", "runpath"])
def test_the_loader_finds_what_a_stub_needs_through_its_own_path(tmp_path: Path, kind: str) -> None:
    machine = platform.machine()
    (tmp_path / "sub").mkdir()
    inner = f"libenvfix_inner_{kind}.so.1"
    (tmp_path / "sub" / inner).write_bytes(
        stub_library(inner, machine=machine, symbols=("envfix_inner",))
    )
    outer = tmp_path / "libenvfix_outer.so.2"
    outer.write_bytes(stub_library(outer.name, (inner,), machine=machine, **{kind: "$ORIGIN/sub"}))

    assert ctypes.CDLL(str(outer)).envfix_inner() == 0


@loads
def test_a_stub_exports_its_symbols_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "libenvfix.so"
    path.write_bytes(stub_library(symbols=("first", "second"), machine=platform.machine()))

    library = ctypes.CDLL(str(path))

    assert (library.first(), library.second(), hasattr(library, "third")) == (0, 0, False)


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf (binutils) is not installed")
@pytest.mark.parametrize("machine", MACHINES)
def test_readelf_shows_the_dynamic_section(tmp_path: Path, machine: str) -> None:
    path = tmp_path / "libcublas.so.12"
    path.write_bytes(
        stub_library(
            path.name, ("libcublasLt.so.12", "libc.so.6"), rpath="$ORIGIN", machine=machine
        )
    )

    shown = subprocess.run(
        ["readelf", "--wide", "--dynamic", str(path)], capture_output=True, text=True, check=True
    )

    assert shown.stderr == ""
    assert [line.split(None, 1)[1] for line in shown.stdout.splitlines()[3:7]] == [
        "(NEEDED)             Shared library: [libcublasLt.so.12]",
        "(NEEDED)             Shared library: [libc.so.6]",
        "(SONAME)             Library soname: [libcublas.so.12]",
        "(RPATH)              Library rpath: [$ORIGIN]",
    ]


def test_a_stub_program_asks_for_its_loader_and_has_its_search_path() -> None:
    content = stub_program("/lib64/ld-linux-x86-64.so.2", rpath="$ORIGIN/../lib")
    program = elf.read("bin/python", lambda offset, size: content[offset : offset + size])
    assert (program.interpreter, program.rpath) == ("/lib64/ld-linux-x86-64.so.2", "$ORIGIN/../lib")
