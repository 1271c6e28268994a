"""DEC707 to DEC711, CUD201, CUD206, DUP101: what conda's channels serve, and what files ask for."""

import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Finding, Severity
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()


def found(code, channels, *lines, name="environment.yml", pip=()):
    dependencies = "".join(f"    - {line}\n" for line in lines)
    section = "    - pip:\n" + "".join(f"      - {line}\n" for line in pip) if pip else ""
    text = f"{name}: |\n  channels: [{channels}]\n  dependencies:\n{dependencies}{section}"
    results = list(run_rules([all_rules()[code]], World(sketch(text), KNOWN)))
    assert all(isinstance(result, Finding) for result in results)
    return results


@pytest.mark.parametrize(
    ("channels", "lines"),
    [
        ("pytorch, nvidia", ["pytorch=2.1.2", "pytorch-cuda=11.8", "cudatoolkit=11.8"]),
        ("pytorch", ["pytorch=1.12.1", "cudatoolkit=11.6"]),
        ("pytorch, conda-forge", ["pytorch 1.10", "cudatoolkit=10.2"]),
        ("defaults, pytorch", ["pytorch=1.3.0", "cudatoolkit=10.1"]),
        ("conda-forge", ["pytorch=2.0.0", "cudatoolkit=11.8"]),
        ("conda-forge", ["pytorch=2.3.0=cuda118*", "cudatoolkit=11.8"]),
        ("conda-forge", ["tensorflow=2.11.0", "cudatoolkit=11.2"]),
        ("conda-forge, pytorch", ["pytorch=1.12.1", "cudatoolkit=11.1"]),
        ("conda-forge, pytorch, nvidia", ["pytorch=2.1.1", "pytorch-cuda=11.8"]),
        ("conda-forge, pytorch", ["pytorch>=0.4.1", "cudatoolkit=9.0"]),
        # conda-forge's last PyTorch for Python 3.7 was its last for CUDA 10
        ("conda-forge, pytorch", ["pytorch>=0.4.1", "cudatoolkit=10", "python=3.7"]),
        ("pytorch", ["pytorch=1.0.1", "cudatoolkit=9.2"]),
        ("defaults", ["pytorch=2.3.0", "cudatoolkit=11.8"]),
        ("defaults", ["tensorflow=2.4.1", "cudatoolkit=10.1"]),
        ("https://conda.example.org/all, pytorch", ["pytorch", "cudatoolkit=11.8"]),
        ("pytorch", ["pytorch=1.12.1", "cudatoolkit=11.7", "cpuonly"]),
        ("pytorch", ["pytorch=1.9", "cudatoolkit"]),
        ("pytorch, nvidia", ["pytorch", "pytorch-cuda"]),
        ("pytorch", ["pytorch=1.9.0=py3.8_cuda11.1_cudnn8.0.5_0", "cudatoolkit=11.3"]),
        ("pytorch", ["pytorch=1.9.0", "cudatoolkit ???"]),
        ("pytorch", ["pytorch=1=2=3=4", "cudatoolkit=11.3"]),
    ],
)
def test_what_selects_a_build_is_no_finding(channels, lines):
    assert found("DEC709", channels, *lines) == []


@pytest.mark.parametrize(
    ("channels", "lines", "has"),
    [
        ("pytorch", ["pytorch=1.9.0", "cudatoolkit=11.3"], "cudatoolkit 10.2 or 11.1"),
        ("pytorch", ["pytorch=2.2.0", "cudatoolkit=11.7"], "pytorch-cuda 11.8 or 12.1"),
        ("pytorch", ["pytorch=1.13.0", "pytorch-cuda=11.8"], "pytorch-cuda 11.6 or 11.7"),
        ("conda-forge", ["pytorch=2.6", "cudatoolkit=11.8"], "cuda-version 12.6, 12.8 or 12.9"),
        ("conda-forge", ["pytorch>=2.3.0", "cudatoolkit=11.2"], "cudatoolkit 11.8"),
        ("defaults", ["tensorflow-gpu=1.10.0", "cudatoolkit=11.3.1"], "8.0, 9.0, 9.1, 9.2 or 10.0"),
        ("pytorch, conda-forge", ["pytorch=2.7", "pytorch-cuda=12.4"], "cuda-version"),
        ("https://conda.anaconda.org/pytorch/linux-64", ["pytorch", "cudatoolkit>=11.7"], "11.6"),
    ],
)
def test_what_no_build_depends_on_is_found(channels, lines, has):
    (finding,) = found("DEC709", channels, *lines)
    assert (finding.code, finding.severity) == ("DEC709", Severity.ERROR)
    assert has in finding.message
    assert (
        f"of the channel {channels.split(',')[0]}" in finding.message
        or "://" in channels
        or ("defaults" in channels or "2.7" in lines[0])
    )


def test_the_remedy_names_a_release_that_there_is():
    (finding,) = found("DEC709", "pytorch", "pytorch=2.2.0", "cudatoolkit=11.7.0")
    assert finding.message == (
        "environment.yml asks for cudatoolkit=11.7.0, and no build of pytorch=2.2.0 of the channel"
        " pytorch depends on it: its builds for CUDA are for pytorch-cuda 11.8 or 12.1"
    )
    assert finding.remedy.startswith(
        "ask for `pytorch-cuda=12.1` in place of cudatoolkit, which pytorch 2.2.0 has a build for, with"
        " the channels pytorch and nvidia in front"
    )
    (finding,) = found("DEC709", "pytorch, conda-forge", "pytorch", "cudatoolkit=11.8")
    assert finding.remedy.startswith("ask for `pytorch-cuda=11.8` in place of cudatoolkit, which")
    assert "; or for a release of cudatoolkit that an older version has" in finding.remedy
    (finding,) = found("DEC709", "defaults", "tensorflow-gpu=1.10.0", "cudatoolkit=11.3.1")
    assert "`conda search 'tensorflow-gpu=1.10.0' --info`" in finding.remedy


@pytest.mark.parametrize(
    ("channels", "lines"),
    [
        ("pytorch, nvidia", ["pytorch", "pytorch-cuda=12.1"]),
        ("nvidia, pytorch", ["pytorch", "pytorch-cuda=12.1"]),
        ("pytorch, nvidia", ["pytorch<2", "pytorch-cuda=11.7"]),
        ("pytorch, nvidia", ["pytorch=1.13.1", "pytorch-cuda=11.6"]),
        ("conda-forge, pytorch, nvidia", ["pytorch=2.1.2", "pytorch-cuda=11.8"]),
        ("conda-forge, pytorch, nvidia", ["pytorch::pytorch", "pytorch-cuda=12.1"]),
        ("nvidia, pytorch", ["pytorch::pytorch", "pytorch-cuda"]),
        ("pytorch, nvidia", ["pytorch", "pytorch-cuda=11.3"]),
        ("pytorch", ["pytorch", "cudatoolkit=11.6", "cpuonly"]),
        ("conda-forge, pytorch", ["pytorch>=0.4.1", "cudatoolkit=9.0"]),
        # conda-forge's last PyTorch for Python 3.7 was its last for CUDA 10
        ("conda-forge, pytorch", ["pytorch>=0.4.1", "cudatoolkit=10", "python=3.7"]),
        ("conda-forge", ["pytorch", "cuda-version=12.6", "pytorch-gpu"]),
        ("conda-forge", ["pytorch=*=cuda*", "cuda-version=12.6"]),
        ("conda-forge", ["pytorch"]),
        ("defaults, conda-forge", ["pytorch", "cuda-version=12.6"]),
        ("pytorch, conda-forge", ["pytorch", "cuda-version=12.1"]),
        ("conda-forge", ["jaxlib=*=*cuda*", "jax", "cuda-nvcc"]),
        ("conda-forge", ["cupy", "cuda-version=12.6"]),
        ("https://conda.example.org/all, conda-forge", ["pytorch", "cuda-version=12.6"]),
    ],
)
def test_a_gpu_that_is_pinned_is_no_finding(channels, lines):
    assert found("DEC710", channels, *lines) == []


@pytest.mark.parametrize(
    ("channels", "lines", "said"),
    [
        ("pytorch, nvidia", ["pytorch", "pytorch-cuda=11.7"], "2.0.1 was the last"),
        ("conda-forge, pytorch", ["pytorch>=1.11", "cudatoolkit>=11.7"], "2.5.1 was the last"),
        ("pytorch", ["pytorch", "cudatoolkit=11.3"], "1.12.1 was the last"),
        ("pytorch", ["pytorch", "cudatoolkit=11.3", "python=3.10"], "1.12.1 was the last"),
        (
            "conda-forge, pytorch, nvidia",
            ["pytorch", "pytorch-cuda=12.4"],
            "prefers conda-forge to",
        ),
        ("conda-forge", ["pytorch", "cuda-version=12.6"], "conda-forge has for the CPU as well"),
        ("conda-forge", ["jaxlib", "cuda-version=12.6"], "conda-forge has for the CPU as well"),
    ],
)
def test_a_gpu_that_is_not_pinned_is_a_warning(channels, lines, said):
    (finding,) = found("DEC710", channels, *lines)
    assert finding.severity is Severity.WARNING
    assert said in finding.message


def test_a_name_says_that_a_gpu_is_meant():
    (finding,) = found("DEC710", "conda-forge", "pytorch=2.4", name="envs/environment-gpu.yml")
    assert "(its name environment-gpu.yml)" in finding.message
    assert "`pytorch-gpu=2.4`" in finding.remedy
    assert found("DEC710", "conda-forge", "pytorch", name="environment-cpu.yml") == []
    assert found("DEC710", "conda-forge", "pytorch", name="environment-cpu-gpu.yml") == []


def test_an_index_and_a_named_environment_say_what_is_meant():
    index = "--extra-index-url https://download.pytorch.org/whl/cu121"
    (finding,) = found("DEC710", "conda-forge", "jaxlib", pip=[index])
    assert "jaxlib=*=*cuda*" in finding.remedy
    text = "environment.yml: |\n  name: tf-gpu\n  channels: [conda-forge]\n  dependencies: [tensorflow]\n"
    (finding,) = run_rules([all_rules()["DEC710"]], World(sketch(text), KNOWN))
    assert "(its name tf-gpu)" in finding.message


@pytest.mark.parametrize(
    ("channels", "lines"),
    [
        ("pytorch, nvidia", ["pytorch-cuda=12.1"]),
        ("nvidia, conda-forge", ["pytorch::pytorch-cuda=12.1", "pytorch::pytorch=2.2.1"]),
        ("conda-forge, nvidia", ["pytorch-cuda=11.8", "pytorch::pytorch>=2.0"]),
        ("pytorch-nightly, nvidia", ["pytorch-cuda=12.4"]),
        ("https://mirrors.example.org/anaconda/cloud/pytorch, nvidia", ["pytorch-cuda=12.1"]),
        ("https://conda.example.org/all", ["pytorch-cuda=12.1"]),
        ("mychannel::x, nvidia", ["mychannel::pytorch-cuda=12.1"]),
        ("conda-forge, nvidia", ["cuda-toolkit=12.2", "cupy"]),
        ("nvidia, conda-forge", ["cuda-toolkit=11.8", "cupy"]),
        ("nvidia, conda-forge", ["cuda-toolkit=12.8", "cupy"]),
        ("nvidia, conda-forge", ["cuda-toolkit=12.2", "requests"]),
        ("nvidia, conda-forge", ["nvidia/label/cuda-12.1.0::cuda-toolkit=12.1", "cupy"]),
        ("nvidia, conda-forge", ["conda-forge::cuda-python=12.1", "cupy"]),
        ("pytorch, nvidia, conda-forge", ["cuda-toolkit=12.1.0", "pytorch=2.1.0", "torchvision"]),
        ("pytorch, nvidia, conda-forge", ["cuda-nvcc=12.1", "pytorch-cuda=12.1", "cupy"]),
    ],
)
def test_channels_that_fit_are_no_finding(channels, lines):
    assert found("DEC711", channels, *lines) == []


def test_a_file_without_channels_takes_those_of_conda_s_configuration():
    text = "environment.yml: |\n  dependencies: [pytorch-cuda=12.1]\n"
    assert list(run_rules([all_rules()["DEC711"]], World(sketch(text), KNOWN))) == []


@pytest.mark.parametrize(
    ("channels", "lines", "severity", "said"),
    [
        ("defaults", ["pytorch-cuda=11.7"], Severity.ERROR, "in the channel pytorch alone"),
        ("pytorch", ["pytorch-cuda=11.7"], Severity.ERROR, "lists no channel nvidia"),
        ("pytorch, conda-forge", ["pytorch-cuda=12.4"], Severity.WARNING, "no channel nvidia"),
        (
            "nvidia, conda-forge",
            ["cuda-nvcc=12.2", "cupy"],
            Severity.WARNING,
            "prefers the channel",
        ),
    ],
)
def test_channels_that_do_not_fit_are_found(channels, lines, severity, said):
    (finding,) = found("DEC711", channels, *lines)
    assert finding.severity is severity
    assert said in finding.message


@pytest.mark.parametrize(
    ("channels", "lines"),
    [
        ("pytorch, nvidia", ["pytorch"]),
        ("pytorch, nvidia", ["pytorch>=2.0"]),
        ("pytorch, conda-forge", ["pytorch=2.6"]),
        ("pytorch", ["pytorch=2.5"]),
        ("pytorch, defaults", ["pytorch=2.7"]),
        ("conda-forge", ["pytorch=2.7"]),
        ("pytorch, https://conda.example.org/all", ["pytorch=2.7"]),
    ],
)
def test_what_a_channel_still_has_is_no_finding(channels, lines):
    assert found("DEC707", channels, *lines) == []


@pytest.mark.parametrize(
    ("channels", "line"),
    [
        ("pytorch, nvidia", "pytorch=2.7"),
        ("pytorch, nvidia", "pytorch>=2.6"),
        ("conda-forge", "pytorch::pytorch==2.6.0"),
    ],
)
def test_a_version_after_the_end_of_its_channel_is_an_error(channels, line):
    (finding,) = found("DEC707", channels, line)
    assert finding.severity is Severity.ERROR
    assert "it ended with PyTorch 2.5.1" in finding.message


def test_a_channel_that_was_given_up_is_a_warning_at_its_line():
    (finding,) = found("DEC707", "pytorch-lts, nvidia", "pytorch")
    assert (finding.severity, finding.at.line) == (Severity.WARNING, 1)
    (finding,) = found("DEC707", "conda-forge", "pytorch-lts::pytorch=1.8.2")
    assert (finding.severity, finding.at.line) == (Severity.WARNING, 3)
    assert found("DEC707", "conda-forge", "pytorch-lts::torchvision") == []


@pytest.mark.parametrize(
    "line", ["cudatoolkit", "cudatoolkit=11.8.0", "cudatoolkit>=11", "cudatoolkit=11.*"]
)
def test_a_cudatoolkit_that_exists_is_no_finding(line):
    assert found("DEC708", "conda-forge", line) == []


@pytest.mark.parametrize(
    "line", ["cudatoolkit=12", "cudatoolkit=12.1.1", "cudatoolkit>=12.0", "cudatoolkit>12"]
)
def test_a_cudatoolkit_above_the_last_is_an_error(line):
    (finding,) = found("DEC708", "conda-forge", line)
    assert finding.severity is Severity.ERROR
    assert "`cuda-version=12" in finding.remedy


CPU = "tensorflow=2.4.1=mkl_py39h4683426_0"


@pytest.mark.parametrize(
    "lines",
    [
        [CPU, "cudatoolkit=10.1", "cpuonly"],
        [CPU, "numpy"],
        [CPU, "cudatoolkit=10.1", "cupy"],
        [CPU, "cudatoolkit"],
        [CPU, "tensorflow-base=2.4.1=gpu_py39h29c2da4_0", "cudatoolkit=10.1"],
        ["pytorch=2.3.0=cuda118_py311h6c9cb27_300", "cudatoolkit=11.8"],
        ["pytorch=2.3.0=cpu_mkl_py311_0"],
    ],
)
def test_a_build_for_the_cpu_that_may_be_meant_is_no_finding(lines):
    assert found("CUD206", "defaults", *lines) == []


@pytest.mark.parametrize(
    "lines",
    [
        [CPU, "tensorflow-gpu=2.4.1=h30adc30_0"],
        [CPU, "cudatoolkit=10.1.243=h6bb024c_0"],
        ["pytorch=2.3.0=cpu_mkl_py311_0", "pytorch-cuda=12.1"],
    ],
)
def test_a_build_for_the_cpu_that_a_file_names_beside_cuda_is_found(lines):
    (finding,) = found("CUD206", "defaults", *lines)
    assert finding.severity is Severity.ERROR
    assert "is a build for the CPU" in finding.message
    assert finding.cause.startswith("cpu-build@environment.yml:")


def test_a_file_for_the_cpu_by_its_name_may_name_builds_for_it():
    lines = (CPU, "cudatoolkit=9.0=h13b8566_0")
    assert found("CUD206", "defaults", *lines, name="environment_cpu.yml") == []


@pytest.mark.parametrize(
    ("lines", "pip"),
    [
        (["cudatoolkit=11.8", "python=3.8"], ["tensorflow"]),
        (["cudatoolkit=11.8"], ["tensorflow<2.15"]),
        (["cudatoolkit=11.8"], ["torch", "--index-url https://download.pytorch.org/whl/cu118"]),
        (["cudatoolkit=11.8"], ["torch @ git+https://github.com/pytorch/pytorch"]),
        (["cudatoolkit=11.8"], ["jax"]),
        (["cudatoolkit=11.8"], ["torch>99"]),
        (["numpy"], ["torch", "cupy-cuda12x"]),
    ],
)
def test_an_unpinned_wheel_that_fits_is_no_finding(lines, pip):
    assert found("CUD201", "conda-forge", *lines, pip=pip) == []


@pytest.mark.parametrize(
    ("lines", "pip", "evidence"),
    [
        (
            ["cudatoolkit=11.8"],
            ["tensorflow>=2.15"],
            "every release that tensorflow>=2.15 allows is",
        ),
        (
            ["cudatoolkit=10.0", "python=3.7"],
            ["torch"],
            "the newest release that torch allows, 1.13.1",
        ),
        (["cudatoolkit=11.8"], ["jax[cuda]>=0.4.13"], "its extra cuda is for CUDA 12 today"),
    ],
)
def test_an_unpinned_wheel_that_never_fits_is_found(lines, pip, evidence):
    (finding,) = found("CUD201", "conda-forge", *lines, pip=pip)
    assert any(evidence in line for line in finding.evidence)


def test_wheels_that_an_extra_brings_are_there_twice_beside_conda_s():
    (finding,) = found(
        "DUP101", "conda-forge", "cuda-cudart=12.4", pip=["tensorflow[and-cuda]==2.17.0"]
    )
    assert "through tensorflow 2.17.0" in finding.message


@pytest.mark.parametrize(
    ("line", "wheel"),
    [
        ("cudatoolkit=10.2.89", "torch==1.7.1"),
        ("cudatoolkit=10", "torch==1.7.1"),
        ("cudatoolkit=11.3", "tensorflow==2.8.0"),
        ("cudatoolkit=10.1", "cupy-cuda102"),
        ("cudatoolkit=9.0", "torch==1.7.1"),
    ],
)
def test_minor_releases_that_serve_each_other_are_no_finding(line, wheel):
    assert found("CUD202", "conda-forge", line, pip=[wheel]) == []


def test_before_cuda_11_no_minor_release_serves_another():
    (finding,) = found("CUD202", "conda-forge", "cudatoolkit=10.1.243", pip=["torch==1.7.1"])
    assert finding.message == (
        "pip's torch 1.7.1 is for CUDA 10.2, and conda's cudatoolkit 10.1.243 is of CUDA 10.1, in"
        " environment.yml: before CUDA 11 no minor release serves another"
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["pytorch-cuda=11.8", "cudatoolkit=11.8.0"],
        ["pytorch-cuda=11.8", "cudatoolkit=11"],
        ["cuda-runtime=11.7.1", "cuda-cudart=11.8.89"],
        ["cudatoolkit=11.3.1", "cudnn=8.2.1"],
    ],
)
def test_one_release_of_conda_s_cuda_is_no_finding(lines):
    assert found("CUD202", "pytorch, nvidia", *lines) == []


def test_a_cudatoolkit_over_the_parts_of_another_release_is_found():
    (finding,) = found("CUD202", "pytorch, nvidia", "pytorch-cuda=11.7", "cudatoolkit=11.3.1")
    assert finding.message == (
        "conda brings the libraries of CUDA 11.3 (cudatoolkit 11.3.1) and of CUDA 11.7 (pytorch-cuda"
        " 11.7) to environment.yml: both install the same files"
    )


@pytest.mark.parametrize(
    ("lines", "pip"),
    [
        (["cuda-version=11.8", "cudatoolkit=11.8"], ()),
        (["cuda-version=11.8", "numpy"], ["torch==2.4.0"]),
        (["cuda-version=12.4", "cuda-cudart=12.4"], ()),
    ],
)
def test_a_cuda_version_that_fits_or_stands_alone_is_no_finding(lines, pip):
    assert found("CUD201", "conda-forge", *lines, pip=pip) == []


def test_a_cuda_version_beside_another_major_is_found():
    (finding,) = found("CUD201", "conda-forge", "cuda-version=12.1", "cudatoolkit=11.8")
    assert "CUDA 11 (conda's cudatoolkit 11.8) and CUDA 12 (conda's cuda-version 12.1)" in (
        finding.message
    )
