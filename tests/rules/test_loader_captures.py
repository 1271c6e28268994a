"""PTH404: what LD_LIBRARY_PATH and LD_PRELOAD put in the place of a package's library."""

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
OLD = "/usr/local/cuda-12.1"
VARIABLE = f"LD_LIBRARY_PATH: {OLD}/lib64"
STORED = """
state:
  variables:
    - {{name: LD_LIBRARY_PATH, value: /usr/local/cuda-12.1/lib64, source: {source}}}
"""
SCRIPT = """
state:
  scripts:
    - path: etc/conda/activate.d/cuda.sh
      text: export LD_LIBRARY_PATH=/usr/local/cuda-12.1/lib64
"""


def told(text):
    return judge(sketch(text), [all_rules()["PTH404"]], KNOWN)


def found(text):
    report = told(text)
    assert (report.crashes, report.skips) == ((), ())
    return report.findings


def world(env=VARIABLE, *, files="", more="", runpath="$ORIGIN/../../nvjitlink/lib"):
    """Sketch torch's wheels for CUDA 12.4; what else lies where is told in files."""
    files = files or f"{OLD}/lib64/libnvJitLink.so.12: {{}}"
    return f"""
python: 3.11.7
env: {{{env}}}
toolkits:
  - {{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}}
  - {{path: /usr/local/cuda-12.4, version: "12.4", found_by: [PATH]}}
  - {{path: /usr/local/cuda-12.9, version: "12.9", found_by: [PATH]}}
pip:
  - nvidia-cusparse-cu12==12.3.1.170
  - nvidia-nvjitlink-cu12==12.4.127
  - nvidia-cudnn-cu12==9.1.0.70
  - torch==2.5.1
loader:
  {SITE}/torch/lib/libtorch_cuda.so:
    {{of: torch, needed: [libcusparse.so.12, libcudnn.so.9],
      rpath: $ORIGIN/../../nvidia/cusparse/lib:$ORIGIN/../../nvidia/cudnn/lib}}
  {CUSPARSE}: {{of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12], runpath: {runpath}}}
  {NVJITLINK}: {{of: nvidia-nvjitlink-cu12}}
  {SITE}/nvidia/cudnn/lib/libcudnn.so.9: {{of: nvidia-cudnn-cu12}}
  {files}
{more}
"""


def misfit(provider, consumer=CUSPARSE):
    return f"""
misfits:
  - consumer: {consumer}
    provider: {provider}
    soname: libnvJitLink.so.12
    symbols:
      - symbol: __nvJitLinkComplete_12_4
        version: libnvJitLink.so.12
        outcome: refused
        error: "/prefix/{consumer}: undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12"
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(world(env=""), id="no variable is set"),
        pytest.param(world(env="LD_LIBRARY_PATH: /opt/mpi/lib"), id="it leads elsewhere"),
        pytest.param(
            world(
                "LD_LIBRARY_PATH: /usr/local/cuda-12.4/lib64",
                files="/usr/local/cuda-12.4/lib64/libnvJitLink.so.12: {}",
            ),
            id="both are of one release",
        ),
        pytest.param(
            world(
                "LD_LIBRARY_PATH: /usr/local/cuda-12.9/lib64",
                files="/usr/local/cuda-12.9/lib64/libnvJitLink.so.12: {}",
            ),
            id="it is newer, and lacks nothing",
        ),
        pytest.param(
            world("LD_LIBRARY_PATH: /opt/x", files="/opt/x/libnvJitLink.so.12: {}"),
            id="nobody knows its release, and it lacks nothing",
        ),
        pytest.param(
            world(f"LD_LIBRARY_PATH: /prefix/{SITE}/nvidia/nvjitlink/lib"),
            id="it leads to the wheel's own file",
        ),
        pytest.param(world(runpath="/nowhere"), id="nothing else would answer"),
        pytest.param(
            world(
                runpath="/nowhere",
                files=f"{OLD}/lib64/libnvJitLink.so.12: {{}}\n"
                "  /usr/local/cuda-12.9/lib64/libnvJitLink.so.12: {cached: true}",
            ),
            id="it would be the system's",
        ),
        pytest.param(
            world(
                files=f"{OLD}/lib64/libcusparse.so.12: {{}}",
            ),
            id="an RPATH comes first",
        ),
    ],
)
def test_what_does_no_harm_is_left_alone(text):
    assert found(text) == ()


def test_an_older_release_is_an_error_even_if_no_symbol_is_known_to_be_missing():
    (finding,) = found(world())

    assert finding.severity is Severity.ERROR
    assert finding.message.startswith(
        f"LD_LIBRARY_PATH has `{OLD}/lib64`, from which libcusparse.so.12 of pip's nvidia-cusparse-cu12"
        " 12.3.1.170 takes libnvJitLink.so.12 of CUDA 12.1 in place of 12.4.127 of pip's"
        " nvidia-nvjitlink-cu12 12.4.127, in every shell"
    )
    assert finding.shows_as.startswith("nothing when libtorch_cuda.so is started")


def test_the_error_on_the_screen_is_the_loader_s_with_the_path_that_it_went():
    (finding,) = found(world(more=misfit(f"{OLD}/lib64/libnvJitLink.so.12")))

    assert finding.shows_as == (
        f"`/prefix/{SITE}/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: undefined symbol:"
        " __nvJitLinkComplete_12_4, version libnvJitLink.so.12`, when libtorch_cuda.so is started"
    )


def test_a_newer_release_that_lacks_a_symbol_is_an_error():
    folder = "/usr/local/cuda-12.9/lib64"
    files = f"{folder}/libnvJitLink.so.12: {{}}"
    more = misfit(f"{folder}/libnvJitLink.so.12")

    (finding,) = found(world(f"LD_LIBRARY_PATH: {folder}", files=files, more=more))

    assert finding.severity is Severity.ERROR


def test_a_symbol_that_the_wheel_s_own_file_lacks_too_is_not_the_variable_s_fault():
    files = "/opt/x/libnvJitLink.so.12: {}"
    both = misfit("/opt/x/libnvJitLink.so.12") + misfit(NVJITLINK).replace("\nmisfits:\n", "")

    assert found(world("LD_LIBRARY_PATH: /opt/x", files=files, more=both)) == ()


def test_the_version_of_a_system_s_file_stands_in_its_real_name():
    files = "/opt/cudnn/libcudnn.so.9.0.0: {soname: libcudnn.so.9}"
    links = "links: {/opt/cudnn/libcudnn.so.9: libcudnn.so.9.0.0}"
    text = world("LD_LIBRARY_PATH: /opt/cudnn", files=files, more=links)
    text = text.replace(
        "rpath: $ORIGIN/../../nvidia/cusparse", "runpath: $ORIGIN/../../nvidia/cusparse"
    )

    (finding,) = found(text)

    assert "takes libcudnn.so.9 9.0.0 in place of 9.1.0.70" in finding.message


def test_a_soname_is_no_version():
    files = "/opt/x/libnvJitLink.so.12.0: {soname: libnvJitLink.so.12.0}"
    text = world("LD_LIBRARY_PATH: /opt/x", files=files).replace(
        "JitLink.so.12]", "JitLink.so.12.0]"
    )
    text = text.replace(NVJITLINK, f"{NVJITLINK}.0")

    assert found(text) == ()


def test_a_preloaded_file_captures_too():
    path = f"{OLD}/lib64/libnvJitLink.so.12"

    (finding,) = found(world(f"LD_PRELOAD: /opt/libjemalloc.so {path}"))

    assert finding.message.startswith(f"LD_PRELOAD has `{path}`, from which libcusparse.so.12")
    assert "`export LD_PRELOAD=/opt/libjemalloc.so`" in finding.remedy


def test_files_beside_a_captured_one_are_part_of_its_capture():
    files = f"""{OLD}/lib64/libnvJitLink.so.12: {{needed: [libcudart.so.12], runpath: $ORIGIN/more}}
  {OLD}/lib64/more/libcudart.so.12: {{}}
  {SITE}/mine/libx.so: {{of: mine, needed: [libcudart.so.12], runpath: $ORIGIN/../rt}}
  {SITE}/mine/y.so: {{of: mine, needed: [libnvJitLink.so.12, libx.so],
    runpath: '$ORIGIN:$ORIGIN/../nvidia/nvjitlink/lib'}}
  {SITE}/rt/libcudart.so.12: {{of: nvidia-cuda-runtime-cu12}}"""
    wheels = "pip:\n  - mine==1\n  - nvidia-cuda-runtime-cu12==12.4.127\n"

    (finding,) = found(world(files=files).replace("pip:\n", wheels))

    assert f"LD_LIBRARY_PATH has `{OLD}/lib64`" in finding.message
    assert "libcudart.so.12" in finding.message


def test_what_is_found_nowhere_else_is_told_before_the_variable_is_unset():
    files = f"""{OLD}/lib64/libnvJitLink.so.12: {{}}
  {OLD}/lib64/libcublas.so.12: {{}}
  {SITE}/cupy/core.so: {{of: torch, needed: [libcublas.so.12]}}"""

    (finding,) = found(world(files=files))

    assert (
        "but pip's torch 2.5.1 finds libcublas.so.12 nowhere else: install that" in finding.remedy
    )


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("", "a startup file such as ~/.bashrc"),
        (
            STORED.format(source="conda-meta/state"),
            "`conda env config vars unset LD_LIBRARY_PATH`",
        ),
        (
            STORED.format(source="etc/conda/env_vars.d/x.json"),
            "etc/conda/env_vars.d/x.json in this environment has to do with it",
        ),
        (
            SCRIPT,
            "etc/conda/activate.d/cuda.sh in this environment",
        ),
    ],
)
def test_the_remedy_says_where_the_element_comes_from(more, where):
    (finding,) = found(world(more=more))

    assert where in finding.remedy
    assert "in a shell that is open, `unset LD_LIBRARY_PATH`" in finding.remedy


def test_a_module_system_is_named_where_it_is_in_use():
    (finding,) = found(world(f"{VARIABLE}, LOADEDMODULES: cuda/12.1"))

    assert "a module that `module list` shows" in finding.remedy


def test_the_other_elements_of_the_variable_stay():
    (finding,) = found(world(f"LD_LIBRARY_PATH: '/opt/mpi/lib:{OLD}/lib64'"))

    assert "`export LD_LIBRARY_PATH=/opt/mpi/lib`" in finding.remedy


def test_only_this_shell_is_as_bad_as_every_shell():
    state = "state: {variables: [{name: LD_LIBRARY_PATH, value: '', source: conda-meta/state}]}"
    text = world(more=f"conda: []\n{state}")

    (finding,) = found(text)

    assert finding.severity is Severity.ERROR
    assert "in this shell and not activated" in finding.message


def test_a_variable_that_does_harm_only_without_the_activation_is_information():
    own = f"/prefix/{SITE}/nvidia/nvjitlink/lib"
    script = f"export LD_LIBRARY_PATH={own}:$LD_LIBRARY_PATH"
    state = f"state: {{scripts: [{{path: etc/conda/activate.d/x.sh, text: '{script}'}}]}}"
    env = f"CONDA_PREFIX: /prefix, CONDA_SHLVL: '1', LD_LIBRARY_PATH: '{own}:{OLD}/lib64'"

    (finding,) = found(world(env, more=f"conda: []\n{state}"))

    assert finding.severity is Severity.INFO
    assert "IDE kernels" in finding.shows_as


def test_what_conda_stores_is_the_root_of_what_it_captures():
    text = world(more=STORED.format(source="conda-meta/state"))
    rules = [all_rules()[code] for code in ("PTH404", "PTH410")]

    (root,) = judge(sketch(text), rules, KNOWN).findings

    assert (root.code, [one.code for one in root.symptoms]) == ("PTH410", ["PTH404"])


def test_what_was_built_for_no_certain_minor_release_is_warned():
    files = f"""{OLD}/lib64/libnvrtc.so.12: {{}}
  {SITE}/mine/core.so: {{of: mine, needed: [libnvrtc.so.12], runpath: $ORIGIN/../rt}}
  {SITE}/rt/libnvrtc.so.12: {{of: nvidia-cuda-nvrtc-cu12}}"""
    wheels = "pip:\n  - mine==1\n  - nvidia-cuda-nvrtc-cu12==12.4.127\n"

    (finding,) = found(world(files=files).replace("pip:\n", wheels))

    assert finding.severity is Severity.WARNING


def test_another_major_is_an_error_whoever_asks():
    files = f"""/opt/x/libnccl.so.3.0.0: {{soname: libnccl.so.2}}
  {SITE}/mine/core.so: {{of: mine, needed: [libnccl.so.2], runpath: $ORIGIN/../rt}}
  {SITE}/rt/libnccl.so.2: {{of: nvidia-nccl-cu12}}"""
    wheels = "pip:\n  - mine==1\n  - nvidia-nccl-cu12==2.20.5\n"
    links = "links: {/opt/x/libnccl.so.2: libnccl.so.3.0.0}"

    (finding,) = found(
        world("LD_LIBRARY_PATH: /opt/x", files=files, more=links).replace("pip:\n", wheels)
    )

    assert finding.severity is Severity.ERROR


NCCL = f"""/opt/x/libnccl.so.2.20.3: {{soname: libnccl.so.2}}
  {SITE}/mine/core.so: {{of: mine, needed: [libnccl.so.2], runpath: $ORIGIN/../rt}}
  {SITE}/rt/libnccl.so.2: {{of: nvidia-nccl-cu12}}"""


def test_a_patch_release_does_not_matter():
    links = "links: {/opt/x/libnccl.so.2: libnccl.so.2.20.3}"
    text = world("LD_LIBRARY_PATH: /opt/x", files=NCCL, more=links)

    assert found(text.replace("pip:\n", "pip:\n  - mine==1\n  - nvidia-nccl-cu12==2.20.5\n")) == ()


def test_what_is_no_part_of_cuda_is_another_rule_s():
    files = f"""/opt/x/libstdc++.so.6: {{}}
  {SITE}/mine/core.so: {{of: mine, needed: [libstdc++.so.6, libnvJitLink.so.12],
    runpath: '$ORIGIN:$ORIGIN/../nvidia/nvjitlink/lib'}}
  {SITE}/mine/libstdc++.so.6: {{of: mine}}"""
    lacking = misfit("/opt/x/libstdc++.so.6", f"{SITE}/mine/core.so")
    lacking = lacking.replace("libnvJitLink.so.12", "libstdc++.so.6")
    text = world("LD_LIBRARY_PATH: /opt/x", files=files, more=lacking)

    assert found(text.replace("pip:\n", "pip:\n  - mine==1\n")) == ()


def test_what_has_its_own_place_is_not_said_to_be_found_nowhere_else():
    files = f"""{OLD}/lib64/libnvJitLink.so.12: {{}}
  {OLD}/lib64/libcublas.so.12: {{}}
  {SITE}/mine/x.so: {{of: torch, needed: [libcublas.so.12, libcufft.so.11], runpath: $ORIGIN}}
  {SITE}/mine/libcufft.so.11: {{of: torch}}"""

    (finding,) = found(world(files=files))

    assert "finds libcublas.so.12 nowhere else" in finding.remedy


def test_a_version_that_both_files_lack_is_not_the_variable_s_fault():
    def lacking(provider):
        return f"""
  - {{consumer: {CUSPARSE}, provider: {provider}, soname: libnvJitLink.so.12,
      versions: [{{version: v, file: libnvJitLink.so.12, error: x}}]}}"""

    files = "/opt/x/libnvJitLink.so.12: {}"
    both = f"misfits:{lacking('/opt/x/libnvJitLink.so.12')}{lacking(NVJITLINK)}"

    assert found(world("LD_LIBRARY_PATH: /opt/x", files=files, more=both)) == ()


def test_packages_whose_modules_have_one_name_are_told_apart():
    wheels = f"""
python: 3.11.7
env: {{{VARIABLE}}}
pip: [first==1.0, second==1.0, nvidia-cusparse-cu12==12.3.1.170, nvidia-nvjitlink-cu12==12.4.127]
toolkits: [{{path: /usr/local/cuda-12.1, version: "12.1", found_by: [PATH]}}]
loader:
  {SITE}/first/_C.so:
    {{of: first, needed: [libcusparse.so.12], runpath: $ORIGIN/../nvidia/cusparse/lib}}
  {SITE}/second/_C.so: {{of: second, needed: [libcurand.so.10]}}
  {CUSPARSE}: {{of: nvidia-cusparse-cu12, needed: [libnvJitLink.so.12],
    runpath: $ORIGIN/../../nvjitlink/lib}}
  {NVJITLINK}: {{of: nvidia-nvjitlink-cu12}}
  {OLD}/lib64/libnvJitLink.so.12: {{}}
"""

    assert len(found(wheels)) == 1
