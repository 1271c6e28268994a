"""ELF504: processes that map libraries of two CUDA toolkits, and those that only seem to."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity, flat
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
TAG = "cpython-311-x86_64-linux-gnu.so"
NVRTC_13 = f"{SITE}/nvidia/cu13/lib/libnvrtc.so.13"


def told(text, codes=("ELF504",)):
    report = judge(sketch(text), [all_rules()[code] for code in codes], KNOWN)
    assert report.crashes == ()
    return report.findings


def cupy(more="", *, files="", wheels=(), env="", shell=""):
    """Sketch conda's CUDA 12.4 below a wheel of CuPy for CUDA 12."""
    return f"""
python: 3.11.7
env: {{{env}}}
variable_paths: [{shell}]
conda: [python=3.11.7=h1, cuda-nvrtc=12.4.127=0]
pip: [{", ".join(("cupy-cuda12x==14.2.0", "cuda-pathfinder==1.9.0", *wheels))}]
toolkits:
  - {{path: /usr/local/cuda-13.0, version: "13.0", found_by: [PATH]}}
  - {{path: /usr/local/cuda-12.9, version: "12.9", found_by: [PATH]}}
evidence: {{{SITE}/torch/version.py: "cuda: Optional[str] = '13.2'"}}
loader:
  bin/python3.11: {{rpath: $ORIGIN/../lib}}
  lib/libnvrtc.so.12: {{of: cuda-nvrtc}}
  {SITE}/cupy/_core/core.{TAG}: {{of: cupy-cuda12x}}
  {SITE}/cupy/cuda/jitify.{TAG}: {{of: cupy-cuda12x, needed: [libnvrtc.so.12]}}
  {files}
{more}
"""


TORCH_C = f"{SITE}/torch/_C.{TAG}: {{of: torch, needed: [libtorch_cuda.so], rpath: $ORIGIN/lib}}"
SYSTEM_13 = "/usr/local/cuda-13.0/lib64/libnvrtc.so.13: {cached: true}"
TORCH = ("torch==2.15.0", "nvidia-cuda-nvrtc==13.2.51")
TORCH_FILES = f"{NVRTC_13}: {{of: nvidia-cuda-nvrtc}}"


def test_an_environment_that_is_not_activated_beside_a_system_toolkit_is_information():
    (finding,) = told(cupy(files=SYSTEM_13))

    assert finding.severity is Severity.INFO
    assert finding.message == (
        "a process that uses CuPy maps libraries of CUDA 12 and CUDA 13, in this shell and not"
        " activated: libnvrtc.so.12 of conda's cuda-nvrtc 12.4.127, and libnvrtc.so.13 of the CUDA"
        " toolkit 13.0 in /usr/local/cuda-13.0"
    )
    assert finding.remedy.startswith("activate the environment first")


def test_cupy_for_cuda_12_beside_torch_for_cuda_13_is_an_error_in_every_shell():
    (finding,) = told(cupy(wheels=TORCH, files=TORCH_FILES))

    assert finding.severity is Severity.ERROR
    assert "in every shell: libnvrtc.so.12 of conda's cuda-nvrtc 12.4.127" in finding.message
    assert "libnvrtc.so.13 of pip's nvidia-cuda-nvrtc 13.2.51" in finding.message
    assert finding.remedy.startswith("take cupy-cuda13x in place of cupy-cuda12x 14.2.0")
    assert finding.at.path == f"/prefix/{NVRTC_13}"


def test_what_the_environment_has_none_of_comes_from_the_system_in_every_shell():
    files = f"""{SITE}/cupy_backends/cuda/libs/cublas.{TAG}:
    {{of: cupy-cuda12x, needed: [libcublas.so.12]}}
  /usr/local/cuda-13.0/lib64/libcublas.so.13: {{cached: true, needed: [libcublasLt.so.13]}}
  /usr/local/cuda-13.0/lib64/libcublasLt.so.13: {{cached: true}}"""
    (finding,) = told(cupy(files=files))

    assert "CUDA 12 and CUDA 13, in every shell: libnvrtc.so.12 of conda's" in finding.message
    assert finding.remedy.startswith("install what is of another CUDA (libcublasLt, libcublas) for")


def test_it_is_told_under_the_mixture_that_brought_it():
    (finding,) = told(cupy(wheels=TORCH, files=TORCH_FILES), ("CUD201", "ELF504"))

    assert [one.code for one in flat([finding])] == ["CUD201", "ELF504"]


def test_a_toolkit_of_another_minor_release_is_none_of_another_cuda():
    old = "/usr/local/cuda-12.9/lib64/libnvrtc.so.12: {cached: true}"

    assert told(cupy(files=old)) == ()


def test_a_toolkit_that_is_only_there_is_left_alone():
    assert told(cupy(files="/usr/local/cuda-13.0/lib64/libcudart.so.13: {cached: true}")) == ()


def linked(env="", *, cupti="/usr/local/cuda-13.0/lib64/libcupti.so.13", fields="{}", more=""):
    """Sketch torch for CUDA 12.4, of which libcupti has to be looked for."""
    return f"""
python: 3.11.7
env: {{{env}}}
variable_paths: []
toolkits: [{{path: /usr/local/cuda-13.0, version: "13.0", found_by: [PATH]}}]
pip:
  - torch==2.5.1
  - nvidia-cuda-runtime-cu12==12.4.127
  - nvidia-cuda-cupti-cu12==12.4.127
  - nvidia-cuda-cupti==13.0.85
  - nvidia-cudnn-cu13==9.1.0
evidence: {{{SITE}/torch/version.py: "cuda: Optional[str] = '12.4'"}}
loader:
  {TORCH_C}
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [libcudart.so.12, {cupti.rpartition("/")[2]}, libcudnn.so.9],
      rpath: $ORIGIN/../../nvidia/cuda_runtime/lib:$ORIGIN/../../nvidia/cudnn/lib}}
  {SITE}/nvidia/cuda_runtime/lib/libcudart.so.12: {{of: nvidia-cuda-runtime-cu12}}
  {SITE}/nvidia/cudnn/lib/libcudnn.so.9: {{of: nvidia-cudnn-cu13}}
  {cupti}: {fields}
{more}
"""


def test_a_variable_that_leads_to_another_toolkit_is_named():
    (finding,) = told(linked("LD_LIBRARY_PATH: /usr/local/cuda-13.0/lib64"))

    assert finding.severity is Severity.ERROR
    assert finding.remedy == (
        "take `/usr/local/cuda-13.0/lib64` out of LD_LIBRARY_PATH where it is set"
    )


def test_what_the_environment_lacks_of_its_own_cuda_is_to_be_installed():
    (finding,) = told(linked(fields="{cached: true}"))

    assert finding.severity is Severity.ERROR
    assert finding.remedy.startswith("install what is of another CUDA (libcupti) for CUDA 12")


def test_a_framework_of_a_third_cuda_is_told_of_both():
    (finding,) = told(linked(fields="{cached: true}").replace("'12.4'", "'11.8'"))

    assert "maps libraries of CUDA 12 and CUDA 13" in finding.message


def test_the_driver_is_of_no_toolkit():
    driver = linked(cupti="/usr/lib/libcuda.so.580.65.06", fields="{soname: libcuda.so.1}")
    driver += "links: {/usr/lib/libcuda.so.1: libcuda.so.580.65.06}"

    assert told(driver.replace("libcuda.so.580.65.06, libcudnn", "libcuda.so.1, libcudnn")) == ()


def test_who_owns_a_library_need_not_be_known():
    (finding,) = told(linked(cupti="/opt/some/libcupti.so.13", fields="{cached: true}"))

    assert "and libcupti.so.13 of no package" in finding.message


def test_a_toolkit_of_unknown_version_is_known_by_its_libraries():
    (finding,) = told(linked(fields="{cached: true}").replace('version: "13.0", ', ""))

    assert "libcupti.so.13 of the CUDA toolkit in /usr/local/cuda-13.0" in finding.message


@pytest.mark.parametrize(
    ("file", "soname"),
    [
        ("libnvvm.so.4.0.0", "libnvvm.so.4"),
        ("libcupti.so.2025.3.1", "libcupti.so.12"),
        ("libcurand.so.10", "libcurand.so.10"),
    ],
)
def test_a_number_that_is_none_of_cuda_does_not_count(file, soname):
    world = linked(cupti=f"/usr/lib/{file}", fields=f"{{soname: {soname}}}")
    world = f"{world}links: {{/usr/lib/{soname}: {file}}}" if file != soname else world

    assert told(world.replace(f"{file}, libcudnn", f"{soname}, libcudnn")) == ()


def test_the_number_of_a_file_counts_where_its_name_tells_nothing():
    world = linked(cupti="/usr/lib/libcublas.so.13.1.0.3", fields="{soname: libcublas.so.13}")
    world = world.replace("libcublas.so.13.1.0.3, libcudnn", "libcublas.so.13, libcudnn")
    (finding,) = told(f"{world}links: {{/usr/lib/libcublas.so.13: libcublas.so.13.1.0.3}}")

    assert "libcublas.so.13 of the system" in finding.message


def test_a_part_of_its_own_number_is_known_by_its_file():
    world = linked(cupti="/usr/lib/libcufft.so.12.0.0.61", fields="{soname: libcufft.so.12}")
    world = world.replace("libcufft.so.12.0.0.61, libcudnn", "libcufft.so.12, libcudnn")
    (finding,) = told(f"{world}links: {{/usr/lib/libcufft.so.12: libcufft.so.12.0.0.61}}")

    assert "libcufft.so.12 of the system" in finding.message


def test_a_file_that_two_wheels_wrote_is_told_under_these():
    path = f"{SITE}/nvidia/cupti/libcupti.so.12"
    world = linked(cupti=path, fields="{of: nvidia-cuda-cupti, cached: true}")
    record = path.removeprefix(f"{SITE}/")
    world = world.replace(
        "- nvidia-cuda-cupti-cu12==12.4.127",
        f'- nvidia-cuda-cupti-cu12==12.4.127: {{record: "{record},sha256=eA,2"}}',
    ).replace(
        "- nvidia-cuda-cupti==13.0.85",
        f'- nvidia-cuda-cupti==13.0.85: {{record: "{record},sha256=eQ,3"}}',
    )
    found = told(f"{world}payload: [{{path: {path}, size: 3}}]", ("DUP104", "ELF504"))

    assert [[one.code for one in flat([root])] for root in found] == [["DUP104", "ELF504"]]


def test_a_captured_file_is_told_under_the_variable():
    world = linked("LD_LIBRARY_PATH: /usr/local/cuda-13.0/lib64", cupti=f"{SITE}/libcupti.so.12")
    world = world.replace("nvidia/cudnn/lib}", "nvidia/cudnn/lib:$ORIGIN/../..}")
    world = world.replace("rpath: $ORIGIN", "runpath: $ORIGIN")
    world = world.replace("libcupti.so.12: {}", "libcupti.so.12: {of: nvidia-cuda-cupti-cu12}")
    found = told(
        f"{world}\n  /usr/local/cuda-13.0/lib64/libcupti.so.12: {{}}", ("PTH404", "ELF504")
    )

    assert [[one.code for one in flat([root])] for root in found] == [["PTH404", "ELF504"]]


CUSPARSE = f"{SITE}/nvidia/cu13/lib/libcusparse.so.12"


def crossing(*, misfits=""):
    """Sketch torch for CUDA 13 beside CuPy 13 for CUDA 12; both have a libcusparse.so.12."""
    module = f"{SITE}/cupy_backends/cuda/libs/cusparse.{TAG}"
    files = f"""
  {CUSPARSE}: {{of: nvidia-cusparse}}
  lib/libcusparse.so.12: {{of: libcusparse}}
  {TORCH_C}
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cu13/lib}}
  {module}: {{of: cupy-cuda12x, needed: [libcusparse.so.12]}}
"""
    world = cupy(misfits, files=files, wheels=("torch==2.15.0", "nvidia-cusparse==12.7.2"))
    world = world.replace("14.2.0", "13.6.0")
    return world.replace(
        "cuda-nvrtc=12.4.127=0]", "cuda-nvrtc=12.4.127=0, libcusparse=12.3.1.170=0]"
    )


def test_a_namesake_of_another_framework_is_information():
    (finding,) = told(crossing())

    assert finding.severity is Severity.INFO
    assert finding.message == (
        "where PyTorch and CuPy are imported into one process, pip's cupy-cuda12x 13.6.0 gets"
        " libcusparse.so.12 of CUDA 13 from pip's nvidia-cusparse 12.7.2, while it is linked with the"
        " one of CUDA 12 of conda's libcusparse 12.3.1.170"
    )


def test_a_namesake_that_lacks_a_symbol_is_a_warning():
    consumer = f"{SITE}/cupy_backends/cuda/libs/cusparse.{TAG}"
    error = f"/prefix/{consumer}: undefined symbol: cusparseScsrmm"
    (finding,) = told(
        crossing(
            misfits=f"""
misfits:
  - consumer: {consumer}
    provider: {CUSPARSE}
    soname: libcusparse.so.12
    symbols: [{{symbol: cusparseScsrmm, outcome: refused, error: "{error}"}}]
"""
        )
    )

    assert finding.severity is Severity.WARNING
    assert finding.shows_as == f"`{error}`"


def test_cudnn_for_cuda_12_over_cudnn_for_cuda_13_is_one_finding():
    path = f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9"
    record = "nvidia/cudnn/lib/libcudnn.so.9"
    consumer = f"{SITE}/torch/lib/libtorch_cuda.so"
    world = f"""
python: 3.11.7
env: {{}}
variable_paths: []
conda: []
pip:
  - torch==2.11.0: {{requires: [nvidia-cudnn-cu13==9.19.0.56]}}
  - nvidia-cudnn-cu13==9.19.0.56: {{record: "{record},sha256=eA,2"}}
  - nvidia-cudnn-cu12==9.10.2.21: {{record: "{record},sha256=eQ,3"}}
evidence: {{{SITE}/torch/version.py: "cuda: Optional[str] = '13.0'"}}
payload: [{{path: {path}, size: 3}}]
loader:
  {TORCH_C}
  {consumer}: {{of: torch, needed: [libcudnn.so.9], rpath: $ORIGIN/../../nvidia/cudnn/lib}}
  {path}: {{}}
misfits:
  - consumer: {consumer}
    provider: {path}
    soname: libcudnn.so.9
    symbols: [{{symbol: cudnnNew, outcome: refused, error: "undefined symbol: cudnnNew"}}]
"""
    found = [f for f in told(world, tuple(all_rules())) if f.severity is not Severity.INFO]

    assert [one.code for one in found] == ["DUP104"]
    assert {"ELF502", "ELF503"} <= {one.code for one in flat(found)}


def test_a_namesake_of_another_minor_release_is_left_alone():
    world = crossing().replace("nvidia-cusparse==12.7.2", "nvidia-cusparse-cu12==12.5.8.93")
    world = world.replace("of: nvidia-cusparse}", "of: nvidia-cusparse-cu12}").replace(
        "13.2", "12.8"
    )

    assert told(world) == ()


def test_what_is_found_and_cannot_be_opened_is_not_in_the_process():
    files = """/usr/local/cuda-13.0/lib64/libnvrtc.so.13: {cached: true, needed: [libgone.so]}
  /usr/local/cuda-13.0/lib64/libcublas.so.13: {cached: true, needed: [libgone.so]}"""

    assert told(cupy(files=files)) == ()
