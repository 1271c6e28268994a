"""HUK801-HUK808: hooks written after the threads that tell of them, found or rightly left alone."""

import msgspec
import pytest

from reconciler import activation, apply, catalog, pipeline
from reconciler.check import run_rules
from reconciler.hooks.reading import with_steps
from reconciler.manifests import rewriting
from reconciler.model.finding import Severity
from reconciler.model.fix import Applicability, Remove
from reconciler.model.hook import (
    FileState,
    Hook,
    HookChange,
    PrependPath,
    Reason,
    ScriptState,
    SetVariable,
)
from reconciler.model.prefix import ActivationScript, InstalledHook
from reconciler.model.snapshot import Fact, Gap
from reconciler.output import repair as story
from reconciler.rules import all_rules
from reconciler.testing import sketch
from reconciler.world import World

KNOWN = catalog.load()
HUK = [module for code, module in all_rules().items() if code.startswith("HUK")]
ON, OFF = "etc/conda/activate.d/env_vars.sh", "etc/conda/deactivate.d/env_vars.sh"
#: What saves, and what restores, as conda's documentation has it.
SAVED = "export _OLD=${LD_LIBRARY_PATH:-}\n"
RESTORING = "export LD_LIBRARY_PATH=$_OLD\nunset _OLD\n"
CUDART = "$CONDA_PREFIX/targets/x86_64-linux/lib"


def prefix(scripts, *, env="SHELL: /bin/bash", conda="[]", more=""):
    """Return the snapshot of an environment with scripts, each a path and its text."""
    known = sketch(f"conda: {conda}\nenv: {{{env}}}\nstate: {{}}\n{more}")
    read = (with_steps(ActivationScript(path=path, text=text)) for path, text in scripts.items())
    return msgspec.structs.replace(
        known, state=msgspec.structs.replace(known.state, scripts=tuple(read))
    )


def judged(snapshot):
    return [f for f in run_rules(HUK, World(snapshot, KNOWN)) if hasattr(f, "severity")]


def found(scripts, **more):
    return judged(prefix(scripts, **more))


def codes(findings, *severities):
    wanted = severities or (Severity.WARNING,)
    return [finding.code for finding in findings if finding.severity in wanted]


def only(code, findings):
    (finding,) = [finding for finding in findings if finding.code == code]
    return finding


# What is left alone.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "export PROJECT_ROOT=/data/project\n",
        "export CC=$CONDA_PREFIX/bin/gcc\n",
        "echo welcome\n",
        "alias ll='ls -l'\n",
        "module load cuda/12.1\n",
    ],
)
def test_a_hook_that_does_nothing_to_the_loader_is_left_alone(text):
    assert found({ON: text}) == []


def test_a_hook_that_saves_and_restores_and_is_narrow_is_left_alone():
    text = f"{SAVED}export LD_LIBRARY_PATH={CUDART}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\n"
    assert found({ON: text, OFF: RESTORING}) == []


def test_a_script_that_a_package_owns_is_left_alone():
    snapshot = prefix({ON: "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\nexit 1\n"})
    (script,) = snapshot.state.scripts
    owned = msgspec.structs.replace(script, owner="cuda-nvcc")
    state = msgspec.structs.replace(snapshot.state, scripts=(owned,))

    assert judged(msgspec.structs.replace(snapshot, state=state)) == []


def test_envfix_s_own_script_is_left_alone():
    own = "etc/conda/activate.d/~~envfix.sh"
    assert found({own: "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\n"}) == []


def test_nobody_is_blamed_where_no_record_can_be_read():
    snapshot = prefix({ON: "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\n"})
    one = Gap(fact=Fact.RECORDS, item="conda-meta/x.json", reason="not JSON")
    every = Gap(fact=Fact.RECORDS, reason="Permission denied")

    assert judged(msgspec.structs.replace(snapshot, gaps=(*snapshot.gaps, every))) == []
    assert judged(msgspec.structs.replace(snapshot, gaps=(*snapshot.gaps, one))) != []


def test_a_copy_of_a_script_of_proj_is_left_alone():
    # conda-forge/proj.4-feedstock, in our own words.
    on = (
        'if [ -n "${PROJ_DATA:-}" ]; then\n    export _CONDA_SET_PROJ_DATA=$PROJ_DATA\nfi\n'
        'if [ -d "$CONDA_PREFIX/share/proj" ]; then\n    export PROJ_DATA=$CONDA_PREFIX/share/proj\nfi\n'
    )
    off = 'unset PROJ_DATA\nif [ -n "${_CONDA_SET_PROJ_DATA:-}" ]; then\n  export PROJ_DATA=$_CONDA_SET_PROJ_DATA\nfi\n'
    assert found({ON: on, OFF: off}) == []


def test_a_copy_of_a_compiler_s_script_is_no_warning():
    # conda-forge/cuda-nvcc-feedstock, in our own words: a branch for conda-build alone.
    text = (
        'if [ "${CONDA_BUILD:-0}" = 1 ]; then\n'
        '    export NVCC_PREPEND_FLAGS="${NVCC_PREPEND_FLAGS:-} -ccbin=$BUILD_PREFIX/bin/$HOST-g++"\n'
        "else\n"
        '    export NVCC_PREPEND_FLAGS="${NVCC_PREPEND_FLAGS:-} -ccbin=${CXX:-}"\n'
        "fi\n"
    )
    assert found({ON: text}) == []


@pytest.mark.parametrize(
    "guard",
    [
        'case ":${LD_LIBRARY_PATH:-}:" in *":CUDART:"*) ;; *) {} ;; esac',
        'if [[ ":${LD_LIBRARY_PATH:-}:" != *":CUDART:"* ]]; then {}; fi',
        'if ! echo "${LD_LIBRARY_PATH:-}" | grep -q "CUDART"; then {}; fi',
        'if [ -z "${MY_HOOK:-}" ]; then export MY_HOOK=1; {}; fi',
        'if [ -n "${MY_HOOK:-}" ]; then return; fi\nexport MY_HOOK=1\n{}',
    ],
)
def test_a_list_does_not_grow_where_the_script_asks_first(guard):
    text = guard.replace("{}", f'export LD_LIBRARY_PATH="{CUDART}:${{LD_LIBRARY_PATH:-}}"') + "\n"
    assert "HUK801" not in codes(found({ON: text}), *Severity)


def test_a_list_that_is_cleared_first_does_not_grow():
    text = f"unset LD_LIBRARY_PATH\nexport LD_LIBRARY_PATH={CUDART}:$LD_LIBRARY_PATH\n"
    assert "HUK801" not in codes(found({ON: text}), *Severity)


# 30, 35: the recipe of TensorFlow's guide.


RECIPE = (
    'CUDNN_PATH=$(dirname $(python -c "import nvidia.cudnn;print(nvidia.cudnn.__file__)"))\n'
    "export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$CONDA_PREFIX/lib/:$CUDNN_PATH/lib\n"
)


def test_the_recipe_as_the_guide_has_it_is_told_in_full():
    # tensorflow/docs#2214
    findings = found({ON: RECIPE})

    assert codes(findings) == ["HUK801", "HUK802", "HUK803", "HUK805"]
    assert codes(findings, Severity.INFO) == ["HUK806"]
    assert only("HUK801", findings).explained_by == (only("HUK802", findings).cause,)


def test_the_recipe_as_the_guide_first_had_it_names_a_variable_that_nobody_sets():
    # tensorflow/tensorflow#60183
    finding = only("HUK806", found({ON: "export LD_LIBRARY_PATH=$CUDNN_PATH/lib\n"}))

    assert finding.severity is Severity.WARNING
    assert "nothing that is sourced with it sets CUDNN_PATH" in finding.message
    assert "the entry is `/lib`" in finding.shows_as
    assert (finding.at.path, finding.at.line, finding.at.in_prefix) == (ON, 1, True)
    assert finding.evidence == (f"{ON}:1: export LD_LIBRARY_PATH=$CUDNN_PATH/lib",)


@pytest.mark.parametrize(
    "more",
    [
        {"env": "SHELL: /bin/bash, CUDNN_PATH: /opt/cudnn"},
        {"more": ""},
    ],
)
def test_a_variable_that_the_shell_or_another_script_sets_is_set(more):
    scripts = {ON: "export LD_LIBRARY_PATH=$CUDNN_PATH/lib\n"}
    if "env" not in more:
        scripts["etc/conda/activate.d/a.sh"] = "export CUDNN_PATH=$CONDA_PREFIX/cudnn\n"
    assert "HUK806" not in codes(found(scripts, **more), *Severity)


def test_a_script_that_runs_another_may_have_any_variable_set():
    text = ". $HOME/vars.sh\nexport LD_LIBRARY_PATH=$CUDNN_PATH/lib\n"
    assert "HUK806" not in codes(found({ON: text}), *Severity)


# What was expanded when it was written.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "export LD_LIBRARY_PATH=/prefix/lib/python3.9/site-packages/nvidia/cudnn/lib:$LD_LIBRARY_PATH",
            "the environment's Python is 3.11",
        ),
        (
            "export CUDNN_PATH=$CONDA_PREFIX/lib/python3.10/site-packages/nvidia/cudnn",
            "the environment's Python is 3.11",
        ),
        (
            "export LD_LIBRARY_PATH=/home/me/miniconda3/envs/tf/lib/cuda:$LD_LIBRARY_PATH",
            "which is not in this environment",
        ),
        (
            "export LD_LIBRARY_PATH=/usr/lib:/prefix/lib/cuda",
            "to the list that it was when the script was written",
        ),
        (
            "export XLA_FLAGS=--xla_gpu_cuda_data_dir=/home/me/miniconda3/envs/tf",
            "which is not in this environment",
        ),
    ],
)
def test_a_path_that_was_written_out_and_is_wrong_is_a_warning(text, says):
    finding = only("HUK806", found({ON: f"{text}\n"}))

    assert finding.severity is Severity.WARNING
    assert says in finding.message


def test_the_environment_s_own_path_is_information_and_the_better_line_is_told():
    finding = only("HUK806", found({ON: "export CUDA_HOME=/prefix/cuda\n"}))

    assert finding.severity is Severity.INFO
    assert "`$CONDA_PREFIX/cuda`" in finding.remedy


@pytest.mark.parametrize(
    "text",
    [
        "export CUDA_HOME=/usr/local/cuda-12.1",
        "export LD_LIBRARY_PATH=/usr/local/cuda/lib64:$LD_LIBRARY_PATH",
        "export LD_LIBRARY_PATH=",
        "export CUDNN_PATH=$CONDA_PREFIX/lib/python3.11/site-packages/nvidia/cudnn",
        "export PYTHONPATH=/opt/ros/humble/lib/python3.10/site-packages:$PYTHONPATH",
        "export LD_LIBRARY_PATH=/usr/lib/python3.10/site-packages/x:$LD_LIBRARY_PATH",
    ],
)
def test_a_path_outside_of_environments_is_left_alone(text):
    assert "HUK806" not in codes(found({ON: f"{text}\n"}), *Severity)


# 76: the whole lib.


@pytest.mark.parametrize(
    "text",
    [
        "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib",
        'export LD_LIBRARY_PATH="${CONDA_PREFIX}/lib/:${LD_LIBRARY_PATH}"',
        "export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:/prefix/lib",
        "LIB=$CONDA_PREFIX/lib\nexport LD_LIBRARY_PATH=$LIB:$LD_LIBRARY_PATH",
        "LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\nexport LD_LIBRARY_PATH",
        "LD_LIBRARY_PATH+=:$CONDA_PREFIX/lib",
    ],
)
def test_the_whole_lib_of_the_environment_is_found(text):
    # conda/conda#12800, conda/conda#14802
    finding = only("HUK805", found({ON: f"{text}\n"}))
    assert "all libraries of the environment" in finding.message


def test_the_lib_of_an_environment_below_the_home_folder_is_its_lib():
    snapshot = prefix({ON: "export LD_LIBRARY_PATH=$HOME/envs/x/lib:$LD_LIBRARY_PATH\n"})
    target = msgspec.structs.replace(snapshot.target, prefix="/home/me/envs/x")

    assert "HUK805" in codes(judged(msgspec.structs.replace(snapshot, target=target)))


@pytest.mark.parametrize("folder", [CUDART, "$CONDA_PREFIX/lib/R/lib", "/usr/lib", "$OTHER/lib"])
def test_a_narrower_folder_or_another_s_is_left_alone(folder):
    text = f"export LD_LIBRARY_PATH={folder}:$LD_LIBRARY_PATH\n"
    assert "HUK805" not in codes(found({ON: text}), *Severity)


# 78: what leaks.


def test_what_metaflow_does_is_a_way_back():
    # Netflix/metaflow#1540
    on = (
        "export MF_ORIG_LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}\n"
        f"export LD_LIBRARY_PATH={CUDART}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\n"
    )
    off = "export LD_LIBRARY_PATH=$MF_ORIG_LD_LIBRARY_PATH\nunset MF_ORIG_LD_LIBRARY_PATH\n"
    assert found({ON: on, OFF: off}) == []


def test_what_is_set_and_stays_is_a_warning_at_its_line():
    # Netflix/metaflow#1540
    text = "# for CUDA\nexport XLA_FLAGS=--xla_gpu_cuda_data_dir=$CONDA_PREFIX\n"
    (finding,) = found({ON: text})

    assert (finding.code, finding.severity, finding.at.line) == ("HUK802", Severity.WARNING, 2)
    assert "leaves in XLA_FLAGS what the script has set" in finding.message
    assert OFF in finding.remedy


def test_a_switch_that_stays_is_information():
    assert codes(found({ON: "export PYTHONNOUSERSITE=1\n"}), Severity.INFO) == ["HUK802"]


def test_what_only_the_script_itself_uses_does_not_leak():
    assert found({ON: "CUDA_HOME=$CONDA_PREFIX\nexport MY_CUDA=$CUDA_HOME\n"}) == []


def test_a_twin_that_unsets_a_list_loses_what_the_shell_had():
    # ESSS/conda-devenv#37
    on = f'export LD_LIBRARY_PATH="{CUDART}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
    (finding,) = found({ON: on, OFF: "unset LD_LIBRARY_PATH\n"})

    assert (finding.code, finding.severity) == ("HUK802", Severity.INFO)
    assert "loses what the shell had in LD_LIBRARY_PATH" in finding.message


def test_a_twin_for_another_shell_is_no_way_back():
    scripts = {ON: "export CUDA_HOME=$CONDA_PREFIX\n", OFF[:-2] + "fish": "set -e CUDA_HOME\n"}
    assert "HUK802" in codes(found(scripts))


@pytest.mark.parametrize(
    "off",
    [
        "unset CUDA_HOME",
        "export CUDA_HOME=$BEFORE",
        'if [ -n "${BEFORE:-}" ]; then export CUDA_HOME=$BEFORE; else unset CUDA_HOME; fi',
        ". $CONDA_PREFIX/share/leave.sh",
    ],
)
def test_a_twin_of_another_name_is_a_way_back(off):
    scripts = {ON: "export CUDA_HOME=$CONDA_PREFIX\n", "etc/conda/deactivate.d/x.sh": f"{off}\n"}
    assert "HUK802" not in codes(found(scripts), *Severity)


# 79: strict shells.


@pytest.mark.parametrize(
    ("text", "better"),
    [
        (
            f"export LD_LIBRARY_PATH={CUDART}:$LD_LIBRARY_PATH",
            f"export LD_LIBRARY_PATH={CUDART}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}",
        ),
        (
            f'export LD_LIBRARY_PATH="${{LD_LIBRARY_PATH}}:{CUDART}"',
            f'export LD_LIBRARY_PATH="${{LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}}{CUDART}"',
        ),
        ("export OLD=$LD_LIBRARY_PATH", "export OLD=${LD_LIBRARY_PATH:-}"),
    ],
)
def test_a_list_that_need_not_be_set_is_told_with_the_better_line(text, better):
    # conda/conda#9979, KatanaGraph/katana#673
    finding = only("HUK803", found({ON: f"{text}\n", OFF: "unset LD_LIBRARY_PATH\n"}))

    assert f"write `{better}`" in finding.remedy
    assert "`LD_LIBRARY_PATH: unbound variable`" in finding.shows_as


def test_an_empty_entry_is_what_any_shell_would_see():
    text = f"export LD_LIBRARY_PATH={CUDART}:$LD_LIBRARY_PATH\n"
    finding = only("HUK803", found({ON: text, OFF: "unset LD_LIBRARY_PATH\n"}))

    assert finding.severity is Severity.WARNING
    assert "the loader also looks in the current folder" in finding.shows_as


def test_what_only_a_strict_shell_would_see_is_information():
    finding = only("HUK803", found({ON: "export OLD_FLAGS=$XLA_FLAGS\n"}))
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("export CUDA_HOME=/x\nexit 0\n", "leaves the shell"),
        ("set -euo pipefail\nexport CUDA_HOME=/x\n", "stays in force"),
        ("set -o errexit\nexport CUDA_HOME=/x\n", "stays in force"),
    ],
)
def test_what_harms_every_shell_is_a_warning(text, says):
    finding = only("HUK803", found({ON: text, OFF: "unset CUDA_HOME\n"}))

    assert finding.severity is Severity.WARNING
    assert says in finding.message


@pytest.mark.parametrize(
    "end",
    [
        '[ -d "$CONDA_PREFIX/nvvm" ] && export CUDA_HOME=$CONDA_PREFIX',
        "[[ -d $CONDA_PREFIX/nvvm ]] && export CUDA_HOME=$CONDA_PREFIX",
        "command -v nvcc >/dev/null && export CUDA_HOME=$CONDA_PREFIX",
        'if true; then [ -d "$CONDA_PREFIX/x" ] && export CUDA_HOME=$CONDA_PREFIX; fi',
    ],
)
def test_a_last_command_that_fails_is_information(end):
    finding = only("HUK803", found({ON: f"{end}\n", OFF: "unset CUDA_HOME\n"}))

    assert finding.severity is Severity.INFO
    assert "ends with a question" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        'export A="${LD_LIBRARY_PATH:-}"\nexport B=$LD_LIBRARY_PATH\nexport CUDA_HOME=/x\n',
        'if [ -n "${LD_LIBRARY_PATH+x}" ]; then export CUDA_HOME=$LD_LIBRARY_PATH; fi\n',
        "if [[ -v LD_LIBRARY_PATH ]]; then export CUDA_HOME=$LD_LIBRARY_PATH; fi\n",
        "set +eu\nexport CUDA_HOME=$LD_LIBRARY_PATH\n",
        "set -u\nset +u\nexport CUDA_HOME=/x\n",
        "for x in a b; do export CUDA_HOME=$x; done\n",
        "f() { MINE=1; }\nf\nexport CUDA_HOME=$MINE\n",
        "read -r MINE < /x\nexport CUDA_HOME=$MINE\n",
        '[ -d "$CONDA_PREFIX/x" ] && export CUDA_HOME=/x\n:\n',
        "[ -d /x ] || export CUDA_HOME=/x\n",
        "export CUDA_HOME=/x\n(exit 1)\n",
        'case "${TERM}" in x) export CUDA_HOME=/x ;; esac\n',
        'case "${MINE:-}" in x) export CUDA_HOME=$OTHER ;; esac\n',
    ],
)
def test_what_no_strict_shell_stops_at_is_left_alone(text):
    assert "HUK803" not in codes(found({ON: text, OFF: "unset CUDA_HOME\n"}), *Severity)


def test_what_conda_or_an_earlier_script_sets_is_set():
    scripts = {
        "etc/conda/activate.d/a.sh": "export MINE=1\nexport CUDA_HOME=/x\n",
        ON: "export CUDA_HOME=$MINE/$CONDA_PREFIX/$STORED\n",
        OFF: "unset CUDA_HOME MINE\n",
    }
    snapshot = prefix(scripts)
    variables = sketch(
        "state: {variables: [{name: STORED, value: a, source: conda-meta/state}]}"
    ).state.variables
    state = msgspec.structs.replace(snapshot.state, variables=variables)

    assert "HUK803" not in codes(judged(msgspec.structs.replace(snapshot, state=state)), *Severity)


def test_a_twin_that_reads_what_nobody_has_saved_is_told():
    # conda/conda#9966
    scripts = {ON: "export CUDA_HOME=/x\n", OFF: "export CUDA_HOME=$CUDA_HOME_BACKUP\n"}
    finding = only("HUK803", found(scripts))

    assert finding.at.path == OFF
    assert "`conda deactivate`" in finding.shows_as


def test_csh_is_always_strict():
    path = "etc/conda/activate.d/x.csh"
    text = "setenv LD_LIBRARY_PATH ${CONDA_PREFIX}/lib/x:${LD_LIBRARY_PATH}\n"
    finding = only("HUK803", found({path: text}, env="SHELL: /bin/tcsh"))
    asking = f"if ($?LD_LIBRARY_PATH) then\n{text}endif\n"

    assert finding.severity is Severity.WARNING
    assert "Undefined variable." in finding.shows_as
    assert "HUK803" not in codes(found({path: asking}, env="SHELL: /bin/tcsh"), *Severity)


# 80: one shell.


BOTH = {ON: "export CUDA_HOME=$CONDA_PREFIX\n", OFF: "unset CUDA_HOME\n"}


@pytest.mark.parametrize(
    ("shell", "severity"),
    [
        ("SHELL: /usr/bin/fish", Severity.WARNING),
        ("SHELL: /bin/tcsh", Severity.WARNING),
        ("", Severity.INFO),
        ("SHELL: /usr/bin/nu", Severity.INFO),
    ],
)
def test_a_script_for_bash_alone_is_told_by_what_is_known_of_the_shell(shell, severity):
    # conda/conda#7993, ContinuumIO/anaconda-issues#11624
    (finding,) = found(BOTH, env=shell)
    assert (finding.code, finding.severity) == ("HUK804", severity)


@pytest.mark.parametrize("shell", ["/bin/bash", "/usr/bin/zsh", "/bin/dash", "/usr/bin/xonsh"])
def test_a_script_for_bash_serves_its_family(shell):
    assert found(BOTH, env=f"SHELL: {shell}") == []


def test_a_script_for_fish_alone_is_no_warning_for_a_login_shell_of_bash():
    scripts = {
        "etc/conda/activate.d/x.fish": "set -gx CUDA_HOME $CONDA_PREFIX\n",
        "etc/conda/deactivate.d/x.fish": "set -e CUDA_HOME\n",
    }
    assert codes(found(scripts), Severity.INFO) == ["HUK804"]
    assert found(scripts, env="SHELL: /usr/bin/fish") == []


# 81, 82: what activation cannot do.


def test_path_is_conda_s_own_and_information():
    # conda/conda#14762
    findings = found({ON: "export PATH=$CONDA_PREFIX/nvvm/bin:$PATH\n", OFF: "export PATH=$_P\n"})

    assert codes(findings, Severity.WARNING) == []


def test_what_is_added_to_path_and_never_taken_out_is_information():
    # conda/conda#14762
    findings = found({ON: "export PATH=$CONDA_PREFIX/nvvm/bin:$PATH\n"})

    assert codes(findings, Severity.INFO) == ["HUK801", "HUK802"]
    assert "conda writes PATH anew" in only("HUK802", findings).remedy


# Committed scripts.


def test_a_script_that_the_project_keeps_is_judged_too():
    # talmolab/sleap#1496
    findings = judged(
        sketch("conda/activate.d/env.sh: |\n" + "".join(f"  {x}\n" for x in RECIPE.splitlines()))
    )

    assert codes(findings) == ["HUK801", "HUK802", "HUK803", "HUK805"]
    assert {(f.at.path, f.at.in_prefix) for f in findings} == {("conda/activate.d/env.sh", False)}


def test_a_project_s_twin_is_a_way_back():
    findings = judged(
        sketch(
            "a/activate.d/x.sh: |\n  export CUDA_HOME=$CONDA_PREFIX\n"
            "a/deactivate.d/x.sh: |\n  unset CUDA_HOME\n"
            "b/activate.d/x.sh: |\n  export CUDA_HOME=$CONDA_PREFIX\n"
        )
    )
    assert [f.at.path for f in findings if f.code == "HUK802"] == ["b/activate.d/x.sh"]


def test_the_machine_s_shell_says_nothing_of_those_who_get_the_project():
    text = "a/activate.d/x.sh: |\n  export CUDA_HOME=$CONDA_PREFIX\nenv: {SHELL: /bin/bash}\n"
    assert codes(judged(sketch(text)), Severity.INFO) == ["HUK804"]


def test_a_path_of_one_machine_is_told_in_a_project():
    text = "a/activate.d/x.sh: |\n  export CUDA_HOME=/home/me/miniconda3/envs/x/cuda\n"
    finding = only("HUK806", judged(sketch(text)))

    assert "an environment of one machine" in finding.message


def test_the_installed_copy_of_a_project_s_script_is_explained_by_it():
    text = "export XLA_FLAGS=--xla_gpu_cuda_data_dir=$CONDA_PREFIX\n"
    snapshot = prefix({ON: text}, more=f"a/activate.d/x.sh: |\n  {text}")
    causes = [f for f in judged(snapshot) if f.code == "HUK802"]

    assert {f.at.in_prefix: f.explained_by for f in causes} == {
        False: (),
        True: ("hook-without-deactivate@a/activate.d/x.sh",),
    }


def test_a_script_elsewhere_in_a_project_is_no_hook():
    text = "env_vars.sh: |\n  export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\n"
    assert judged(sketch(text)) == []


# What envfix's own hook does instead.


SITE = "lib/python3.11/site-packages"
WORLD = f"""
pip: [ctranslate2==4.5.0, nvidia-cublas-cu12==12.4.5.8]
loader:
  {SITE}/ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so:
    {{of: ctranslate2, needed: [libctranslate2-d3.so.4], rpath: $ORIGIN/../ctranslate2.libs}}
  {SITE}/ctranslate2.libs/libctranslate2-d3.so.4: {{of: ctranslate2}}
  {SITE}/nvidia/cublas/lib/libcublas.so.12:
    {{of: nvidia-cublas-cu12, needed: [libcublasLt.so.12], runpath: $ORIGIN}}
  {SITE}/nvidia/cublas/lib/libcublasLt.so.12: {{of: nvidia-cublas-cu12}}
"""
FOLDERS = f"$CONDA_PREFIX/{SITE}/nvidia/cublas/lib"
NEEDED = PrependPath(name="LD_LIBRARY_PATH", directories=(f"{SITE}/nvidia/cublas/lib",))
WHOLE = "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH\n"


def test_the_folder_that_is_needed_is_named_where_the_model_proves_it():
    finding = only("HUK805", found({ON: WHOLE}, more=WORLD))
    assert f"({SITE}/nvidia/cublas/lib on LD_LIBRARY_PATH)" in finding.remedy


def test_a_script_that_nothing_needs_is_told_to_be_tried_without():
    idle = WORLD.replace("rpath: $ORIGIN/../", "rpath: $ORIGIN/../../x:$ORIGIN/../").replace(
        "libctranslate2-d3.so.4: {of: ctranslate2}",
        "libctranslate2-d3.so.4: {of: ctranslate2, needed: []}",
    )
    idle = idle.replace("ctranslate2==4.5.0, ", "").split("loader:")[0] + (
        f"loader:\n  {SITE}/nvidia/cublas/lib/libcublas.so.12: {{of: nvidia-cublas-cu12}}\n"
    )
    assert "try it without" in only("HUK805", found({ON: WHOLE}, more=idle)).remedy


def test_nothing_is_promised_in_a_shell_that_has_the_hook_in_force():
    active = "SHELL: /bin/bash, CONDA_PREFIX: /prefix"
    remedy = only("HUK805", found({ON: WHOLE}, env=active, more=WORLD)).remedy

    assert "what is proven to be needed, if anything is" in remedy


def test_what_a_hook_would_do_better_is_replaced_by_it_when_asked():
    on = f"#!/bin/sh\n\n{SAVED}MINE=$(dirname $(which x))\n{WHOLE}export LD_LIBRARY_PATH\n"
    findings = found({ON: on, OFF: RESTORING}, more=WORLD)
    fix = only("HUK805", findings).fix
    (change,) = fix.hooks

    assert fix.applicability is Applicability.UNSAFE
    assert (change.variables, change.replaces) == ((NEEDED,), (ON, OFF))
    assert "`envfix undo` brings back what was there" in fix.title


@pytest.mark.parametrize(
    "scripts",
    [
        {ON: f"{WHOLE}export TOKEN=mine\n"},
        {ON: f"{WHOLE}export PROJECT=$HOME/project\n"},
        {ON: f"{WHOLE}echo welcome\n"},
        {ON: f"{WHOLE}export A=1; echo welcome\n"},
        {ON: f"{WHOLE}make\n"},
        {ON: f"{WHOLE}LD_LIBRARY_PATH=/x make\n"},
        {ON: f"{WHOLE}#{'x' * 5000}\n"},
        {ON: f"{WHOLE}export XLA_FLAGS=--x=$CONDA_PREFIX\n"},
        {ON: WHOLE, "etc/conda/activate.d/x.sh": ". $HOME/more.sh\n"},
        {ON: WHOLE, ON[:-2] + "fish": "set -gx LD_LIBRARY_PATH $CONDA_PREFIX/lib\n"},
    ],
)
def test_a_script_that_does_more_is_not_replaced(scripts):
    assert only("HUK805", [f for f in found(scripts, more=WORLD) if f.at.path == ON]).fix is None


def test_what_was_replaced_is_taken_away_and_brought_back(tmp_path):
    on = tmp_path / ON
    on.parent.mkdir(parents=True)
    on.write_text(WHOLE)
    (tmp_path / "conda-meta").mkdir()
    target = msgspec.structs.replace(
        prefix({}).target, prefix=str(tmp_path), project=str(tmp_path), kind="conda"
    )
    why = Reason(code="ELF501", sentence="it is needed")
    change = HookChange(variables=(NEEDED,), why=why, replaces=(ON, OFF))

    activation.write(target, activation.install(target, [change]))
    assert not on.exists()
    assert (on.parent / "~~envfix.sh").exists()

    apply.undo(str(tmp_path))
    assert on.read_text() == WHOLE
    assert [path.name for path in on.parent.iterdir()] == ["env_vars.sh"]


# envfix's own hook.


def own(snapshot, *variables, **states):
    hook = Hook(
        prefix="/prefix",
        variables=variables or (PrependPath(name="LD_LIBRARY_PATH", directories=("x",)),),
        why=(),
        created_by="0",
    )
    scripts = tuple(
        ScriptState(path=f"etc/conda/{folder}.d/~~envfix.sh", state=FileState(state))
        for folder, state in states.items()
    )
    installed = InstalledHook(hook=hook, scripts=scripts)
    return msgspec.structs.replace(
        snapshot, state=msgspec.structs.replace(snapshot.state, own_hook=installed)
    )


def test_a_script_of_envfix_that_is_gone_is_written_again():
    (finding,) = judged(own(prefix({}), activate="intact", deactivate="missing"))

    assert finding.message.endswith("etc/conda/deactivate.d/~~envfix.sh is gone")
    assert finding.remedy.startswith("`envfix hooks install` writes it again")


def test_a_script_of_envfix_that_was_edited_is_not_overwritten():
    (finding,) = judged(own(prefix({}), activate="edited", deactivate="missing"))

    assert "was edited and etc/conda/deactivate.d/~~envfix.sh is gone" in finding.message
    assert finding.remedy.startswith("keep what you need of the edit")


def test_a_hook_that_does_what_is_needed_is_left_alone():
    assert judged(own(prefix({}, more=WORLD), NEEDED)) == []


def test_a_hook_that_leads_elsewhere_is_stale():
    other = PrependPath(name="LD_LIBRARY_PATH", directories=("lib/old",))
    (finding,) = judged(own(prefix({}, more=WORLD), other))

    assert (finding.code, finding.severity) == ("HUK808", Severity.WARNING)
    assert f"lacks {SITE}/nvidia/cublas/lib on LD_LIBRARY_PATH" in finding.message
    assert "has lib/old on LD_LIBRARY_PATH, which nothing needs" in finding.message


def test_what_a_hook_does_for_nothing_is_information():
    idle = SetVariable(name="XLA_FLAGS", value="--x=", path="")
    (finding,) = judged(own(prefix({}, more=WORLD), NEEDED, idle))

    assert (finding.code, finding.severity) == ("HUK808", Severity.INFO)
    assert "has XLA_FLAGS, which nothing needs" in finding.message
    assert "`envfix hooks remove`" in finding.remedy


def test_a_hook_that_is_in_force_is_judged_as_if_it_were_not():
    folder = f"/prefix/{NEEDED.directories[0]}"
    key = Hook(prefix="/prefix", variables=(), why=(), created_by="0").key
    active = (
        f"CONDA_PREFIX: /prefix, LD_LIBRARY_PATH: {folder}, _ENVFIX_NO_{key}_LD_LIBRARY_PATH: '1'"
    )
    restored = f"CONDA_PREFIX: /prefix, XLA_FLAGS: new, _ENVFIX_{key}_XLA_FLAGS: old"

    assert judged(own(prefix({}, env=active, more=WORLD), NEEDED)) == []
    assert "HUK808" not in codes(judged(own(prefix({}, env=restored, more=WORLD), NEEDED)))


def test_constraints_for_pip_are_no_part_of_what_the_loader_needs():
    pins = SetVariable(name="PIP_CONSTRAINT", path="etc/envfix/constraints.txt")
    assert judged(own(prefix({}, more=WORLD), NEEDED, pins)) == []


def test_nothing_is_said_of_a_hook_where_another_script_makes_it_uncertain():
    scripts = {ON: f"export LD_LIBRARY_PATH=/x\n. {ON}\n"}
    assert "HUK808" not in codes(judged(own(prefix(scripts, more=WORLD), NEEDED)), *Severity)


def test_a_scan_reads_an_edited_hook_off_the_disk(tmp_path):
    from reconciler.hooks import manifest, writing  # noqa: PLC0415 - used here alone

    hook = Hook(prefix=str(tmp_path), variables=(NEEDED,), why=(), created_by="0")
    files = writing.scripts(hook)
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "history").touch()
    for file in files:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_bytes(file.content + b"# mine\n")
    (tmp_path / "etc/envfix").mkdir()
    record = tmp_path / writing.MANIFEST
    record.write_bytes(manifest.encode(manifest.manifest_of(hook, files)))

    snapshot = pipeline.look(str(tmp_path), pipeline.Choice(prefix=str(tmp_path)), {}, host=False)
    assert "was edited" in only("HUK807", judged(snapshot)).message

    record.write_bytes(b"{")
    snapshot = pipeline.look(str(tmp_path), pipeline.Choice(prefix=str(tmp_path)), {}, host=False)
    assert [gap.item for gap in snapshot.gaps if gap.fact is Fact.STATE] == [
        "etc/envfix/hooks.json"
    ]


# What is mended in a project.


def mended(text, path="a/activate.d/x.sh"):
    lines = "".join(f"  {line}\n" for line in text.splitlines())
    return pipeline.fix(sketch(f"{path}: |\n{lines}"), unsafe=True, select=["HUK803"])


@pytest.mark.parametrize(
    ("text", "better"),
    [
        (
            "export A=1\nexport LD_LIBRARY_PATH=$CONDA_PREFIX/x:$LD_LIBRARY_PATH  # for CUDA\n",
            "export A=1\nexport LD_LIBRARY_PATH=$CONDA_PREFIX/x${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}  # for CUDA\n",
        ),
        (
            'export OLD="$LD_LIBRARY_PATH"\nexport LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$CONDA_PREFIX/x"\n',
            """\
export OLD="${LD_LIBRARY_PATH:-}"
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$CONDA_PREFIX/x"
""",
        ),
    ],
)
def test_a_line_of_the_project_is_mended_and_its_comment_kept(text, better):
    repair = mended(text)

    assert [file.after for file in repair.files] == [better]
    assert (repair.after.findings, repair.left_out) == ((), ())
    assert mended(better).files == ()


@pytest.mark.parametrize(
    "text",
    [
        "OLD=$LD_LIBRARY_PATH\n",
        "export CUDA_HOME=$A\nexit 1\n",
        "export LD_LIBRARY_PATH=$CONDA_PREFIX/x:'/y':$LD_LIBRARY_PATH\n",
    ],
)
def test_what_is_written_in_another_way_is_left_to_its_owner(text):
    assert mended(text).files == ()


def test_a_variable_of_a_script_is_not_removed():
    manifest = sketch("a/activate.d/x.sh: |\n  export CUDA_HOME=/x\n").manifests[0]
    (line,) = manifest.declared
    rewritten = rewriting.rewrite(manifest, [Remove(line=line)])

    assert "only its values are replaced" in rewritten.held[0][1]


def test_the_repair_says_what_goes():
    snapshot = prefix({ON: f"{SAVED}{WHOLE}", OFF: RESTORING}, more=WORLD)
    repair = pipeline.fix(snapshot, unsafe=True, select=["HUK805"])
    told = " ".join(story.render(repair, how="envfix fix --write").split())

    assert f"instead of {ON} and {OFF}, which `envfix undo` brings back." in told
    assert repair.after.findings == ()


CAPTURED = f"""
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
  lib/libnvJitLink.so.12: {{of: libnvjitlink}}
"""


def test_what_the_whole_lib_captures_is_its_symptom():
    # pytorch/pytorch#134929
    snapshot = prefix({ON: WHOLE}, conda="[libnvjitlink=12.1.105=0]", more=CAPTURED)
    rules = [all_rules()[code] for code in ("HUK805", "PTH404")]
    (root,) = pipeline.judge(snapshot, rules, KNOWN).findings

    assert (root.code, root.severity) == ("HUK805", Severity.ERROR)
    assert [symptom.code for symptom in root.symptoms] == ["PTH404"]
