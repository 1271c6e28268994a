"""The conda environments that a virtual environment is used in, lies in, or is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab.elf_stub import stub_library, stub_program

from reconciler import catalog
from reconciler.collect.ground import EvidenceWanted
from reconciler.model.snapshot import Fact
from reconciler.world import World

from .trees import look, venv, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOADER = "/lib64/ld-linux-x86-64.so.2"
NVRTC = "libnvrtc.so.12"
WANTED = EvidenceWanted(sonames=frozenset({NVRTC}))


def conda(folder: Path) -> Path:
    return write(folder, {"conda-meta/history": "", f"lib/{NVRTC}": stub_library(NVRTC)})


def found(prefix: Path, environ: Mapping[str, str]) -> list[str]:
    """Return who has each NVRTC that was seen from a virtual environment."""
    snapshot = look(prefix, Fact.PYTHON, Fact.LOADER, environ=environ, wanted=WANTED)
    loading = World(snapshot, catalog.load()).loading
    assert loading is not None
    files = snapshot.loader.files if snapshot.loader else ()
    return [loading.origins.of(file.path).title for file in files if file.soname == NVRTC]


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    return write(venv(tmp_path / "venv"), {"bin/python": stub_program(LOADER)})


def test_the_one_that_is_active_is_looked_into(tmp_path: Path, inner: Path) -> None:
    outer = conda(tmp_path / "outer")

    assert found(inner, {"CONDA_PREFIX": str(outer)}) == [f"the conda environment {outer}"]


def test_without_it_there_is_nothing(tmp_path: Path, inner: Path) -> None:
    conda(tmp_path / "outer")

    assert found(inner, {}) == []


def test_the_one_that_it_lies_in_is_looked_into(tmp_path: Path) -> None:
    outer = conda(tmp_path / "outer")
    inner = write(venv(outer / "work" / "venv"), {"bin/python": stub_program(LOADER)})

    assert found(inner, {}) == [f"the conda environment {outer}"]


def test_what_lies_in_the_environment_itself_is_not_the_outer_one_s(tmp_path: Path) -> None:
    outer = write(tmp_path / "outer", {"conda-meta/history": ""})
    inner = venv(outer / "venv")
    write(
        inner,
        {
            "bin/python": stub_program(LOADER, rpath="$ORIGIN/../own"),
            f"own/{NVRTC}": stub_library(NVRTC),
        },
    )

    assert found(inner, {"CONDA_PREFIX": str(outer)}) == ["no package"]


def test_the_one_whose_python_it_has_is_looked_into(tmp_path: Path) -> None:
    outer = write(conda(tmp_path / "outer"), {"bin/python3.11": stub_program(LOADER)})
    inner = venv(tmp_path / "venv")
    (inner / "bin").mkdir()
    (inner / "bin/python").symlink_to(outer / "bin/python3.11")

    assert found(inner, {}) == [f"the conda environment {outer}"]


def test_a_folder_that_is_no_environment_of_conda_is_passed_over(
    tmp_path: Path, inner: Path
) -> None:
    outer = write(tmp_path / "outer", {f"lib/{NVRTC}": stub_library(NVRTC)})

    assert found(inner, {"CONDA_PREFIX": str(outer)}) == []


def test_another_environment_is_nothing_to_one_of_conda(tmp_path: Path) -> None:
    outer = conda(tmp_path / "outer")
    own = write(tmp_path / "own", {"conda-meta/history": "", "bin/python": stub_program(LOADER)})

    assert found(own, {"CONDA_PREFIX": str(outer)}) == []
