"""Requirements of pip become MatchSpecs, stay under pip, or go: each with its reason."""

import pytest

from tests.convert.conversions import CATALOG, Converted, Dropped, Kept, converted, outcome, specs


def test_a_project_bears_the_name_that_conda_forge_has_for_it():
    assert specs("PyYAML\ntables\nopencv_python==4.8.0.74\nruamel.yaml\n") == (
        "python",
        "pyyaml",
        "pytables",
        "py-opencv=4.8.0",
        "ruamel.yaml",
    )


@pytest.mark.parametrize(
    "name", ["made-up-name-of-nobody", "torch-cuda-turbo", "pytorch", "cudatoolkit", "nvidia-foo"]
)
def test_a_name_that_nobody_knows_is_never_guessed(name):
    line = outcome(f"{name}==1.0\n")
    assert isinstance(line, Kept)
    assert line.reason == f"no package of conda-forge is known to hold {name}"


def test_a_name_that_several_packages_hold_is_not_guessed_either():
    assert CATALOG.naming.on_conda_forge("art") == ""
    assert isinstance(outcome("art\n"), Kept)


def test_pytorch_of_a_label_is_pinned_by_its_build_and_its_cuda():
    requirements = (
        "--extra-index-url https://download.pytorch.org/whl/cu118\n"
        "torch==2.1.2+cu118\ntorchvision==0.16.2+cu118\n"
    )
    assert specs(requirements) == (
        "python",
        "cuda-version=11.8",
        "cudatoolkit=11.8",
        "pytorch=2.1.2=cuda*",
        "torchvision=0.16.2=cuda*",
    )


def test_an_index_that_serves_what_conda_now_does_is_not_needed_any_more():
    requirements = "--index-url https://download.pytorch.org/whl/cu121\ntorch==2.1.2\n"
    setting = converted(requirements).settings[0]
    assert not setting.is_carried
    assert "comes from conda" in setting.reason


def test_an_index_goes_along_with_what_stays_under_pip():
    requirements = "--extra-index-url https://host/simple\nmade-up-name-of-nobody\n"
    assert converted(requirements).settings[0].is_carried


UV = """[project]
name = "x"
dependencies = ["torch==2.9.1", "made-up-name-of-nobody"]
[tool.uv.sources]
torch = { index = "pytorch" }
[[tool.uv.index]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
[[tool.uv.index]]
url = "https://host/simple"
"""


def test_an_index_of_a_pyproject_is_an_option_and_goes_along_with_what_it_serves():
    told = converted({"pyproject.toml": UV}).settings
    assert [s.text for s in told if s.is_carried] == ["--extra-index-url https://host/simple"]
    own = UV.replace("torch = {", "made-up-name-of-nobody = {")
    assert len([s for s in converted({"pyproject.toml": own}).settings if s.is_carried]) == 2


def test_hashes_are_those_of_other_files():
    requirements = "numpy==1.26.4 --hash=sha256:" + "0" * 64 + "\n"
    assert specs(requirements) == ("python", "numpy==1.26.4")
    assert "hashes are those of PyPI's files" in converted(requirements).settings[0].reason


def test_what_the_framework_brings_is_not_asked_for():
    line = outcome("torch==2.1.2\nnvidia-cublas-cu12==12.1.3.1\n")
    assert isinstance(line, Dropped)
    assert line.reason == "conda's build of PyTorch for CUDA brings libcublas itself"


def test_a_part_of_cuda_that_no_framework_brings_is_conda_s_own():
    assert specs("nvidia-cuda-nvcc-cu12==12.4.131\nnvidia-cudnn-cu12==9.1.0.70\n") == (
        "python",
        "cuda-version=12.4",
        "cuda-nvcc-tools",
        "cudnn=9.1",
    )


def test_until_cuda_11_8_one_toolkit_holds_the_libraries():
    line = outcome("cupy-cuda11x\nnvidia-cublas-cu11==11.11.3.6\n")
    assert isinstance(line, Dropped)
    assert line.reason == "cudatoolkit=11.8 holds it"


def test_extras_that_ask_for_cuda_become_builds_for_it():
    assert specs("jax[cuda12]==0.4.31\ntensorflow[and-cuda]==2.17.0\n") == (
        "python",
        "cuda-version=12.9",
        "jax==0.4.31",
        "jaxlib=*=cuda*",
        "tensorflow=2.17.0=cuda*",
    )


def test_an_extra_does_not_bring_pip_s_build_beside_conda_s():
    line = outcome("cupy-cuda13x[ctk]>=14\n")
    assert (line.specs, line.rest) == (("cupy>=14",), "")
    assert "its extra ctk is left out" in line.notes[-1]


@pytest.mark.parametrize("path", [".", "./x", "../x", "/srv/x"])
def test_a_folder_is_given_to_pip_by_its_path(path):
    assert outcome(f"x @ {path}\n").requirement == path


def test_other_extras_are_left_to_pip_behind_the_project_itself():
    line = outcome("uvicorn[standard]>=0.20\n")
    assert isinstance(line, Converted)
    assert (line.specs, line.rest) == (("uvicorn>=0.20",), "uvicorn[standard]>=0.20")


@pytest.mark.parametrize(
    ("requirement", "needs"),
    [
        ("git+https://host/owner/name.git", ("git",)),
        ("-e git+https://host/owner/name.git@main#egg=name", ("git",)),
        ("hg+https://host/owner/name", ("mercurial",)),
        ("-e .", ()),
        ("./wheels/name-1.0-py3-none-any.whl", ()),
        ("name @ https://host/name-1.0-py3-none-any.whl", ()),
    ],
)
def test_what_is_no_release_of_an_index_stays_under_pip_with_what_it_needs(requirement, needs):
    line = outcome(f"{requirement}\n")
    assert isinstance(line, Kept)
    assert line.requirement == requirement
    assert line.needs == needs


@pytest.mark.parametrize(
    ("requirements", "spec"),
    [
        ("opencv-python>=4.1.1\n", "py-opencv>=4.1.1"),
        ("opencv-python>=4.5.5.62,<4.9\n", "py-opencv>=4.5.5,<4.9a0"),
        ("opencv-python<=4.8.0.76,!=4.7.0.72\n", "py-opencv<=4.8.0"),
        ("opencv-python~=4.5.5.62\n", "py-opencv=4.5.5"),
        ("opencv-python>4.5.5.62\n", "py-opencv>=4.5.5"),
        ("nvidia-cudnn-cu12>=9.1,<10\n", "cudnn>=9.1,<10a0"),
    ],
)
def test_bounds_hold_as_far_as_releases_are_the_same(requirements, spec):
    assert specs(requirements)[-1] == spec


def test_what_another_line_says_more_closely_is_asked_for_once():
    asked = specs("torch==2.5.1\ntorchvision==0.20.1\ntorchvision\nnumpy\nnumpy<2\n")
    assert [spec for spec in asked if spec.startswith("torchvision")] == [
        "torchvision=0.20.1=cuda*"
    ]
    assert [spec for spec in asked if spec.startswith("numpy")] == ["numpy<2a0"]


def test_a_wheel_for_one_python_is_installed_into_that_one():
    url = "https://host/auto_gptq-0.4.2+cu118-cp310-cp310-linux_x86_64.whl"
    conversion = converted(f"auto-gptq @ {url}\n")
    assert conversion.python == "python=3.10"
    assert any("is built for it alone" in note for note in conversion.notes)


@pytest.mark.parametrize(
    "requirements",
    [
        "x @ https://host/x-1-cp38-abi3-linux_x86_64.whl\n",
        "x @ https://host/x-1-py3-none-any.whl\n",
        "x @ https://host/x-1-cp310-cp310-win_amd64.whl\nx @ https://host/x-1-cp311-cp311-win_amd64.whl\n",
    ],
)
def test_a_wheel_that_serves_more_pythons_tells_none(requirements):
    assert converted(requirements).python == "python"


def test_of_wheels_for_one_python_each_those_for_the_preferred_one_are_meant():
    wheel = "x @ https://host/x-1+cu121-cp{0}-cp{0}-linux_x86_64.whl ; python_version == '3.{1}'\n"
    older = wheel.format("310", "10")
    assert converted(older).python == "python=3.10"
    conversion = converted(older + wheel.format("311", "11"))
    assert conversion.python == "python=3.11"
    assert len(conversion.pip_lines("linux-64")) == 1


def test_a_wheel_that_conda_forge_has_as_a_package_is_a_release():
    wheel = "https://host/flash_attn-2.6.3+cu123torch2.4cxx11abiFALSE-cp310-cp310-linux_x86_64.whl"
    assert specs(f"flash-attn @ {wheel}\n")[-1] == "flash-attn==2.6.3"


@pytest.mark.parametrize(
    ("path", "spec"),
    [
        ("/tmp/build/80754af9/jedi_1611333125342/work", "jedi"),
        ("/croot/jedi_1721058342488/work", "jedi"),
        ("/home/conda/feedstock_root/build_artifacts/jedi_1696326070614/work", "jedi"),
        ("/C:/b/abs_ac29jvt43w/croot/jedi_1665076682579/work", "jedi"),
        ("/tmp/tmp9twdgx9k/jedi-0.18.2-py2.py3-none-any.whl", "jedi==0.18.2"),
    ],
)
def test_what_pip_freeze_says_of_conda_s_packages_is_conda_s_again(path, spec):
    line = outcome(f"jedi @ file://{path}\n")
    assert line.specs == (spec,)
    assert "as pip freeze has it" in line.notes[0]


@pytest.mark.parametrize("path", ["/home/me/jedi", "/home/me/work", "/srv/wheels/jedi-1.0.zip"])
def test_a_folder_of_one_s_own_stays_under_pip(path):
    assert isinstance(outcome(f"jedi @ file://{path}\n"), Kept)


def test_a_label_behind_a_bound_is_read_as_pip_has_read_it():
    project = """[project]
name = "x"
dependencies = ["numpy", "torch>=2.0.1+cu117"]
[project.optional-dependencies]
more = ["torchvision>=0.15.2+cu117"]
[build-system]
requires = ["setuptools"]
"""
    asked = specs({"pyproject.toml": project})
    assert asked == ("python", "cudatoolkit=11.7", "numpy", "pytorch >=2.0.1 cuda*")
    assert specs("torch~=2.0.1+cpu\n") == ("python", "pytorch ~=2.0.1 cpu*")


@pytest.mark.parametrize(
    ("line", "spec"),
    [
        ("transformers>=4.6.*", "transformers>=4.6"),
        ("--pre dgl-cu101", "dgl"),
        ("numpy=1.26", "numpy==1.26"),
    ],
)
def test_a_line_at_fault_is_read_as_it_is_certainly_meant(line, spec):
    assert specs(f"{line}\n")[-1] == spec


def test_dependencies_that_are_dynamic_are_told():
    project = '[project]\nname = "x"\ndynamic = [\n  "version",\n  "dependencies",\n]\n'
    assert "they are dynamic" in converted({"pyproject.toml": project}).notes[0]
    assert converted({"pyproject.toml": project.replace('"dependencies"', '"readme"')}).notes == ()


def test_a_line_that_no_index_can_serve_goes():
    line = outcome("pkg-resources==0.0.0\n")
    assert isinstance(line, Dropped)
    assert "Ubuntu" in line.reason


def test_a_wheel_for_the_cpu_brings_no_cuda():
    assert outcome("torch==2.5.1\ntf-nightly-cpu\n").notes == ()


def test_what_pip_compiles_gets_the_compilers_of_conda():
    requirements = "torch==2.5.1\nmamba-ssm @ git+https://host/mamba.git\n"
    line = outcome(requirements)
    assert isinstance(line, Kept)
    assert {"cxx-compiler", "cuda-nvcc"} <= {*line.needs}
    assert "depends on PyTorch" in " ".join(line.notes)


def test_a_constraint_file_limits_what_is_asked_for():
    files = {
        "requirements.txt": "-c limits.txt\nnumpy>=1.20\n",
        "limits.txt": "numpy<2\nscipy<1.12\n",
    }
    assert specs(files) == ("python", "numpy>=1.20,<2a0")


def test_included_files_are_followed():
    files = {"requirements.txt": "-r more.txt\nnumpy\n", "more.txt": "scipy\n"}
    assert specs(files) == ("python", "scipy", "numpy")


def test_a_marker_chooses_the_platforms_of_its_line():
    requirements = "torch==2.5.1\npywin32; sys_platform == 'win32'\n"
    conversion = converted(requirements, platforms=("linux-64", "win-64"))
    line = conversion.lines[-1]
    assert isinstance(line, Converted)
    assert line.platforms == ("win-64",)


def test_a_line_that_is_for_none_of_the_platforms_goes_with_its_reason():
    line = outcome("numpy\npywin32; sys_platform == 'win32'\n")
    assert isinstance(line, Dropped)
    assert line.reason == "its marker does not hold on linux-64 with Python 3.12"


def test_each_line_has_its_provenance():
    lines = converted("torch==2.5.1\nnumpy\n").lines
    assert [line.confidence for line in lines] == ["catalog", "map"]
    assert all(line.provenance for line in lines)


def test_pip_is_declared_where_something_stays_for_it():
    assert "pip" in specs("made-up-name-of-nobody\n")
    assert "pip" not in specs("numpy\n")


def test_what_stays_is_kept_from_bringing_a_second_cuda():
    notes = converted("torch==2.1.2\nmade-up-name-of-nobody\n").notes
    assert "with torch==2.1.2 in a file that PIP_CONSTRAINT names, pip stops instead" in notes[-1]
    assert converted("torch==2.1.2\n").notes == ()


def test_a_name_that_means_another_project_on_pypi_is_not_taken_for_it():
    line = outcome("apex\n")
    assert isinstance(line, Kept)
    assert "toolkit for Pyramid on PyPI" in line.reason


def test_the_extras_of_a_project_are_told_as_not_part_of_it():
    text = (
        '[project]\nname = "a"\nrequires-python = ">=3.10"\ndependencies = ["numpy"]\n'
        '[project.optional-dependencies]\ngpu = ["torch==2.1.2"]\n'
    )
    conversion = converted({"pyproject.toml": text})
    assert conversion.specs("linux-64") == ("python>=3.10", "numpy")
    assert conversion.notes == (
        "made of pyproject.toml; not part of it: pyproject.toml (extra gpu)",
    )


def test_markers_are_judged_for_a_python_that_the_pins_were_made_for():
    # torch 1.7.1 has no wheel for a Python above 3.9.
    conversion = converted("torch==1.7.1\ndataclasses; python_version < '3.7'\n")
    assert conversion.lines[-1].reason == ("its marker does not hold on linux-64 with Python 3.9")
    assert conversion.notes == ("markers were judged for Python 3.9",)


def test_options_that_conda_cannot_pass_on_are_told():
    requirements = "--pre\n--no-binary mine\nmade-up-foo\n"
    reasons = {s.text: s.reason for s in converted(requirements).settings}
    assert reasons.keys() == {"--pre", "--no-binary mine"}
    assert all("conda passes no such option to pip" in reason for reason in reasons.values())


def test_platforms_that_differ_in_their_cuda_are_told():
    conversion = converted("torch==2.1.2\n", platforms=("linux-64", "osx-arm64"))
    assert conversion.notes[0].startswith("on osx-arm64 it is cpu: macOS has no CUDA")


def test_a_wheel_of_a_framework_at_a_url_is_a_release_like_others():
    url = "https://download.pytorch.org/whl/cu118/torch-2.1.2%2Bcu118-cp310-cp310-linux_x86_64.whl"
    assert specs(f"torch @ {url}\n") == (
        "python=3.10",
        "cuda-version=11.8",
        "cudatoolkit=11.8",
        "pytorch=2.1.2=cuda*",
    )


def test_what_conda_alone_can_have_under_rapids_names_its_channel():
    conversion = converted("cudf-cu12==24.10.*\n")
    assert conversion.channels == ("rapidsai", "conda-forge")
    assert conversion.specs("linux-64") == ("python", "cuda-version=12", "cudf=24.10")


def test_a_version_that_is_none_stays_under_pip():
    line = outcome("numpy===not-a-version\n")
    assert isinstance(line, Kept)
    assert "=== asks for the text" in line.reason


@pytest.mark.parametrize(
    "requirement",
    [
        "numpy==" + "9" * 5000,
        "numpy; " + "(" * 3000 + "python_version > '3'" + ")" * 3000,
        "torch; " + "(" * 3000 + "python_version > '3'" + ")" * 3000,
        "numpy[" + "a," * 3000 + "b]",
        "numpy>=1" + ",!=1.1" * 2000,
        "n" * 50_000,
        "x @ https://host/x-1-cp3" + "9" * 5000 + "-cp39-linux_x86_64.whl",
        "x @ file:///" + "croot/" * 20_000 + "work",
        "torch>=" + "1" * 5000 + "+cu118",
        "opencv-python>=" + ".".join("1" * 4000),
    ],
    ids=[
        "digits",
        "parentheses",
        "of a framework",
        "extras",
        "clauses",
        "name",
        "tag",
        "path",
        "label",
        "numbers",
    ],
)
def test_a_hostile_line_is_answered(requirement):
    assert converted(f"{requirement}\nscipy\n").specs("linux-64")[-1].startswith(("scipy", "pip"))
