"""DEC718 and DEC719: packages that break each other, and no resolver knows it."""

import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.model.finding import Severity
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()


def judged(code, text):
    return list(run_rules([all_rules()[code]], World(sketch(text), KNOWN)))


def in_environment(code, channels, *lines, platform="linux-64"):
    items = "".join(f"    - {line}\n" for line in lines)
    head = f"platform: {platform}\nenvironment.yml: |\n"
    return judged(code, f"{head}  channels: [{channels}]\n  dependencies:\n{items}")


def in_requirements(code, *lines, platform="linux-64"):
    text = "".join(f"  {line}\n" for line in lines)
    return judged(code, f"platform: {platform}\nrequirements.txt: |\n{text}")


@pytest.mark.parametrize(
    ("channels", "lines"),
    [
        ("pytorch, conda-forge", ["pytorch=2.1.0", "mkl=2024.0"]),
        ("pytorch, conda-forge", ["pytorch=2.1.0", "mkl<2024.1"]),
        ("pytorch, conda-forge", ["pytorch=2.4.1", "mkl=2024.2"]),
        ("pytorch, defaults", ["pytorch=2.1.0"]),
        ("pytorch, defaults, conda-forge", ["pytorch=2.1.0"]),
        ("conda-forge", ["pytorch=2.1.0", "mkl=2024.2"]),
        ("conda-forge, pytorch", ["pytorch=2.1.0", "mkl=2024.2"]),
        ("https://conda.example.org/all, pytorch", ["pytorch=2.1.0", "mkl=2024.2"]),
        ("pytorch, conda-forge", ["pytorch=2", "mkl=2024.2"]),
        ("pytorch, conda-forge", ["pytorch", "mkl=2024.2"]),
        ("pytorch, conda-forge", ["numpy", "mkl=2024.2"]),
    ],
)
def test_an_mkl_that_pytorch_can_use_is_no_finding(channels, lines):
    assert in_environment("DEC718", channels, *lines) == []


@pytest.mark.parametrize(
    "line", ["mkl=2024.1", "mkl=2024.2.2=ha957f24_15", "mkl>=2024.1", "mkl>2024.1"]
)
def test_an_mkl_that_pytorch_cannot_use_is_an_error(line):
    (finding,) = in_environment("DEC718", "pytorch, nvidia", "pytorch=2.1.0", line)
    assert (finding.severity, finding.at.line) == (Severity.ERROR, 4)
    assert "`mkl<2024.1`" in finding.remedy
    assert in_environment("DEC718", "pytorch", "pytorch=2.1.0", line, platform="win-64") == []


@pytest.mark.parametrize("lines", [["pytorch::pytorch=2.1.0"], ["pytorch=2.1.0", "mkl"]])
def test_an_mkl_that_nothing_holds_back_is_information(lines):
    (finding,) = in_environment("DEC718", "pytorch, conda-forge", *lines)
    assert finding.severity is Severity.INFO
    assert "does not keep MKL below 2024.1" in finding.message


def test_an_installed_mkl_is_explained_by_the_file_that_asks_for_it():
    text = """
        conda:
          - pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0: {channel: pytorch/linux-64}
          - mkl=2024.2.2=ha957f24_15
        environment.yml: |
          channels: [pytorch, nvidia]
          dependencies: [pytorch=2.1.0, mkl=2024.2]
    """
    written, installed = judged("DEC718", text)
    assert installed.explained_by[0] == written.cause
    assert installed.message.startswith(
        "mkl 2024.2.2 stands beside pytorch 2.1.0 in this environment"
    )
    forge = text.replace("channel: pytorch/linux-64", "channel: conda-forge")
    assert len(judged("DEC718", forge)) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ["torch==2.3.0", "numpy==2.0.2"],
        ["torch==2.1.0", "numpy<2"],
        ["torch==2.1.0", "numpy==1.26.4"],
        ["torch==2.1.0", "numpy~=1.26"],
        ["torch==2.1.0"],
        ["torch", "numpy==2.0.2"],
        ["torch>=2.1", "numpy>=2"],
    ],
)
def test_a_numpy_that_pytorch_can_use_is_no_finding(lines):
    assert in_requirements("DEC719", *lines) == []


@pytest.mark.parametrize("line", ["numpy==2.0.2", "numpy>=2.0", "numpy>=2,<3", "numpy~=2.1"])
def test_a_numpy_2_beside_an_old_pytorch_is_a_warning(line):
    (finding,) = in_requirements("DEC719", "torch==2.1.0+cu118", line)
    assert (finding.severity, finding.at.line) == (Severity.WARNING, 2)
    assert finding.remedy == "ask for `numpy<2`; or for torch 2.3.0 or later"


def test_a_numpy_that_is_left_open_is_information():
    (finding,) = in_requirements("DEC719", "torch==2.1.0", "numpy>=1.20")
    assert finding.severity is Severity.INFO
    (finding,) = in_environment("DEC719", "pytorch", "pytorch=2.1.0", "numpy", "python=3.10")
    assert finding.severity is Severity.INFO
    assert in_environment("DEC719", "pytorch", "pytorch=1.8.1", "numpy", "python=3.8") == []
    assert in_environment("DEC719", "pytorch", "pytorch=2.1.0", "numpy=1.26") == []


def test_the_wheels_for_windows_knew_numpy_2_later():
    lines = ("torch==2.3.1", "numpy==2.0.2")
    (finding,) = in_requirements("DEC719", *lines, platform="win-64")
    assert finding.remedy == "ask for `numpy<2`; or for torch 2.4.0 or later"
    assert in_requirements("DEC719", *lines) == []


@pytest.mark.parametrize(
    "text",
    [
        "conda: []\npip: [torch==2.1.0, numpy==1.26.4]\n",
        "conda: []\npip: [torch==2.4.0, numpy==2.1.0]\n",
        "conda: []\npip: [numpy==2.1.0]\n",
        "conda: [pytorch=2.1.0=cuda118_py311h5dc4f8c_301, numpy=2.0.2=py311_0]\npip: []\n",
    ],
)
def test_what_is_installed_and_fits_is_no_finding(text):
    assert judged("DEC719", text) == []


def test_a_numpy_of_conda_breaks_a_wheel_too():
    (finding,) = judged("DEC719", "conda: [numpy=2.0.2=py311_0]\npip: [torch==2.1.0]\n")
    assert finding.at.path == "conda-meta/numpy-2.0.2-py311_0.json"


def test_what_a_file_leaves_open_is_seen_where_it_is_installed():
    text = """
        conda: []
        pip: [torch==2.1.0, numpy==1.26.4]
        requirements.txt: |
          torch==2.1.0
          numpy
    """
    assert judged("DEC719", text) == []
    text = """
        conda:
          - pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0: {channel: pytorch}
          - mkl=2024.0.0=ha957f24_49657
        environment.yml: |
          channels: [pytorch, conda-forge]
          dependencies: [pytorch=2.1.0]
    """
    assert judged("DEC718", text) == []
