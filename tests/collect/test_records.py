from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect import records
from reconciler.collect.ground import EvidenceWanted, Ground
from reconciler.model.snapshot import Fact
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import conda_prefix, look, reasons, venv, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.prefix import PrefixRecord

BROKEN = [
    b"",
    b"{",
    b'{"name": "numpy", "version": "1.26.4", "files": ["lib/',
    b"[]",
    b"null",
    b"7",
    b"<html>404</html>",
    b'{"name": "numpy"}',
    b'{"name": 7, "version": "1.0"}',
    b'{"name": "numpy", "version": "1.0", "depends": "python"}',
    b'{"name": "numpy", "version": "1.0", "files": [7]}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"name": "numpy", "version": "1.0", "x": ' + b"[" * 100_000,
    b'{"name": "n\xff", "version": "1.0", "x": ' + b"[" * 100_000,
    b'{"name": "numpy", "version": "1.0", "build_number": ' + b"9" * 5000 + b"}",
]


def record(prefix: Path) -> PrefixRecord:
    (found,) = look(prefix, Fact.RECORDS).records
    return found


def test_a_venv_has_no_records_and_no_gap(tmp_path: Path) -> None:
    snapshot = look(venv(tmp_path), Fact.RECORDS)

    assert (snapshot.records, snapshot.gaps) == ((), ())


def test_no_environment_is_a_gap_of_all_records() -> None:
    assert reasons(look(None, Fact.RECORDS)) == {None: "no environment to look at"}


def test_conda_says_who_was_asked_for_by_one_spec(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "numpy", "requested_spec": "numpy>=1.26"})

    assert record(prefix).requested_specs == ("numpy>=1.26",)


@pytest.mark.parametrize("nobody", ["None", "", None])
def test_the_text_none_of_conda_is_no_spec(tmp_path: Path, nobody: str | None) -> None:
    prefix = conda_prefix(tmp_path, {"name": "numpy", "requested_spec": nobody})

    assert record(prefix).requested_specs == ()


def test_rattler_says_who_was_asked_for_by_a_list_of_specs(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "numpy", "requested_specs": ["numpy", "numpy>=1.26"]})

    assert record(prefix).requested_specs == ("numpy", "numpy>=1.26")


def test_what_is_null_in_a_record_is_empty(tmp_path: Path) -> None:
    nulls = dict.fromkeys(["build", "build_number", "channel", "depends", "constrains", "files"])
    found = record(conda_prefix(tmp_path, {"name": "numpy", **nulls}))

    assert (found.build, found.build_number, found.channel) == ("", 0, "")
    assert (found.depends, found.constrains, found.files) == ((), (), ())


def test_a_channel_that_is_no_text_is_none(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "numpy", "channel": {"name": "conda-forge"}})

    assert record(prefix).channel == ""


def test_fields_that_nobody_knows_are_passed_over(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "numpy", "paths_data": {"paths": [{}]}, "x": None})

    assert record(prefix).name == "numpy"


@pytest.mark.parametrize(
    ("channel", "kept"),
    [
        ("https://conda.example/t/tk-1-2-3/org/linux-64", "https://conda.example/t/********/org/linux-64"),
        ("https://conda.example/t/tk-1-2-3", "https://conda.example/t/********"),
        ("https://me:hunter2@conda.example/org", "https://**:*******@conda.example/org"),
        ("https://conda.anaconda.org/conda-forge", "https://conda.anaconda.org/conda-forge"),
        ("conda-forge", "conda-forge"),
    ],
)  # fmt: skip
def test_the_channel_is_kept_without_its_credentials(
    tmp_path: Path, channel: str, kept: str
) -> None:
    assert record(conda_prefix(tmp_path, {"name": "numpy", "channel": channel})).channel == kept


@pytest.mark.parametrize(
    "fields",
    [
        {"requested_spec": "https://me:hunter2@conda.example/org::numpy"},
        {"requested_specs": ["https://conda.example/t/hunter2/org::numpy"]},
    ],
)
def test_a_spec_is_kept_without_its_credentials(tmp_path: Path, fields: dict[str, object]) -> None:
    (spec,) = record(conda_prefix(tmp_path, {"name": "numpy", **fields})).requested_specs

    assert "hunter2" not in spec
    assert spec.endswith("/org::numpy")


def test_a_lone_surrogate_of_conda_is_the_byte_of_the_file_name(tmp_path: Path) -> None:
    name = os.fsdecode(b"lib/caf\xe9.txt")
    prefix = conda_prefix(tmp_path, {"name": "accents", "files": [name]})
    assert b"\\udce9" in (prefix / "conda-meta" / "accents.json").read_bytes()

    assert record(prefix).files == ("lib/caf\U0010ffe9.txt",)


def test_bytes_that_are_no_utf8_are_the_bytes_of_the_file_name(tmp_path: Path) -> None:
    raw = b'{"name": "accents", "version": "1", "files": ["lib/caf\xe9.txt"]}'
    prefix = write(conda_prefix(tmp_path), {"conda-meta/accents.json": raw})

    assert record(prefix).files == ("lib/caf\U0010ffe9.txt",)


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00", "\\udfff\\ud800", "\\ud83d"])
def test_half_a_pair_of_surrogates_can_be_saved(tmp_path: Path, text: str) -> None:
    raw = f'{{"name": "odd", "version": "1", "files": ["lib/{text}", "{text}"]}}'
    snapshot = look(write(conda_prefix(tmp_path), {"conda-meta/odd.json": raw}), Fact.RECORDS)

    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


def test_a_true_pair_of_surrogates_is_its_character(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "accents", "files": ["lib/\U0001f600"]})

    assert record(prefix).files == ("lib/\U0001f600",)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda raw: repr(raw[:40]))
def test_a_broken_record_is_a_gap_of_its_own_and_the_others_are_read(
    tmp_path: Path, broken: bytes
) -> None:
    prefix = conda_prefix(tmp_path, {"name": "before"}, {"name": "zlib"})
    write(prefix, {"conda-meta/numpy.json": broken})

    snapshot = look(prefix, Fact.RECORDS)

    assert [r.name for r in snapshot.records] == ["before", "zlib"]
    assert list(reasons(snapshot)) == ["conda-meta/numpy.json"]


def test_the_gap_of_a_broken_record_says_what_it_is_not(tmp_path: Path) -> None:
    prefix = write(conda_prefix(tmp_path), {"conda-meta/numpy.json": '{"name": 7}'})

    (reason,) = reasons(look(prefix, Fact.RECORDS)).values()

    assert reason.startswith("not a record of conda: ")
    assert "\n" not in reason


def test_a_pipe_in_place_of_a_record_is_a_gap(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "zlib"})
    os.mkfifo(prefix / "conda-meta" / "numpy.json")

    assert reasons(look(prefix, Fact.RECORDS)) == {"conda-meta/numpy.json": "not a regular file"}


def test_a_circle_of_links_in_place_of_a_record_is_a_gap(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, {"name": "zlib"})
    (prefix / "conda-meta" / "numpy.json").symlink_to("numpy.json")

    snapshot = look(prefix, Fact.RECORDS)

    assert [r.name for r in snapshot.records] == ["zlib"]
    assert list(reasons(snapshot)) == ["conda-meta/numpy.json"]


def test_a_record_that_is_too_large_is_a_gap(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path)
    with (prefix / "conda-meta" / "numpy.json").open("wb") as file:
        file.truncate(1 << 40)

    (reason,) = reasons(look(prefix, Fact.RECORDS)).values()

    assert "1099511627776 bytes" in reason


def test_what_is_no_record_in_conda_meta_is_left_alone(tmp_path: Path) -> None:
    prefix = write(conda_prefix(tmp_path), {"conda-meta/history": "==>", "conda-meta/pinned": ""})

    snapshot = look(prefix, Fact.RECORDS)

    assert (snapshot.records, snapshot.gaps) == ((), ())


def test_a_file_in_place_of_conda_meta_is_a_gap_of_all_records(tmp_path: Path) -> None:
    snapshot = look(conda_prefix(tmp_path), Fact.RECORDS)
    (tmp_path / "conda-meta").rmdir()
    (tmp_path / "conda-meta").write_text("")
    ground = Ground(target=snapshot.target, directory="/", environ={}, wanted=EvidenceWanted())

    (gap,) = records.collect(ground, snapshot).gaps

    assert gap.item is None


@pytest.mark.parametrize(
    ("subdirs", "platform"),
    [
        (["noarch", "linux-aarch64", "noarch"], "linux-aarch64"),
        (["win-64", "win-64", "noarch"], "win-64"),
        (["noarch"], "linux-64"),
    ],
)
def test_the_platform_is_that_of_the_records(
    tmp_path: Path, subdirs: list[str], platform: str
) -> None:
    packages = [{"name": f"p{n}", "subdir": subdir} for n, subdir in enumerate(subdirs)]

    snapshot = look(conda_prefix(tmp_path, *packages), Fact.RECORDS)

    assert snapshot.target.platform == platform
