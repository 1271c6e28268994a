from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.model.distribution import (
    Distribution,
    RecordedFile,
    normalize_name,
    required_name,
)

names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", fullmatch=True)
paths = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"]) | st.sampled_from(',"/= '), min_size=1
)
hashes = st.sampled_from(["", "sha256=rO0ABXNyABFqYXZhLnV0aWw", "md5=abc"])
sizes = st.none() | st.integers(0, 2**40)


def distribution(record: str | None) -> Distribution:
    return Distribution(
        name="Py_Torch.x",
        version="2.1.2+cu118",
        location="lib/python3.11/site-packages",
        directory="Py_Torch.x-2.1.2+cu118.dist-info",
        record=record,
    )


@given(names)
def test_a_normal_name_is_that_of_packaging(name: str) -> None:
    assert normalize_name(name) == canonicalize_name(name)


@given(
    names,
    st.sampled_from(["", "==1.0", ">=1,<2", "[gpu]==1.0", " ; extra == 'x'", " @ https://h/x"]),
)
def test_a_required_name_is_that_of_packaging(name: str, rest: str) -> None:
    required = f"{name}{rest}"

    assert required_name(required) == canonicalize_name(Requirement(required).name)


@pytest.mark.parametrize("text", ["", "  ", "==1.0", "[gpu]", ";", "-", "é"])
def test_what_names_nothing_requires_nothing(text: str) -> None:
    assert required_name(text) == ""


def test_a_distribution_has_a_key_and_a_local_label() -> None:
    found = distribution(None)

    assert (found.key, found.local, str(found)) == ("py-torch-x", "cu118", "Py_Torch.x 2.1.2+cu118")


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("torch/__init__.py,sha256=abc,120", RecordedFile("torch/__init__.py", "sha256=abc", 120)),
        ("torch/RECORD,,", RecordedFile("torch/RECORD", "", None)),
        ("torch/RECORD", RecordedFile("torch/RECORD", "", None)),
        ('"a,b.txt",sha256=abc,1', RecordedFile("a,b.txt", "sha256=abc", 1)),
        ('"a,b.txt",,', RecordedFile("a,b.txt", "", None)),
        ('"a ""b"".txt",sha256=abc,1', RecordedFile('a "b".txt', "sha256=abc", 1)),
        ('"a"",b",,', RecordedFile('a",b', "", None)),
        ("../../../bin/torchrun,,x", RecordedFile("../../../bin/torchrun", "", None)),
        ("a.txt,sha256=abc,-1", RecordedFile("a.txt", "sha256=abc", None)),
    ],
)
def test_a_line_of_record_is_path_hash_and_size(line: str, file: RecordedFile) -> None:
    assert list(distribution(f"{line}\n").files()) == [file]


@given(st.lists(st.builds(RecordedFile, paths, hashes, sizes), max_size=4))
def test_record_is_read_as_csv_is_written(files: list[RecordedFile]) -> None:
    text = io.StringIO()
    rows = [(file.path, file.hash, "" if file.size is None else file.size) for file in files]
    csv.writer(text, lineterminator="\n").writerows(rows)

    assert list(distribution(text.getvalue()).files()) == files


@given(st.text())
def test_any_text_of_record_is_read(text: str) -> None:
    assert all(file.path for file in distribution(text).files())


def test_a_size_of_a_thousand_digits_is_read() -> None:
    assert [f.path for f in distribution(f"a.txt,,{'9' * 5000}\n").files()] == ["a.txt"]


@pytest.mark.parametrize("record", [None, ""])
def test_without_lines_there_are_no_files(record: str | None) -> None:
    assert list(distribution(record).files()) == []


@pytest.mark.parametrize(
    "line",
    [
        "cupy/__init__.py,sha256=abc,1",
        "cupy/core/core.so,,",
        "cupy.py,,",
        "cupy.so,,",
        "cupy.cpython-311-x86_64-linux-gnu.so,sha256=abc,1",
        "cupy.cp311-win_amd64.pyd,,",
        '"cupy/a,b.py",,',
    ],
)
def test_a_module_or_package_of_that_name_is_installed(line: str) -> None:
    assert distribution(f"numpy/__init__.py,,\n{line}\n").installs("cupy")


@pytest.mark.parametrize(
    "line",
    [
        "cupyx/__init__.py,,",
        "cupy-13.0.dist-info/RECORD,,",
        "x/cupy/__init__.py,,",
        "cupy.txt,,",
        "cupy,,",
        "",
    ],
)
def test_other_files_install_no_package_of_that_name(line: str) -> None:
    assert not distribution(f"{line}\n").installs("cupy")


def test_a_package_inside_another_is_installed_by_its_folder() -> None:
    found = distribution("google/protobuf/__init__.py,,\n")

    assert (found.installs("google.protobuf"), found.installs("google.cloud")) == (True, False)


def test_without_record_everything_may_be_installed() -> None:
    assert distribution(None).installs("cupy")
