"""What the commands of a shell script declare, and where."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import shell_lines
from reconciler.manifests.install_scopes import Block, arrange
from reconciler.manifests.script import from_file
from reconciler.model.editor_lines import split
from reconciler.model.manifest import IndexRole, Kind, Section


def read(text, **given_):
    return shell_lines.read(from_file(text), path="setup.sh", numbers=count(1), **given_)


def declared(text, **given_):
    return [line.declared for line in read(text, **given_).lines if line.declared]


def texts(text, **given_):
    return [f"{d.section}:{d.text}" for d in declared(text, **given_) if d.kind is Kind.REQUIREMENT]


def settled(text):
    found, _ = arrange([Block("", read(text).lines)])
    return [d.text for d in found if d.kind is Kind.REQUIREMENT]


@pytest.mark.parametrize(
    "command",
    [
        "pip install torch==2.1.0",
        "pip3 install -U torch==2.1.0",
        "pip3.10 install torch==2.1.0 -q",
        "python -m pip install torch==2.1.0",
        "python3.11 -u -m pip --no-cache-dir install torch==2.1.0",
        "/opt/conda/bin/python -m pip install --upgrade --no-deps torch==2.1.0",
        "sudo -H pip install torch==2.1.0",
        "sudo -u app pip install torch==2.1.0",
        "CUDA_HOME=/usr/local/cuda FORCE_CUDA=1 pip install torch==2.1.0",
        "env FOO=1 pip install torch==2.1.0",
        "uv pip install --system torch==2.1.0",
        "uv --no-cache pip install -p 3.11 torch==2.1.0",
        "python -m uv pip install torch==2.1.0",
        "uv add torch==2.1.0",
        "conda run -n gpu pip install torch==2.1.0",
        "micromamba run --cwd /x -n gpu python -m pip install torch==2.1.0",
        "poetry run pip install torch==2.1.0",
        "pip install 'torch==2.1.0'",
        'pip install "torch==2.1.0"',
        "pip install torch\\==2.1.0",
        "pip install \\\n  torch==2.1.0",
        "pip install torch==2.1.0 # why",
        "cd /x && pip install torch==2.1.0 || true",
        "(cd /x; pip install torch==2.1.0)",
        "{ pip install torch==2.1.0; }",
        "! pip install torch==2.1.0",
        "for x in 1 2; do pip install torch==2.1.0; done",
        "if true; then pip install torch==2.1.0; fi",
        "yes | pip install torch==2.1.0 2>&1 | tee log.txt",
        "pip install torch==2.1.0 > log.txt 2> /dev/null &",
        "bash -c 'pip install torch==2.1.0'",
        'bash -lc "pip install torch==2.1.0"',
        'sh -c "pip install \\"torch==2.1.0\\""',
        "su app -c 'pip install torch==2.1.0'",
        "TORCH=2.1.0\npip install torch==$TORCH",
        "export TORCH=2.1.0\npip install torch==${TORCH}",
        'PACKAGES="-q torch==2.1.0"; pip install $PACKAGES',
        "pip install torch==${TORCH:-2.1.0}",
        "pip install torch==${TORCH=2.1.0}",
        "pip install torch==2.1.0${X:+.1}",
        "cat <<EOF > x.txt\npip install numpy\nEOF\npip install torch==2.1.0",
        "cat <<-'END'\n\tpip install numpy\n\tEND\npip install torch==2.1.0",
        "pip install -- torch==2.1.0",
        "pip install -tlib torch==2.1.0",
        "pip install --target lib --no-binary :all: torch==2.1.0",
    ],
)
def test_a_requirement_of_pip_is_found_however_pip_is_called(command):
    assert texts(command) == ["pip:torch==2.1.0"]


@pytest.mark.parametrize(
    "command",
    [
        "conda install -y pytorch=2.1",
        "mamba install --yes -c pytorch -c nvidia pytorch=2.1",
        "micromamba create -y -n gpu -c conda-forge pytorch=2.1",
        "/opt/conda/bin/conda create --name gpu --override-channels pytorch=2.1",
        "conda update -n base pytorch=2.1 --solver=libmamba",
        "conda install -ncuda pytorch=2.1",
    ],
)
def test_a_spec_of_conda_is_found(command):
    assert texts(command) == ["conda:pytorch=2.1"]


@pytest.mark.parametrize(
    "command",
    [
        "",
        "# pip install torch",
        "echo pip install torch",
        "apt-get install -y python3-pip",
        "pip download torch",
        "pip",
        "pip --version",
        "python setup.py",
        "python -m",
        "python",
        "pip install torch==$TORCH",
        "pip install torch==${TORCH//x/y}",
        "pip install torch==$(cat version)",
        "pip install torch==`cat version`",
        "pip install torch==${{ matrix.torch }}",
        "pip install 'torch==${{ matrix.torch }}'",
        "pip install $@",
        "pip install torch --index-url https://download.pytorch.org/whl/$CUDA",
        "conda install pytorch=$V",
        "conda",
        "conda list",
        "conda env list",
        "conda env create -f $FILE",
        "conda env create",
        "conda run -n x",
        "conda config --show",
        "uv sync",
        "uv",
        "poetry install",
        "bash script.sh",
        "bash -c",
        "source venv.sh",
        "sudo",
        "cat <<EOF\npip install torch",
        "export $(cat x",
        "conda config --add channels2 x y",
        "bash -c pip",
        "pip install $(",
        "npm install torch",
    ],
)
def test_what_installs_nothing_that_is_known_declares_nothing(command):
    assert declared(command) == []


def test_the_value_of_a_variable_is_cut_as_the_shell_cuts_it():
    assert texts("V=11.8.0\npip install 'cupy'cuda${V//.0/} x==${V/./} ./a$") == [
        "pip:cupycuda11.8",
        "pip:x==118.0",
        "pip:./a$",
    ]


def test_options_bear_the_number_of_their_command():
    found = declared(
        "pip install torch==2.1.0 --index-url https://download.pytorch.org/whl/cu121\n"
        "pip install numpy -i https://host/simple -f https://host/links\n"
    )
    assert [(d.kind, d.name, d.command) for d in found] == [
        (Kind.REQUIREMENT, "torch", 1),
        (Kind.INDEX, "https://download.pytorch.org/whl/cu121", 1),
        (Kind.REQUIREMENT, "numpy", 2),
        (Kind.INDEX, "https://host/simple", 2),
        (Kind.INDEX, "https://host/links", 2),
    ]
    assert [d.role for d in found if d.role] == [
        IndexRole.DEFAULT,
        IndexRole.DEFAULT,
        IndexRole.LINKS,
    ]


@pytest.mark.parametrize(
    ("option", "name", "role"),
    [
        ("--index https://host/x", "https://host/x", IndexRole.EXTRA),
        ("--index named=https://host/x", "https://host/x", IndexRole.EXTRA),
        ("--default-index=https://host/x", "https://host/x", IndexRole.DEFAULT),
        ("--torch-backend=cu126", "https://download.pytorch.org/whl/cu126", IndexRole.EXTRA),
    ],
)
def test_uv_s_own_options_are_indexes(option, name, role):
    (index,) = [d for d in declared(f"uv pip install {option} torch") if d.kind is Kind.INDEX]
    assert (index.name, index.role) == (name, role)
    assert index.text.split("=")[0].split()[0] == option.split("=")[0].split()[0]


def test_a_backend_that_only_the_machine_tells_is_no_index():
    assert [d.kind for d in declared("uv pip install --torch-backend=auto torch")] == [
        Kind.REQUIREMENT
    ]


def test_a_label_tells_the_build_even_where_the_index_is_unknown():
    assert texts("pip install torch==2.1.0+cu118 numpy -f $LINKS") == ["pip:torch==2.1.0+cu118"]


def test_channels_and_files_of_conda_are_found():
    found = declared(
        "conda config --add channels conda-forge\n"
        "conda config --append channels $X\n"
        "conda install -c pytorch --channel nvidia pytorch --file specs.txt\n"
        "conda env create -f ci/environment.yml\n"
        "mamba env update --file=env.yml --prune\n"
        "micromamba create -f env.yaml\n"
        "conda env create env2.yml\n"
    )
    assert [(d.kind, d.name, d.command) for d in found] == [
        (Kind.CHANNEL, "conda-forge", 0),
        (Kind.CHANNEL, "pytorch", 1),
        (Kind.CHANNEL, "nvidia", 1),
        (Kind.REQUIREMENT, "pytorch", 1),
        (Kind.INCLUDE, "specs.txt", 1),
        (Kind.INCLUDE, "ci/environment.yml", 2),
        (Kind.INCLUDE, "env.yml", 3),
        (Kind.INCLUDE, "env.yaml", 4),
        (Kind.INCLUDE, "env2.yml", 5),
    ]
    assert {d.section for d in found} == {Section.CONDA}


def test_a_spec_that_conda_refuses_has_no_name():
    (line,) = declared("conda install 'pytorch=='")
    assert (line.text, line.name) == ("pytorch==", "")


def test_files_of_pip_are_found():
    found = declared("pip install -r requirements.txt -c limits.txt -e . --requirement=b.txt")
    assert [(d.kind, d.name) for d in found] == [
        (Kind.INCLUDE, "requirements.txt"),
        (Kind.CONSTRAINT, "limits.txt"),
        (Kind.REQUIREMENT, ""),
        (Kind.INCLUDE, "b.txt"),
    ]


def test_variables_that_are_exported_are_found_as_written():
    found = declared(
        "export LD_LIBRARY_PATH=/usr/local/cuda/lib64:$LD_LIBRARY_PATH A='b c' D\n"
        "conda env config vars set CUDA_HOME=/usr/local/cuda\n"
    )
    assert [(d.section, d.name, d.text, d.line, d.column) for d in found] == [
        (Section.SHELL, "LD_LIBRARY_PATH", "LD_LIBRARY_PATH=/usr/local/cuda/lib64:$LD_LIBRARY_PATH", 1, 8),
        (Section.SHELL, "A", "A=b c", 1, 63),
        (Section.SHELL, "CUDA_HOME", "CUDA_HOME=/usr/local/cuda", 2, 27),
    ]  # fmt: skip


def test_an_assignment_that_only_a_run_tells_is_none():
    assert texts("$A=1; export B=$X; pip install a==$B") == []


def test_a_variable_with_two_values_has_none_that_is_known():
    text = "V=1\nif x; then V=2; else V=3; fi\npip install a==$V"
    assert texts(text) == []


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("nvcc -o x x.cu", "nvcc -o x x.cu"),
        ("cd apex && python setup.py install --cuda_ext", "python setup.py install --cuda_ext"),
        ("python3 setup.py bdist_wheel", "python3 setup.py bdist_wheel"),
        ("pip install -v --no-build-isolation .", "pip install -v --no-build-isolation ."),
    ],
)
def test_a_command_that_compiles_is_found(command, text):
    found = [d for d in declared(command) if d.kind is Kind.COMPILATION]
    assert [d.text for d in found] == [text]


@pytest.mark.parametrize("command", ["nvcc --version", "python setup.py sdist", "pip install ."])
def test_a_command_that_does_not_compile_is_none(command):
    assert [d for d in declared(command) if d.kind is Kind.COMPILATION] == []


def test_environments_that_are_made_are_found():
    text = (
        "python -m venv /opt/a && virtualenv /opt/b\nuv venv --seed /opt/c\n"
        "conda create -yn d\nconda create -n e\nconda env create -p /opt/f -f x.yml\n"
        "conda create -n base\nconda env update -n g -f x.yml"
    )
    found = [d for d in declared(text) if d.kind is Kind.ENVIRONMENT]
    assert [(d.name, d.line) for d in found] == [
        ("/opt/a", 1),
        ("/opt/b", 1),
        ("/opt/c", 2),
        ("e", 4),
        ("/opt/f", 5),
    ]


def test_what_the_system_s_packages_bring_of_cuda_is_found():
    text = (
        "apt-get update && apt-get install -y git cuda-nvcc-12-1 libcudnn8=8.9.2.26-1+cuda12.1\n"
        "apt-get remove cuda-nvcc-12-1\ndnf -y install cuda-toolkit-12-4"
    )
    found = [d for d in declared(text) if d.kind is Kind.SYSTEM]
    assert [(d.name, d.text) for d in found] == [
        ("cuda-nvcc-12-1", "cuda-nvcc-12-1"),
        ("libcudnn8", "libcudnn8=8.9.2.26-1+cuda12.1"),
        ("cuda-toolkit-12-4", "cuda-toolkit-12-4"),
    ]


def test_what_is_set_for_one_command_is_found_where_it_is_of_cuda():
    found = declared("TORCH_CUDA_ARCH_LIST='8.0 9.0' A=1 pip install x")
    assert [(d.name, d.text, d.column) for d in found] == [
        ("TORCH_CUDA_ARCH_LIST", "TORCH_CUDA_ARCH_LIST=8.0 9.0", 1),
        ("x", "x", 48),
    ]


def test_places_are_those_of_the_words():
    text = 'cd /x && \\\n  pip install "torch==2.1.0" \\\n      numpy\n'
    assert [(d.line, d.column) for d in declared(text)] == [(2, 16), (3, 7)]


def test_a_bound_without_quotes_is_lost_to_the_shell():
    read_ = read("pip install torch>=2.0 'numpy<2' pandas<2 && conda install python>=3.8 >log.txt")
    assert [(f.text, f.column, f.better) for f in read_.faults] == [
        ("torch>=2.0", 13, '"torch>=2.0"'),
        ("pandas<2", 34, '"pandas<2"'),
        ("python>=3.8", 60, '"python>=3.8"'),
    ]
    assert "writes the output to a file named =2.0" in read_.faults[0].why
    assert "looks for a file named 2" in read_.faults[1].why


@pytest.mark.parametrize(
    "command",
    ["pip install torch>log.txt", "pip install torch 2>1", "pip install torch >& log", "pip install torch<(x)"],
)  # fmt: skip
def test_a_redirection_that_is_meant_is_none(command):
    assert read(command).faults == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("pip install torch==2.0\npip install torch==2.1", ["torch==2.1"]),
        ("pip install torch==2.0\npip install torch", ["torch==2.0", "torch"]),
        ("pip install torch==2.0\npip install 'torch>=2'", ["torch==2.0", "torch>=2"]),
        ("pip install torch==2.0\npip uninstall -y torch", []),
        ("conda install a=1\nconda install a=2", ["a=2"]),
        ("conda install a=1\nconda remove -y a", []),
        ("pip install torch==2.0\nconda remove -y torch", ["torch==2.0"]),
        ("pip install a==1 a==2", ["a==1", "a==2"]),
        ("pip install numpy==1 || pip install numpy==2", ["numpy==1"]),
        ("[ -e x ] || pip install numpy==2", ["numpy==2"]),
        ("pip install b==1\nif x; then pip install b==2; fi", ["b==2"]),
        ("if x; then pip install b==2; else echo; fi\npip install b==1", ["b==1"]),
    ],
)
def test_what_a_later_command_undoes_is_left_out(text, left):
    assert settled(text) == left


def combined(text):
    found, combinations = arrange([Block("", read(text).lines)])
    found = [d for d in found if d.kind is not Kind.ENVIRONMENT]
    return {c.name: [d.text for d in found if d.scope in c.scopes] for c in combinations}


def test_branches_are_installed_one_at_a_time():
    text = (
        "pip install numpy\n"
        'if [ "$GPU" = 1 ]; then pip install torch==2.1.0+cu118\n'
        "elif x; then pip install torch==2.1.0+rocm5.6\n"
        "else pip install torch==2.1.0+cpu; fi\n"
    )
    assert combined(text) == {
        "branch 1": ["numpy", "torch==2.1.0+cu118"],
        "branch 2": ["numpy", "torch==2.1.0+rocm5.6"],
        "branch 3": ["numpy", "torch==2.1.0+cpu"],
    }


def test_the_arms_of_a_case_are_branches():
    text = (
        "case $X in\n  cpu)\n    pip install a==1 ;;\n  gpu) (pip install a==2);;\nesac\n"
        "case $Y in a) pip install b; esac; esac; fi; else x"
    )
    assert combined(text) == {"branch 1": ["a==1", "b"], "branch 2": ["a==2", "b"]}


def test_environments_are_apart_where_there_are_several():
    text = (
        "conda create -n a python=3.8\nconda create -p /opt/envs/b python=3.9\n"
        "conda activate a && pip install torch==1.8\n"
        "source activate b\npip install torch==2.1\nconda activate\npip install mamba\n"
        "/opt/c/bin/pip install x\nuv pip install -p /opt/c/bin/python y\n. /opt/c/bin/activate; pip install z"
    )
    assert combined(text) == {
        "": ["mamba"],
        "environment a": ["python=3.8", "torch==1.8", "mamba"],
        "environment b": ["python=3.9", "torch==2.1", "mamba"],
        "environment /opt/c": ["mamba", "x", "y", "z"],
    }


def test_one_environment_is_not_named():
    text = "conda create -n a python=3.8\npip install x\nconda run -n base pip install y"
    assert combined(text) == {"": ["python=3.8", "x", "y"]}


SHELL = st.text(
    alphabet="pip install torch=2.1'\"$(){}`\\<>;&|\n#conda-rcfEO:@0/é\u2028", max_size=120
)


@given(SHELL | st.text(max_size=60))
def test_no_script_breaks_the_reader(text):
    found = read(text)
    lines = split(text)
    for place in (*(line.declared for line in found.lines if line.declared), *found.faults):
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1
