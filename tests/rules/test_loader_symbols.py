"""ELF503: symbols that are missing in the file that answers, and what folds under what."""

import pytest

from reconciler import catalog
from reconciler.model.finding import Severity
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch

KNOWN = catalog.load()
SITE = "lib/python3.11/site-packages"
CUSPARSE = f"{SITE}/nvidia/cusparse/lib/libcusparse.so.12"
NVJITLINK = f"{SITE}/nvidia/nvjitlink/lib/libnvJitLink.so.12"
SYSTEM = "/usr/local/cuda-12.1/lib64/libnvJitLink.so.12"
TOOLKIT = 'toolkits: [{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}]'
PTH404, ELF503, CUD202, DUP104 = "PTH404", "ELF503", "CUD202", "DUP104"


def roots(text, *codes):
    report = judge(sketch(text), [all_rules()[code] for code in codes or (ELF503,)], KNOWN)
    assert (report.crashes, report.skips) == ((), ())
    return report.findings


def only(text, *codes):
    (finding,) = roots(text, *codes)
    return finding


def fault(consumer=CUSPARSE, provider=NVJITLINK, kind="symbols"):
    said = {
        "symbols": "symbols: [{symbol: __nvJitLinkComplete_12_4, version: libnvJitLink.so.12,"
        f' outcome: refused, error: "/prefix/{consumer}: undefined symbol: x"}}]',
        "versions": "versions: [{version: libnvJitLink.so.12, file: libnvJitLink.so.12,"
        f' error: "{provider}: version `v\' not found (required by /prefix/{consumer})"}}]',
    }[kind]
    return f"""
  - consumer: {consumer}
    provider: {provider}
    soname: libnvJitLink.so.12
    {said}"""


def world(  # noqa: PLR0913 - each is another part of the sketch
    *,
    version="12.1.105",
    requires="",
    runpath="$ORIGIN/../../nvjitlink/lib",
    files="",
    faults=None,
    more="",
):
    """Sketch torch, cuSPARSE of CUDA 12.4 and an nvJitLink that lacks what it needs."""
    return f"""
python: 3.11.7
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12=={version}
  - torch==2.5.1: {{requires: [{requires}]}}
loader:
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [libcusparse.so.12], rpath: $ORIGIN/../../nvidia/cusparse/lib}}
  {CUSPARSE}: {{of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: {runpath}}}
  {NVJITLINK}: {{of: nvidia-nvjitlink-cu12}}
  {files}
misfits:{fault() if faults is None else faults}
{more}
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(world(faults=" []"), id="all symbols are there"),
        pytest.param(
            world(faults=fault(provider=SYSTEM)), id="the file that lacks it is not taken"
        ),
        pytest.param(
            world(
                faults=fault(),
                files="lib/libnvJitLink.so.12: {}",
                runpath="/prefix/lib",
            ),
            id="another file answers",
        ),
        pytest.param(
            world()
            .replace(f"{SITE}/torch/lib/libtorch_cuda.so:", "/opt/lone.so:")
            .replace("{of: torch, ", "{"),
            id="nobody opens it",
        ),
    ],
)
def test_a_library_that_nobody_is_given_is_left_alone(text):
    assert roots(text) == ()


def test_the_screen_shows_the_path_that_the_loader_went():
    finding = only(world())

    assert finding.severity is Severity.ERROR
    assert finding.shows_as == (
        f"`/prefix/{SITE}/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: undefined symbol: x`,"
        " when libtorch_cuda.so is started"
    )


def test_a_version_that_is_missing_is_named():
    finding = only(world(faults=fault(kind="versions")))

    assert "which lacks the version `libnvJitLink.so.12`" in finding.message


def test_what_several_libraries_miss_in_one_file_is_one_finding():
    other = f"{SITE}/nvidia/cusolver/lib/libcusolver.so.11"
    files = f"{other}: {{of: torch, needed: [libnvJitLink.so.12], runpath: $ORIGIN/../../nvjitlink/lib}}"

    finding = only(world(files=files, faults=fault() + fault(other)))

    assert len(finding.evidence) == 3


def test_what_a_wheel_requires_is_the_remedy_and_the_fix():
    finding = only(world(requires="nvidia-nvjitlink-cu12==12.4.127"))

    assert finding.remedy == "`pip install 'nvidia-nvjitlink-cu12==12.4.127'`"
    assert finding.fix.commands[0].argv[-1] == "nvidia-nvjitlink-cu12==12.4.127"


def test_without_a_requirement_the_release_of_who_asks_is_the_remedy():
    finding = only(world())

    assert finding.remedy.startswith("`pip install` nvidia-nvjitlink-cu12 of CUDA 12.4 or newer")
    assert finding.fix is None


def test_what_asks_may_be_of_no_known_release():
    text = world(requires="nvidia-nvjitlink-cu12==12.1.105")
    text = text.replace("nvidia-cusparse-cu12==12.3.1.170", "mine==1")
    text = text.replace("of: nvidia-cusparse-cu12", "of: mine")

    assert "nvidia-nvjitlink-cu12, in a newer release" in only(text).remedy


def test_versions_that_clash_are_the_root():
    root = only(world(), ELF503, CUD202)

    assert (root.code, root.severity) == (CUD202, Severity.ERROR)
    assert [one.code for one in root.symptoms] == [ELF503]


def test_a_variable_that_leads_there_is_the_root():
    env = "env: {LD_LIBRARY_PATH: /usr/local/cuda-12.1/lib64}"
    text = world(
        version="12.4.127",
        files=f"{SYSTEM}: {{}}",
        faults=fault(provider=SYSTEM),
        more=f"{env}\n{TOOLKIT}",
    )

    root = only(text, ELF503, PTH404)

    assert (root.code, [one.code for one in root.symptoms]) == (PTH404, [ELF503])
    assert root.symptoms[0].remedy.startswith(
        "take `/usr/local/cuda-12.1/lib64` out of LD_LIBRARY_PATH"
    )


def cached(env="", state=""):
    """Sketch conda packages that find conda's library through a hook alone; else the system's."""
    return f"""
python: 3.11.7
env: {{{env}}}
conda:
  - libcusparse=12.3.1.170=0
  - libnvjitlink=12.4.127=0
  - thing=1=0
{TOOLKIT}
state: {{{state}}}
variable_paths: [{{variable: CONDA_PREFIX, path: /prefix, environment: /prefix}}]
loader:
  lib/thing.so: {{of: thing, needed: [libcusparse.so.12], runpath: $ORIGIN}}
  lib/libcusparse.so.12: {{of: libcusparse, needed: [libnvJitLink.so.12]}}
  lib/sub/libnvJitLink.so.12: {{of: libnvjitlink}}
  {SYSTEM}: {{cached: true}}
misfits:{fault("lib/libcusparse.so.12", SYSTEM)}
"""


HOOK = "scripts: [{path: etc/conda/activate.d/x.sh, text: export LD_LIBRARY_PATH=/prefix/lib/sub}]"


def test_what_works_once_activated_is_information():
    finding = only(
        cached(state=HOOK)
        .replace("variable_paths:", "kernels: []\nvariable_paths:")
        .replace("environment: /prefix}", "environment: /other}")
    )

    assert finding.severity is Severity.INFO
    assert "in this shell and not activated" in finding.message
    assert finding.remedy.startswith("activate the environment before Python is started")


def test_it_is_an_error_where_this_shell_is_the_environment_s_and_lacks_what_activation_sets():
    assert only(cached(state=HOOK)).severity is Severity.ERROR


def test_what_only_kernels_and_cron_meet_says_so():
    env = "CONDA_PREFIX: /prefix, CONDA_SHLVL: '1', LD_LIBRARY_PATH: /prefix/lib/sub"

    finding = only(cached(env, HOOK))

    assert finding.severity is Severity.INFO
    assert "IDE kernels" in finding.message


def test_a_file_of_the_system_is_answered_with_the_package_that_would_be_found_first():
    finding = only(cached())

    assert finding.severity is Severity.ERROR
    assert finding.remedy.startswith("bring nvJitLink into this environment with conda")


def test_shells_that_differ_in_something_else_share_a_finding():
    hook = HOOK.replace("/prefix/lib/sub", "/prefix/lib/more")
    more = "lib/more/libcublas.so.12: {of: thing}\n  /opt/libcublas.so.12: {cached: true}"
    text = cached(state=hook).replace("lib/sub/", f"{more}\n  lib/sub/")
    text = text.replace("[libcusparse.so.12]", "[libcusparse.so.12, libcublas.so.12]")

    assert "in every shell" in only(text).message


def test_a_symbol_that_no_file_has_is_not_laid_to_the_variable():
    env = "env: {LD_LIBRARY_PATH: /usr/local/cuda-12.1/lib64}"
    both = fault(provider=SYSTEM) + fault()
    text = world(version="12.1.105", files=f"{SYSTEM}: {{}}", faults=both, more=f"{env}\n{TOOLKIT}")

    finding = only(text, ELF503, PTH404)

    assert (finding.code, finding.symptoms) == (ELF503, ())
    assert "out of LD_LIBRARY_PATH" not in finding.remedy


def test_what_only_this_shell_s_variable_breaks_is_an_error():
    path = SYSTEM.rpartition("/")[0]
    text = cached(f"LD_LIBRARY_PATH: {path}", HOOK).replace(
        "environment: /prefix}", "environment: /o}"
    )
    text = text.replace(
        "needed: [libnvJitLink.so.12]}", "needed: [libnvJitLink.so.12], runpath: $ORIGIN/sub}"
    )

    finding = only(text)

    assert finding.severity is Severity.ERROR
    assert "in this shell and not activated" in finding.message


def test_the_driver_s_own_libraries_are_another_rule_s():
    text = world(
        files="/usr/lib/x86_64-linux-gnu/libcuda.so.1: {}",
        faults=fault(provider="/usr/lib/x86_64-linux-gnu/libcuda.so.1"),
    )
    text = text.replace("soname: libnvJitLink.so.12", "soname: libcuda.so.1")

    assert roots(text.replace("[libnvJitLink.so.12]", "[libcuda.so.1]")) == ()


def test_what_the_system_s_own_libraries_lack_is_left_alone():
    text = world(runpath="/prefix/none").replace("of: nvidia-cusparse-cu12, ", "")

    assert (
        roots(text.replace("runpath: /prefix/none", "runpath: $ORIGIN/../../nvjitlink/lib")) == ()
    )


def test_the_file_that_lacks_a_version_is_told_by_the_path_on_the_screen():
    text = world(
        faults=fault(kind="versions").replace(
            f"{NVJITLINK}: version", f"/prefix/{NVJITLINK}: version"
        )
    )

    assert "/../../nvjitlink/lib/libnvJitLink.so.12: version `v'" in only(text).shows_as


def test_a_file_of_no_package_is_told_by_its_folder():
    text = world(files="/opt/x/libnvJitLink.so.12: {}", runpath="/opt/x")
    text = text.replace(fault(), fault(provider="/opt/x/libnvJitLink.so.12"))

    assert "takes libnvJitLink.so.12 in /opt/x, which lacks" in only(text).message
