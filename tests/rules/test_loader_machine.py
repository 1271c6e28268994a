"""ELF504 on a made-up machine: real files, an ld.so.cache, and a prefix that nobody has activated."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from lab.elf_stub import stub_library, stub_program
from loader.cache_writer import row, write_cache

from reconciler import catalog, pipeline
from reconciler.collect.prefixes import Choice
from reconciler.model.finding import Severity
from reconciler.model.host import SystemToolkit
from reconciler.rules import all_rules

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.finding import Finding

LOADER = "/lib64/ld-linux-x86-64.so.2"
SITE = "lib/python3.11/site-packages"
TAG = "cpython-311-x86_64-linux-gnu.so"
TOOLKIT = "/usr/local/cuda-13.0"


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Write conda's CUDA 12.4 with CuPy, and CUDA 13 where ldconfig has seen it."""
    prefix = tmp_path / "prefix"
    write(prefix / "bin/python", stub_program(LOADER, rpath="$ORIGIN/../lib"))
    write(tmp_path / LOADER[1:], stub_library("ld-linux-x86-64.so.2"))
    own = {
        "lib/libnvrtc.so.12": stub_library("libnvrtc.so.12"),
    }
    wheel = {
        f"cupy/_core/core.{TAG}": stub_library(),
        f"cupy/cuda/jitify.{TAG}": stub_library(None, ["libnvrtc.so.12"]),
        "cupy/__init__.py": b"",
    }
    for path, content in own.items():
        write(prefix / path, content)
    for path, content in wheel.items():
        write(prefix / SITE / path, content)
    for name, version, files in (
        ("python", "3.11.9", ["bin/python"]),
        ("cuda-nvrtc", "12.4.127", [*own]),
    ):
        record = {"name": name, "version": version, "build": "0", "files": files}
        text = json.dumps(record | {"build_number": 0, "subdir": "linux-64"})
        write(prefix / f"conda-meta/{name}-{version}-0.json", text.encode())
    for name, version in (("cupy-cuda12x", "14.2.0"), ("cuda-pathfinder", "1.9.0")):
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        paths = [*wheel] if name.startswith("cupy") else []
        write(prefix / SITE / info / "METADATA", f"Name: {name}\nVersion: {version}\n".encode())
        write(prefix / SITE / info / "RECORD", "".join(f"{p},,\n" for p in paths).encode())
    folder = f"{TOOLKIT}/lib64"
    write(tmp_path / folder[1:] / "libnvrtc.so.13", stub_library("libnvrtc.so.13"))
    rows = [row("libnvrtc.so.13", f"{folder}/libnvrtc.so.13")]
    write(tmp_path / "etc/ld.so.cache", write_cache(rows))
    return tmp_path


def told(machine: Path, **variables: str) -> tuple[Finding, ...]:
    seen = pipeline.look(
        str(machine),
        Choice(prefix=str(machine / "prefix")),
        variables,
        host=False,
        root=str(machine),
    )
    toolkit = SystemToolkit(path=TOOLKIT, version="13.0.2", found_by=("/usr/local/cuda-13.0",))
    seen = msgspec.structs.replace(seen, toolkits=(toolkit,))
    report = pipeline.judge(seen, (all_rules()["ELF504"],), catalog.load())
    assert (report.crashes, report.skips) == ((), ())
    return report.findings


def test_what_is_not_activated_takes_the_other_half_from_the_system(machine: Path) -> None:
    (finding,) = told(machine)

    assert finding.severity is Severity.INFO
    assert "in this shell and not activated" in finding.message
    assert f"libnvrtc.so.13 of the CUDA toolkit 13.0.2 in {TOOLKIT}" in finding.message
    assert "libnvrtc.so.12 of conda's cuda-nvrtc 12.4.127" in finding.message
    assert finding.remedy.startswith("activate the environment first")


def test_without_a_toolkit_in_the_cache_there_is_one_cuda(machine: Path) -> None:
    (machine / "etc/ld.so.cache").unlink()

    assert told(machine) == ()
