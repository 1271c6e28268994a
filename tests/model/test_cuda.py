from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.cuda import CudaVersion


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("12", "12"),
        ("12.1", "12.1"),
        ("12.1.105", "12.1"),
        ("11.8.0", "11.8"),
        ("9.2", "9.2"),
        ("13.0.48", "13.0"),
        ("12.*", "12"),
        ("12.1rc1", "12.1"),
        ("12.", "12"),
    ],
)
def test_the_release_is_what_a_version_begins_with(text: str, version: str) -> None:
    assert str(CudaVersion.parse(text)) == version


@pytest.mark.parametrize("text", ["", "cu118", " 12.1", "v12", ".1", "*", "None"])
def test_what_begins_with_no_number_is_no_release(text: str) -> None:
    assert CudaVersion.parse(text) is None


@given(st.integers(0, 99), st.none() | st.integers(0, 99))
def test_a_release_is_read_as_it_is_written(major: int, minor: int | None) -> None:
    version = CudaVersion(major, minor)

    assert CudaVersion.parse(str(version)) == version


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("cu75", "7.5"),
        ("cu80", "8.0"),
        ("cu92", "9.2"),
        ("cu100", "10.0"),
        ("cu102", "10.2"),
        ("cu11", "11"),
        ("cu110", "11.0"),
        ("cu118", "11.8"),
        ("cu12", "12"),
        ("cu121", "12.1"),
        ("cu13", "13"),
        ("cu130", "13.0"),
        ("cuda12", "12"),
        ("cuda118", "11.8"),
    ],
)
def test_a_tag_is_a_release(tag: str, version: str) -> None:
    assert str(CudaVersion.from_tag(tag)) == version


@pytest.mark.parametrize(
    "tag", ["", "cu", "cu1", "118", "cpu", "rocm6.0", "cu1180", "xcu118", "cu12x", "cu-118"]
)
def test_what_is_no_tag_is_no_release(tag: str) -> None:
    assert CudaVersion.from_tag(tag) is None


@given(st.text(max_size=12))
def test_any_text_is_a_release_or_none(text: str) -> None:
    assert all(
        version is None or version.major >= 0
        for version in (CudaVersion.parse(text), CudaVersion.from_tag(text))
    )
