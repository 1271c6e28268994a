"""Which builds the lab's channel offers to a release of Python."""

from __future__ import annotations

import re

import pytest

from .records import load_records, read_tables

RECORDED = ((3, 11, 7), (3, 12, 3), (3, 13, 0), (3, 14, 7))
UNRECORDED = ((3, 11, 10), (3, 12, 1), (3, 13, 4), (3, 14, 1), (3, 15, 0))


@pytest.mark.parametrize("release", RECORDED)
def test_what_a_lock_file_shows_is_offered_as_it_was_copied(release: tuple[int, ...]) -> None:
    copied = {record.package: record for record in read_tables()}
    python = f"py3{release[1]}"

    offered = {record.package: record for record in load_records(release)}

    shown = {package for package in copied if python in package}
    assert shown <= offered.keys()
    assert all(offered[package].source == copied[package].source for package in shown)


@pytest.mark.parametrize("release", [*RECORDED, *UNRECORDED])
def test_no_build_that_is_offered_names_another_python(release: tuple[int, ...]) -> None:
    offered = load_records(release)

    texts = [
        text for record in offered for text in (record.package, *record.depends, *record.constrains)
    ]
    named = re.findall(r"(?:py|cp|python_abi[ -])3\.?(\d\d)", "\n".join(texts))
    assert set(named) == {str(release[1])}


@pytest.mark.parametrize("release", [*RECORDED, *UNRECORDED])
def test_every_package_is_offered_to_every_python(release: tuple[int, ...]) -> None:
    offered = {record.nvb[0] for record in load_records(release)}

    assert offered == {record.nvb[0] for record in read_tables()}


@pytest.mark.parametrize("release", [*RECORDED, *UNRECORDED])
def test_the_python_offered_is_the_release_that_asks(release: tuple[int, ...]) -> None:
    pythons = [record.nvb[1] for record in load_records(release) if record.nvb[0] == "python"]

    assert pythons == [".".join(map(str, release))]


def test_a_build_that_no_lock_file_shows_says_what_it_is_derived_from() -> None:
    (cupy,) = (record for record in load_records((3, 12, 3)) if record.nvb[0] == "cupy")

    assert cupy.package == "linux-64/cupy-13.6.0-py312h72da3fd_2"
    assert cupy.source.startswith("derived from linux-64/cupy-13.6.0-py311h72da3fd_2; github.com/")
    assert {
        "cupy-core 13.6.0 py312he30c881_2",
        "python >=3.12,<3.13.0a0",
        "python_abi 3.12.* *_cp312",
    } <= {*cupy.depends}
