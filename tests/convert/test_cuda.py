"""One CUDA is decided for the whole environment, by what is asked for and by what was ever built."""

import pytest

from reconciler.model.conversion import Stance
from reconciler.model.host import DriverRelease
from tests.convert.conversions import converted, specs


def decision(files, **wish):
    return converted(files, **wish).cuda


@pytest.mark.parametrize(
    ("requirements", "release"),
    [
        ("torch==2.1.2+cu118\n", "11.8"),
        ("--index-url https://download.pytorch.org/whl/cu121\ntorch==2.1.2\n", "12.1"),
        # PyPI's own wheel of that version.
        ("torch==2.1.2\n", "12.1"),
        ("tensorflow[and-cuda]==2.15.0\n", "12.2"),
        # The newest that the bound allows, 2.4.4, was built for 11.0.
        ("tensorflow>=2.4,<2.5\n", "11.0"),
        # The major stands in the name; the part tells the minor.
        ("cupy-cuda12x\nnvidia-cuda-runtime-cu12==12.4.127\n", "12.4"),
        # Nothing tells: what conda-forge builds for first.
        ("torch\n", "12.9"),
        # No build is for 12.4: the next one of its major is taken.
        ("torch==2.6.0+cu124\n", "12.6"),
        ("torch==2.8.0+cu128\n", "12.9"),
        ("torch==2.10.0+cu130\n", "13.0"),
        ("tensorflow==2.18.0\n", "12.6"),
        # The newest CuPy has no build for 11; the newest release that an older one has is 11.8.
        ("cupy-cuda11x\n", "11.8"),
        ("cupy-cuda11x==13.3.0\ntorch==2.1.2\n", "11.8"),
        # A wheel of a framework says more than what another one left behind.
        ("torch==2.1.2\nnvidia-cublas-cu11==11.11.3.6\n", "12.1"),
        # PyPI's are for 12.1 and 11.8, and both have builds for one release.
        ("torch==2.1.2\ntensorflow==2.13.1\n", "11.8"),
    ],
)
def test_the_release_is_the_one_that_is_meant_and_was_built(requirements, release):
    found = decision(requirements)
    assert (found.stance, found.release) == (Stance.CUDA, release)
    assert found.because


def test_a_release_that_was_not_built_is_said_with_what_takes_its_place():
    assert decision("torch==2.6.0+cu124\n").because[-1] == (
        "conda-forge has pytorch==2.6.0 for CUDA 12.6 and not for 12.4, which the same driver serves"
    )


def test_the_builds_of_a_platform_are_its_own():
    files = "torch==2.8.0+cu128\n"
    assert decision(files, platforms=("linux-64",)).release == "12.9"
    assert decision(files, platforms=("win-64",)).release == "12.8"


def test_two_majors_that_are_both_asked_for_are_a_clash_with_choices():
    found = decision("torch==2.1.2+cu118\ncupy-cuda12x\n")
    assert found.stance is Stance.CLASH
    assert found.choices == (
        "--cuda 11.8, which torch 2.1.2+cu118 asks for",
        "--cuda 12.9, which cupy-cuda12x asks for",
        "--cuda none",
    )
    assert "torch 2.1.2+cu118 is for CUDA 11.8: its version 2.1.2+cu118" in found.because


def test_the_option_settles_a_clash():
    requirements = "torch==2.1.2+cu118\ncupy-cuda12x\n"
    assert decision(requirements, cuda="11.8").release == "11.8"


def test_the_option_is_refused_where_no_build_is_for_it():
    found = decision("torch==2.6.0\n", cuda="11.8")
    assert found.stance is Stance.CLASH
    assert found.because == (
        "conda-forge has pytorch==2.6.0 for CUDA 12.6 to 12.9, and not for 11.8",
    )
    assert found.choices == ("--cuda 12.9", "--cuda none")


def test_versions_that_no_release_serves_together_are_a_clash():
    found = decision("torch==2.8.0\ntensorflow==2.13.1\n")
    assert found.stance is Stance.CLASH
    assert "conda-forge has tensorflow==2.13.1 for CUDA 11.2 to 11.8" in found.because


def test_an_open_version_gives_way_to_a_pinned_one():
    # The newest PyTorch has no build for 11.8; an older one has.
    assert decision("torch\ntensorflow==2.13.1\n").release == "11.8"


def test_the_driver_bounds_the_major():
    requirements = "torch>=2.10\n"
    assert decision(requirements, driver=DriverRelease.parse("550")).release == "12.9"
    assert decision("torch\n", driver=DriverRelease.parse("470")).release == "11.8"
    found = decision(requirements, driver=DriverRelease.parse("470"))
    assert found.stance is Stance.CLASH
    assert found.because[-1] == (
        "the driver serves CUDA 11.4, and what is asked for has no build for it"
    )


@pytest.mark.parametrize(
    ("files", "wish", "said"),
    [
        ("torch==2.5.1+cpu\n", {}, "torch 2.5.1+cpu is a build for the CPU"),
        ("tensorflow-cpu==2.15.0\n", {}, "is a build for the CPU"),
        ("torch==2.5.1\n", {"cuda": "none"}, "--cuda none asks for builds for the CPU"),
        ("torch==2.5.1\n", {"platforms": ("osx-arm64",)}, "macOS has no CUDA"),
        ("torch==2.5.1+rocm6.2\n", {}, "is a build for ROCm"),
    ],
)
def test_an_environment_without_cuda_says_why(files, wish, said):
    found = decision(files, **wish)
    assert found.stance is Stance.CPU
    assert said in found.because[0]
    assert not any("cuda" in spec for spec in specs(files, **wish))


def test_builds_for_the_cpu_are_pinned_as_well():
    assert specs("torch==2.5.1\n", cuda="none") == ("python", "pytorch=2.5.1=cpu*")


def test_what_has_no_build_without_cuda_goes():
    line = converted("torch==2.5.1\ncupy-cuda12x\n", cuda="none").lines[-1]
    assert line.reason == "it has no build without CUDA, and the environment is for the CPU"


def test_what_has_nothing_to_do_with_cuda_gets_none():
    assert decision("numpy\n").stance is Stance.ABSENT
    assert specs("numpy\n") == ("python", "numpy")


def test_an_older_toolkit_is_selected_by_the_package_that_its_builds_depend_on():
    assert specs("torch==1.12.1+cu113\n") == ("python", "cudatoolkit=11.3", "pytorch=1.12.1=cuda*")


def test_one_environment_has_cuda_on_each_platform_that_can():
    conversion = converted("torch==2.8.0\n", platforms=("linux-64", "win-64", "osx-arm64"))
    assert conversion.specs("linux-64") == ("python", "cuda-version=12.9", "pytorch=2.8.0=cuda*")
    # PyPI's wheel for Windows is for the CPU; conda-forge has builds for CUDA there too.
    assert conversion.specs("win-64") == ("python", "cuda-version=12.9", "pytorch=2.8.0=cuda*")
    assert conversion.specs("osx-arm64") == ("python", "pytorch=2.8.0=cpu*")


PYTORCH = "--extra-index-url https://download.pytorch.org/whl/"


def test_an_index_tells_the_cuda_of_what_is_not_pinned():
    asked = specs(f"{PYTORCH}cu118\ntorch\ntorchvision\n")
    assert asked[1:4] == ("cuda-version=11.8", "cudatoolkit=11.8", "pytorch=*=cuda*")


def test_an_index_for_the_cpu_is_for_what_it_serves_alone():
    asked = specs(f"{PYTORCH}cpu\ntorch>=2.1\njax[cuda12]\n")
    assert "pytorch >=2.1 cpu*" in asked
    assert "jaxlib=*=cuda*" in asked


def test_a_backend_for_the_cpu_beside_one_for_cuda_leaves_it_its_cuda():
    asked = specs(f"{PYTORCH}cu126\ntensorflow-cpu\ntorch\n")
    assert {"tensorflow=*=cpu*", "pytorch=*=cuda*"} <= {*asked}


def test_indexes_that_do_not_agree_tell_nothing():
    two = converted(f"{PYTORCH}cu118\n{PYTORCH}cu126\ntorch\n")
    assert two.cuda.release == "12.9"


def test_a_version_that_the_index_s_cuda_never_had_is_a_clash():
    assert converted(f"{PYTORCH}cu116\ntorch>=2.9\n").cuda.choices[0] == "--cuda 12.9"


def test_a_toolkit_that_conda_forge_never_had_is_not_asked_for():
    old = converted("mxnet-cu80mkl==1.5.1\n").cuda
    assert (old.release, old.specs) == ("8.0", ())
    assert "no cudatoolkit before 9.2" in old.because[-1]
    assert converted("mxnet-cu92==1.5.1\n").cuda.specs == ("cudatoolkit=9.2",)


def test_a_wheel_in_a_folder_for_the_cpu_is_for_the_cpu():
    url = "https://download.pytorch.org/whl/cpu/torch-1.1.0-cp36-cp36m-linux_x86_64.whl"
    assert specs(f"torch @ {url}\n") == ("python=3.6", "pytorch=1.1.0=cpu*")


def test_what_is_newer_than_all_that_is_known_is_likely_built_for_what_it_was_last():
    newer = "torch==2.13.0\ntensorflow==99.0\n"
    assert converted("torch==2.13.0\n").cuda.release == "13.0"
    assert converted(newer).cuda.release == "12.9"
    assert converted(newer, cuda="13.0").cuda.release == "13.0"
    # Of a release that everything known has, something else may have another alone.
    assert "likelier" in converted("torch==2.7.1\ntensorflow==99.0\n").cuda.because[-1]


def test_of_two_minors_that_are_asked_for_the_newer_one_serves_both():
    two = "torch==2.5.1+cu124\nvllm @ https://host/vllm-0.6.4+cu126-cp312-cp312-linux_x86_64.whl\n"
    assert converted(two).cuda.release == "12.6"
