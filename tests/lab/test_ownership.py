"""Wheels over each other, and conda and pip over each other: really installed, really uninstalled."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from .prefix import install
from .running import SITE_PACKAGES, VERSION
from .test_lab import run_python
from .test_scan import all_codes, codes, scan
from .test_script import copied, run, written
from .wheels import clean_variables, download, pip_install

if TYPE_CHECKING:
    from pathlib import Path

    from .channel import Channel

pytestmark = pytest.mark.lab

LIBCURAND = f"{SITE_PACKAGES}/nvidia/curand/lib/libcurand.so.10"
#: True wheels, 58 and 56 MB, of two CUDA majors; both have nvidia/curand/lib/libcurand.so.10.
CURAND = ("nvidia-curand-cu11==10.3.0.86", "nvidia-curand-cu12==10.3.2.106")
SHOW_PACKAGING = """
import importlib.metadata, packaging
print(packaging.__version__, importlib.metadata.version('packaging'))
"""


@pytest.fixture(scope="module")
def curand_twice(lab: Path, channel: Channel, downloads: Path) -> Path:
    """cuRAND for CUDA 11, and over it cuRAND for CUDA 12."""
    prefix = install(lab / "curand_twice", [f"python={VERSION}", "pip"], channel)
    for requirement in CURAND:
        pip_install(prefix, download(requirement, downloads))
    return prefix


@pytest.fixture(scope="module")
def curand_gone(lab: Path, curand_twice: Path) -> Path:
    """The same after the cuRAND for CUDA 11 was uninstalled."""
    prefix = lab / "curand_gone"
    shutil.copytree(curand_twice, prefix, symlinks=True)
    python = str(prefix / "bin" / "python")
    uninstall = [python, "-m", "pip", "uninstall", "--yes", "nvidia-curand-cu11"]
    subprocess.run(uninstall, env=clean_variables(), check=True, capture_output=True)
    return prefix


@pytest.fixture(scope="module")
def conda_over_pip(lab: Path, channel: Channel, downloads: Path) -> Path:
    """conda's packaging 26.3, installed over pip's 25.0."""
    specs = [f"python={VERSION}", "pip"]
    prefix = install(lab / "conda_over_pip", specs, channel)
    pip_install(prefix, download("packaging==25.0", downloads))
    return install(prefix, [*specs, "packaging"], channel)


@pytest.fixture(scope="module")
def pip_over_conda(lab: Path, channel: Channel, downloads: Path) -> Path:
    """pip's packaging 25.0, installed over conda's 26.3."""
    specs = [f"python={VERSION}", "pip", "packaging"]
    prefix = install(lab / "pip_over_conda", specs, channel)
    pip_install(prefix, download("packaging==25.0", downloads))
    return prefix


def test_two_wheels_that_own_one_library_are_one_finding_that_says_whose_it_is(
    curand_twice: Path, tmp_path: Path
) -> None:
    status, report = scan(tmp_path, curand_twice)

    (finding,) = report["findings"]
    assert finding["code"] == "DUP104"
    assert sorted(codes(finding["symptoms"])) == ["CUD201", "ELF507"]
    assert f"both own {LIBCURAND} and " in finding["message"]
    assert finding["message"].endswith("what lies there is of pip's nvidia-curand-cu12 10.3.2.106")
    assert status == 1


def test_pip_itself_sees_nothing_wrong_with_that(curand_twice: Path, curand_gone: Path) -> None:
    for prefix in (curand_twice, curand_gone):
        assert run_python(prefix, "-m", "pip", "check") == "No broken requirements found.\n"


def test_the_library_that_went_with_the_other_wheel_is_one_finding(
    curand_gone: Path, tmp_path: Path
) -> None:
    _, report = scan(tmp_path, curand_gone)

    (finding,) = report["findings"]
    assert not (curand_gone / LIBCURAND).exists()
    assert (finding["code"], finding["symptoms"]) == ("ELF506", [])
    assert "libcurand.so.10" in finding["message"]


def test_the_remedy_of_that_heals_it(curand_gone: Path, downloads: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "healed"
    shutil.copytree(curand_gone, prefix, symlinks=True)
    (finding,) = scan(tmp_path, prefix)[1]["findings"]
    *command, package = finding["remedy"].strip("`").split()
    wheel = download(package, downloads)

    run_python(prefix, "-m", *command, "--no-index", wheel)

    assert scan(tmp_path, prefix)[1]["findings"] == []


def test_conda_over_pip_is_found_once_and_the_code_is_conda_s(
    conda_over_pip: Path, tmp_path: Path
) -> None:
    _, report = scan(tmp_path, conda_over_pip)

    (finding,) = report["findings"]
    assert run_python(conda_over_pip, "-c", SHOW_PACKAGING).split()[0] == "26.3"
    assert (finding["code"], finding["severity"]) == ("DUP103", "error")
    assert finding["message"].endswith("the files are those of conda's packaging 26.3")
    assert set(all_codes(finding["symptoms"])) == {"ELF507"}


def test_pip_over_conda_is_found_once_and_the_code_is_pip_s(
    pip_over_conda: Path, tmp_path: Path
) -> None:
    _, report = scan(tmp_path, pip_over_conda)

    (finding,) = report["findings"]
    assert run_python(pip_over_conda, "-c", SHOW_PACKAGING).split() == ["25.0", "25.0"]
    assert (finding["code"], finding["severity"]) == ("DUP103", "warning")
    assert finding["message"].endswith("the files are those of pip's packaging 25.0")
    assert set(all_codes(finding["symptoms"])) == {"DUP106"}


@pytest.mark.parametrize("environment", ["curand_gone", "conda_over_pip", "pip_over_conda"])
def test_the_script_of_commands_heals_it(
    environment: str, request: pytest.FixtureRequest, lab: Path, conda: Path, tmp_path: Path
) -> None:
    prefix = copied(request.getfixturevalue(environment), tmp_path / environment)

    run(written(prefix, lab), tmp_path, conda)

    assert scan(tmp_path, prefix)[1]["findings"] == []
    assert run_python(prefix, "-m", "pip", "check") == "No broken requirements found.\n"


def test_which_of_two_wheels_is_meant_is_left_to_a_person_where_nothing_tells(
    curand_twice: Path, lab: Path
) -> None:
    text = written(curand_twice, lab)

    assert "# There is nothing to run." in text
    assert "left to you: keep one: pip's nvidia-curand-cu11" in text
