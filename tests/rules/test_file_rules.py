"""What environment files say of themselves, and what they ask both managers for."""

import pytest

from reconciler import catalog
from reconciler.pipeline import judge
from reconciler.rules import all_rules
from reconciler.testing import sketch


def found(code: str, text: str) -> list[str]:
    module = all_rules()[code]
    return [f.message for f in judge(sketch(text), [module], catalog.load()).findings]


def environment(*, conda: str = "", pip: str = "", rest: str = "") -> str:
    items = "".join(f"    - {item}\n" for item in conda.split(";") if item)
    wheels = "".join(f"      - {item}\n" for item in pip.split(";") if item)
    section = f"    - pip:\n{wheels}" if wheels else ""
    return f"environment.yml: |\n  dependencies:\n    - python=3.11\n{items}{section}{rest}"


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("filelock", "filelock"),
        ("pytorch=1.10", "torch>=1.8"),
        ("pytorch-gpu", "torch"),
        ("pytables", "tables==3.4.4"),
        ("prompt_toolkit", "prompt-toolkit"),
        ("opencv", "opencv-python-headless"),
        ("tensorflow=2.10", "tensorflow-gpu==2.10.0"),
        ("conda-forge::imagecodecs", "imagecodecs"),
        ("faiss-gpu", "faiss-cpu"),
    ],
)
def test_a_project_under_both_managers_is_found_by_its_names(conda: str, pip: str) -> None:
    assert len(found("DUP102", environment(conda=conda, pip=pip))) == 1


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("graphviz", "graphviz"),
        ("cudatoolkit=11.8", "nvidia-cuda-runtime-cu11"),
        ("numpy", "numpydoc"),
        ("libtorch", "torch"),
        ("cmake", "cmake"),
        ("pyqt", "pyqt5-sip"),
        ("filelock", "-c filelock.txt"),
    ],
)
def test_two_things_of_one_name_are_left_alone(conda: str, pip: str) -> None:
    assert found("DUP102", environment(conda=conda, pip=pip)) == []


def test_a_metapackage_and_its_package_are_told_once() -> None:
    assert len(found("DUP102", environment(conda="pytorch;pytorch-gpu", pip="torch"))) == 1


def test_a_pin_that_pip_will_exchange_is_said() -> None:
    module = all_rules()["DUP102"]
    text = environment(conda="einops=0.6.1", pip="einops==0.7.0")
    (finding,) = judge(sketch(text), [module], catalog.load()).findings
    assert "pip deletes conda's einops 0.6.1 and installs 0.7.0" in finding.shows_as


def test_a_pin_that_is_the_same_is_not_said_to_be_exchanged() -> None:
    module = all_rules()["DUP102"]
    text = environment(conda="torchvision=0.16", pip="torchvision==0.16.2")
    (finding,) = judge(sketch(text), [module], catalog.load()).findings
    assert "left as it is" in finding.shows_as


@pytest.mark.parametrize(
    "spec",
    ["jaxlib=*=*cuda*", "pytorch=2.5.1=cuda126*", "numpy=1.26", "numpy", "pytorch[build=^cuda.*$]"],
)
def test_a_pattern_for_a_build_is_no_lock(spec: str) -> None:
    assert found("DEC713", environment(conda=f"'{spec}'")) == []


def test_builds_are_counted_and_the_first_are_named() -> None:
    conda = ";".join(f"p{n}=1.0=py311_{n}" for n in range(5))
    (message,) = found("DEC713", environment(conda=conda))
    assert "pins 5 of 6 conda packages" in message
    assert message.endswith("p0=1.0=py311_0, p1=1.0=py311_1, p2=1.0=py311_2 and 2 more")


def test_a_pip_section_without_pip_is_information() -> None:
    module = all_rules()["DEC714"]
    (finding,) = judge(sketch(environment(pip="six")), [module], catalog.load()).findings
    assert finding.severity == "info"


def test_a_requirements_file_needs_no_pip() -> None:
    assert found("DEC714", "requirements.txt: six") == []


@pytest.mark.parametrize("value", ["$ORIGIN/../lib", "/usr/local/cuda", "100%"])
def test_a_value_that_needs_no_shell_is_left_alone(value: str) -> None:
    rest = f"  variables:\n    MY_LIBRARIES: {value}\n"
    assert found("DEC717", environment(rest=rest)) == []


def test_a_list_that_a_file_replaces_is_found() -> None:
    rest = "  variables:\n    LD_LIBRARY_PATH: /opt/cuda/lib64\n"
    (message,) = found("PTH410", environment(rest=rest))
    assert "replaces what the shell has in it" in message


def test_a_list_that_is_not_expanded_is_told_by_one_rule() -> None:
    rest = "  variables:\n    LD_LIBRARY_PATH: $CONDA_PREFIX/lib\n"
    text = environment(rest=rest)
    assert (len(found("DEC717", text)), len(found("PTH410", text))) == (1, 0)


def test_a_lock_may_hold_a_project_under_both_managers() -> None:
    lock = """\
pixi.lock: |
  version: 6
  environments:
    default:
      channels:
      - url: https://conda.anaconda.org/conda-forge/
      packages:
        linux-64:
        - conda: https://conda.anaconda.org/conda-forge/noarch/filelock-3.16.1-pyhd8ed1ab_0.conda
        - pypi: https://host/filelock-3.16.1-py3-none-any.whl
"""
    names = [line.name for line in sketch(lock).manifests[0].declared]
    assert names.count("filelock") == 2
    assert found("DUP102", lock) == []
