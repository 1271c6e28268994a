from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.collect import architecture_cache
from reconciler.collect.architecture_cache import Stamp, load, save, stamp_of, user_folder
from reconciler.model.gpu_code import GpuArchitecture, GpuCode

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "/opt/env"
STAMP = Stamp("/opt/env/lib/libcublas.so.12", 100_000_000, 1_700_000_000_123_456_789)
CODE = (
    GpuCode(kind="ptx", architecture=GpuArchitecture(90), entries=3),
    GpuCode(kind="sass", architecture=GpuArchitecture(90, "a"), entries=12),
)
KNOWN = {STAMP: CODE, Stamp("/opt/env/lib/libnone.so", 5, 7): ()}


def the_file(folder: Path) -> Path:
    (found,) = (path for path in folder.rglob("*") if path.is_file())
    return found


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save(str(tmp_path), PREFIX, KNOWN)

    assert load(str(tmp_path), PREFIX) == KNOWN


def test_each_environment_has_its_own(tmp_path: Path) -> None:
    save(str(tmp_path), PREFIX, KNOWN)
    save(str(tmp_path), "/opt/other", {STAMP: ()})

    assert load(str(tmp_path), PREFIX) == KNOWN


def test_what_the_last_scan_did_not_ask_for_is_forgotten(tmp_path: Path) -> None:
    save(str(tmp_path), PREFIX, KNOWN)
    save(str(tmp_path), PREFIX, {STAMP: CODE})

    assert load(str(tmp_path), PREFIX) == {STAMP: CODE}
    assert the_file(tmp_path).suffix == ".json"


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert load(str(tmp_path), PREFIX) == {}
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_known_nor_kept() -> None:
    save(None, PREFIX, KNOWN)

    assert load(None, PREFIX) == {}


def test_an_environment_s_name_may_be_of_any_bytes(tmp_path: Path) -> None:
    prefix = "/opt/caf\U0010ffe9"
    save(str(tmp_path), prefix, KNOWN)

    assert load(str(tmp_path), prefix) == KNOWN


def test_a_cache_of_another_version_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(str(tmp_path), PREFIX, KNOWN)
    monkeypatch.setattr(architecture_cache, "VERSION", 2)

    assert load(str(tmp_path), PREFIX) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b'{"version":1}',
        b'{"version":1,"known":[{"stamp":{},"code":[]}]}',
        b'{"version":1,"known":[{"stamp":{"path":"a","size":"b","mtime_ns":1},"code":[]}]}',
        b'{"version":1,"known":' + b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_damaged_cache_is_none(tmp_path: Path, content: bytes) -> None:
    save(str(tmp_path), PREFIX, KNOWN)
    the_file(tmp_path).write_bytes(content)

    assert load(str(tmp_path), PREFIX) == {}


@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_bytes_in_the_cache_are_no_failure(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, at: int
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    save(str(folder), PREFIX, KNOWN)
    whole = the_file(folder).read_bytes()
    the_file(folder).write_bytes(whole[:at] + content + whole[at + len(content) :])

    load(str(folder), PREFIX)


def test_a_cache_that_is_too_large_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(str(tmp_path), PREFIX, KNOWN)
    monkeypatch.setattr(architecture_cache, "LIMIT", 100)

    assert load(str(tmp_path), PREFIX) == {}


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "cache")

    save(folder, PREFIX, KNOWN)

    assert load(folder, PREFIX) == {}


@pytest.mark.parametrize("folder", ["/proc/envfix", "/dev/full", "no\0folder"])
def test_a_folder_that_cannot_be_written_is_no_failure(folder: str) -> None:
    save(folder, PREFIX, KNOWN)

    assert load(folder, PREFIX) == {}


def test_a_write_that_fails_leaves_what_was_there_and_no_scrap(tmp_path: Path) -> None:
    save(str(tmp_path), PREFIX, {})
    file = the_file(tmp_path)
    file.unlink()
    file.mkdir()

    save(str(tmp_path), PREFIX, KNOWN)

    assert list(file.parent.iterdir()) == [file]


def test_only_the_user_may_look_into_the_cache(tmp_path: Path) -> None:
    save(str(tmp_path / "envfix"), PREFIX, KNOWN)

    assert the_file(tmp_path).stat().st_mode & 0o77 == 0


def test_a_stamp_tells_a_file_from_what_replaced_it(tmp_path: Path) -> None:
    library = tmp_path / "libx.so"
    library.write_bytes(b"one")
    first = stamp_of(str(library))

    library.write_bytes(b"three")
    second = stamp_of(str(library))
    os.utime(library, ns=(1, 1))

    assert len({first, second, stamp_of(str(library)), None}) == 4


@pytest.mark.parametrize("name", ["nothing", "nul\0byte", "a" * 5000])
def test_what_is_not_there_has_no_stamp(tmp_path: Path, name: str) -> None:
    assert stamp_of(f"{tmp_path}/{name}") is None


def test_the_user_s_folder_is_where_the_system_keeps_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert user_folder() == f"{tmp_path}/envfix"


def test_a_user_without_a_home_has_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", f"{tmp_path}/nobody")

    assert user_folder() is None
