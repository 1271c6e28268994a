"""What is read of a machine's loader, held against made-up machines and, on Linux, this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.collect import loader_system

if TYPE_CHECKING:
    from pathlib import Path

X86_64 = 62
LOADER = "/lib64/ld-linux-x86-64.so.2"
FEDORA = b"\0/lib64/\0/usr/lib64/\0\0ld.so (GNU libc) stable release version 2.39.\n\0"
BOOKWORM = (
    b"\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0"
    b"\0ld.so (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.\n\0"
)
V3 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for folder in ("lib64", "etc", "proc"):
        (tmp_path / folder).mkdir()
    (tmp_path / LOADER[1:]).write_bytes(FEDORA)
    return tmp_path


def test_the_directories_are_those_that_the_loader_was_built_with(machine: Path) -> None:
    system, gaps = loader_system.read(LOADER, X86_64, root=str(machine))

    assert system.default_directories == ("/lib64", "/usr/lib64")
    assert (system.lib, system.platform, system.legacy, gaps) == ("lib64", "x86_64", (), ())


def test_a_loader_before_2_37_searches_subdirectories_of_before(machine: Path) -> None:
    (machine / LOADER[1:]).write_bytes(BOOKWORM)

    system, _ = loader_system.read(LOADER, X86_64, root=str(machine))

    assert system.lib == "lib/x86_64-linux-gnu"
    assert system.legacy == (
        "tls/x86_64/x86_64",
        "tls/x86_64",
        "tls",
        "x86_64/x86_64",
        "x86_64",
    )


def test_an_intel_processor_of_before_2_37_is_a_platform_of_its_own(machine: Path) -> None:
    (machine / LOADER[1:]).write_bytes(BOOKWORM)
    (machine / "proc/cpuinfo").write_text(f"vendor_id\t: GenuineIntel\nflags\t\t: fpu {V3}\n")

    system, _ = loader_system.read(LOADER, X86_64, root=str(machine))

    assert system.platform == "haswell"
    assert system.legacy[:2] == ("tls/haswell/x86_64", "tls/haswell")


@pytest.mark.parametrize(
    ("flags", "levels"),
    [
        ("fpu sse2", ()),
        (V3, ("x86-64-v3", "x86-64-v2")),
        (V3.replace("movbe", ""), ("x86-64-v2",)),
        (V3.replace("pni", ""), ()),
    ],
)
def test_a_processor_reaches_a_level_only_with_all_below_it(
    flags: str, levels: tuple[str, ...], machine: Path
) -> None:
    (machine / "proc/cpuinfo").write_text(f"vendor_id\t: AuthenticAMD\nflags\t\t: {flags}\n")

    assert loader_system.read(LOADER, X86_64, root=str(machine))[0].hwcaps == levels


def test_the_directories_of_musl_stand_in_its_own_file(machine: Path) -> None:
    (machine / "etc/ld-musl-x86_64.path").write_text("/lib:/opt/lib\n/usr/lib\n")

    system, gaps = loader_system.read("/lib/ld-musl-x86_64.so.1", X86_64, root=str(machine))

    assert (system.default_directories, gaps) == (("/lib", "/opt/lib", "/usr/lib"), ())


def test_a_damaged_cache_is_a_gap_and_blinds_nothing_else(machine: Path) -> None:
    (machine / "etc/ld.so.cache").write_bytes(b"no cache")
    (machine / "etc/ld.so.preload").write_text("/opt/a.so:/opt/b.so\n")

    system, gaps = loader_system.read(LOADER, X86_64, root=str(machine))

    assert [gap.item for gap in gaps] == ["/etc/ld.so.cache"]
    assert system.preload == ("/opt/a.so", "/opt/b.so")


def test_a_loader_that_is_not_there_is_a_gap(machine: Path) -> None:
    _, gaps = loader_system.read("/lib64/ld-none.so", X86_64, root=str(machine))

    assert [gap.reason for gap in gaps] == ["no such file"]
