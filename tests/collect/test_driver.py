from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loader.cache_writer import row, write_cache

from reconciler.collect.driver import parse
from reconciler.model.host import DriverRelease
from reconciler.model.snapshot import Fact

from .machines import LIB, library, machine, module_of, seen
from .trees import reasons, write

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [
    (
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"
            "GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)\n"
        ),
        "535.104.05",
    ),
    (
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build"
            "  (dvs-builder@U22)  Sun Jul 27 07:19:35 UTC 2025\nGCC version:  gcc version 12.3.0\n"
        ),
        "580.65.06",
    ),
    (
        "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build\n",
        "540.4.0",
    ),
    (
        "NVRM version: NVIDIA UNIX aarch64 Kernel Module  470.57.02  Tue Jul 13 2021\n",
        "470.57.02",
    ),
    (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  390.157  Wed Oct 12 09:19:07 UTC 2022\n",
        "390.157",
    ),
]


@pytest.mark.parametrize(("text", "release"), TEXTS)
def test_the_release_is_read_from_the_text_of_the_kernel_module(text: str, release: str) -> None:
    assert str(parse(text)) == release


@pytest.mark.parametrize(
    "text", ["", "\n", "NVRM version: ?", "GCC version:  gcc version 11.4.0", "NVRM version: 12"]
)
def test_a_text_that_names_no_release_has_none(text: str) -> None:
    assert parse(text) is None


def test_releases_are_in_the_order_of_their_numbers() -> None:
    releases = [DriverRelease.parse(text) for text in ("535.104.05", "535.54.03", "9")]

    assert sorted(releases)[::-1] == releases


def test_the_module_tells_the_release(tmp_path: Path) -> None:
    snapshot = seen(machine(tmp_path, "535.104.05"))

    assert (str(snapshot.driver), snapshot.gaps) == ("535.104.05", ())


def test_without_the_module_the_name_of_the_library_tells(tmp_path: Path) -> None:
    assert str(seen(library(tmp_path, "580.65.06")).driver) == "580.65.06"


def test_absolute_links_are_followed_on_the_machine_that_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path, {"opt/nvidia/libcuda.so.550.54.15": b"", f"{LIB}/other": b""})
    (tmp_path / LIB / "libcuda.so.1").symlink_to("/opt/nvidia/libcuda.so.550.54.15")

    assert str(seen(tmp_path).driver) == "550.54.15"


def test_ld_so_cache_leads_to_a_library_elsewhere(tmp_path: Path) -> None:
    library(tmp_path, "470.86", "opt/driver")
    write(
        tmp_path,
        {"etc/ld.so.cache": write_cache([row("libcuda.so.1", "/opt/driver/libcuda.so.1")])},
    )

    assert str(seen(tmp_path).driver) == "470.86"


@pytest.mark.parametrize("folder", ["usr/local/cuda-12.4/compat", "usr/local/cuda/lib64/stubs"])
def test_what_stands_in_for_the_driver_tells_nothing_of_it(tmp_path: Path, folder: str) -> None:
    library(tmp_path, "550.54.15", folder)
    write(
        tmp_path, {"etc/ld.so.cache": write_cache([row("libcuda.so.1", f"/{folder}/libcuda.so.1")])}
    )
    snapshot = seen(tmp_path)

    assert (snapshot.driver, snapshot.gaps) == (None, ())


def test_in_wsl_the_bytes_of_the_library_tell(tmp_path: Path) -> None:
    folder = "usr/lib/wsl/lib"
    library(tmp_path, "1.1", folder, b"\x7fELF\0\0libcuda.so.1\x00555.85\0more 470.86 words\0")

    assert str(seen(tmp_path).driver) == "555.85"


def test_a_release_across_two_blocks_is_found_once(tmp_path: Path) -> None:
    content = bytes((4 << 20) - 4) + b"\x00555.85\0" + bytes(1 << 20)
    library(tmp_path, "1.1", "usr/lib/wsl/lib", content)

    assert str(seen(tmp_path).driver) == "555.85"


@pytest.mark.parametrize("content", [b"", b"\x00555.85\0\x00470.86\0"])
def test_a_library_that_tells_no_release_or_two_is_a_gap(tmp_path: Path, content: bytes) -> None:
    snapshot = seen(library(tmp_path, "1.1", content=content))

    assert snapshot.driver is None
    assert "tells no release of the driver" in reasons(snapshot)[None]


def test_a_machine_without_a_driver_is_known_to_have_none(tmp_path: Path) -> None:
    snapshot = seen(tmp_path)

    assert (snapshot.driver, snapshot.gaps) == (None, ())
    assert snapshot.gpus is not None
    assert snapshot.gpus.devices == ()


def test_a_module_that_names_no_release_is_a_gap(tmp_path: Path) -> None:
    snapshot = seen(write(tmp_path, {"proc/driver/nvidia/version": "NVRM version: ?\n"}))

    assert "names no release" in reasons(snapshot)[None]


def test_a_module_s_file_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "proc/driver/nvidia/version").mkdir(parents=True)

    assert "cannot be read" in reasons(seen(tmp_path))[None]


def test_links_in_a_circle_are_no_driver(tmp_path: Path) -> None:
    (tmp_path / LIB).mkdir(parents=True)
    (tmp_path / LIB / "libcuda.so.1").symlink_to("libcuda.so.1")

    assert seen(tmp_path).driver is None


def test_windows_tells_of_its_driver_through_nvidia_s_library_alone(tmp_path: Path) -> None:
    snapshot = seen(write(tmp_path, {"a": module_of("550.1")}), Fact.DRIVER, platform="win-64")

    assert "on Windows" in reasons(snapshot)[None]


def test_a_branch_alone_is_its_newest_release() -> None:
    least = DriverRelease.parse("525.60.13")

    assert DriverRelease.parse("525").is_at_least(least)
    assert not DriverRelease.parse("525.53").is_at_least(least)
