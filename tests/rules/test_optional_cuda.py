"""Wheels that serve the CPU as well: what of their CUDA is a fault, and what is not."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

SITE = "lib/python3.11/site-packages"


def findings(text):
    report = judge(sketch(text), tuple(all_rules().values()), catalog.load())
    assert report.crashes == ()
    return report.findings


def environment(torch, wheel, needed=None, record="", more=""):
    """Sketch a torch beside a wheel, with its one library or its RECORD."""
    path, _, names = (needed or "").partition(": ")
    libraries = f"libraries: {{{SITE}/{path}: {{needed: [{names}]}}}}" if needed else ""
    record = record or f"{path},,"
    return f"""
python: 3.11.7
conda: [{more}]
pip:
  - torch=={torch}
  - {wheel}: {{record: "{record}"}}
{libraries}
"""


def bitsandbytes(*tags):
    return "\\n".join(f"bitsandbytes/libbitsandbytes_cuda{tag}.so,," for tag in tags)


CODEC = "torchcodec/libtorchcodec_core4.so: "
TRAPS = {
    "torchcodec for the CPU in torch for CUDA": environment(
        "2.8.0+cu128", "torchcodec==0.7.0", f"{CODEC}libc10.so"
    ),
    "torchcodec for torch's CUDA": environment(
        "2.15.0+cu130", "torchcodec==0.17.0", f"{CODEC}libc10_cuda.so, libcudart.so.13"
    ),
    "dgl for the CPU in torch for CUDA": environment(
        "2.2.1+cu121", "dgl==2.1.0", "dgl/libdgl.so: libgomp.so.1"
    ),
    "torchao's kernels beside torch for the CPU": environment(
        "2.13.0+cpu", "torchao==0.18.0", "torchao/_C_mxfp8.so: libcudart.so.13, libc10_cuda.so"
    ),
    "torchao's kernels beside torch for another CUDA": environment(
        "2.13.0+cu126", "torchao==0.18.0", "torchao/_C_mxfp8.so: libcudart.so.13, libc10_cuda.so"
    ),
    "ctranslate2 beside torch for another CUDA": environment("2.15.0+cu130", "ctranslate2==4.8.5"),
    "ctranslate2 beside torch for the CPU": environment("2.5.1+cpu", "ctranslate2==4.5.0"),
    "bitsandbytes beside torch for the CPU": environment(
        "2.5.1+cpu", "bitsandbytes==0.50.2", record=bitsandbytes(118, 124, 130)
    ),
    "bitsandbytes beside torch for ROCm": environment(
        "2.5.1+rocm6.2", "bitsandbytes==0.50.2", record=bitsandbytes(118, 124, 130)
    ),
    "bitsandbytes with a library for torch's CUDA": environment(
        "2.5.1+cu124", "bitsandbytes==0.50.2", record=bitsandbytes(118, 124, 130)
    ),
    "bitsandbytes with a library for torch's CUDA major": environment(
        "2.8.0+cu129", "bitsandbytes==0.50.2", record=bitsandbytes(118, 124, 130)
    ),
    "bitsandbytes alone beside conda's CUDA": """
        conda: [cudatoolkit=11.8.0=h4ba93d1_13]
        pip:
          - bitsandbytes==0.50.2: {record: "bitsandbytes/libbitsandbytes_cuda118.so,,"}
    """,
}


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_what_does_without_its_cuda_is_left_alone(text):
    assert [finding.message for finding in findings(text)] == []


def test_a_bitsandbytes_that_has_no_library_for_torch_s_cuda_is_a_warning():
    record = bitsandbytes(117, 118, 124)

    (finding,) = findings(environment("2.13.0+cu130", "bitsandbytes==0.45.0", record=record))

    assert (finding.code, finding.severity) == ("CUD205", Severity.WARNING)
    assert finding.message == (
        "bitsandbytes 0.45.0 has libraries for CUDA 11.7, 11.8, 12.4 alone, but this environment"
        " has PyTorch 2.13.0+cu130 for CUDA 13.0"
    )


def test_a_torchcodec_for_another_cuda_is_found_once():
    text = environment(
        "2.10.0+cu128", "torchcodec==0.17.0", f"{CODEC}libc10_cuda.so, libcudart.so.13"
    )

    (finding,) = findings(text)

    assert finding.code == "CUD201"
    assert "pip's torchcodec 0.17.0" in finding.message
    assert [symptom.code for symptom in finding.symptoms] == ["CUD205"]


def test_a_torchcodec_for_cuda_in_torch_for_the_cpu_is_found_once():
    text = environment(
        "2.15.0+cpu", "torchcodec==0.17.0", f"{CODEC}libc10_cuda.so, libcudart.so.13"
    )

    (finding,) = findings(text)

    assert finding.code == "CUD206"
    assert [symptom.code for symptom in finding.symptoms] == ["CUD205"]


def test_a_build_that_was_asked_for_by_its_label_is_held_against_torch():
    (finding,) = findings(environment("2.2.1+cu121", "auto-gptq==0.7.1+cu118"))

    assert finding.code == "CUD201"
    assert [symptom.code for symptom in finding.symptoms] == ["CUD205"]
