"""What of a driver reaches a container, WSL or cuda-compat: from made-up machines to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from collect.machines import library, machine
from collect.trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, write
from lab.fatbin_stub import container, entry, gpu_library

from reconciler import catalog, pipeline
from reconciler.rules import all_rules

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.finding import Finding

KNOWN = catalog.load()
RULES = tuple(rule for code, rule in all_rules().items() if code.startswith("DRV"))
TORCH = f"{SITE}/torch/lib/libtorch_cuda.so"
COMPAT = "usr/local/cuda-12.4/compat"
A100, GEFORCE = "NVIDIA A100-SXM4-80GB", "NVIDIA GeForce RTX 4090"


def judged(folder: Path, cuda: str, **environ: str) -> list[Finding]:
    """Judge PyTorch for a CUDA release on the machine that was made up below a folder."""
    prefix = conda_prefix(folder / "env", PYTHON_RECORD)
    record = "torch/lib/libtorch_cuda.so,,\ntorch/lib/libc10_cuda.so,,\n"
    build = f"2.9.0+cu{cuda.replace('.', '')}"
    dist_info(prefix, "torch", build, RECORD=record, INSTALLER="pip\n")
    code = [entry("sass", 80), entry("sass", 89)]
    write(prefix, {TORCH: gpu_library(container(*code))})
    (folder / "project").mkdir()
    choice = pipeline.Choice(prefix=str(prefix))
    root = str(folder / "root")
    snapshot = pipeline.look(str(folder / "project"), choice, environ, root=root)
    report = pipeline.judge(snapshot, RULES, KNOWN)
    assert report.crashes == ()
    return list(report.findings)


def contained(folder: Path, *without: str) -> None:
    """Write a container whose host has a driver, without some of what the toolkit puts there."""
    root = machine(folder / "root", "580.65.06", A100)
    write(root, {".dockerenv": ""})
    for path in without:
        (root / path).unlink()


DEVICES, LIBRARY = "dev/nvidiactl", "usr/lib/x86_64-linux-gnu/libcuda.so.1"


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ([DEVICES, LIBRARY], "neither the GPU's devices nor the driver's library libcuda.so.1"),
        ([DEVICES], "a libcuda.so.1 and none of the GPU's devices"),
        ([LIBRARY], "the GPU's devices and not the driver's library libcuda.so.1"),
    ],
)
def test_a_container_says_what_of_the_driver_does_not_reach_it(
    without: list[str], words: str, tmp_path: Path
) -> None:
    contained(tmp_path, *without)

    (finding,) = judged(tmp_path, "12.4", NVIDIA_VISIBLE_DEVICES="all")

    assert finding.code == "DRV607"
    assert f"this container has {words}" in finding.message
    assert finding.evidence[0] == "/.dockerenv tells of a container"


@pytest.mark.parametrize("wish", ["none", "void"])
def test_a_container_that_wants_no_gpu_is_left_alone(wish: str, tmp_path: Path) -> None:
    contained(tmp_path, DEVICES, LIBRARY)

    assert judged(tmp_path, "12.4", NVIDIA_VISIBLE_DEVICES=wish) == []


def test_a_container_with_all_of_the_driver_is_left_alone(tmp_path: Path) -> None:
    contained(tmp_path)

    assert judged(tmp_path, "12.4") == []


@pytest.mark.parametrize(
    ("embedded", "cuda", "codes"),
    [
        # what nvidia-smi in WSL calls itself and the driver: microsoft/WSL#11589, 545.46 and 546.80
        ("545.46", "12.9", []),
        ("546.80", "12.9", []),
        ("545.46", "13.0", ["DRV601"]),
        ("546.80", "13.0", ["DRV601"]),
        ("470.14", "12.4", ["DRV601"]),
    ],
)
def test_wsl_is_judged_by_what_the_library_of_windows_says_of_itself(
    embedded: str, cuda: str, codes: list[str], tmp_path: Path
) -> None:
    content = b"\x7fELF\0" + embedded.encode() + b"\0"
    root = library(tmp_path / "root", "1.1", "usr/lib/wsl/lib", content)
    write(root, {"dev/dxg": ""})

    findings = judged(tmp_path, cuda)

    assert [finding.code for finding in findings] == codes
    assert all(finding.remedy.startswith("install on Windows, not in WSL,") for finding in findings)
    assert all(f"the driver {embedded} " in finding.message for finding in findings)


def test_wsl_without_a_driver_of_windows_has_none(tmp_path: Path) -> None:
    write(tmp_path / "root", {"usr/lib/wsl/lib/libd3d12.so": "", "dev/dxg": ""})

    (finding,) = judged(tmp_path, "12.4")

    assert finding.code == "DRV605"
    assert "on Windows, and not in WSL" in finding.remedy


@pytest.mark.parametrize(
    ("driver", "gpu", "path", "codes"),
    [
        pytest.param("470.86", A100, f"/{COMPAT}", [], id="it lifts an old driver"),
        pytest.param("470.86", A100, "", ["DRV601"], id="nothing leads to it"),
        pytest.param("470.86", GEFORCE, f"/{COMPAT}", ["DRV606"], id="not on a GeForce"),
        pytest.param("580.65.06", A100, f"/{COMPAT}", ["DRV606"], id="older than the driver"),
    ],
)
def test_cuda_compat_stands_in_for_a_driver_of_a_data_center_s_gpu(
    driver: str, gpu: str, path: str, codes: list[str], tmp_path: Path
) -> None:
    root = machine(tmp_path / "root", driver, gpu)
    library(root, "550.54.15", COMPAT)

    findings = judged(tmp_path, "12.4", LD_LIBRARY_PATH=path)

    assert [finding.code for finding in findings] == codes


@pytest.mark.parametrize("folder", ["usr/local/cuda/lib64/stubs", COMPAT])
def test_a_stub_of_libcuda_is_no_driver(folder: str, tmp_path: Path) -> None:
    library(tmp_path / "root", "550.54.15", folder)

    assert [finding.code for finding in judged(tmp_path, "12.4")] == ["DRV605"]
