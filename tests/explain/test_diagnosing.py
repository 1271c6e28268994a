"""What errors mean in environments that are broken, as the rules' own examples are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler import explaining, pipeline, rules
from reconciler.testing import sketch

if TYPE_CHECKING:
    from pathlib import Path

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


NEEDS_12 = f"""
python: 3.11.7
env: {{}}
pip: [nvidia-cuda-runtime==13.0.48, mine==1.0]
loader:
  {SITE}/nvidia/cu13/lib/libcudart.so.13: {{of: nvidia-cuda-runtime}}
  {SITE}/mine/_C.so: {{of: mine, needed: [libcudart.so.12]}}
"""
MISSING_12 = "ImportError: libcudart.so.12: cannot open shared object file"


def test_a_library_that_is_needed_here_and_that_nothing_has_is_proven_to_be_missing() -> None:
    diagnosis = first(MISSING_12, NEEDS_12)

    assert diagnosis.certainty == "proven"
    assert diagnosis.cause.startswith("libcudart.so.12 is not found")


def test_a_library_that_nothing_here_needs_is_not_proven_to_be_what_was_missed() -> None:
    diagnosis = first(MISSING_12, RUNTIME_13)

    assert diagnosis.certainty == "likely"
    assert diagnosis.cause.startswith("libcudart.so.12 is not found")


def test_a_name_that_leads_nowhere_proves_nothing_where_those_who_need_it_have_it() -> None:
    world = f"""
python: 3.11.7
env: {{}}
pip: [nvidia-cuda-runtime-cu12==12.4.127, mine==1.0]
loader:
  {SITE}/nvidia/cuda_runtime/lib/libcudart.so.12: {{of: nvidia-cuda-runtime-cu12}}
  {SITE}/mine/_C.so:
    {{of: mine, needed: [libcudart.so.12], runpath: $ORIGIN/../nvidia/cuda_runtime/lib}}
"""

    assert first(MISSING_12, world).certainty == "general"


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


def test_what_a_project_declares_is_likely_to_be_the_cause_where_nothing_is_installed(
    tmp_path: Path,
) -> None:
    (tmp_path / "requirements.txt").write_text("numpy<2\ntorch==2.1.2+cu118\n")
    (tmp_path / "environment.yml").write_text(
        "name: x\nchannels: [pytorch, nvidia]\ndependencies:\n"
        "  - python=3.10\n  - pytorch=2.0.1\n  - pytorch-cuda=11.8\n  - mkl=2024.1\n"
    )
    snapshot = pipeline.look(str(tmp_path), pipeline.Choice(no_env=True), {}, host=False)
    texts = [
        "ERROR: No matching distribution found for torch==2.1.2+cu118",
        "ImportError: libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent",
    ]

    told = [explaining.diagnose(explaining.recognize([text]), snapshot)[0] for text in texts]

    assert [one.certainty for one in told] == ["likely", "likely"]
    places = [(one.culprit.path, one.culprit.line) for one in told if one.culprit]
    assert places == [("requirements.txt", 2), ("environment.yml", 7)]
    assert told[0].cause.startswith("requirements.txt pins")


WINDOWS = """
python: 3.11.9
platform: win-64
env: {SystemRoot: 'C:/Windows'}
pip: [torch==2.5.1+cu124, mine==1.0, nvidia-cudnn-cu12==9.1.0.70]
dlls:
  Lib/site-packages/torch/__init__.py: {of: torch}
  Lib/site-packages/torch/lib/cudart64_12.dll: {of: torch}
  Lib/site-packages/mine/_C.cp311-win_amd64.pyd: {of: mine, imports: [cudnn64_9.dll]}
  Lib/site-packages/nvidia/cudnn/bin/cudnn64_9.dll: {of: nvidia-cudnn-cu12}
  Lib/site-packages/mine/helper.dll: {of: mine, imports: [cublas64_11.dll]}
"""


@pytest.mark.parametrize(
    ("text", "culprit", "missing"),
    [
        (
            "ImportError: DLL load failed while importing _C: 找不到指定的模块。",
            "mine/_C.cp311-win_amd64.pyd",
            "cudnn64_9.dll",
        ),
        (
            (
                r"FileNotFoundError: Could not find module 'C:\\env\\mine\\helper.dll' (or one of its"
                " dependencies). Try using the full path with constructor syntax."
            ),
            "mine/helper.dll",
            "cublas64_11.dll",
        ),
    ],
)
def test_the_dll_is_named_that_a_module_of_windows_imports_and_nothing_answers(
    text: str, culprit: str, missing: str
) -> None:
    diagnosis = first(text, WINDOWS)

    assert diagnosis.culprit is not None
    assert diagnosis.culprit.path.endswith(culprit)
    assert diagnosis.culprit.owner.title == "pip's mine 1.0"
    assert f"imports {missing}, and nothing" in diagnosis.cause
    assert diagnosis.certainty == "proven"


def test_a_dll_for_another_machine_is_named_that_windows_came_to() -> None:
    world = WINDOWS.replace(
        "nvidia/cudnn/bin/cudnn64_9.dll: {", "mine/cudnn64_9.dll: {machine: 0xAA64, "
    )
    text = (
        "OSError: [WinError 193] %1 is not a valid Win32 application. Error loading"
        ' "C:\\\\env\\\\mine\\\\_C.cp311-win_amd64.dll" or one of its dependencies.'
    ).replace("_C.cp311-win_amd64.dll", "user.dll")
    world = world.replace("mine/_C.cp311-win_amd64.pyd", "mine/user.dll")

    diagnosis = first(text, world)

    assert diagnosis.culprit is not None
    assert diagnosis.culprit.path.endswith("mine/cudnn64_9.dll")
    assert (diagnosis.certainty, diagnosis.culprit.owner.title) == (
        "proven",
        "pip's nvidia-cudnn-cu12 9.1.0.70",
    )


def test_a_module_of_windows_that_finds_all_it_imports_is_no_culprit() -> None:
    world = WINDOWS.replace("cudnn64_9.dll]", "cudart64_12.dll]")
    text = (
        "ImportError: DLL load failed while importing _C: The specified module could not be found."
    )

    diagnosis = first(text, world)

    assert (diagnosis.certainty, diagnosis.culprit) == ("general", None)


@pytest.mark.parametrize(("folder", "is_told"), [("/home/me/envs/other", True), ("/prefix", False)])
def test_a_message_of_another_environment_is_said_to_be_one(folder: str, is_told: bool) -> None:
    text = f"""\
Traceback (most recent call last):
  File "{folder}/lib/python3.11/site-packages/mine/__init__.py", line 1, in <module>
{MISSING_12}
"""

    diagnosis = first(text, RUNTIME_13)

    assert any(f"goes through {folder}, and" in seen for seen in diagnosis.evidence) is is_told


def test_without_an_environment_what_is_known_in_general_is_told() -> None:
    known = explaining.recognize(["AssertionError: Torch not compiled with CUDA enabled"])

    (diagnosis,) = explaining.diagnose(known, None)

    assert diagnosis.certainty == "general"
    assert diagnosis.rules == known[0].error.rules
