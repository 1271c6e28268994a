"""What errors mean in environments that are broken, as the rules' own examples are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler import explaining, rules
from reconciler.testing import sketch

if TYPE_CHECKING:
    from reconciler.model.diagnosis import Diagnosis

SITE = "lib/python3.11/site-packages"


def first(text: str, world: str) -> Diagnosis:
    return explaining.diagnose(explaining.recognize([text]), sketch(world))[0]


@pytest.mark.parametrize(
    ("code", "text", "certainty"),
    [
        (
            "CUD202",
            "libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12",
            "proven",
        ),
        ("CUD205", "RuntimeError: operator torchvision::nms does not exist", "proven"),
        ("CUD206", "AssertionError: Torch not compiled with CUDA enabled", "proven"),
        ("DEC701", "ERROR: No matching distribution found for torch==2.1.2+cu118", "likely"),
        ("DEC718", "libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent", "proven"),
        ("DRV601", "CUDA driver version is insufficient for CUDA runtime version", "likely"),
        (
            "DUP107",
            "OMP: Error #15: Initializing libiomp5.so, but found libgomp already initialized.",
            "likely",
        ),
        ("ELF505", "RuntimeError: CUDA error: CUDA driver is a stub library", "likely"),
        ("VIS309", "InternalError: libdevice not found at ./libdevice.10.bc", "likely"),
    ],
)
def test_a_rule_that_finds_the_cause_here_tells_it(code: str, text: str, certainty: str) -> None:
    diagnosis = first(text, rules.rule(code).BAD)

    assert (diagnosis.certainty, code in diagnosis.rules) == (certainty, True)
    assert diagnosis.findings[0].remedy == diagnosis.remedy


def test_the_file_that_answers_is_named_with_its_owner() -> None:
    text = (
        "libcusparse.so.12: undefined symbol: __nvJitLinkAddData_12_1, version libnvJitLink.so.12"
    )

    culprit = first(text, rules.rule("PTH404").BAD).culprit

    assert culprit is not None
    assert culprit.path == "/usr/local/cuda-12.1/lib64/libnvJitLink.so.12"
    assert culprit.owner.title == "the CUDA toolkit 12.1 in /usr/local/cuda-12.1"


RUNTIME_13 = f"""
python: 3.11.7
env: {{}}
pip: [nvidia-cuda-runtime==13.0.48]
loader:
  {SITE}/nvidia/cu13/lib/libcudart.so.13: {{of: nvidia-cuda-runtime}}
"""


def test_a_library_that_nothing_here_has_is_said_to_be_missing_here() -> None:
    diagnosis = first("ImportError: libcudart.so.12: cannot open shared object file", RUNTIME_13)

    assert diagnosis.certainty == "proven"
    assert diagnosis.cause.startswith("libcudart.so.12 is not found")


def test_a_library_that_is_found_here_is_not_said_to_be_missing() -> None:
    world = """
python: 3.11.7
env: {LD_LIBRARY_PATH: /opt/cuda/lib64}
loader:
  /opt/cuda/lib64/libcudart.so.12: {}
"""

    diagnosis = first("ImportError: libcudart.so.12: cannot open shared object file", world)

    assert diagnosis.certainty != "likely"
    assert any("/opt/cuda/lib64/libcudart.so.12" in seen for seen in diagnosis.evidence)


def test_what_is_wrong_with_another_package_does_not_explain_a_message() -> None:
    text = "ERROR: No matching distribution found for jaxlib==0.4.25+cuda12"
    other = "ERROR: No matching distribution found for xformers==0.0.20+cu118"

    assert [first(said, rules.rule("DEC701").BAD).certainty for said in (other,)] == ["general"]
    assert explaining.recognize([text])[0].error.id.startswith("pip-no")


def test_without_an_environment_what_is_known_in_general_is_told() -> None:
    known = explaining.recognize(["AssertionError: Torch not compiled with CUDA enabled"])

    (diagnosis,) = explaining.diagnose(known, None)

    assert diagnosis.certainty == "general"
    assert diagnosis.rules == known[0].error.rules
