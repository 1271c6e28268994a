"""DRV601 to DRV607: what drivers run, compile and reach, after NVIDIA's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner
from collect.machines import machine
from collect.trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, write
from lab.fatbin_stub import container, entry, gpu_library

from reconciler import catalog, pipeline
from reconciler.builds.machines import OVERRIDE
from reconciler.cli import cli
from reconciler.model.finding import Severity
from reconciler.model.host import DriverRelease, Gpu, Gpus
from reconciler.output import json, text
from reconciler.rules import all_rules
from reconciler.testing import sketch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.model.finding import Finding
    from reconciler.model.snapshot import Snapshot

KNOWN = catalog.load()
RULES = tuple(rule for code, rule in all_rules().items() if code.startswith("DRV"))
LIBTORCH = f"{SITE}/torch/lib/libtorch_cuda.so"
RECORD = "torch/lib/libtorch_cuda.so,,\ntorch/lib/libc10_cuda.so,,\n"
CUDAS = ("11.8", "12.1", "12.4", "12.9", "13.0")
#: docs.nvidia.com/deploy/cuda-compatibility: 11.x from 450.80.02 on, 12.x from 525.60.13, 13.x from
#: 580; a newer driver runs all that is older.
RUNS = {
    "450.80.02": {"11.8"},
    "525.60.13": {"11.8", "12.1", "12.4", "12.9"},
    "535.104.05": {"11.8", "12.1", "12.4", "12.9"},
    "550.54.15": {"11.8", "12.1", "12.4", "12.9"},
    "580.65.06": {*CUDAS},
}
#: The same, of PTX, which is not part of minor-version compatibility: up to the driver's own CUDA,
#: 11.0, 12.0, 12.2, 12.4 and 13.0.
COMPILES: dict[str, set[str]] = {
    "450.80.02": set(),
    "525.60.13": {"11.8"},
    "535.104.05": {"11.8", "12.1"},
    "550.54.15": {"11.8", "12.1", "12.4"},
    "580.65.06": {*CUDAS},
}
PAIRS = [(driver, cuda) for driver in RUNS for cuda in CUDAS]


def judged(snapshot: Snapshot) -> Sequence[Finding]:
    report = pipeline.judge(snapshot, RULES, KNOWN)
    assert report.crashes == ()
    return report.findings


def found(text: str) -> list[str]:
    return [finding.code for finding in judged(sketch(text))]


def seen(folder: Path, driver: str, cuda: str, code: Sequence[bytes], gpu: str) -> Snapshot:
    """Look at PyTorch for a CUDA release in an environment, on a machine that is made up."""
    prefix = conda_prefix(folder / "env", PYTHON_RECORD)
    tag = f"torch-2.9.0+cu{cuda.replace('.', '')}"
    dist_info(prefix, *tag.split("-"), RECORD=RECORD, INSTALLER="pip\n")
    write(prefix, {LIBTORCH: gpu_library(container(*code))})
    root = machine(folder / "root", driver, gpu)
    (folder / "project").mkdir()
    choice = pipeline.Choice(prefix=str(prefix))
    return pipeline.look(str(folder / "project"), choice, {}, root=str(root))


@pytest.mark.parametrize(("driver", "cuda"), PAIRS)
def test_a_driver_runs_machine_code_as_nvidia_s_table_says(
    driver: str, cuda: str, tmp_path: Path
) -> None:
    snapshot = seen(tmp_path, driver, cuda, [entry("sass", 80)], "NVIDIA A100-SXM4-80GB")

    codes = [finding.code for finding in judged(snapshot)]

    assert str(snapshot.driver) == driver
    assert codes == ([] if cuda in RUNS[driver] else ["DRV601"])


@pytest.mark.parametrize(("driver", "cuda"), PAIRS)
def test_a_driver_compiles_ptx_up_to_its_own_cuda(driver: str, cuda: str, tmp_path: Path) -> None:
    snapshot = seen(tmp_path, driver, cuda, [entry("ptx", 70)], "NVIDIA A100-SXM4-80GB")

    (finding,) = judged(snapshot)

    assert [finding.code, *(each.code for each in finding.symptoms)] == (
        ["DRV604"]
        if cuda in COMPILES[driver]
        else ["DRV602"]
        if cuda in RUNS[driver]
        else ["DRV601", "DRV602"]
    )


@pytest.mark.parametrize(
    ("code", "gpu", "expected"),
    [
        pytest.param([entry("sass", 80)], "NVIDIA RTX A6000", [], id="sm_80 on sm_86"),
        pytest.param([entry("sass", 86)], "NVIDIA A100-PCIE-40GB", ["DRV603"], id="sm_86 on sm_80"),
        pytest.param([entry("sass", 80)], "NVIDIA H100 80GB HBM3", ["DRV603"], id="another major"),
        pytest.param([entry("sass", 90, "a")], "NVIDIA H100 80GB HBM3", [], id="sm_90a on sm_90"),
        pytest.param([entry("ptx", 90, "a")], "NVIDIA B200", ["DRV603"], id="PTX of 90a alone"),
        pytest.param([entry("ptx", 90)], "NVIDIA B200", ["DRV604"], id="PTX of 90 on sm_100"),
        pytest.param([entry("sass", 100, "f")], "NVIDIA B300", [], id="the family of sm_100"),
        pytest.param([entry("sass", 80)], "A GPU of tomorrow", [], id="an unknown GPU"),
        pytest.param([], "NVIDIA H100", [], id="no code is known"),
    ],
)
def test_a_gpu_runs_code_of_its_own_architecture_and_compiles_older_ptx(
    code: Sequence[bytes], gpu: str, expected: Sequence[str], tmp_path: Path
) -> None:
    snapshot = seen(tmp_path, "580.65.06", "12.9", code, gpu)

    assert [finding.code for finding in judged(snapshot)] == expected


TORCH = "\npython: 3.11.7\npip: [torch==2.5.1+cu124]"
REACHED = """
surroundings:
  has_module: true
  compat: [{path: /usr/local/cuda-12.4/compat/libcuda.so.550.54.15, release: 550.54.15, \
reached_by: LD_LIBRARY_PATH}]
"""
GAMES = "\ngpus: [{name: NVIDIA GeForce RTX 3090, capability: '8.6'}]"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param(f"driver: '550.54.15'{TORCH}", [], id="the driver of its own CUDA"),
        pytest.param("driver: '550.54.15'\npip: [torch==2.9.0+cu129]", [], id="12.9 on 12.4"),
        pytest.param("driver: '470.86'\npip: [torch==2.5.1+cpu]", [], id="for the CPU"),
        pytest.param("driver: '470.86'\npip: [torch==1.8.0]", [], id="of a CUDA that is 10"),
        pytest.param("driver: '418.39'\npip: [torch==1.7.1+cu101]", [], id="10.1 on its own"),
        pytest.param("driver: '410.48'\npip: [torch==1.7.1+cu101]", ["DRV601"], id="10.1 on 10.0"),
        pytest.param("driver: '450.51.06'\npip: [torch==1.7.1+cu110]", [], id="11.0 came before"),
        pytest.param("driver: '450.51.06'\npip: [torch==2.0.1+cu118]", ["DRV601"], id="11.8 on it"),
        pytest.param("driver: '100.1'\npip: [torch==2.0.1+cu118]", ["DRV601"], id="out of tables"),
        pytest.param(
            "driver: '470.86'\nenv: {CONDA_OVERRIDE_CUDA: '12.4'}" + TORCH, [], id="overridden"
        ),
        pytest.param(
            "driver: '580.65.06'\nenv: {CONDA_OVERRIDE_CUDA: '11.8'}" + TORCH,
            ["DRV601"],
            id="overridden with an older one",
        ),
        pytest.param(
            "driver: null\nenv: {CONDA_OVERRIDE_CUDA: '10.1'}\npip: [torch==1.13.1+cu102]",
            ["DRV601"],
            id="before CUDA 11 each minor counts",
        ),
        pytest.param(
            "driver: null\nenv: {CONDA_OVERRIDE_CUDA: '12'}\ngpus: [{name: a, capability: '9.0'}]"
            "\ngpu_code: {lib/libtorch_cuda.so: [compute_80]}" + TORCH,
            ["DRV604"],
            id="a driver of which the major alone is known",
        ),
        pytest.param("driver: '580.65.06'\naim: {driver: '470'}" + TORCH, ["DRV601"], id="named"),
        pytest.param("driver: '470.86'\naim: {driver: '525'}" + TORCH, [], id="a named branch"),
        pytest.param(f"driver: '470.86'{TORCH}{REACHED}", [], id="cuda-compat stands in"),
        pytest.param(f"driver: '580.65.06'{TORCH}{REACHED}", ["DRV606"], id="an old cuda-compat"),
        pytest.param(f"driver: '535.54.03'{TORCH}{REACHED}{GAMES}", ["DRV606"], id="on a GeForce"),
        pytest.param(f"driver: '550.54.14'{TORCH}{REACHED}{GAMES}", [], id="of the same branch"),
        pytest.param(
            f"driver: '580.65.06'{TORCH}" + REACHED.replace("reached_by: LD_LIBRARY_PATH", ""),
            [],
            id="nothing leads to cuda-compat",
        ),
        pytest.param(
            f"driver: '580.65.06'{TORCH}" + REACHED.replace("LD_LIBRARY_PATH", "ld.so.cache"),
            ["DRV606"],
            id="ld.so.cache leads to cuda-compat",
        ),
        pytest.param(
            f"driver: '580.65.06'\naim: {{driver: '450'}}{REACHED}", [], id="a named driver and it"
        ),
        pytest.param(f"driver: null\nsurroundings: {{}}{TORCH}", ["DRV605"], id="no driver"),
        pytest.param(
            f"driver: null\nsurroundings: {{is_wsl: true}}{TORCH}", ["DRV605"], id="none in WSL"
        ),
        pytest.param(
            f"driver: null\nsurroundings: {{container: /.dockerenv}}{TORCH}",
            ["DRV605"],
            id="an image is built",
        ),
        pytest.param("driver: null\nsurroundings: {}\npip: [numpy==2.0.0]", [], id="no CUDA"),
        pytest.param(
            "driver: null\nsurroundings: {}\npip: [torch==2.5.1+cu124, torchvision==0.20.1+cu124]",
            ["DRV605"],
            id="two builds and no driver",
        ),
        pytest.param(
            "surroundings: {container: /.dockerenv, has_module: true, has_devices: true}" + TORCH,
            ["DRV607"],
            id="a container without the capability compute",
        ),
        pytest.param(
            "surroundings: {container: /.dockerenv, has_module: true, library: /l}" + TORCH,
            ["DRV607"],
            id="a container without devices",
        ),
        pytest.param(
            "surroundings: {container: /.dockerenv, has_module: true}\n"
            "env: {NVIDIA_VISIBLE_DEVICES: void}" + TORCH,
            [],
            id="a container that wants none",
        ),
        pytest.param("surroundings: {has_module: true}" + TORCH, [], id="no container"),
    ],
)
def test_each_case_is_found_by_its_own_rule(text: str, codes: Sequence[str]) -> None:
    assert found(text) == codes


@pytest.mark.parametrize(
    ("driver", "more", "codes"),
    [
        ("450.142.00", "", ["DRV602"]),
        ("550.54.15", "", []),
        ("450.142.00", ", libnvjitlink=12.4.127=h1_0", []),
    ],
)
def test_numba_compiles_with_the_toolkit_of_the_environment(
    driver: str, more: str, codes: Sequence[str]
) -> None:
    toolkit = "cudatoolkit=11.8.0=h4ba93d1_13"

    assert found(f"driver: '{driver}'\nconda: [numba=0.56.4=py311_0, {toolkit}{more}]") == codes
    assert found(f"driver: '{driver}'\nconda: [{toolkit}{more}]") == []


DECLARED = """
requirements.txt: |
  --extra-index-url https://download.pytorch.org/whl/cu124
  torch==2.6.0+cu124
"""


@pytest.mark.parametrize(
    ("aim", "codes"),
    [
        ("", []),
        ("aim: {driver: '550.54.15'}", []),
        ("aim: {driver: '470.86'}", ["DRV601"]),
        ("aim: {gpus: [sm_90]}", []),
        ("aim: {gpus: [sm_120]}", ["DRV603"]),
        ("aim: {gpus: [sm_37]}", ["DRV603"]),
    ],
)
def test_what_a_file_declares_is_judged_for_a_machine_that_is_named(
    aim: str, codes: Sequence[str]
) -> None:
    assert found(f"driver: '470.86'\n{aim}\n{DECLARED}") == codes


def test_an_extension_without_code_for_the_gpu_is_a_warning() -> None:
    text = """
python: 3.11.7
gpus: [{name: Tesla T4, capability: "7.5", is_parted: true}]
pip: [torch==2.5.1+cu124, "flash-attn==2.7.0"]
evidence: {lib/python3.11/site-packages/torch/version.py: "cuda = '12.4'"}
libraries:
  lib/python3.11/site-packages/flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so:
    {needed: [libcudart.so.12]}
gpu_code:
  lib/python3.11/site-packages/torch/lib/libtorch_cuda.so: [sm_75, sm_80]
  lib/python3.11/site-packages/flash_attn_2_cuda.cpython-311-x86_64-linux-gnu.so: [sm_80, sm_90]
"""

    (finding,) = judged(sketch(text))

    assert (finding.code, finding.severity) == ("DRV603", Severity.WARNING)
    assert "earlier" in finding.remedy
    assert "(MIG)" in finding.evidence[1]


@pytest.mark.parametrize(
    ("around", "words"),
    [
        ("{}", "install a driver from 525.60.13 on, or install builds for CUDA 11 or older"),
        ("{is_wsl: true}", "install on Windows, not in WSL, a driver"),
        ("{container: /.dockerenv}", "have the container's host install a driver"),
    ],
)
def test_the_driver_is_to_be_installed_where_it_belongs(around: str, words: str) -> None:
    (finding,) = judged(sketch(f"driver: '470.86'\nsurroundings: {around}{TORCH}"))

    assert finding.remedy.startswith(words)


def test_a_snapshot_without_a_driver_is_judged_for_one_that_is_named() -> None:
    blind = sketch(TORCH)
    named = pipeline.aimed(blind, (), "auto", driver="470.86", gpus=("sm_120",))

    assert [finding.code for finding in judged(blind)] == []
    assert sorted(finding.code for finding in judged(named)) == ["DRV601", "DRV603"]


def test_what_nvml_says_of_the_driver_s_cuda_wins_over_the_table() -> None:

    snapshot = sketch(
        "driver: '560.1'\ngpus: [{name: a, capability: '9.0'}]\npip: [torch==2.9.0+cu128]\n"
        "gpu_code: {lib/libtorch_cuda.so: [compute_80]}"
    )
    assert snapshot.gpus is not None
    told = msgspec.structs.replace(snapshot.gpus, cuda="12.8")

    assert [f.code for f in judged(snapshot)] == ["DRV602"]
    assert [f.code for f in judged(msgspec.structs.replace(snapshot, gpus=told))] == ["DRV604"]


def test_a_named_driver_is_of_the_system_that_is_judged() -> None:
    first, *others = judged(sketch(f"aim: {{driver: '470.86'}}\n{DECLARED}"))

    assert (first.code, others) == ("DRV601", [])
    assert first.message.startswith("the driver 470.86 (CUDA 11.4), as --driver 470.86 has it, is")


def test_drivers_of_windows_have_numbers_of_their_own() -> None:
    text = "platform: win-64\npip: [torch==2.5.1+cu124]\ndriver: "

    assert found(f"{text}'527.41'") == []
    assert found(f"{text}'526.86'") == ["DRV601"]


@pytest.mark.parametrize(("option", "value"), [("--driver", "R550"), ("--gpu", "9.0")])
def test_what_is_no_driver_or_gpu_is_told(option: str, value: str) -> None:
    done = CliRunner().invoke(cli, ["check", ".", option, value])

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"'{value}' is no " in done.stderr


def test_the_command_line_judges_files_for_a_machine(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "torch==2.6.0+cu124\n"})
    command = ["check", str(tmp_path), "--select", "DRV", "-q", "--platform", "linux-64"]

    old = CliRunner().invoke(cli, [*command, "--driver", "470.86", "--gpu", "sm_120"])
    new = CliRunner().invoke(cli, [*command, "--driver", "580", "--gpu", "sm_80,sm_86"])

    assert [line.split()[1] for line in old.stdout.splitlines()] == ["DRV601", "DRV603"]
    assert (new.stdout, new.exit_code) == ("", 0)


def test_the_report_says_for_which_machine_it_is() -> None:
    around = "surroundings: {container: /.dockerenv, is_wsl: true}"
    gpu = "{name: NVIDIA A100, capability: '8.0', memory: 42949672960, is_parted: true}"
    seen = pipeline.scan(sketch(f"driver: '550.54.15'\n{around}\ngpus: [{gpu}]"))
    named = pipeline.scan(sketch("aim: {driver: '470', gpus: [sm_90]}"))

    assert seen.machine == (
        "the driver 550.54.15 (CUDA 12.4)",
        "NVIDIA A100 (sm_80), 43 GB, parted (MIG)",
        "WSL",
        "a container (/.dockerenv)",
    )
    line = "machine      the driver 470 (CUDA 11.4) by --driver 470; a GPU of sm_90\n"
    assert line in text.render(named)
    assert "machine " not in text.render(seen)
    assert "machine " in text.render(seen, verbose=True)
    assert '"a GPU of sm_90"' in json.render(named)


@pytest.mark.parametrize("text", ["", "x", "sm_", "\U0010ffff", "9" * 5000, "\u0669\u0660"])
def test_a_snapshot_that_somebody_has_changed_ends_no_scan(text: str) -> None:
    seen = sketch(TORCH + REACHED + GAMES)
    target = msgspec.structs.replace(seen.target, driver=text, gpus=(text,))
    gpus = Gpus(devices=(Gpu(name=text, capability=text),), release=text, cuda=text)
    driver = DriverRelease(parts=(), text=text)
    changed = msgspec.structs.replace(seen, target=target, gpus=gpus, driver=driver)
    without = msgspec.structs.replace(changed, target=seen.target, variables={OVERRIDE: text})

    assert pipeline.scan(changed).crashes == ()
    assert pipeline.scan(without).crashes == ()
