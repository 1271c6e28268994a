"""The environments of the lab are true: what is claimed of them is asked of themselves."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .elf_stub import stub_library
from .records import load_records
from .running import SITE_PACKAGES
from .wheels import clean_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.lab

CONDA = ("majors_mixed", "cupy_twice", "conda_gpu", "conda_gpu_of_today", "cpu_by_design")
HEALTHY = ("conda_gpu", "conda_gpu_of_today", "cpu_by_design", "wheels_venv")
#: Loads a library, and prints the files mapped into the process whose names hold a word.
LOAD = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
mapped = {line.split()[-1] for line in open('/proc/self/maps') if sys.argv[2] in line}
print('\\n'.join(sorted(mapped)))
"""


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


def each(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("environment", names, indirect=True)


def test_the_prefix_python_is_at_home_in_its_prefix(majors_mixed: Path) -> None:
    shown = run_python(majors_mixed, "-c", "import sys, ssl, sqlite3; print(sys.prefix)")

    assert shown == f"{majors_mixed}\n"


def test_the_prefix_python_finds_cuda_of_conda_without_any_variable(majors_mixed: Path) -> None:
    shown = run_python(majors_mixed, "-c", LOAD, "libcudart.so.11.0", "libcudart")

    assert shown == f"{majors_mixed}/lib/libcudart.so.11.8.89\n"


def test_the_prefix_python_has_an_rpath_that_beats_ld_library_path(
    majors_mixed: Path, tmp_path: Path
) -> None:
    (tmp_path / "libcudart.so.11.0").write_bytes(stub_library("libcudart.so.11.0"))

    shown = run_python(
        *(majors_mixed, "-c", LOAD, "libcudart.so.11.0", "libcudart"),
        LD_LIBRARY_PATH=str(tmp_path),
    )

    assert shown == f"{majors_mixed}/lib/libcudart.so.11.8.89\n"


@each("majors_mixed", "wheels_venv")
def test_torch_of_pip_takes_the_true_cudart_of_its_own_wheels(environment: Path) -> None:
    site = environment / SITE_PACKAGES

    shown = run_python(environment, "-c", LOAD, site / "torch/lib/libtorch_cuda.so", "libcudart")

    assert shown == f"{site}/nvidia/cuda_runtime/lib/libcudart.so.12\n"


@each("conda_gpu", "conda_gpu_of_today")
def test_torch_of_conda_takes_cuda_of_conda(environment: Path) -> None:
    library = environment / SITE_PACKAGES / "torch/lib/libtorch_cuda.so"

    shown = run_python(environment, "-c", LOAD, library, "libcu").splitlines()

    assert {"libcudart", "libcublas", "libcudnn"} <= {
        Path(path).name.split(".")[0] for path in shown
    }
    assert all(path.startswith(f"{environment}/") for path in shown)


def test_torch_for_the_cpu_has_no_library_of_cuda(cpu_by_design: Path) -> None:
    names = {path.name for path in cpu_by_design.rglob("*.so*")}

    assert "libtorch_cpu.so" in names
    assert not {name for name in names if "cuda" in name or "cudnn" in name}


@each("majors_mixed", "conda_gpu", "wheels_venv")
def test_torch_says_its_version_when_imported(environment: Path) -> None:
    code = "import torch; print(torch.__version__, torch.version.cuda)"

    version, cuda = run_python(environment, "-c", code).split()

    assert (version, cuda) in {("2.1.2+cu121", "12.1"), ("2.3.1.post300", "12.0")}


@each(*CONDA)
def test_conda_meta_is_as_the_records_of_conda_forge_say(environment: Path) -> None:
    known = {package.package: package for package in load_records()}

    for meta in conda_meta(environment):
        record = known["{subdir}/{name}-{version}-{build}".format_map(meta)]
        assert meta["build_number"] == record.build_number
        assert meta["depends"] == list(record.depends)
        assert meta.get("constrains", []) == list(record.constrains)


@each(*CONDA)
def test_every_file_of_a_record_is_there(environment: Path) -> None:
    gone = [
        path
        for meta in conda_meta(environment)
        for path in meta["files"]
        if not (environment / path).exists()
    ]

    assert gone == []


def test_the_specs_that_were_asked_for_are_kept(cpu_by_design: Path) -> None:
    asked = {meta["name"]: meta.get("requested_specs") for meta in conda_meta(cpu_by_design)}

    assert asked["pytorch-cpu"] == ["pytorch-cpu"]
    assert not asked["libtorch"]


@each("majors_mixed", *HEALTHY)
def test_every_hash_in_a_record_of_python_holds(environment: Path) -> None:
    wrong = [
        str(path)
        for record in (environment / SITE_PACKAGES).glob("*.dist-info/RECORD")
        for path, expected in hashed(record)
        if sha256(path) != expected
    ]

    assert wrong == []


def test_the_second_cupy_has_overwritten_the_first(cupy_twice: Path) -> None:
    site = cupy_twice / SITE_PACKAGES
    wheel_json = site / "cupy" / ".data" / "_wheel.json"

    first, second = (
        dict(hashed(site / f"cupy_cuda{major}x-13.6.0.dist-info" / "RECORD"))[wheel_json]
        for major in (11, 12)
    )

    assert json.loads(wheel_json.read_bytes())["cuda"] == "12.x"
    assert first != second == sha256(wheel_json)


def test_pip_lists_what_it_installed_beside_what_conda_installed(majors_mixed: Path) -> None:
    inspected = json.loads(run_python(majors_mixed, "-m", "pip", "inspect", "--local"))

    installers = {
        distribution["metadata"]["name"]: distribution["installer"]
        for distribution in inspected["installed"]
    }

    assert {installers["pip"], installers["setuptools"]} == {"conda"}
    assert {installers["torch"], installers["nvidia-cuda-runtime-cu12"]} == {"pip"}


@each("majors_mixed", *HEALTHY)
def test_pip_finds_no_requirement_broken(environment: Path) -> None:
    assert run_python(environment, "-m", "pip", "check") == "No broken requirements found.\n"


@each(*CONDA)
def test_no_environment_has_an_activation_script(environment: Path) -> None:
    assert not (environment / "etc" / "conda" / "activate.d").exists()
    assert list(environment.rglob("*.xsh")) == []


def test_the_venv_is_one_of_the_running_python(wheels_venv: Path) -> None:
    code = "import sys; print(sys.prefix, sys.prefix != sys.base_prefix)"

    assert run_python(wheels_venv, "-c", code) == f"{wheels_venv} True\n"
    assert not (wheels_venv / "conda-meta").exists()


def test_pythonpath_brings_packages_of_another_python_in(
    cupy_twice: Path, other_python_site: Path
) -> None:
    code = "import numpy; print(numpy.__version__, numpy.__file__)"

    shown = run_python(cupy_twice, "-c", code, PYTHONPATH=str(other_python_site))

    assert shown == f"1.24.4 {other_python_site}/numpy/__init__.py\n"


def run_python(prefix: Path, *arguments: object, **variables: str) -> str:
    """Run the environment's python, not activated, and give what it printed."""
    done = subprocess.run(
        [str(prefix / "bin" / "python"), *map(str, arguments)],
        env=clean_variables(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def conda_meta(prefix: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted(prefix.glob("conda-meta/*.json")):
        yield json.loads(path.read_bytes())


def hashed(record: Path) -> Iterator[tuple[Path, str]]:
    """Give each file that a RECORD has a hash of, and the hash."""
    site = record.parent.parent
    with record.open(encoding="utf-8", newline="") as rows:
        yield from ((site / path, expected) for path, expected, _ in csv.reader(rows) if expected)


def sha256(path: Path) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256={digest.decode().rstrip('=')}"
