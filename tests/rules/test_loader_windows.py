"""ELF508: DLLs of CUDA that nothing answers on Windows, and what only looks like it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.rules.elf508_dll_not_found import check
from reconciler.testing import sketch
from reconciler.world import World

if TYPE_CHECKING:
    from reconciler.model.finding import Finding

SITE = "Lib/site-packages"
LIB = f"{SITE}/torch/lib"
HERE = 'SystemRoot: "C:\\\\Windows"'
CUDA = "C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v12.4"
KNOWN = catalog.load()
TORCH = f"""
python: 3.11.9
platform: win-64
pip: [torch==2.5.1+cu124]
evidence: {{{SITE}/torch/version.py: "cuda = '12.4'"}}
dlls:
  {SITE}/torch/__init__.py: {{of: torch}}
  {LIB}/c10_cuda.dll: {{of: torch, imports: [cudart64_12.dll]}}
  {LIB}/cudart64_12.dll: {{of: torch}}
  {LIB}/torch_cuda.dll: {{of: torch, imports: [CUBLAS64_12.dll]}}
"""
CUBLAS = f"  {LIB}/cublas64_12.dll: {{of: torch, imports: [cublasLt64_12.dll]}}\n"
CUBLASLT = f"  {LIB}/cublasLt64_12.dll: {{of: torch}}\n"
CUPY = f"""
python: 3.11.9
platform: win-64
pip: [cupy-cuda12x==13.6.0]
dlls:
  {SITE}/cupy/__init__.py: {{of: cupy-cuda12x}}
  {SITE}/cupy_backends/cuda/libs/cublas.cp311-win_amd64.pyd:
    {{of: cupy-cuda12x, imports: [cublas64_12.dll]}}
"""
CONDA = """
python: 3.12.8
platform: win-64
conda:
  - libtorch=2.5.1=cuda126_mkl_h5239056_312: {subdir: win-64, depends: ["cuda-version >=12.6,<13"]}
dlls:
  Library/bin/c10_cuda.dll: {of: libtorch, imports: [cublas64_12.dll]}
  Library/bin/torch_cuda.dll: {of: libtorch, imports: [cublas64_12.dll]}
"""


def found(text: str) -> list[Finding]:
    return list(check(World(sketch(text), KNOWN)))


def one(text: str) -> Finding:
    (only,) = found(text)
    return only


def test_a_wheel_with_all_of_its_dlls_is_silent() -> None:
    assert found(f"{TORCH}{CUBLAS}{CUBLASLT}") == []


def test_the_dll_that_windows_does_not_name_is_named() -> None:
    finding = one(TORCH)

    assert finding.message == (
        "PyTorch (pip's torch 2.5.1+cu124) imports CUBLAS64_12.dll through torch_cuda.dll, and no file"
        " of this name is found"
    )
    assert finding.severity is Severity.ERROR
    assert finding.shows_as == (
        "`OSError: [WinError 126] The specified module could not be found. Error loading"
        " ...torch_cuda.dll or one of its dependencies.`, which does not name CUBLAS64_12.dll"
    )
    assert finding.remedy.startswith("install pip's torch 2.5.1+cu124 again, with pip")
    assert f"/prefix/{LIB}" in finding.evidence[1]
    assert "not tested on Windows itself" in finding.evidence[-1]


def test_what_a_dll_of_cuda_imports_in_turn_is_followed() -> None:
    finding = one(f"{TORCH}{CUBLAS}")

    assert "cublasLt64_12.dll through cublas64_12.dll" in finding.message
    assert "Error loading ...cublas64_12.dll" in finding.shows_as


def test_all_that_import_it_are_told_in_one_finding() -> None:
    more = f"  {LIB}/torch_python.dll: {{of: torch, imports: [cublas64_12.dll]}}\n"

    assert "torch_cuda.dll, torch_python.dll, and" in one(f"{TORCH}{more}").message


def test_a_file_that_was_recorded_and_is_gone_is_installed_again() -> None:
    gone = "[torch==2.5.1+cu124: {record: 'torch/lib/cublas64_12.dll,,1'}]"

    finding = one(TORCH.replace("[torch==2.5.1+cu124]", gone))

    assert "the file is gone that pip's torch 2.5.1+cu124 has installed" in finding.message
    assert finding.fix
    assert "install pip's torch 2.5.1+cu124 again" in str(finding.fix)


@pytest.mark.parametrize(
    "name", ["nvcuda.dll", "nvml.dll", "OpenCL.dll", "zlib1.dll", "KERNEL32.dll"]
)
def test_what_the_driver_or_windows_brings_is_not_cuda_s(name: str) -> None:
    text = TORCH.replace("CUBLAS64_12.dll", name)

    assert found(text) == []


def test_what_is_opened_at_its_first_call_is_no_error() -> None:
    assert found(TORCH.replace("imports: [CUBLAS64_12.dll]", "delayed: [cublas64_12.dll]")) == []


def test_a_provider_that_may_be_missing_is_no_error() -> None:
    text = f"""
python: 3.11.9
platform: win-64
env: {{{HERE}}}
pip: [onnxruntime-gpu==1.20.2]
dlls:
  {SITE}/onnxruntime/__init__.py: {{of: onnxruntime-gpu}}
  {SITE}/onnxruntime/capi/onnxruntime_providers_cuda.dll:
    {{of: onnxruntime-gpu, imports: [cublas64_12.dll, cudnn64_9.dll]}}
"""
    assert found(text) == []


def test_a_wheel_that_takes_the_toolkit_s_cuda_is_not_judged_from_elsewhere() -> None:
    assert found(CUPY) == []


def test_on_windows_the_toolkit_is_missed() -> None:
    finding = one(f"{CUPY}env: {{{HERE}}}\n")

    assert finding.shows_as.startswith(
        "`ImportError: DLL load failed while importing cublas: The specified module could not be found.`"
    )
    assert finding.remedy.startswith("install the CUDA toolkit that has cublas64_12.dll")


def test_on_windows_the_toolkit_of_cuda_path_is_found() -> None:
    toolkit = f'  "{CUDA}/bin/cublas64_12.dll": {{}}\n'

    assert found(f'{CUPY}{toolkit}env: {{{HERE}, CUDA_PATH: "{CUDA}"}}\n') == []


def test_path_alone_does_not_serve_an_extension() -> None:
    copy = '  "D:/cuda/bin/cublas64_12.dll": {}\n'

    finding = one(f'{CUPY}{copy}env: {{{HERE}, PATH: "D:/cuda/bin"}}\n')

    assert "no package has it in D:/cuda/bin, where Windows does not look" in finding.message
    assert finding.remedy.startswith("call `os.add_dll_directory(r'D:/cuda/bin')` before CuPy")
    assert finding.related[0].path == "D:/cuda/bin/cublas64_12.dll"


def test_a_toolkit_is_found_by_its_compiler_on_path() -> None:
    toolkit = '  "D:/cuda/bin/cublas64_12.dll": {}\n  "D:/cuda/bin/nvcc.exe": {}\n'

    assert found(f'{CUPY}{toolkit}env: {{{HERE}, PATH: "D:/cuda/bin"}}\n') == []


@pytest.mark.parametrize(("version", "count"), [("13.6.0", 1), ("14.0.0", 0)])
def test_cupy_finds_the_wheels_of_nvidia_since_14(version: str, count: int) -> None:
    wheels = f"""\
  {SITE}/nvidia/cublas/bin/cublas64_12.dll: {{}}
  {SITE}/nvidia/cublas/bin/cublasLt64_12.dll: {{}}
"""
    text = f"{CUPY}{wheels}env: {{{HERE}}}\n".replace("13.6.0", version)

    assert len(found(text)) == count


def test_torch_tries_path_once_more() -> None:
    copy = '  "D:/cuda/bin/cublas64_12.dll": {}\n'

    assert found(f'{TORCH}{copy}env: {{{HERE}, PATH: "D:/cuda/bin"}}\n') == []


def test_a_package_of_conda_is_judged_from_anywhere() -> None:
    finding = one(CONDA)

    assert "cublas64_12.dll through c10_cuda.dll, torch_cuda.dll, and" in finding.message
    assert finding.shows_as.startswith("`ImportError: DLL load failed while importing ...:")


def test_library_bin_serves_conda_s_packages() -> None:
    assert found(f"{CONDA}  Library/bin/cublas64_12.dll: {{}}\n") == []


@pytest.mark.parametrize(("name", "count"), [("auto-gptq", 0), ("causal-conv1d", 1)])
def test_a_project_that_goes_on_without_its_gpu_is_silent(name: str, count: int) -> None:
    module = {"auto-gptq": "autogptq_cuda_64", "causal-conv1d": "causal_conv1d_cuda"}[name]
    text = f"""
python: 3.11.9
platform: win-64
env: {{{HERE}}}
pip: [torch==2.5.1+cu124, {name}==1.0+cu121]
dlls:
  {SITE}/{module}.cp311-win_amd64.pyd: {{of: {name}, imports: [cudart64_12.dll]}}
"""
    assert len(found(text)) == count


EXTENSION = f"""
python: 3.11.9
platform: win-64
env: {{{HERE}}}
pip: [torch==2.5.1+cu124, causal-conv1d==1.0+cu118]
dlls:
  {SITE}/causal_conv1d_cuda.cp311-win_amd64.pyd: {{of: causal-conv1d, imports: [cudart64_110.dll]}}
"""


def test_an_extension_wants_the_cuda_of_its_framework() -> None:
    assert one(EXTENSION).remedy == (
        "install pip's causal-conv1d 1.0+cu118 again, in a build for the CUDA of the PyTorch that is"
        " installed"
    )


def test_that_an_extension_is_for_another_release_explains_it() -> None:
    report = judge(sketch(EXTENSION), tuple(all_rules().values()), KNOWN)

    (cause,) = (f for f in report.findings if f.code != "ELF508")
    assert cause.code in {"CUD201", "CUD205"}
    assert [symptom.code for symptom in cause.symptoms] == ["CUD205", "ELF508"]


def test_an_extension_of_a_framework_for_the_cpu_is_not_judged() -> None:
    assert found(EXTENSION.replace("+cu124", "+cpu")) == []


def test_where_conda_s_packages_keep_their_dlls_is_their_own_affair() -> None:
    record = "  - libcublas=12.6.4.1=h0: {subdir: win-64}\ndlls:"
    text = CONDA.replace("dlls:", record)

    assert found(f"{text}  Library/bin/x64/cublas64_12.dll: {{of: libcublas}}\n") == []


@pytest.mark.parametrize("name", ["cudart64_12.dll", "nvToolsExt64_1.dll"])
def test_what_torch_looks_for_in_the_machine_s_toolkit_is_not_judged_elsewhere(name: str) -> None:
    assert found(CONDA.replace("cublas64_12.dll", name)) == []
    assert found(f"{CONDA.replace('cublas64_12.dll', name)}env: {{{HERE}}}\n")


def test_only_what_was_searched_is_told() -> None:
    searched = one(f'{CUPY}env: {{{HERE}, PATH: "D:/cuda/bin"}}\n').evidence[1]

    assert "C:/Windows/System32" in searched
    assert "D:/cuda/bin" not in searched


def test_a_file_of_the_name_that_does_not_fit_is_another_fault() -> None:
    small = f"  {LIB}/cublas64_12.dll: {{of: torch, machine: 332, bits: 32}}\n"

    assert found(f"{TORCH}{small}") == []


def test_nothing_is_said_of_linux() -> None:
    assert found("python: 3.11.9\npip: [torch==2.5.1]\n") == []


def test_the_other_rules_say_nothing_of_a_healthy_wheel() -> None:
    snapshot = sketch(f"{TORCH}{CUBLAS}{CUBLASLT}")

    report = judge(snapshot, tuple(all_rules().values()), KNOWN)

    assert report.findings == ()
    assert report.crashes == ()


def test_thousands_of_imports_do_not_take_long() -> None:
    names = [f"cufft64_{number}.dll" for number in range(600)]
    many = "".join(
        f"  {LIB}/a{number}.dll: {{of: torch, imports: [{', '.join(names)}]}}\n"
        for number in range(60)
    )
    world = World(sketch(f"{TORCH}{CUBLAS}{CUBLASLT}{many}"), KNOWN)
    start = time.perf_counter()

    findings = list(check(world))

    assert len(findings) == 40
    # of a busy machine: alone, it takes a second
    assert time.perf_counter() - start < 20
