"""Scripts of the kinds that packages and threads have, in our own words, and what they come to."""

from __future__ import annotations

import pytest

from reconciler.hooks.reading import read, read_script
from reconciler.model.activating import activated, not_activated
from reconciler.model.activation import Action, Activation, ModulePath
from reconciler.model.prefix import ActivationScript, PrefixState, StateVariable

PREFIX = "/home/user/envs/gpu"
SITE = f"{PREFIX}/lib/python3.11/site-packages"
SHELL = {"PATH": "/usr/bin:/bin"}

# tensorflow#60183: the recipe of the guide, CUDNN_PATH in the script as the correction has it.
TENSORFLOW = """\
CUDNN_PATH=$(dirname $(python -c "import nvidia.cudnn;print(nvidia.cudnn.__file__)"))
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$CONDA_PREFIX/lib/:$CUDNN_PATH/lib
"""
# The same without the first line, as it was written at first: the variable is set nowhere.
TENSORFLOW_AT_FIRST = "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib/:$CUDNN_PATH/lib\n"
# The manner of conda-forge's cupy, cudatoolkit-dev and cuda-nvcc.
SAVES_AND_SETS = """\
if [[ -n ${CUDA_PATH:+x} ]]; then
    export CONDA_SAVED_CUDA_PATH=$CUDA_PATH
fi
export CUDA_PATH=$CONDA_PREFIX
"""
# The manner of conda-forge's gdal: a folder may be there.
ASKS_FOR_A_FOLDER = """\
export CUDA_HOME=$CONDA_PREFIX
if [ ! -d "$CUDA_HOME/nvvm" ]; then
    unset CUDA_HOME
fi
"""
# The manner of conda-forge's gcc: names are made by eval, of words of the script.
MAKES_NAMES = """\
function swap() {
  local nature=$1; shift
  local thing
  for thing in "$@"; do
    eval old="\\$${nature}$thing"
    eval export "'${nature}${thing}=$old'"
  done
  return 0
}
FLAGS_USED="-I${CONDA_PREFIX}/include"
swap BACKUP_ "CFLAGS,${CFLAGS:-${FLAGS_USED}}"
if [ $? -ne 0 ]; then echo "failed"; fi
"""
# The manner of conda-forge's cuda-nvcc: the last command is a variable that holds a truth.
HOLDS_A_TRUTH = """\
FAILED=false
[[ "linux-64" == "linux-64" ]] && folder="targets/x86_64-linux"
export XLA_FLAGS="${XLA_FLAGS:-} --xla_gpu_cuda_data_dir=${CONDA_PREFIX}/${folder}"
! $FAILED
"""
ONCE = """\
case ":${LD_LIBRARY_PATH:-}:" in
  *":$CONDA_PREFIX/lib:"*) ;;
  *) export LD_LIBRARY_PATH="$CONDA_PREFIX/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;;
esac
"""


def state(*scripts: str, **variables: str) -> PrefixState:
    return PrefixState(
        variables=tuple(
            StateVariable(name=name, value=value, source="conda-meta/state")
            for name, value in variables.items()
        ),
        scripts=tuple(
            ActivationScript(path=f"etc/conda/activate.d/{n}.sh", text=text, assignments=read(text))
            for n, text in enumerate(scripts)
        ),
    )


def cudnn(asked: ModulePath) -> str | None:
    return f"{SITE}/nvidia/cudnn/__init__.py" if asked.module == "nvidia.cudnn" else None


def active(*scripts: str, shell: dict[str, str] | None = None) -> Activation:
    return activated(SHELL | (shell or {}), state(*scripts), PREFIX, find_module=cudnn)


def test_the_recipe_of_tensorflow_leads_to_the_wheel_of_cudnn() -> None:
    found = active(TENSORFLOW)

    assert found.unknown == ()
    assert found.variables["LD_LIBRARY_PATH"] == f":{PREFIX}/lib/:{SITE}/nvidia/cudnn/lib"
    assert "CUDNN_PATH" not in found.variables


def test_where_the_wheel_is_not_known_the_recipe_names_the_line_that_asks() -> None:
    found = activated(SHELL, state(TENSORFLOW), PREFIX)

    doubt = found.doubt_of("LD_LIBRARY_PATH")
    assert doubt is not None
    assert (doubt.path, doubt.line) == ("etc/conda/activate.d/0.sh", 2)
    assert "LD_LIBRARY_PATH" not in found.variables


def test_a_variable_that_no_line_sets_is_empty_in_the_recipe() -> None:
    assert active(TENSORFLOW_AT_FIRST).variables["LD_LIBRARY_PATH"] == f"{PREFIX}/lib/:/lib"


def test_a_variable_is_saved_where_it_was_set() -> None:
    found = active(SAVES_AND_SETS, shell={"CUDA_PATH": "/usr/local/cuda"})

    assert found.variables["CUDA_PATH"] == PREFIX
    assert found.variables["CONDA_SAVED_CUDA_PATH"] == "/usr/local/cuda"
    assert "CONDA_SAVED_CUDA_PATH" not in active(SAVES_AND_SETS).variables


def test_a_folder_that_may_be_there_makes_the_variable_unknown() -> None:
    found = active(ASKS_FOR_A_FOLDER)

    assert [(d.variable, d.line) for d in found.unknown] == [("CUDA_HOME", 3)]


def test_names_made_by_eval_doubt_what_the_script_names_and_nothing_else() -> None:
    found = active(MAKES_NAMES, ONCE)

    assert found.doubt_of("CFLAGS") is not None
    assert found.variables["LD_LIBRARY_PATH"] == f"{PREFIX}/lib"


def test_a_truth_in_a_variable_runs_nothing_that_sets_others() -> None:
    flags = f" --xla_gpu_cuda_data_dir={PREFIX}/targets/x86_64-linux"

    assert active(HOLDS_A_TRUTH) == active(HOLDS_A_TRUTH, "true\n")
    assert active(HOLDS_A_TRUTH).variables["XLA_FLAGS"] == flags


@pytest.mark.parametrize("former", [{}, {"LD_LIBRARY_PATH": "/opt/lib"}])
def test_a_guarded_path_is_put_in_once(former: dict[str, str]) -> None:
    path = ":".join([f"{PREFIX}/lib", *former.values()])

    assert active(ONCE, ONCE, shell=former).variables["LD_LIBRARY_PATH"] == path


@pytest.mark.parametrize(
    "line",
    [
        "source /opt/intel/setvars.sh",
        ". $HOME/env.sh",
        "module load cuda/12.4",
        'eval "$(conda shell.bash hook)"',
        "a=(1 2); source b",
        "if [ -n x ]; then eval $b",
        "export $(cat .env)",
        'while read -r line; do export "$line"; done < .env',
        'for line in $(cat .env); do export "$line"; done',
    ],
)
def test_what_runs_another_script_makes_all_unknown_until_it_is_set_again(line: str) -> None:
    found = active(f"export CUDA_PATH=/a CUDA_HOME=/b\n{line}\n", "export CUDA_PATH=/c\n")

    assert found.variables == {"CUDA_PATH": "/c"}
    doubt = found.doubt_of("CUDA_HOME")
    assert doubt is not None
    assert doubt.line == 2
    assert line.split(maxsplit=1)[0] in doubt.reason


def test_a_variable_that_was_not_looked_at_is_not_taken_for_unset() -> None:
    found = active('export CUDA_PATH="${SLURM_CUDA:-/usr/local/cuda}"\n')

    doubt = found.doubt_of("CUDA_PATH")
    assert doubt is not None


def test_conda_sets_its_own_then_the_state_then_the_scripts_in_their_order() -> None:
    set_by_hand = state(
        'export CUDA_HOME="$CUDA_HOME/a"\n', 'export CUDA_HOME="$CUDA_HOME/b"\n', CUDA_HOME="/state"
    )
    found = activated(SHELL | {"CUDA_HOME": "/shell"}, set_by_hand, PREFIX)

    assert found.variables == {
        "PATH": f"{PREFIX}/bin:/usr/bin:/bin",
        "CONDA_PREFIX": PREFIX,
        "CONDA_SHLVL": "1",
        "CONDA_DEFAULT_ENV": "gpu",
        "CUDA_HOME": "/state/a/b",
    }


def test_the_mark_of_unset_is_passed_over_by_conda_alone() -> None:
    unset = state(CUDA_HOME="***unset***")

    assert "CUDA_HOME" not in activated(SHELL, unset, PREFIX).variables
    by_rattler = activated(SHELL, unset, PREFIX, manager="rattler").variables
    assert by_rattler["CUDA_HOME"] == "***unset***"


def test_an_environment_that_is_left_first_gives_its_place_on_path_and_doubts_what_it_set() -> None:
    shell = {
        "PATH": "/home/user/bin:/opt/conda/bin:/usr/bin",
        "CONDA_PREFIX": "/opt/conda",
        "CONDA_SHLVL": "1",
        "XLA_FLAGS": "--xla_gpu_cuda_data_dir=/opt/conda",
        "CUDA_HOME": "/usr/local/cuda",
    }
    found = activated(shell, None, PREFIX)

    assert found.variables["PATH"] == f"/home/user/bin:{PREFIX}/bin:/usr/bin"
    assert (found.variables["CONDA_SHLVL"], found.variables["CUDA_HOME"]) == (
        "2",
        "/usr/local/cuda",
    )
    assert [doubt.variable for doubt in found.unknown] == ["XLA_FLAGS"]


def test_a_shell_that_has_it_activated_is_taken_as_it_is() -> None:
    shell = active(TENSORFLOW).variables | {"CUDA_HOME": "/by/hand"}

    assert activated(shell, state(TENSORFLOW), PREFIX) == Activation(variables=shell)


def test_a_venv_sets_its_own_and_takes_pythonhome_away() -> None:
    found = activated(SHELL | {"PYTHONHOME": "/x"}, None, "/project/.venv", manager="venv")

    path = "/project/.venv/bin:/usr/bin:/bin"
    assert found.variables == {"PATH": path, "VIRTUAL_ENV": "/project/.venv"}


def test_without_the_activation_its_paths_and_its_own_variables_are_gone() -> None:
    set_by_hand = state(ONCE, SAVES_AND_SETS)
    shell = activated(SHELL | {"LD_LIBRARY_PATH": "/opt/lib"}, set_by_hand, PREFIX).variables

    found = not_activated(shell, set_by_hand, PREFIX)

    assert found.variables == SHELL | {"LD_LIBRARY_PATH": "/opt/lib"}
    assert [doubt.variable for doubt in found.unknown] == ["CUDA_PATH"]


def test_a_shell_that_has_not_activated_it_stays_as_it_is() -> None:
    shell = SHELL | {"LD_LIBRARY_PATH": "/opt/lib"}

    assert not_activated(shell, state(ONCE), PREFIX) == Activation(variables=shell)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("export LD_LIBRARY_PATH=$CONDA_PREFIX/lib:$LD_LIBRARY_PATH", Action.PREPEND),
        ("export LD_LIBRARY_PATH=/a${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}", Action.PREPEND),
        ("LD_LIBRARY_PATH+=:/a", Action.APPEND),
        ("export LD_LIBRARY_PATH=${LD_LIBRARY_PATH}:/a", Action.APPEND),
        ("export LD_LIBRARY_PATH=/a", Action.SET),
        ("unset LD_LIBRARY_PATH", Action.UNSET),
        ("export LD_LIBRARY_PATH", Action.EXPORT),
    ],
)
def test_a_line_says_what_it_does_to_its_variable(text: str, action: Action) -> None:
    (step,) = read(f"# why\n  {text}\n")

    assert (step.action, step.variable, step.line, step.text) == (
        action,
        "LD_LIBRARY_PATH",
        2,
        text,
    )


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("""python3 -c 'import nvidia.cublas as m; print(m.__path__[0])'""", "nvidia.cublas"),
        (
            """dirname "$(python -c 'import nvidia.cudnn; print(nvidia.cudnn.__file__)')" """,
            "nvidia.cudnn",
        ),
        ("""python -c "import site; print(site.getsitepackages()[0])" """, ""),
        ("dirname `python -c 'import torch;print(torch.__file__)'`", "torch"),
    ],
)
def test_a_path_that_python_is_asked_for_is_known_by_its_module(script: str, found: str) -> None:
    (step,) = read(f"A=$({script})\n")

    assert [p.module for p in step.parts if isinstance(p, ModulePath)] == [found]


@pytest.mark.parametrize(
    "script",
    [
        """python -c "import nvidia.cudnn; print(torch.__file__)" """,
        """python -c 'import torch; torch.x(); print(torch.__file__)'""",
        """python3.9 script.py""",
        """dirname $X""",
    ],
)
def test_another_question_is_only_known_when_it_runs(script: str) -> None:
    (step,) = read(f"A=$({script})\n")

    assert step.is_computed


@pytest.mark.parametrize(
    ("name", "text", "action", "written"),
    [
        ("a.fish", 'set -gx LD_LIBRARY_PATH "$CONDA_PREFIX/lib:$LD_LIBRARY_PATH"', "prepend", 3),
        ("a.fish", "set -e LD_LIBRARY_PATH", "unset", 0),
        ("a.csh", "setenv LD_LIBRARY_PATH ${LD_LIBRARY_PATH}:/a", "append", 2),
        ("a.ps1", '$Env:LD_LIBRARY_PATH = "$Env:CONDA_PREFIX\\lib"', "set", 2),
        ("a.bat", '@SET "LD_LIBRARY_PATH=%CONDA_PREFIX%\\lib"', "set", 2),
        ("a.bat", "@set LD_LIBRARY_PATH=", "unset", 0),
    ],
)
def test_a_simple_line_of_another_shell_is_read(
    name: str, text: str, action: str, written: int
) -> None:
    (step,) = read_script(f"etc/conda/activate.d/{name}", f"\n{text}\n")

    assert (step.action, step.variable, step.line, len(step.parts)) == (
        action,
        "LD_LIBRARY_PATH",
        2,
        written,
    )


def test_a_script_of_an_unknown_shell_is_not_read() -> None:
    assert read_script("etc/conda/activate.d/a.xsh", "$A = 1\n") == ()


@pytest.mark.parametrize(
    "line",
    [
        "folders=(a b); export CUDA_HOME=${folders[0]}",
        "if [ -n x ]; then CUDA_HOME=/a",
        'for n in CUDA_HOME OTHER; do export "$n=/x"; done',
        'n=$(echo CUDA_HOME); unset "$n"',
    ],
)
def test_what_is_not_read_doubts_what_it_names_alone(line: str) -> None:
    found = active("export CUDA_PATH=/a\n", f"{line}\n")

    assert found.variables["CUDA_PATH"] == "/a"
    assert found.doubt_of("CUDA_HOME") is not None


def test_completions_set_no_variable() -> None:
    text = 'source "$CONDA_PREFIX/share/bash-completion/completions/gdalinfo"\n'

    assert active(text) == active("")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f() { local CUDA_HOME=/a; CUDA_HOME=/b; }; f", "of a function alone"),
        ("test -d /x && return\nCUDA_HOME=/b", "behind an end that may be reached"),
        ("if test -d /x; then f() { CUDA_HOME=/a; }; fi; f", "by a function that may be another"),
        ("while test -d /x; do CUDA_HOME=/b; done", "any number of times"),
    ],
)
def test_what_may_or_may_not_be_set_is_unknown(text: str, why: str) -> None:
    found = active(f"{text}\n", shell={"CUDA_HOME": "/shell"})

    assert found.doubt_of("CUDA_HOME") is not None, why
    assert "CUDA_HOME" not in found.variables


def test_a_function_leaves_what_its_own_variable_hides() -> None:
    text = "f() { local CUDA_HOME; CUDA_HOME=/b; export CUDA_PATH=/c; }; f\n"

    found = active(text, shell={"CUDA_HOME": "/shell"})

    assert found.variables["CUDA_PATH"] == "/c"
    assert found.variables.get("CUDA_HOME") != "/b"
