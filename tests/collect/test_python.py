from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.model.snapshot import Fact

from .trees import PYTHON_RECORD, conda_prefix, look, reasons, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.prefix import Python


def python(prefix: Path) -> Python | None:
    snapshot = look(prefix, Fact.RECORDS, Fact.PYTHON)
    assert snapshot.gaps == ()
    return snapshot.python


def folders(prefix: Path, *names: str) -> Path:
    for name in names:
        (prefix / name).mkdir(parents=True)
    return prefix


def test_a_prefix_without_python_has_none_and_no_gap(tmp_path: Path) -> None:
    assert python(folders(tmp_path, "conda-meta")) is None


def test_no_environment_is_a_gap() -> None:
    assert reasons(look(None, Fact.PYTHON)) == {None: "no environment to look at"}


def test_the_record_tells_the_exact_version(tmp_path: Path) -> None:
    found = python(conda_prefix(tmp_path, PYTHON_RECORD))

    assert found is not None
    assert (found.version, found.minor) == ("3.11.7", "3.11")
    assert found.site_packages == ("lib/python3.11/site-packages",)


def test_the_site_packages_of_the_record_comes_first(tmp_path: Path) -> None:
    free_threaded = "lib/python3.13t/site-packages"
    record = {"name": "python", "version": "3.13.0", "python_site_packages_path": free_threaded}

    found = python(conda_prefix(tmp_path, record))

    assert found is not None
    assert found.site_packages == (free_threaded,)


def test_the_record_of_windows_has_its_own_site_packages(tmp_path: Path) -> None:
    found = python(conda_prefix(tmp_path, PYTHON_RECORD | {"subdir": "win-64"}))

    assert found is not None
    assert found.site_packages == ("Lib/site-packages",)


def test_a_null_byte_in_the_path_of_the_record_is_a_gap_of_what_lies_there(tmp_path: Path) -> None:
    record = PYTHON_RECORD | {"python_site_packages_path": "lib/\0"}

    snapshot = look(conda_prefix(tmp_path, record))

    assert [gap.fact for gap in snapshot.gaps if gap.item == "lib/\0"] == [Fact.DISTRIBUTIONS]


@pytest.mark.parametrize(
    ("config", "version"),
    [
        ("home = /usr/bin\nversion = 3.11.7\n", "3.11.7"),
        ("home=/usr/bin\r\nversion=3.11\r\n", "3.11"),
        ("home = /usr/bin\nversion_info = 3.11.7.final.0\n", "3.11.7"),
        ("home = /usr/bin\nuv = 0.5.4\nversion_info = 3.11.7\n", "3.11.7"),
        ("home = /usr/bin\nVersion = 3.11.7\n", "3.11.7"),
        ("home = /usr/bin\nversion = 3.13.0rc1\n", "3.13.0"),
    ],
)
def test_pyvenv_cfg_tells_the_version_and_home(tmp_path: Path, config: str, version: str) -> None:
    found = python(write(tmp_path, {"pyvenv.cfg": config}))

    assert found is not None
    assert (found.version, found.home) == (version, "/usr/bin")
    assert found.site_packages == (f"lib/python{found.minor}/site-packages",)


def test_a_venv_of_windows_has_its_own_site_packages(tmp_path: Path) -> None:
    prefix = write(folders(tmp_path, "Lib"), {"pyvenv.cfg": "home = C:\\\nversion = 3.12.1\n"})

    found = python(prefix)

    assert found is not None
    assert found.site_packages == ("Lib/site-packages",)


@pytest.mark.parametrize("folder", ["lib/python3.13t", "lib/pypy3.13"])
def test_a_venv_has_the_site_packages_of_its_kind_of_python(tmp_path: Path, folder: str) -> None:
    prefix = write(folders(tmp_path, folder), {"pyvenv.cfg": "version = 3.13.0\n"})

    found = python(prefix)

    assert found is not None
    assert found.site_packages == (f"{folder}/site-packages",)


@pytest.mark.parametrize("config", ["", "home = /usr/bin\n", "version\n", "\x00", "version = ?\n"])
def test_a_pyvenv_cfg_without_a_version_leaves_it_to_the_folder(
    tmp_path: Path, config: str
) -> None:
    found = python(write(folders(tmp_path, "lib/python3.10"), {"pyvenv.cfg": config}))

    assert found is not None
    assert found.version == "3.10"


def test_a_home_that_is_no_utf8_is_kept(tmp_path: Path) -> None:
    found = python(write(tmp_path, {"pyvenv.cfg": b"home = /caf\xe9\nversion = 3.11.7\n"}))

    assert found is not None
    assert found.home == "/caf\U0010ffe9"


@pytest.mark.parametrize(
    ("names", "version", "folder"),
    [
        (["python3.9"], "3.9", "python3.9"),
        (["python3.13t"], "3.13", "python3.13t"),
        (["pypy3.9"], "3.9", "pypy3.9"),
        (["python3.1", "python3.11"], "3.11", "python3.11"),
        (["python3.9", "python3.10"], "3.10", "python3.10"),
    ],
)
def test_without_a_record_the_folder_tells(
    tmp_path: Path, names: list[str], version: str, folder: str
) -> None:
    found = python(folders(tmp_path, "conda-meta", *(f"lib/{name}" for name in names)))

    assert found is not None
    assert found.version == version
    assert found.site_packages == (f"lib/{folder}/site-packages",)


@pytest.mark.parametrize("name", ["python3", "libpython3.11", "python3.11-config", "python"])
def test_other_names_in_lib_are_no_python(tmp_path: Path, name: str) -> None:
    assert python(folders(tmp_path, "conda-meta", f"lib/{name}")) is None
