from __future__ import annotations

import pytest

from reconciler.collect.driver import parse
from reconciler.model.host import DriverRelease

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
