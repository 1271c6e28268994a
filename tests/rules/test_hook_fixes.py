"""The findings that the environment's activation can answer carry its hook; all others do not."""

from reconciler import catalog, pipeline
from reconciler.model.fix import Applicability
from reconciler.model.hook import PrependPath, RemoveElement, SetVariable, Unset
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch
from tests.builds.test_hooking import CAPTURED, CUBLAS, IMPORTS, OLD, SITE, ctranslate2

KNOWN = catalog.load()


def fix_of(code, text):
    report = judge(sketch(text), [all_rules()[code]], KNOWN)
    assert report.crashes == ()
    (finding,) = report.findings
    return finding.fix


def variable_of(code, text):
    ((variable,),) = (change.variables for change in fix_of(code, text).hooks)
    return variable


def test_a_library_that_a_wheel_has_and_nothing_leads_to():
    front = PrependPath(name="LD_LIBRARY_PATH", directories=(CUBLAS,))
    assert variable_of("ELF501", ctranslate2()) == front


def test_a_call_in_the_program_comes_before_a_hook():
    text = f"""
python: 3.11.7
pip: [onnxruntime-gpu==1.22.0, nvidia-cudnn-cu12==9.10.2.21]
evidence: {{{SITE}/onnxruntime/capi/build_and_package_info.py: "cuda_version = '12.8'"}}
loader:
  {SITE}/onnxruntime/capi/libonnxruntime_providers_cuda.so:
    {{of: onnxruntime-gpu, needed: [libcudnn.so.9]}}
  {SITE}/onnxruntime/capi/onnxruntime_pybind11_state.so: {{of: onnxruntime-gpu}}
  {SITE}/nvidia/cudnn/lib/libcudnn.so.9: {{of: nvidia-cudnn-cu12}}
"""
    fix = fix_of("ELF501", text)
    assert (fix.applicability, len(fix.hooks)) == (Applicability.UNSAFE, 1)


def test_an_element_that_captures():
    out = RemoveElement(name="LD_LIBRARY_PATH", directory=OLD)
    assert variable_of("PTH404", CAPTURED) == out
    assert fix_of("PTH404", CAPTURED).applicability is Applicability.UNSAFE


def test_a_foreign_pythonpath():
    text = IMPORTS.replace("user site", "PYTHONPATH")
    assert variable_of("PTH402", text) == Unset(name="PYTHONPATH")


def test_the_project_s_own_pythonpath_is_left_alone():
    mixed = IMPORTS.replace("user site", "PYTHONPATH").replace(
        "import_paths:", "import_paths:\n  - {path: /project/src, origin: PYTHONPATH}"
    )
    assert fix_of("PTH402", mixed) is None


def test_a_user_site_in_a_virtual_environment():
    off = SetVariable(name="PYTHONNOUSERSITE", value="1")
    assert variable_of("PTH403", IMPORTS) == off


def test_conda_s_own_variable_comes_before_a_hook():
    fix = fix_of("PTH403", "conda: []\n" + IMPORTS.replace("numpy==1.26.4", "numpy==1.26.4: {}"))
    assert (fix.hooks, len(fix.commands)) == ((), 1)


LIBDEVICE = all_rules()["VIS309"].BAD + "  opt/cuda/nvvm/libdevice/libdevice.10.bc: {}\n"


def test_libdevice_that_lies_elsewhere_in_the_environment():
    assert variable_of("VIS309", LIBDEVICE) == SetVariable(
        name="XLA_FLAGS", value="--xla_gpu_cuda_data_dir=", path="opt/cuda"
    )


def test_flags_that_the_user_has_set_are_not_replaced():
    assert fix_of("VIS309", "env: {XLA_FLAGS: --xla_dump_to=/x}\n" + LIBDEVICE) is None


def test_a_folder_whose_name_xla_parts_at_a_space_does_not_serve():
    assert fix_of("VIS309", LIBDEVICE.replace("  opt/cuda", "  opt/my cuda")) is None


def test_libdevice_outside_of_the_environment_is_not_led_to():
    assert fix_of("VIS309", LIBDEVICE.replace("  opt/cuda", "  /srv/cuda")) is None


def test_a_repair_plans_one_hook_for_all_that_ask_for_it():
    repair = pipeline.fix(sketch(ctranslate2()), select=["ELF501"])

    (planned,) = repair.hooks
    assert [finding.code for finding in planned.findings] == ["ELF501"]
    assert (repair.made, repair.files, repair.after.findings) == ((), (), ())


def test_what_takes_away_is_planned_only_when_it_is_asked_for():
    safe = pipeline.fix(sketch(CAPTURED), select=["PTH404"])
    unsafe = pipeline.fix(sketch(CAPTURED), select=["PTH404"], unsafe=True)

    assert (safe.hooks, len(safe.left_out), len(safe.after.findings)) == ((), 1, 1)
    assert (len(unsafe.hooks), unsafe.left_out, unsafe.after.findings) == (1, (), ())


def test_a_folder_of_conda_s_that_holds_cuda_alone():
    text = "env: {}\n" + ctranslate2(packages="six==1.16.0").replace(
        "env: {}", "conda: [libcublas=12.4.5.8=0]"
    ).replace(CUBLAS, "targets/x86_64-linux/lib").replace("of: nvidia-cublas-cu12", "of: libcublas")
    front = PrependPath(name="LD_LIBRARY_PATH", directories=("targets/x86_64-linux/lib",))
    assert variable_of("VIS301", text) == front
