from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from reconciler.model.host import KernelSpec
from reconciler.model.snapshot import Fact

from .trees import conda_prefix, look, reasons, venv, write

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = "share/jupyter/kernels"


def kernels(prefix: Path | None, **environ: str) -> tuple[KernelSpec, ...]:
    return look(prefix, Fact.KERNELS, environ=environ).kernels


def kernel(folder: Path, name: str, *argv: object) -> None:
    text = json.dumps({"argv": argv, "display_name": name})
    write(folder, {f"{name}/kernel.json": text})


@pytest.fixture
def conda(tmp_path: Path) -> Path:
    return conda_prefix(tmp_path / "conda")


def test_without_an_environment_it_is_a_gap() -> None:
    assert None in reasons(look(None, Fact.KERNELS))


def test_an_environment_may_have_none(conda: Path) -> None:
    assert kernels(conda) == ()


def test_the_interpreter_is_the_first_word_and_lies_in_its_environment(conda: Path) -> None:
    kernel(conda / KERNELS, "python3", f"{conda}/bin/python", "-m", "ipykernel_launcher")

    assert kernels(conda) == (
        KernelSpec(
            name="python3",
            path=f"{KERNELS}/python3",
            interpreter=f"{conda}/bin/python",
            environment=str(conda),
        ),
    )


def test_a_bare_name_lies_nowhere(conda: Path) -> None:
    kernel(conda / KERNELS, "python3", "python")

    assert kernels(conda)[0].environment is None


def test_the_link_of_a_venvs_interpreter_is_not_followed(tmp_path: Path, conda: Path) -> None:
    prefix = venv(tmp_path / "venv")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(conda / "bin" / "python")
    kernel(prefix / KERNELS, "python3", f"{prefix}/bin/python")

    assert kernels(prefix)[0].environment == str(prefix)


@pytest.mark.parametrize(
    ("variable", "value", "folder"),
    [
        ("HOME", ".", ".local/share/jupyter/kernels"),
        ("XDG_DATA_HOME", "data", "data/jupyter/kernels"),
        ("JUPYTER_DATA_DIR", "own", "own/kernels"),
        ("JUPYTER_PATH", "more", "more/kernels"),
    ],
)
def test_the_users_kernels_are_found(
    tmp_path: Path, conda: Path, variable: str, value: str, folder: str
) -> None:
    kernel(tmp_path / folder, "mine", "/usr/bin/python3")

    (mine,) = kernels(conda, **{variable: os.path.normpath(tmp_path / value)})

    assert mine.path == f"{tmp_path}/{folder}/mine"


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"argv": []}', b'{"argv": [1]}', b'{"argv": "x"}', b"\xff"]
)
def test_a_broken_kernel_is_a_gap_and_hides_no_other(conda: Path, text: bytes) -> None:
    write(conda / KERNELS, {"broken/kernel.json": text, "empty/logo.png": b""})
    kernel(conda / KERNELS, "python3", "python")

    snapshot = look(conda, Fact.KERNELS)

    assert [k.name for k in snapshot.kernels] == ["python3"]
    assert list(reasons(snapshot)) == [f"{KERNELS}/broken"]


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [("osx-arm64", "HOME", "Library/Jupyter"), ("win-64", "APPDATA", "jupyter")],
)
def test_each_system_has_a_place_for_the_users_kernels(
    tmp_path: Path, conda: Path, platform: str, variable: str, folder: str
) -> None:
    kernel(tmp_path / folder / "kernels", "mine", "python")

    snapshot = look(conda, Fact.KERNELS, environ={variable: str(tmp_path)}, platform=platform)

    assert [k.name for k in snapshot.kernels] == ["mine"]
