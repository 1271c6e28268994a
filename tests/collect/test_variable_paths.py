from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.model.host import VariablePath
from reconciler.model.snapshot import Fact

from .trees import PYTHON_RECORD, conda_prefix, look, venv, write

if TYPE_CHECKING:
    from pathlib import Path


def led_to(**environ: str) -> tuple[VariablePath, ...]:
    return look(None, Fact.VARIABLE_PATHS, environ=environ).variable_paths


def script(folder: Path, name: str, text: str) -> Path:
    path = write(folder, {name: text}) / name
    path.chmod(0o755)
    return path


@pytest.fixture
def conda(tmp_path: Path) -> Path:
    prefix = conda_prefix(tmp_path / "conda", PYTHON_RECORD)
    return write(prefix, {"conda-meta/python-3.11.7-h955ad1f_0.json": "{}"})


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CUDA_HOME": ""},
        {"TRITON_CACHE_DIR": "/nonexistent"},
        {"XLA_FLAGS": "--xla_dump_to=/nonexistent"},
        {"MY_PATH": "/nonexistent"},
        {"PATH": ""},
    ],
)
def test_what_names_no_folder_is_not_looked_at(environ: dict[str, str]) -> None:
    assert led_to(**environ) == ()


@pytest.mark.parametrize("variable", ["CUDA_HOME", "CUDNN_PATH", "PYTHONHOME", "TRITON_PTXAS_PATH"])
def test_a_folder_that_is_not_there_is_said_to_be_so(variable: str) -> None:
    assert led_to(**{variable: "/nonexistent"}) == (
        VariablePath(variable=variable, path="/nonexistent", exists=False),
    )


@pytest.mark.parametrize(
    "flags", ["{0}={1}", "{0} {1}", '{0}="{1}" --xla_other=1', "--xla_other=1 {0}={1}"]
)
def test_the_folder_of_xla_is_one_of_its_flags(tmp_path: Path, flags: str) -> None:
    (found,) = led_to(XLA_FLAGS=flags.format("--xla_gpu_cuda_data_dir", tmp_path))

    assert (found.path, found.exists) == (str(tmp_path), True)


def test_a_pythonhome_may_be_two_folders() -> None:
    assert [p.path for p in led_to(PYTHONHOME="/a:/b")] == ["/a", "/b"]


def test_a_path_into_an_environment_says_which_and_its_python(tmp_path: Path, conda: Path) -> None:
    (tmp_path / "link").symlink_to(conda)

    (found,) = led_to(CUDA_HOME=f"{tmp_path}/link/targets")

    assert (found.environment, found.python) == (str(conda), "3.11.7")


def test_the_first_executable_of_path_is_the_command(tmp_path: Path) -> None:
    write(tmp_path, {"a/pip": "no mode of a program", "b/python/x": ""})
    script(tmp_path, "c/pip", "")
    script(tmp_path, "d/pip", "")

    (pip,) = led_to(PATH=":".join(f"{tmp_path}/{name}" for name in "abcd"))

    assert (pip.command, pip.path) == ("pip", f"{tmp_path}/c/pip")


def test_the_link_of_a_venvs_python_is_not_followed(tmp_path: Path) -> None:
    prefix = venv(tmp_path / "venv")
    script(tmp_path, "python3.11", "")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(tmp_path / "python3.11")

    (python,) = led_to(PATH=f"{prefix}/bin")

    assert python.environment == str(prefix)


@pytest.mark.parametrize(
    ("head", "interpreter"),
    [
        ("#!/old/bin/python3.11\nimport sys\n", "/old/bin/python3.11"),
        ("#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n' '''\n", "/long/bin/python"),
        ("#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''\n", "/a b/bin/python"),
        ("#! /usr/bin/python3 -s\n", "/usr/bin/python3"),
        ("#!/usr/bin/env python\n", None),
        ("#!/bin/sh\nexec something\n", None),
        ("\x7fELF", None),
        ("", None),
    ],
)
def test_a_script_names_its_interpreter(tmp_path: Path, head: str, interpreter: str | None) -> None:
    script(tmp_path, "bin/pip", head)

    (pip,) = led_to(PATH=f"{tmp_path}/bin")

    assert pip.interpreter == interpreter


def test_on_windows_the_command_is_an_exe(tmp_path: Path) -> None:
    script(tmp_path, "Scripts/pip.exe", "MZ")
    environ = {"PATH": f"C:\\nowhere;{tmp_path}/Scripts"}

    snapshot = look(None, Fact.VARIABLE_PATHS, environ=environ, platform="win-64")

    assert [p.command for p in snapshot.variable_paths] == ["pip"]
