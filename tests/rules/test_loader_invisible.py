"""VIS301: what only conda has and the loader of another Python does not come to."""

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import rule
from reconciler.rules.vis301_conda_cuda_invisible import check
from reconciler.testing import sketch
from reconciler.world import World

SITE = "lib/python3.11/site-packages"
CORE = f"{SITE}/cupy/_core/core.cpython-311-x86_64-linux-gnu.so"
TENSORFLOW = f"{SITE}/tensorflow/libtensorflow_cc.so.2"
AROUND = """
env: {CONDA_PREFIX: /conda/envs/a, VIRTUAL_ENV: /prefix}
variable_paths:
  - {variable: CONDA_PREFIX, path: /conda/envs/a, environment: /conda/envs/a}
  - {variable: VIRTUAL_ENV, path: /prefix, environment: /prefix}
"""
CUPY = f"""
python: {{version: 3.11.7, home: /usr/bin}}
pip: [cupy-cuda12x==13.6.0]
loader:
  {CORE}: {{of: cupy-cuda12x}}
"""
CONDAS = "  /conda/envs/a/lib/libnvrtc.so.12: {}\n"


def found(text):
    return list(check(World(sketch(text), catalog.load())))


def codes(text):
    report = judge(sketch(text), [rule("VIS301"), rule("ELF501")], catalog.load())
    assert report.crashes == ()
    return [finding.code for finding in report.findings]


def test_a_venv_of_the_system_s_python_does_not_see_the_conda_environment_around_it():
    (finding,) = found(AROUND + CUPY + CONDAS)
    assert finding.severity is Severity.ERROR
    assert "CuPy (pip's cupy-cuda12x 13.6.0) asks for libnvrtc.so.12" in finding.message
    assert "Only conda has it, in /conda/envs/a/lib" in finding.message
    assert "in every shell" in finding.message
    assert finding.shows_as.startswith(
        "`libnvrtc.so.12: cannot open shared object file: No such file or directory`"
    )
    assert "`/conda/envs/a/bin/python -m venv FOLDER`" in finding.remedy
    assert "/prefix/bin/python3.11 has no RPATH" in finding.evidence[0]


def test_a_venv_of_conda_s_own_python_sees_it():
    assert found(AROUND + CUPY + CONDAS + "  bin/python3.11: {rpath: /conda/envs/a/lib}\n") == []


def test_the_remedy_for_single_programs_is_one_that_helps():
    helped = AROUND.replace("env: {", "env: {LD_LIBRARY_PATH: /conda/envs/a/lib, ")
    assert found(helped + CUPY + CONDAS) == []


def test_what_the_system_has_as_well_is_not_missing():
    system = "  /usr/local/cuda/lib64/libnvrtc.so.12: {cached: true}\n"
    assert found(AROUND + CUPY + CONDAS + system) == []


def test_what_a_wheel_has_as_well_is_told_by_another_rule():
    wheel = AROUND + CUPY.replace("[cupy", "[nvidia-cuda-nvrtc-cu12==12.4.127, cupy") + CONDAS
    wheel += f"  {SITE}/nvidia/cuda_nvrtc/lib/libnvrtc.so.12: {{of: nvidia-cuda-nvrtc-cu12}}\n"
    assert codes(wheel) == ["ELF501"]


def test_what_is_told_here_is_not_told_again():
    assert codes(AROUND + CUPY + CONDAS) == ["VIS301"]


def test_a_copy_for_another_machine_is_none():
    assert found(AROUND + CUPY + CONDAS.replace("{}", "{machine: 183}")) == []


def test_a_stub_of_the_toolkit_is_no_copy():
    assert found(AROUND + CUPY + CONDAS.replace("/lib/", "/lib/stubs/")) == []


INTERNAL = f"{SITE}/tensorflow/python/_pywrap_tensorflow_internal.so"
IN_CONDA = f"""
conda: [cuda-cudart=12.2.140=h0, libcublas=12.2.5.6=h0]
pip:
  - tensorflow==2.15.1:
      requires:
        - nvidia-cuda-runtime-cu12 ==12.2.140 ; extra == 'and-cuda'
        - nvidia-cublas-cu12 ==12.2.5.6 ; extra == 'and-cuda'
evidence:
  {SITE}/tensorflow/python/platform/build_info.py: |
    build_info = collections.OrderedDict([('cuda_version', '12.2'), ('is_cuda_build', True)])
loader:
  bin/python3.11: {{rpath: $ORIGIN/../lib}}
  {INTERNAL}: {{of: tensorflow, needed: [libtensorflow_cc.so.2], rpath: $ORIGIN/..}}
  {TENSORFLOW}: {{of: tensorflow, runpath: $ORIGIN/../nvidia/cublas/lib}}
  lib/libcudart.so.12: {{of: cuda-cudart}}
  lib/libcublas.so.12: {{of: libcublas}}
"""


def test_a_wheel_with_a_runpath_passes_over_the_rpath_of_conda_s_python():
    (finding,) = found(IN_CONDA)
    assert "asks for libcudart.so.12, libcublas.so.12. Only conda has them, in /prefix/lib" in (
        finding.message
    )
    assert "in its favor passes over the RPATH of Python" in finding.evidence[0]
    assert "of conda's cuda-cudart 12.2.140" in finding.evidence[1]


def test_what_a_framework_goes_on_without_is_only_warned_of():
    assert found(IN_CONDA)[0].severity is Severity.WARNING


def test_the_extra_of_a_wheel_that_looks_into_wheels_is_a_fix():
    (finding,) = found(IN_CONDA)
    assert finding.remedy.startswith("`pip install 'tensorflow[and-cuda]==2.15.1'`")
    assert "tensorflow[and-cuda]==2.15.1" in finding.fix.commands[0].argv


def test_without_its_runpath_it_has_what_conda_has():
    assert found(IN_CONDA.replace(", runpath: $ORIGIN/../nvidia/cublas/lib", "")) == []


HOOK = """
state:
  scripts:
    - path: etc/conda/activate.d/cuda.sh
      text: export LD_LIBRARY_PATH=$CONDA_PREFIX/lib
"""
ELSEWHERE = """
env: {CONDA_PREFIX: /elsewhere}
variable_paths: [{variable: CONDA_PREFIX, path: /elsewhere, environment: /elsewhere}]
"""
INSIDE = ELSEWHERE.replace("/elsewhere", "/prefix")


def test_what_an_activation_hook_mends_is_information():
    (finding,) = found(IN_CONDA + HOOK + ELSEWHERE)
    assert finding.severity is Severity.INFO
    assert finding.message.endswith("they cannot be opened, in this shell and not activated")
    assert finding.remedy.startswith("activate the environment before you start it")


def test_a_shell_that_is_inside_and_has_nothing_of_the_hook_is_broken():
    (finding,) = found(IN_CONDA + HOOK + INSIDE)
    assert finding.severity is Severity.WARNING


def test_where_a_shell_is_activated_what_starts_without_it_is_told_of():
    inside = INSIDE.replace("env: {", "env: {LD_LIBRARY_PATH: /prefix/lib, ")
    (finding,) = found(IN_CONDA + HOOK + inside)
    assert finding.severity is Severity.INFO
    assert finding.message.endswith(
        "not activated (as kernels of an IDE, cron and `path/to/python` start it)"
    )


def test_a_library_that_works_on_the_cpu_is_only_warned_of():
    (finding,) = found(f"""
{AROUND}
pip: [ctranslate2==4.5.0]
libraries:
  {SITE}/ctranslate2.libs/libctranslate2-bc.so.4: {{needed: [libcudart.so.12]}}
loader:
  {SITE}/ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so: {{of: ctranslate2}}
  /conda/envs/a/lib/libcublas.so.12: {{}}
""")
    assert finding.severity is Severity.WARNING


def test_what_conda_s_framework_has_loaded_serves_the_wheel_of_an_extension():
    extension = f"{SITE}/torchaudio/lib/pybind11_prefixctc.so"
    sketched = f"""
conda: [pytorch=2.5.1=cuda126_py311_0, libcublas=12.6.4.1=h0]
pip: [torchaudio==2.5.1]
loader:
  bin/python3.11: {{rpath: $ORIGIN/../lib}}
  {extension}: {{of: torchaudio, needed: [libcublas.so.12], runpath: $ORIGIN}}
  lib/libcublas.so.12: {{of: libcublas}}
"""
    torch = f"  {SITE}/torch/_C.so: {{of: pytorch, needed: [libcublas.so.12]}}\n"
    assert found(sketched + torch) == []
    assert len(found(sketched)) == 1


def test_a_release_that_is_not_taken_since_another_serves_is_not_missed():
    cupy = CUPY.replace("cupy-cuda12x==13.6.0", "cupy-cuda12x==14.2.0")
    around = AROUND.replace("env: {CONDA_PREFIX: /conda/envs/a, ", "env: {")
    newer = "  /conda/envs/a/lib/libnvrtc.so.13: {}\n"
    system = "  /usr/local/cuda/lib64/libnvrtc.so.12: {cached: true}\n"
    assert found(around + cupy + newer + system) == []
    assert len(found(around + cupy + newer)) == 1


def test_another_python_is_no_remedy_for_a_library_with_a_runpath():
    (finding,) = found(f"""
{AROUND}
pip: [torchaudio==2.5.1]
loader:
  {SITE}/torchaudio/lib/x.so: {{of: torchaudio, needed: [libcublas.so.12], runpath: $ORIGIN}}
  /conda/envs/a/lib/libcublas.so.12: {{}}
""")
    assert "-m venv" not in finding.remedy
    assert "`LD_LIBRARY_PATH=/conda/envs/a/lib`" in finding.remedy
