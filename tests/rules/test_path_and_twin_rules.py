"""DUP105 and PTH401: what they find, and how they say it."""

import msgspec
import pytest

from reconciler import catalog
from reconciler.check import run_rules
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World


def found(code, text):
    return list(run_rules([all_rules()[code]], World(sketch(text), catalog.load())))


@pytest.mark.parametrize(
    "pair",
    [
        "cupy-cuda11x==13.3.0, cupy-cuda12x==13.3.0",
        "onnxruntime==1.20.1, onnxruntime-gpu==1.20.1",
        "opencv-python==4.10.0.84, opencv-python-headless==4.10.0.84",
        "tensorflow==2.10.0, tensorflow-gpu==2.10.0",
        "faiss-cpu==1.8.0, faiss-gpu==1.7.2",
        "pynvml==11.5.3, nvidia-ml-py==12.560.30",
    ],
)
def test_two_wheels_of_one_import_are_found(pair):
    (finding,) = found("DUP105", f"conda: []\npip: [{pair}]\n")
    first, second = pair.split(", ")
    assert first.replace("==", " ") in finding.message
    assert second.replace("==", " ") in finding.message


def test_a_wheel_of_torch_beside_condas_pytorch_is_found():
    (finding,) = found("DUP105", "conda: [pytorch=2.5.1=cuda126_py311_0]\npip: [torch==2.5.1]\n")
    assert "conda's pytorch 2.5.1" in finding.message


def test_a_wheel_whose_record_lists_no_such_module_is_no_twin():
    assert not found(
        "DUP105",
        """
        conda: []
        pip:
          - onnxruntime==1.20.1: {record: "onnxruntime/__init__.py,,"}
          - onnxruntime-gpu==1.20.1: {record: "onnxruntime_gpu-1.20.1.dist-info/METADATA,,"}
        """,
    )


def test_one_project_under_both_managers_of_a_file_is_not_judged_here():
    assert not found("DUP105", "environment.yml: |\n  dependencies: [pytorch, pip: [torch]]\n")


def test_a_file_that_asks_for_both_explains_what_is_installed():
    declared, installed = found(
        "DUP105",
        """
        conda: []
        pip: [cupy-cuda11x==13.3.0, cupy-cuda12x==13.3.0]
        requirements.txt: |
          cupy-cuda11x
          cupy-cuda12x
        """,
    )
    assert installed.explained_by == (declared.cause,)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{path: /x, extensions_for: ['3.8']}", "holds extension modules for Python 3.8"),
        (
            "{path: /usr/lib/python3.8/site-packages, python_in_path: '3.8'}",
            "a folder of Python 3.8",
        ),
        (
            "{path: /opt/b/lib/python3.11/site-packages, prefix: /opt/b}",
            "belongs to another environment, /opt/b",
        ),
    ],
)
def test_the_reason_that_an_entry_is_of_another_python_is_said(entry, why):
    (finding,) = found("PTH401", f"python: 3.11.7\npythonpath: [{entry}]\n")
    assert why in finding.message


def test_what_lies_in_the_entry_is_evidence():
    (finding,) = found(
        "PTH401",
        "python: 3.11.7\n"
        "pythonpath: [{path: /x, python_in_path: '3.8', distributions: [numpy, torch, a, b, c]}]\n",
    )
    assert finding.evidence == ("distributions there: numpy, torch, a, b ...",)


def test_without_a_python_there_is_nothing_to_lead_astray():
    snapshot = sketch("python: 3.11.7\npythonpath: [{path: /x, python_in_path: '3.8'}]\n")
    without = msgspec.structs.replace(snapshot, python=None)
    assert not list(run_rules([all_rules()["PTH401"]], World(without, catalog.load())))


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        ("opencv-python\n  opencv-contrib-python", "info"),
        ("opencv-python==4.10.0.84\n  opencv-contrib-python==4.10.0.84", "info"),
        ("opencv-python==4.8.0.76\n  opencv-contrib-python-headless==4.7.0.72", "error"),
        ("onnxruntime\n  onnxruntime-gpu", "error"),
    ],
)
def test_packings_of_one_library_in_one_version_are_information(lines, severity):
    (finding,) = found("DUP105", f"requirements.txt: |\n  {lines}\n")
    assert finding.severity == severity
