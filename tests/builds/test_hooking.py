"""What activation has to change: proposed where a replay proves it, and left alone where it does not."""

import pytest
from msgspec.structs import replace

from reconciler import catalog
from reconciler.builds.proof import trial
from reconciler.model.fix import Applicability
from reconciler.model.hook import PrependPath, RemoveElement, SetVariable, Unset
from reconciler.testing import sketch
from reconciler.world import World
from tests.rules.test_loader_invisible import IN_CONDA

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
CUBLAS = f"{SITE}/nvidia/cublas/lib"
CUDNN = f"{SITE}/nvidia/cudnn/lib"
OLD = "/usr/local/cuda-12.1/lib64"


def ctranslate2(more="", *, env="", packages="nvidia-cublas-cu12==12.4.5.8", runpath="$ORIGIN"):
    """Sketch CTranslate2, which opens cuBLAS by its name, beside the wheel that has it."""
    return f"""
python: {{version: 3.11.7, home: /usr/bin}}
env: {{{env}}}
pip: [ctranslate2==4.5.0, {packages}]
loader:
  {SITE}/ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so:
    {{of: ctranslate2, needed: [libctranslate2-d3.so.4], rpath: $ORIGIN/../ctranslate2.libs}}
  {SITE}/ctranslate2.libs/libctranslate2-d3.so.4: {{of: ctranslate2}}
  {CUBLAS}/libcublas.so.12:
    {{of: nvidia-cublas-cu12, needed: [libcublasLt.so.12], runpath: {runpath}}}
  {CUBLAS}/libcublasLt.so.12: {{of: nvidia-cublas-cu12}}
{more}"""


def fixes(text):
    return World(sketch(text), KNOWN).hooking.fixes


def proposed(text):
    return [v for fix in fixes(text) for change in fix.hooks for v in change.variables]


def paths(*directories):
    return PrependPath(name="LD_LIBRARY_PATH", directories=directories)


def test_the_folder_of_the_one_wheel_that_is_needed_is_proposed_and_proven():
    (fix,) = fixes(ctranslate2())
    (change,) = fix.hooks

    assert change.variables == (paths(CUBLAS),)
    assert change.why.code == "ELF501"
    assert "CTranslate2 asks for libcublas.so.12" in change.why.sentence
    assert change.proof == (f"with {CUBLAS} on LD_LIBRARY_PATH, CTranslate2 starts",)
    assert (fix.applicability, fix.edits, fix.commands) == (Applicability.SAFE, (), ())


def test_what_only_another_folder_can_answer_is_brought_with_it():
    apart = ctranslate2(runpath="$ORIGIN/none").replace(
        f"  {CUBLAS}/libcublasLt.so.12: {{of: nvidia-cublas-cu12}}",
        f"  {CUDNN}/libcublasLt.so.12: {{of: nvidia-cudnn-cu12}}",
    )
    apart = apart.replace("12.4.5.8]", "12.4.5.8, nvidia-cudnn-cu12==9.1.0.70]")

    assert proposed(apart) == [paths(CUBLAS, CUDNN)]


def test_a_folder_without_which_it_works_as_well_is_left_out():
    whole = f"{SITE}/nvidia/all_of_cuda/lib"
    text = ctranslate2(runpath="$ORIGIN/none").replace(
        f"  {CUBLAS}/libcublasLt.so.12: {{of: nvidia-cublas-cu12}}",
        f"  {whole}/libcublasLt.so.12: {{of: nvidia-cublas-cu12}}\n"
        f"  {whole}/libcublas.so.12: {{of: nvidia-cublas-cu12, needed: [libcublasLt.so.12]}}",
    )
    assert proposed(text) == [paths(whole)]


def test_a_second_toolkit_in_one_process_is_not_brought():
    torch = f"""\
  {SITE}/torch/lib/libtorch_global_deps.so:
    {{of: torch, needed: [libcublas.so.12], rpath: $ORIGIN}}
  {SITE}/torch/lib/libcublas.so.12: {{of: torch}}
  {SITE}/torch/_C.cpython-311-x86_64-linux-gnu.so: {{of: torch}}
evidence: {{{SITE}/torch/version.py: "cuda = '12.4'"}}
"""
    older = ctranslate2(torch, packages="nvidia-cublas-cu11==11.10.3.66, torch==2.5.1+cu124")
    older = older.replace("ctranslate2==4.5.0", "ctranslate2==3.24.0")
    older = older.replace(f"{CUBLAS}/libcublas.so.12", f"{CUBLAS}/libcublas.so.11")
    older = older.replace("of: nvidia-cublas-cu12", "of: nvidia-cublas-cu11")
    assert refused(older).endswith(
        "libcublas would be mapped from 2 files in one process with a hook"
    )


def test_nothing_is_proposed_where_it_is_found_already():
    assert proposed(ctranslate2(env=f"LD_LIBRARY_PATH: /prefix/{CUBLAS}")) == []


def test_nothing_is_proposed_where_the_environment_does_not_have_it():
    elsewhere = ctranslate2().replace(f"{CUBLAS}/libcublas.so.12", f"{OLD}/libcublas.so.12")
    assert proposed(elsewhere.replace("{of: nvidia-cublas-cu12, needed", "{needed")) == []


def test_a_folder_that_has_libraries_of_others_too_is_not_proposed():
    other = f"  {CUBLAS}/libstdc++.so.6: {{}}\n"
    assert proposed(ctranslate2(other)) == []


def test_the_whole_lib_of_the_prefix_is_never_proposed():
    condas = ctranslate2(packages="six==1.16.0").replace("env: {}", "conda: [libcublas=12.4.5.8=0]")
    condas = condas.replace(CUBLAS, "lib").replace("of: nvidia-cublas-cu12", "of: libcublas")
    assert proposed(condas) == []


def test_the_targets_folder_of_conda_s_cuda_is_narrow_enough():
    condas = ctranslate2(packages="six==1.16.0").replace("env: {}", "conda: [libcublas=12.4.5.8=0]")
    condas = condas.replace(CUBLAS, "targets/x86_64-linux/lib")
    condas = condas.replace("of: nvidia-cublas-cu12", "of: libcublas")

    assert proposed("env: {}\n" + condas) == [paths("targets/x86_64-linux/lib")]
    (fix,) = fixes("env: {}\n" + condas)
    assert fix.hooks[0].why.code == "VIS301"


def test_wheels_that_belong_where_it_looks_are_better_than_a_hook():
    text = IN_CONDA.replace("  lib/libc", "  targets/x86_64-linux/lib/libc").replace(
        "$ORIGIN/../lib", "/x"
    )
    world = World(sketch(text), KNOWN)
    assert len(world.hooking.refusals) == 2
    assert world.hooking.libraries is None
    assert all(
        refusal.endswith("a package that brings it where it is looked for is better")
        for refusal in world.hooking.refusals
    )


def test_what_would_take_another_file_s_place_is_not_proposed():
    # torch would take the wheel's libcublasLt in place of the one beside its own library
    torch = f"""\
  {SITE}/torch/lib/libtorch_cuda.so: {{of: torch, needed: [libcublasLt.so.12], runpath: $ORIGIN}}
  {SITE}/torch/lib/libcublasLt.so.12: {{of: torch}}
"""
    text = ctranslate2(torch, packages="nvidia-cublas-cu12==12.4.5.8, torch==2.1.2+cu121")
    assert World(sketch(text), KNOWN).loading.missing
    assert proposed(text) == []


@pytest.mark.parametrize("owner", ["", ", owner: libfoo"])
def test_a_variable_that_another_script_of_the_environment_sets_is_left_alone(owner):
    script = f"""\
state:
  scripts:
    - {{path: etc/conda/activate.d/x.sh, text: "export LD_LIBRARY_PATH=/x"{owner}}}
"""
    assert proposed("conda: []\n" + ctranslate2(script)) == []


def test_a_shell_whose_variables_are_not_known_proves_nothing():
    script = """\
state:
  scripts: [{path: etc/conda/activate.d/x.sh, text: "source /etc/profile.d/modules.sh"}]
"""
    assert proposed("conda: []\n" + ctranslate2(script)) == []


CAPTURED = f"""
python: 3.11.7
env: {{LD_LIBRARY_PATH: "{OLD}:/opt/tools/lib"}}
toolkits: [{{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}}]
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.4.127
  - torch==2.5.1
loader:
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib}}
  {SITE}/nvidia/cusparse/lib/libcusparse.so.12:
    {{of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: $ORIGIN/../../nvjitlink/lib}}
  {SITE}/nvidia/nvjitlink/lib/libnvJitLink.so.12: {{of: nvidia-nvjitlink-cu12}}
  {OLD}/libnvJitLink.so.12: {{}}
  /opt/tools/lib/libtool.so: {{}}
"""


def test_the_element_that_captures_is_taken_out_and_no_other():
    (fix,) = fixes(CAPTURED)

    assert fix.hooks[0].variables == (RemoveElement(name="LD_LIBRARY_PATH", directory=OLD),)
    assert fix.applicability is Applicability.UNSAFE
    assert fix.hooks[0].why.code == "PTH404"


def test_an_element_that_something_leans_on_stays():
    leaning = CAPTURED + f"  {OLD}/libcufile.so.0: {{}}\n"
    leaning += f"  {SITE}/torch/lib/libother.so: {{of: torch, needed: [libcufile.so.0]}}\n"
    (harm,) = {one.entry for one in World(sketch(leaning), KNOWN).loading.captures}
    assert (harm, proposed(leaning)) == (OLD, [])


IMPORTS = """
python: 3.11.7
pip:
  - numpy==1.26.4
  - black==24.8.0: {requires: [click]}
import_paths:
  - {path: /home/user/there, origin: user site}
  - {path: lib/python3.11/site-packages, origin: site-packages}
outside:
  - numpy==2.1.0: {location: /home/user/there}
"""


def test_the_user_site_is_switched_off_where_its_packages_are_imported_in_place_of_own():
    (fix,) = fixes(IMPORTS)
    assert fix.hooks[0].variables == (SetVariable(name="PYTHONNOUSERSITE", value="1"),)
    assert fix.applicability is Applicability.SAFE


def test_a_foreign_pythonpath_is_unset_only_when_that_is_asked_for():
    (fix,) = fixes(IMPORTS.replace("user site", "PYTHONPATH"))
    assert fix.hooks[0].variables == (Unset(name="PYTHONPATH"),)
    assert fix.applicability is Applicability.UNSAFE


def test_what_the_environment_requires_and_only_the_user_site_has_keeps_it():
    lives = IMPORTS + "  - click==8.1.7: {location: /home/user/there}\n"
    assert proposed(lives) == []


def test_what_only_another_folder_of_elsewhere_would_take_over_proves_nothing():
    both = IMPORTS.replace(
        "import_paths:", "import_paths:\n  - {path: /opt/tools, origin: PYTHONPATH}"
    )
    both += "  - numpy==2.0.0: {location: /opt/tools}\n"
    assert proposed(both) == []


def test_a_user_site_that_shadows_nothing_is_left_alone():
    assert proposed(IMPORTS.replace("numpy==2.1.0", "rich==13.0.0")) == []


def test_an_environment_without_a_model_of_its_loader_has_no_needs():
    assert proposed("python: 3.11.7\npip: [torch==2.5.1]\n") == []


def refused(text):
    hooking = World(sketch(text), KNOWN).hooking
    assert hooking.libraries is None
    (refusal,) = hooking.refusals
    return refusal


def test_what_is_given_no_hook_has_its_reason():
    torch = f"""\
  {SITE}/torch/lib/libtorch_global_deps.so:
    {{of: torch, needed: [libcublas.so.12], rpath: $ORIGIN/../../nvidia/cublas/lib}}
  {SITE}/torch/_C.cpython-311-x86_64-linux-gnu.so: {{of: torch}}
evidence: {{{SITE}/torch/version.py: "cuda = '12.4'"}}
"""
    both = ctranslate2(torch, packages="nvidia-cublas-cu12==12.4.5.8, torch==2.5.1+cu124")
    assert refused(both).endswith("unless torch is imported before it, which finds it")

    sourced = 'state: {scripts: [{path: etc/conda/activate.d/x.sh, text: "source /x"}]}\n'
    unknown = refused("conda: []\n" + ctranslate2(sourced))
    assert unknown.endswith("what LD_LIBRARY_PATH is after an activation is not known")

    mixed = refused(ctranslate2(f"  {CUBLAS}/libstdc++.so.6: {{}}\n"))
    assert mixed.endswith("no folder of the environment that holds CUDA alone has it")

    script = 'state: {scripts: [{path: etc/conda/activate.d/x.sh, text: "%s"}]}\n'
    lead = f"export LD_LIBRARY_PATH=/prefix/{CUBLAS}"
    inside = World(sketch("conda: []\n" + ctranslate2(script % lead)), KNOWN).hooking
    assert inside.refusals == (
        "CTranslate2 asks for libcublas.so.12 in vain, but not where the environment is activated",
    )


def worse(text, value):
    world = World(sketch(text), KNOWN)
    shell = world.loading.situations[0]
    return trial(world.loading, shell, {"LD_LIBRARY_PATH": value}).worse


def test_a_start_that_would_fail_is_worse():
    working = ctranslate2(env=f"LD_LIBRARY_PATH: /prefix/{CUBLAS}")
    fails, lost = worse(working, None)[:2]
    assert fails.startswith(
        "ctranslate2 would not start: libcublas.so.12: cannot open shared object"
    )
    assert lost == "libcublas.so.12 would not be found"


def test_a_library_that_would_lack_a_symbol_is_worse():
    misfit = f"""\
  /opt/libcublasLt.so.12: {{}}
misfits:
  - consumer: {CUBLAS}/libcublas.so.12
    provider: /opt/libcublasLt.so.12
    soname: libcublasLt.so.12
    symbols: [{{symbol: f, version: v, outcome: refused, error: "undefined symbol: f, version v"}}]
"""
    text = ctranslate2(misfit, env=f"LD_LIBRARY_PATH: /prefix/{CUBLAS}")
    found = worse(text, f"/opt:/prefix/{CUBLAS}")
    assert "undefined symbol: f, version v" in found
    assert any("/opt/libcublasLt.so.12 would take the place of" in one for one in found)


def test_a_folder_that_was_not_looked_at_proves_nothing():
    assert worse(ctranslate2(), "/prefix/unseen") == ()
    seen = World(sketch(ctranslate2()), KNOWN).snapshot.loader
    blind = {path: names for path, names in seen.directories.items() if path != f"/prefix/{CUBLAS}"}
    snapshot = replace(sketch(ctranslate2()), loader=replace(seen, directories=blind, whole=()))
    world = World(snapshot, KNOWN)
    tried = trial(
        world.loading, world.loading.situations[0], {"LD_LIBRARY_PATH": f"/prefix/{CUBLAS}"}
    )
    assert tried.worse == (f"/prefix/{CUBLAS} was not looked at",)
