from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reconciler.model.snapshot import Fact

from .trees import PYTHON_RECORD, SITE, conda_prefix, look, venv, write

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS_SITE = "Lib/site-packages"
WINDOWS_PYTHON = PYTHON_RECORD | {"subdir": "win-64"}


def metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n"


def windows_prefix(folder: Path, *records: dict[str, object]) -> Path:
    (folder / "conda-meta").mkdir(parents=True)
    write(folder, {"python.exe": "", "python311.dll": "", "Scripts/pip.exe": ""})
    write(folder, {f"{WINDOWS_SITE}/numpy-1.26.4.dist-info/METADATA": metadata("numpy", "1.26.4")})
    known = {"version": "1.0", "build": "0", "subdir": "win-64"}
    written = (known | record for record in records)
    return write(folder, {f"conda-meta/{r['name']}.json": json.dumps(r) for r in written})


@pytest.mark.parametrize(
    ("files", "machine", "platform"),
    [
        ({}, "linux-64", "linux-64"),
        ({}, "linux-aarch64", "linux-aarch64"),
        ({}, "osx-arm64", "osx-arm64"),
        ({"python.exe": ""}, "linux-64", "win-64"),
        ({"Scripts/python.exe": ""}, "osx-arm64", "win-64"),
        ({"Scripts/python.exe": ""}, "win-arm64", "win-arm64"),
        ({"Lib/site-packages/x.py": ""}, "linux-64", "win-64"),
        ({"Lib/x.py": "", "lib/python3.11/os.py": ""}, "linux-64", "linux-64"),
        ({"lib/libpython3.11.dylib": ""}, "linux-64", "osx-arm64"),
        ({"lib/libpython3.11.dylib": ""}, "osx-64", "osx-64"),
        ({"lib/libpython3.11.so.1.0": ""}, "win-64", "linux-64"),
        ({"lib/libpython3.11.so.1.0": ""}, "osx-arm64", "linux-aarch64"),
        ({"pyvenv.cfg": "home = C:\\Python311\nversion = 3.11.7\n"}, "linux-64", "win-64"),
        ({"pyvenv.cfg": "home = /Users/u/.pyenv/bin\n"}, "linux-64", "osx-arm64"),
        ({"pyvenv.cfg": "home=/opt/homebrew/opt/python@3.11/bin\n"}, "linux-64", "osx-arm64"),
        ({"pyvenv.cfg": "home = /usr/bin\n"}, "linux-64", "linux-64"),
    ],
)
def test_the_platform_is_that_of_the_prefix_s_shape_then_of_the_machine(
    tmp_path: Path, files: dict[str, str], machine: str, platform: str
) -> None:
    tmp_path.joinpath("prefix").mkdir()
    prefix = write(tmp_path / "prefix", {"conda-meta/history": "", **files})

    assert look(prefix, Fact.PYTHON, platform=machine).target.platform == platform


@pytest.mark.parametrize("subdir", ["../../etc", "", "noarch", "linux", "\x1b[2J-64", "win-64\n"])
def test_a_subdir_that_names_no_platform_tells_none(tmp_path: Path, subdir: str) -> None:
    snapshot = look(conda_prefix(tmp_path, PYTHON_RECORD | {"subdir": subdir}), Fact.RECORDS)

    assert snapshot.target.platform == "linux-64"


def test_the_records_know_better_than_the_shape(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path, PYTHON_RECORD | {"subdir": "osx-64"})
    write(prefix, {"lib/libpython3.11.dylib": ""})

    assert look(prefix, platform="linux-64").target.platform == "osx-64"


def test_what_is_read_after_the_records_is_read_for_their_platform(tmp_path: Path) -> None:
    snapshot = look(windows_prefix(tmp_path, WINDOWS_PYTHON), environ={"PYTHONPATH": "C:\\a;D:\\b"})

    assert [entry.path for entry in snapshot.pythonpath] == ["C:\\a", "D:\\b"]


@pytest.mark.parametrize("records", [[WINDOWS_PYTHON], []])
def test_a_prefix_of_windows_has_its_site_packages_in_lib(
    tmp_path: Path, records: list[dict[str, object]]
) -> None:
    snapshot = look(windows_prefix(tmp_path, *records))

    assert snapshot.python is not None
    assert snapshot.python.site_packages == (WINDOWS_SITE,)
    assert snapshot.python.minor == "3.11"
    assert [str(d) for d in snapshot.distributions] == ["numpy 1.26.4"]


@pytest.mark.parametrize("subdir", ["win-64", "noarch"])
def test_paths_of_windows_are_stored_with_slashes(tmp_path: Path, subdir: str) -> None:
    files = ["Lib\\site-packages\\numpy\\core.pyd", "Library/bin/cudart64_12.dll"]
    numpy = {"name": "numpy", "subdir": subdir, "files": files}
    prefix = windows_prefix(tmp_path, WINDOWS_PYTHON, numpy)
    record = "numpy\\core.pyd,,\r\n..\\..\\Scripts\\f2py.exe,sha256=x,5\r\n"
    write(prefix, {f"{WINDOWS_SITE}/numpy-1.26.4.dist-info/RECORD": record})

    snapshot = look(prefix)

    (installed,) = (r for r in snapshot.records if r.name == "numpy")
    assert installed.files == ("Lib/site-packages/numpy/core.pyd", "Library/bin/cudart64_12.dll")
    (numpy_by_pip,) = snapshot.distributions
    assert [file.path for file in numpy_by_pip.files()] == [
        "numpy/core.pyd",
        "../../Scripts/f2py.exe",
    ]


def test_a_backslash_in_a_path_of_linux_is_a_part_of_its_name(tmp_path: Path) -> None:
    odd = {"name": "odd", "files": ["share/a\\b"]}

    snapshot = look(conda_prefix(tmp_path, PYTHON_RECORD, odd))

    assert snapshot.records[0].files == ("share/a\\b",)


def test_a_venv_of_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / SITE).mkdir(parents=True)
    prefix = venv(tmp_path / "venv")
    write(
        prefix,
        {
            "pyvenv.cfg": "home = C:\\Python312\nversion = 3.12.1\n",
            "Scripts/python.exe": "",
            f"{WINDOWS_SITE}/torch-2.5.1.dist-info/METADATA": metadata("torch", "2.5.1"),
        },
    )

    snapshot = look(prefix)

    assert snapshot.target.platform == "win-64"
    assert [str(d) for d in snapshot.distributions] == ["torch 2.5.1"]


def test_there_is_no_driver_to_miss_on_macos(tmp_path: Path) -> None:
    prefix = write(conda_prefix(tmp_path), {"lib/libpython3.11.dylib": ""})

    assert look(prefix, Fact.DRIVER).gaps == ()
