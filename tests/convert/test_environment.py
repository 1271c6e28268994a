"""An environment.yml with a pip section becomes conda's alone, and keeps its comments."""

from reconciler.convert import environment_yml, pixi_toml, to_pip, to_requirements
from reconciler.convert.edits import edits
from reconciler.manifests import environment_yml as reader
from reconciler.manifests import rewriting
from reconciler.model.conversion import Converted, Dropped
from reconciler.model.fix import Add
from reconciler.model.manifest import Section
from tests.convert.conversions import convert_with, converted, specs

SEED = """\
name: seed  # kept
channels:
  - pytorch
  - conda-forge
dependencies:
  - python=3.10  # kept too
  - pytorch
  - torchvision
  - torchaudio
  - cudatoolkit=11.8
"""
MIXED = """\
name: mixed
channels: [pytorch, nvidia, conda-forge]
dependencies:
  - python=3.10
  - pytorch=2.1.0  # of the first day
  - pytorch-cuda=12.1
  - numpy=1.26
  - pip
  - pip:
    - torch==2.1.2+cu118
    - numpy
    # of ours
    - made-up-name-of-nobody
"""


def edited(text, **wish):
    conversion = converted({"environment.yml": text}, **wish)
    manifest = rewriting.manifests.read("environment_yml", "environment.yml", text)
    rewritten = rewriting.rewrite(manifest, edits(conversion, manifest))
    assert rewritten.held == ()
    return rewritten.manifest.text


def test_the_seed_s_own_command_selects_builds_for_cuda():
    assert (
        edited(SEED)
        == """\
name: seed  # kept
channels:
  - conda-forge
dependencies:
  - python=3.10  # kept too
  - pytorch=*=cuda*
  - torchvision=*=cuda*
  - torchaudio
  - cudatoolkit=11.8
  - cuda-version=11.8
"""
    )


def test_what_pip_has_installed_over_conda_s_is_what_is_meant():
    lines = converted({"environment.yml": MIXED}).lines
    told = {line.requirement: line for line in lines}
    assert isinstance(told["pytorch=2.1.0"], Dropped)
    assert told["pytorch=2.1.0"].reason == (
        "torch==2.1.2+cu118 of pip, which is installed later, has overwritten it"
    )
    assert told["torch==2.1.2+cu118"].specs == ("pytorch=2.1.2=cuda*",)
    assert told["numpy"].reason == "conda has numpy=1.26 already, and pip finds it there"


def test_a_switch_of_another_channel_has_no_use_any_more():
    told = {x.requirement: x for x in converted({"environment.yml": MIXED}, cuda="11.8").lines}
    assert isinstance(told["pytorch-cuda=12.1"], Dropped)


def test_channels_that_are_all_new_stand_in_their_order():
    text = "channels: [defaults, pytorch, bioconda, conda-forge]\ndependencies:\n  - pytorch\n"
    assert "channels: [conda-forge, defaults, bioconda]" in edited(text)


OLD = """\
channels: [pytorch, nvidia/label/cuda-11.8.0]
dependencies:
  - cuda-nvcc=11.8
  - nvidia/label/cuda-11.8.0::cuda-toolkit
  - pytorch::pytorch=2.1.2
  - pytorch::torchaudio=2.1.2
  - torchtext=0.16.2=py310_cu118
  - pytorch-cuda=11.8
  - cudnn=8.9
"""


def test_parts_of_a_toolkit_that_conda_forge_has_in_one_are_left_to_it():
    told = edited(OLD)
    assert "cuda-nvcc" not in told
    assert "cuda-toolkit" not in told
    assert "  - cudatoolkit=11.8\n" in told
    assert "  - cudnn=8.9\n" in told
    assert "cuda-nvcc=12.4" in edited(OLD.replace("11.8", "12.4"))


def test_what_names_an_ended_channel_or_its_build_is_conda_forge_s():
    told = edited(OLD)
    assert "  - pytorch 2.1.2.* cuda*\n" in told
    assert "  - torchaudio=2.1.2\n" in told
    assert "  - torchtext==0.16.2\n" in told


def test_pip_is_declared_where_its_section_stays():
    bare = "dependencies:\n  - python=3.10\n  - pip:\n    - torch==2.1.2\n    - made-up-name-of-nobody\n"
    told = edited(bare)
    assert "  - pip\n  - pip:\n    - made-up-name-of-nobody\n" in told
    assert edited(told) == told
    assert "- pip\n" not in edited(bare.replace("python=3.10", "pip=24.0"))


def test_an_option_that_stands_twice_is_written_once():
    option = "--extra-index-url https://host/simple\n"
    conversion = converted(f"{option}{option}made-up-name-of-nobody\n")
    assert environment_yml.render(conversion, "linux-64").count("host/simple") == 1
    assert pixi_toml.render(conversion).count("host/simple") == 1


def test_a_second_conversion_changes_nothing():
    once = edited(MIXED, cuda="11.8")
    assert "# of ours" in once
    assert edited(once) == once


def test_an_included_list_is_taken_in():
    text = "dependencies:\n  - python\n  - pip\n  - pip:\n    - -r more.txt\n"
    files = {"environment.yml": text, "more.txt": "numpy<2\nmade-up-foo\n"}
    manifest = rewriting.manifests.read("environment_yml", "environment.yml", text)
    rewritten = rewriting.rewrite(manifest, edits(converted(files), manifest))
    assert (
        rewritten.manifest.text
        == """\
channels:
  - conda-forge
dependencies:
  - python
  - numpy<2a0
  - pip
  - pip:
    - made-up-foo
"""
    )


def test_a_build_of_an_ended_channel_becomes_one_of_conda_forge():
    text = SEED.replace(
        "- pytorch\n  - torchv", "- pytorch=2.3.0=py3.10_cuda11.8_cudnn8.7.0_0\n  - torchv"
    )
    assert "pytorch=2.3.0=cuda*" in specs({"environment.yml": text})


def test_conda_forge_stands_before_the_channels_that_stay():
    text = SEED.replace("- pytorch\n  - conda-forge", "- defaults\n  - conda-forge", 1)
    assert converted({"environment.yml": text}).channels == ("conda-forge", "defaults")


def test_channels_that_are_no_list_do_not_say_how_far_lists_stand_in():
    text = "name: a\nchannels:\n  no: list\n"
    manifest = rewriting.manifests.read("environment_yml", "environment.yml", text)
    add = Add(path="environment.yml", section=Section.CONDA, text="numpy")
    rewritten = rewriting.rewrite(manifest, [add])
    assert rewritten.manifest.text == f"{text}dependencies:\n  - numpy\n"


def test_a_property_of_the_machine_is_no_package():
    text = SEED.replace("  - torchaudio\n", '  - "__cuda >=11"\n')
    told = {x.requirement: x for x in converted({"environment.yml": text}).lines}
    assert told["__cuda >=11"].reason == "a machine has it or not: no channel does"


def test_an_export_loses_the_parts_of_cuda_that_come_by_themselves():
    text = SEED.replace("cudatoolkit=11.8", "cuda-cudart=11.8.89=0")
    told = {x.requirement: x for x in converted({"environment.yml": text}).lines}
    assert isinstance(told["cuda-cudart=11.8.89=0"], Dropped)


def test_a_build_for_the_cpu_stays_one():
    text = SEED.replace("- pytorch\n  - torchv", "- pytorch=2.3.0=cpu_generic_py310_0\n  - torchv")
    assert "pytorch=2.3.0=cpu*" in specs({"environment.yml": text})


def test_a_file_is_written_with_pip_declared_before_its_section():
    text = environment_yml.render(converted("torch==2.1.2\n-e .\nmade-up-foo\n"), "linux-64")
    manifest = reader.read("environment.yml", text)
    assert manifest.faults == ()
    assert (
        text
        == """\
name: env
channels:
  - conda-forge
dependencies:
  - python
  - cuda-version=12.1
  - pytorch=2.1.2=cuda*
  - pip
  - pip:
    - "-e ."
    - made-up-foo
"""
    )


def test_comments_tell_where_each_line_comes_from():
    text = environment_yml.render(converted("torch==2.1.2\n"), "linux-64", comments=True)
    assert "  - pytorch=2.1.2=cuda*  # requirements.txt:1 torch==2.1.2\n" in text


def test_a_workspace_of_pixi_has_what_is_for_each_platform():
    conversion = converted(
        "torch==2.1.2\nnumpy<2\nmade-up-foo[bar]>=1\ngit+https://host/a.git\n",
        platforms=("linux-64", "osx-arm64"),
    )
    assert (
        pixi_toml.render(conversion)
        == """\
[workspace]
name = "env"
channels = ["conda-forge"]
platforms = ["linux-64", "osx-arm64"]

[system-requirements]
cuda = "12"

[dependencies]
python = "*"
numpy = "<2a0"
git = "*"

[pypi-dependencies]
made-up-foo = { version = ">=1", extras = ["bar"] }
# pixi has no form for: git+https://host/a.git

[target.linux-64.dependencies]
cuda-version = "12.1.*"
pytorch = { version = "==2.1.2", build = "cuda*" }

[target.osx-arm64.dependencies]
pytorch = { version = "==2.1.2", build = "cpu*" }
"""
    )


def to_pip_of(*specs_of_conda, channels="conda-forge"):
    listed = "".join(f"  - {spec}\n" for spec in specs_of_conda)
    text = f"channels: [{channels}]\ndependencies:\n{listed}"
    return convert_with(to_requirements, {"environment.yml": text})


def test_conda_s_specs_become_requirements_with_the_index_of_their_build():
    conversion = to_pip_of(
        "python=3.10",
        "pytorch=2.1.2=cuda*",
        "cuda-version=11.8",
        "numpy>=1.20,<2a0",
        "cudnn",
        "git",
    )
    assert (
        to_pip.render(conversion)
        == """\
--extra-index-url https://download.pytorch.org/whl/cu118
torch==2.1.2+cu118
numpy>=1.20,<2
"""
    )
    assert [line.requirement for line in conversion.lines if isinstance(line, Dropped)] == [
        "python=3.10",
        "cuda-version=11.8",
        "cudnn",
        "git",
    ]


def test_the_index_is_not_needed_where_pypi_has_that_build():
    conversion = to_pip_of("pytorch=2.1.2=cuda*", "cuda-version=12.1")
    assert to_pip.render(conversion) == "torch==2.1.2\n"


def test_the_major_of_cuda_goes_into_the_names_and_extras_of_pypi():
    conversion = to_pip_of("cupy", "tensorflow=2.15.0=cuda*", "cuda-version=12.2")
    assert to_pip.render(conversion) == "cupy-cuda12x\ntensorflow[and-cuda]==2.15.0\n"
    assert all(line.provenance for line in conversion.lines if isinstance(line, Converted))


def test_a_version_that_pip_cannot_say_is_told():
    line = to_pip_of("openssl=1.1.1w", "numpy=1.2|1.3").lines[-1]
    assert line.reason == "pip has no form for the version 1.2.*|==1.3"
