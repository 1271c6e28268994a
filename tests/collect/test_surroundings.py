from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loader.cache_writer import row, write_cache

from reconciler import collect
from reconciler.collect.ground import Ground
from reconciler.model.host import CompatLibrary, Surroundings
from reconciler.model.snapshot import Fact, Target

from .machines import library, machine, seen
from .trees import NOTHING_WANTED, write

if TYPE_CHECKING:
    from pathlib import Path

COMPAT = "usr/local/cuda-12.4/compat"


def around(root: Path, **environ: str) -> Surroundings:
    found = seen(root, environ=environ).surroundings
    assert found is not None
    return found


def test_a_machine_with_a_driver_and_nothing_around_it(tmp_path: Path) -> None:
    assert around(machine(tmp_path, "550.54.15")) == Surroundings(
        has_module=True, has_devices=True, library="/usr/lib/x86_64-linux-gnu/libcuda.so.1"
    )


@pytest.mark.parametrize("mark", ["/.dockerenv", "/run/.containerenv"])
def test_a_container_is_told_by_its_mark(tmp_path: Path, mark: str) -> None:
    assert around(write(tmp_path, {mark[1:]: ""})).container == mark


def test_a_container_without_a_mark_is_told_by_its_variable(tmp_path: Path) -> None:
    assert around(tmp_path, APPTAINER_CONTAINER="/a.sif").container == "APPTAINER_CONTAINER"
    assert around(tmp_path, APPTAINER_CONTAINER="").container is None


def test_wsl_is_told_by_the_folder_of_windows(tmp_path: Path) -> None:
    write(tmp_path, {"usr/lib/wsl/lib/libd3d12.so": "", "dev/dxg": ""})

    assert around(tmp_path) == Surroundings(is_wsl=True, has_devices=True)


@pytest.mark.parametrize(
    ("variable", "cached", "reached"),
    [
        (f"/opt/lib:/{COMPAT}/:", False, "LD_LIBRARY_PATH"),
        ("/opt/lib", True, "ld.so.cache"),
        ("", False, None),
    ],
)
def test_cuda_compat_is_told_with_what_leads_there(
    tmp_path: Path, variable: str, cached: bool, reached: str | None
) -> None:
    library(tmp_path, "550.54.15", COMPAT)
    if cached:
        rows = [row("libcuda.so.1", f"/{COMPAT}/libcuda.so.1")]
        write(tmp_path, {"etc/ld.so.cache": write_cache(rows)})

    path = f"/{COMPAT}/libcuda.so.550.54.15"
    found = around(tmp_path, LD_LIBRARY_PATH=variable)
    assert found.compat == (CompatLibrary(path=path, release="550.54.15", reached_by=reached),)
    assert found.library is None


def test_there_is_none_of_it_on_windows(tmp_path: Path) -> None:
    assert seen(tmp_path, Fact.SURROUNDINGS, platform="win-64").surroundings is None


def test_a_link_to_the_toolkit_is_the_toolkit(tmp_path: Path) -> None:
    library(tmp_path, "550.54.15", COMPAT)
    (tmp_path / "usr/local/cuda").symlink_to("cuda-12.4")
    path = f"/{COMPAT}/libcuda.so.550.54.15"

    found = around(tmp_path, LD_LIBRARY_PATH="/usr/local/cuda/compat")

    assert found.compat == (
        CompatLibrary(path=path, release="550.54.15", reached_by="LD_LIBRARY_PATH"),
    )


def test_the_driver_s_own_library_before_cuda_compat_in_the_cache_is_taken(tmp_path: Path) -> None:
    library(tmp_path, "550.54.15", COMPAT)
    paths = ("/usr/lib/x86_64-linux-gnu/libcuda.so.1", f"/{COMPAT}/libcuda.so.1")
    cache = write_cache([row("libcuda.so.1", path) for path in paths])

    (compat,) = around(write(tmp_path, {"etc/ld.so.cache": cache})).compat

    assert compat.reached_by is None


def test_conda_s_cuda_compat_lies_in_the_environment(tmp_path: Path) -> None:
    prefix = write(tmp_path / "env", {"cuda-compat/libcuda.so.580.65.06": ""})
    target = Target(project="/project", prefix=str(prefix), platform="linux-64")
    ground = Ground(
        target=target, environ={}, wanted=NOTHING_WANTED, root=str(tmp_path / "machine")
    )
    found = collect.collect(ground, (Fact.SURROUNDINGS,), envfix="0").surroundings

    assert found is not None
    assert found.compat == (
        CompatLibrary(path=f"{prefix}/cuda-compat/libcuda.so.580.65.06", release="580.65.06"),
    )
