"""The named environments, each true, each built when the first test asks for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .channel import Channel, build_channel
from .conda_stand_in import put_on_path
from .elf_stub import stub_library
from .five_faults import build as build_five_faults
from .missing import require_machine
from .pip_packages import EVERYDAY, cupy_stack, torch_stack
from .prefix import install
from .running import VERSION
from .wheels import (
    Wheel,
    build_wheel,
    clean_variables,
    download,
    download_all,
    pip_install,
    read_wheel,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PYTHON_AND_PIP = (f"python={VERSION}", "pip")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which everything of this session lies."""
    require_machine()
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def downloads(pytestconfig: pytest.Config) -> Path:
    """Where true wheels are kept from one session to the next."""
    return pytestconfig.cache.mkdir("lab-wheels")


@pytest.fixture(scope="session")
def channel(lab: Path, downloads: Path) -> Channel:
    return build_channel(lab, downloads)


@pytest.fixture(scope="session")
def conda(lab: Path, channel: Channel) -> Path:
    """The folder of PATH with the stand-in for conda, which the lab has not."""
    return put_on_path(lab / "stand-in", channel.package_cache)


@pytest.fixture(scope="session")
def torch_wheels(lab: Path, downloads: Path) -> Sequence[Path]:
    """torch 2.1.2 for CUDA 12.1, with all that it requires."""
    return torch_stack(lab / "wheels", downloads)


@pytest.fixture(scope="session")
def majors_mixed(lab: Path, channel: Channel, torch_wheels: Sequence[Path]) -> Path:
    """conda's CUDA 11.8 and, from pip, torch with CUDA 12.1: two majors in one environment."""
    # from 3.13 on, conda-forge's pip no longer brings setuptools
    specs = [*PYTHON_AND_PIP, "setuptools", "cudatoolkit=11.8", "cudnn=8"]
    prefix = install(lab / "majors_mixed", specs, channel)
    pip_install(prefix, *torch_wheels)
    return prefix


@pytest.fixture(scope="session")
def cupy_twice(lab: Path, channel: Channel) -> Path:
    """cupy-cuda11x and over it cupy-cuda12x: two distributions that own the same files."""
    prefix = install(lab / "cupy_twice", PYTHON_AND_PIP, channel)
    for name in ("cupy-cuda11x", "cupy-cuda12x"):
        pip_install(prefix, *cupy_stack(lab / "wheels", name))
    return prefix


@pytest.fixture(scope="session")
def conda_gpu(lab: Path, channel: Channel) -> Path:
    """Healthy: torch built for CUDA 12.0 on the libraries of 12.4, all from conda."""
    specs = [*PYTHON_AND_PIP, "pytorch=2.3.1=cuda*", "cuda-version=12.4", "cudnn", "nccl"]
    return install(lab / "conda_gpu", specs, channel)


@pytest.fixture(scope="session")
def conda_gpu_of_today(lab: Path, channel: Channel) -> Path:
    """Healthy: torch 2.9.1 through its metapackage, CUDA 12.9, cuDNN 9, and cupy beside it."""
    specs = [*PYTHON_AND_PIP, "pytorch-gpu", "cuda-version=12.9", "cupy-core", "cudnn=9"]
    return install(lab / "conda_gpu_of_today", specs, channel)


@pytest.fixture(scope="session")
def cpu_by_design(lab: Path, channel: Channel) -> Path:
    """Healthy: torch for the CPU, asked for by name, on a machine without a GPU."""
    return install(lab / "cpu_by_design", [*PYTHON_AND_PIP, "pytorch-cpu"], channel, cuda=None)


@pytest.fixture(scope="session")
def everyday_wheels(lab: Path, channel: Channel, downloads: Path) -> Path:
    """Healthy: 39 true wheels that pip has installed into a conda environment."""
    prefix = install(lab / "everyday_wheels", PYTHON_AND_PIP, channel)
    pip_install(prefix, *download_all(EVERYDAY, downloads))
    return prefix


@pytest.fixture(scope="session")
def wheels_venv(lab: Path, downloads: Path, torch_wheels: Sequence[Path]) -> Path:
    """Healthy: a venv of the running Python, and torch with exactly the wheels that it pins."""
    prefix = lab / "wheels_venv"
    venv = [sys.executable, "-m", "venv", "--without-pip", str(prefix)]
    subprocess.run(venv, env=clean_variables(), check=True)
    pip = download("pip==25.3", downloads)
    # a wheel of pip runs as it is, as ensurepip uses it
    pip_install(prefix, pip, *torch_wheels, PYTHONPATH=str(pip))
    return prefix


@pytest.fixture(scope="session")
def other_python_site(lab: Path) -> Path:
    """The site-packages of a Python 3.8, as it stands in the PYTHONPATH of old shell profiles."""
    site = lab / "old" / "lib" / "python3.8" / "site-packages"
    module = "numpy/core/_multiarray_umath.cpython-38-x86_64-linux-gnu.so"
    files = {"numpy/__init__.py": b"__version__ = '1.24.4'\n", module: stub_library()}
    tag = "cp38-cp38-manylinux_2_17_x86_64.manylinux2014_x86_64"
    wheel = build_wheel(lab / "wheels", Wheel("numpy", "1.24.4", files, (), tag))
    for path, content in read_wheel(wheel).items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    return site


@pytest.fixture(scope="session")
def five_faults(lab: Path, channel: Channel, torch_wheels: Sequence[Path]) -> Path:
    return build_five_faults(lab, channel, torch_wheels)
