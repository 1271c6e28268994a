"""DEC705 and DEC706: where PyPI has the build for the CPU alone."""

import msgspec
import pytest

from reconciler import catalog, pipeline
from reconciler.check import run_rules
from reconciler.model.finding import Severity
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()


def found(code, platform, name, *lines):
    text = f"platform: {platform}\n{name}: |\n" + "".join(f"  {line}\n" for line in lines)
    return list(run_rules([all_rules()[code]], World(sketch(text), KNOWN)))


@pytest.mark.parametrize(
    "lines",
    [
        ["torch==2.4.0"],
        ["torch==2.4.0+cu121"],
        ["torch==2.4.0+cpu", "nvidia-ml-py"],
        ["--extra-index-url https://download.pytorch.org/whl/cu121", "torch==2.4.0"],
        ["--find-links https://example.org/wheels", "torch", "cupy-cuda12x"],
        ["torch @ https://example.org/torch-2.4.0-cp311-cp311-win_amd64.whl", "cupy-cuda12x"],
        ["tensorflow==2.10.0", "cupy-cuda11x"],
        ["cupy-cuda12x", "numpy"],
    ],
)
def test_on_windows_it_is_silent_where_no_gpu_is_meant_or_another_index_serves(lines):
    assert found("DEC705", "win-64", "requirements.txt", *lines) == []


@pytest.mark.parametrize(
    ("name", "lines", "names"),
    [
        ("requirements-gpu.txt", ["torch"], "torch"),
        ("requirements_cuda.txt", ["torch>=2.0", "torchvision"], "torch, torchvision"),
        ("requirements.txt", ["torch==2.4.0", "cupy-cuda12x"], "torch"),
        ("requirements-gpu.txt", ["tensorflow==2.15.0"], "tensorflow"),
        ("requirements-gpu.txt", ["torch>99"], "torch"),
    ],
)
def test_on_windows_it_is_found_where_a_gpu_is_meant(name, lines, names):
    (finding,) = found("DEC705", "win-64", name, *lines)
    assert finding.severity is Severity.WARNING
    assert f"for Windows PyPI has {names} for the CPU alone" in finding.message
    assert found("DEC705", "linux-64", name, *lines) == []


def test_a_torchvision_of_pip_beside_conda_s_build_for_cuda_is_found():
    (finding,) = found(
        "DEC705",
        "win-64",
        "environment.yml",
        "channels: [pytorch, nvidia]",
        "dependencies:",
        "  - pytorch=2.0.1",
        "  - pytorch-cuda=11.8",
        "  - pip: [torchvision==0.15.2]",
    )
    assert "PyPI has torchvision for the CPU alone" in finding.message


@pytest.mark.parametrize("line", ["torch==2.11.0", "torch", "torch>=2.4", "torchvision"])
def test_on_arm_pypi_has_had_cuda_since_2_11(line):
    assert found("DEC706", "linux-aarch64", "requirements-gpu.txt", line) == []


@pytest.mark.parametrize("line", ["torch==2.10.0", "torch<2.11", "torch~=2.4.0"])
def test_on_arm_older_wheels_are_for_the_cpu(line):
    (finding,) = found("DEC706", "linux-aarch64", "requirements-gpu.txt", line)
    assert finding.severity is Severity.WARNING
    assert "`torch>=2.11`" in finding.remedy
    assert found("DEC706", "linux-aarch64", "requirements-cpu.txt", line) == []


def test_what_a_file_need_not_be_for_is_information(tmp_path):
    (tmp_path / "requirements-gpu.txt").write_text("torch==2.4.0\n")
    snapshot = pipeline.look_at_files(str(tmp_path), ["requirements-gpu.txt"])
    told = {
        finding.code: (finding.severity, finding.platforms)
        for finding in pipeline.check(snapshot, select=["DEC705", "DEC706"]).findings
    }
    assert told == {
        "DEC705": (Severity.INFO, ("win-64",)),
        "DEC706": (Severity.INFO, ("linux-aarch64",)),
    }


def test_settings_that_mean_the_cpu_are_believed(tmp_path):
    (tmp_path / "requirements-gpu.txt").write_text("torch==2.4.0\n")
    snapshot = pipeline.look_at_files(str(tmp_path), ["requirements-gpu.txt"])
    target = msgspec.structs.replace(snapshot.target, cuda="none")
    for_cpu = msgspec.structs.replace(snapshot, target=target)
    assert pipeline.check(for_cpu, select=["DEC705", "DEC706"]).findings == ()
