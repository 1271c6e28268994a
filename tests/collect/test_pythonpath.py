from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.model.host import PathEntry
from reconciler.model.snapshot import Fact
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import SITE, conda_prefix, look, venv, write

if TYPE_CHECKING:
    from pathlib import Path


def entries(value: str, project: Path | str = "/project") -> tuple[PathEntry, ...]:
    return look(None, Fact.PYTHONPATH, project=project, environ={"PYTHONPATH": value}).pythonpath


def entry(path: Path) -> PathEntry:
    (found,) = entries(str(path))
    return found


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("environ", [{}, {"PYTHONPATH": ""}])
def test_without_the_variable_there_are_no_entries(environ: dict[str, str]) -> None:
    snapshot = look(None, Fact.PYTHONPATH, environ=environ)

    assert (snapshot.pythonpath, snapshot.gaps) == ((), ())


def test_a_folder_of_sources_belongs_to_nobody(tmp_path: Path) -> None:
    src = write(tmp_path / "src", {"package/__init__.py": "", "package/module.py": ""})

    assert entry(src) == PathEntry(path=str(src))


def test_a_folder_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "nowhere"

    assert entry(path) == PathEntry(path=str(path), exists=False)


def test_a_zip_file_is_no_folder(tmp_path: Path) -> None:
    path = write(tmp_path, {"library.zip": "PK"}) / "library.zip"

    assert not entry(path).exists


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("lib/python3.8/site-packages", "3.8"),
        ("lib64/python3.12/site-packages", "3.12"),
        ("lib/python3.13t/site-packages", "3.13"),
        ("lib/python3.8", "3.8"),
        ("Python310/Lib/site-packages", "3.10"),
        ("lib/python3/dist-packages", None),
        ("python-3.8/src", None),
        ("mypython3.8/src", None),
    ],
)
def test_the_path_names_the_version(tmp_path: Path, path: str, version: str | None) -> None:
    assert entry(folder(tmp_path / path)).python_in_path == version


def test_a_path_names_its_version_even_where_it_is_not_there(tmp_path: Path) -> None:
    assert entry(tmp_path / "lib" / "python3.8" / "site-packages").python_in_path == "3.8"


@pytest.mark.parametrize(
    "files",
    [
        {"_ext.cpython-38-x86_64-linux-gnu.so": ""},
        {"numpy/_ext.cpython-38-x86_64-linux-gnu.so": ""},
        {"_ext.cp38-win_amd64.pyd": ""},
        {"_ext.cpython-38-darwin.so": ""},
        {"numpy-1.24.4.dist-info/RECORD": "numpy/core/_ext.cpython-38-x86_64-linux-gnu.so,,\n"},
    ],
    ids=lambda files: next(iter(files)),
)
def test_an_extension_module_tells_its_python(tmp_path: Path, files: dict[str, str]) -> None:
    assert entry(write(tmp_path / "lib", files)).extensions_for == ("3.8",)


def test_extension_modules_may_be_for_many_pythons(tmp_path: Path) -> None:
    names = [f"_ext.cpython-{tag}-x86_64-linux-gnu.so" for tag in ("38", "311", "313t")]

    found = entry(write(tmp_path / "lib", dict.fromkeys(names, "")))

    assert found.extensions_for == ("3.11", "3.13", "3.8")


@pytest.mark.parametrize("name", ["_ext.abi3.so", "_ext.so", "libx.so.1", "cpython-38.txt"])
def test_a_module_of_every_python_tells_none(tmp_path: Path, name: str) -> None:
    assert entry(write(tmp_path / "lib", {name: ""})).extensions_for == ()


def test_the_own_site_packages_belongs_to_its_prefix(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "prefix")

    assert entry(prefix / SITE).prefix == str(prefix)


def test_a_folder_of_a_venv_belongs_to_the_venv(tmp_path: Path) -> None:
    prefix = venv(tmp_path / "venv")

    assert entry(prefix / SITE).prefix == str(prefix)


@pytest.mark.parametrize("path", [SITE, "lib/python3/dist-packages", "Lib/site-packages"])
def test_a_standard_library_above_is_a_prefix(tmp_path: Path, path: str) -> None:
    assert entry(folder(tmp_path / "usr" / path)).prefix == str(tmp_path / "usr")


def test_the_distributions_are_listed_by_their_normal_names(tmp_path: Path) -> None:
    names = ["Py_Yaml-6.0.dist-info", "rospkg-1.5.0.egg-info", "rospkg-1.5.dist-info", "README"]
    path = write(tmp_path / "lib", {f"{name}/PKG-INFO": "" for name in names})

    assert entry(path).distributions == ("py-yaml", "rospkg")


def test_entries_are_in_their_order_and_absolute(tmp_path: Path) -> None:
    paths = [e.path for e in entries(f"/opt/b:src:{tmp_path}/a/::.:/", project=tmp_path)]

    assert paths == [
        "/opt/b",
        f"{tmp_path}/src",
        f"{tmp_path}/a",
        str(tmp_path),
        str(tmp_path),
        "/",
    ]


def test_on_windows_the_separator_is_a_semicolon() -> None:
    found = look(
        None, Fact.PYTHONPATH, environ={"PYTHONPATH": "C:\\a;D:\\b"}, platform="win-64"
    ).pythonpath

    assert [e.path for e in found] == ["C:\\a", "D:\\b"]


def test_a_circle_of_links_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")

    assert not entry(tmp_path / "a").exists


def test_pipes_inside_do_not_stop_it(tmp_path: Path) -> None:
    path = write(tmp_path / "lib", {"a-1.0.dist-info/METADATA": ""})
    os.mkfifo(path / "a-1.0.dist-info" / "RECORD")
    os.mkfifo(path / "package")

    assert entry(path).distributions == ("a",)


def test_a_name_that_is_no_utf8_is_read_and_can_be_saved(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(path)
    os.mkdir(path + b"/caf\xe9-1.0.dist-info")

    snapshot = look(None, Fact.PYTHONPATH, environ={"PYTHONPATH": os.fsdecode(path)})

    assert snapshot.pythonpath[0].distributions == ("caf\U0010ffe9",)
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


def test_an_entry_through_a_link_belongs_to_what_the_link_leads_to(tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "env", {"name": "python", "version": "3.11.7", "build": "0"})
    (tmp_path / "link").symlink_to(prefix)

    assert entry(tmp_path / "link" / SITE).prefix == str(prefix)


def test_a_folder_beside_a_venv_is_not_of_it(tmp_path: Path) -> None:
    venv(tmp_path / ".venv")
    folder(tmp_path / "src")

    assert entry(tmp_path / ".venv" / ".." / "src").prefix is None
