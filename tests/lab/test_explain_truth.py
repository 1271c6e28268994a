"""What the interpreter of a broken environment says, piped into ``envfix explain``."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from reconciler.cli import cli

from .broken import traps, wheels_of
from .conftest import PYTHON_AND_PIP
from .prefix import install
from .running import EXTENSION, SITE_PACKAGES
from .wheels import clean_variables, pip_install

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .channel import Channel

pytestmark = [pytest.mark.lab, pytest.mark.truth]


@dataclass(frozen=True)
class Fault:
    """One fault, and what it has to be explained by."""

    #: What is run, and fails.
    code: str
    id: str
    #: Relative to site-packages; to the traps where it begins with one's name.
    culprit: str
    owner: str
    #: A part of the remedy.
    remedy: str
    #: A part of what the interpreter says, so that the right thing has failed.
    says: str
    #: What stands in the shell: a variable, and the trap.
    shell: Mapping[str, str] = field(default_factory=dict)


FAULTS = {
    "nothing has it": Fault(
        "import onegpu",
        "library-not-found",
        f"onegpu/_C{EXTENSION}",
        "pip's onegpu 1.0",
        "Install a build of onegpu for the CUDA that is in this environment",
        "ImportError: libcudart.so.11.0: cannot open shared object file",
    ),
    "no path leads to it": Fault(
        "import ctranslate2",
        "library-not-found",
        "nvidia/cublas/lib/libcublas.so.12",
        "pip's nvidia-cublas-cu12 12.4.5.8",
        "LD_LIBRARY_PATH=",
        "OSError: libcublas.so.12: cannot open shared object file",
    ),
    "the environment is not activated": Fault(
        "import lategpu",
        "library-not-found",
        f"lategpu/_C{EXTENSION}",
        "pip's lategpu 1.0",
        "Activate the environment",
        "ImportError: libcupti.so.12: cannot open shared object file",
    ),
    "captured by LD_LIBRARY_PATH": Fault(
        "import densegpu",
        "cublaslt-mismatch",
        "cuda-12.0/lib64/libcublasLt.so.12",
        "no package",
        "out of LD_LIBRARY_PATH",
        "undefined symbol: cublasLtNew, version libcublasLt.so.12",
        {"LD_LIBRARY_PATH": "cuda-12.0/lib64"},
    ),
    "an older nvJitLink": Fault(
        "import sparsegpu",
        "nvjitlink-too-old",
        "nvidia/nvjitlink/lib/libnvJitLink.so.12",
        "pip's nvidia-nvjitlink-cu12 12.1.105",
        "nvidia-nvjitlink-cu12",
        "undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12",
    ),
    "files of two packages": Fault(
        "import convgpu",
        "cudnn-symbol-missing",
        "nvidia/cudnn/lib/libcudnn.so.9",
        "pip's nvidia-cudnn-cu13 9.12.0.46",
        "pip uninstall",
        "undefined symbol: cudnnBackendExecuteOld",
    ),
    "a part of another cuDNN": Fault(
        "import dnn8",
        "cudnn-symbol-missing",
        "cudnn-8.5/lib/libcudnn_ops_infer.so.8",
        "no package",
        "out of LD_LIBRARY_PATH",
        "Could not load library libcudnn_cnn_infer.so.8. Error:",
        {"LD_LIBRARY_PATH": "cudnn-8.5/lib"},
    ),
    "the system's libstdc++ first": Fault(
        "import cxxgpu",
        "libstdcxx-too-old",
        "old-linux/libstdc++.so.6",
        "no package",
        "out of LD_LIBRARY_PATH",
        "version `GLIBCXX_3.4.20' not found (required by ",
        {"LD_LIBRARY_PATH": "old-linux"},
    ),
    "a pointer of git-lfs": Fault(
        "import randgpu",
        "library-damaged",
        "nvidia/curand/lib/libcurand.so.10",
        "pip's nvidia-curand-cu12 10.3.5.147",
        "pip install --force-reinstall --no-deps nvidia-curand-cu12==10.3.5.147",
        "invalid ELF header",
    ),
    "a file that was cut": Fault(
        "import fftgpu",
        "library-damaged",
        "nvidia/cufft/lib/libcufft.so.11",
        "pip's nvidia-cufft-cu12 11.2.1.3",
        "pip install --force-reinstall --no-deps nvidia-cufft-cu12==11.2.1.3",
        "file too short",
    ),
    "a script for the linker": Fault(
        "import ncclpy",
        "library-damaged",
        "nvidia/nccl/lib/libnccl.so",
        "pip's nvidia-nccl-cu12 2.21.5",
        "nvidia-nccl-cu12==2.21.5",
        "invalid ELF header",
    ),
    "of 32 bits": Fault(
        "import smallgpu",
        "library-damaged",
        f"smallgpu/_C{EXTENSION}",
        "pip's smallgpu 1.0",
        "smallgpu==1.0",
        "wrong ELF class: ELFCLASS32",
    ),
    "an extension of another torch": Fault(
        "import fusedgpu",
        "extension-of-another-torch",
        f"fusedgpu/_C{EXTENSION}",
        "pip's fusedgpu 1.0",
        "",
        "undefined symbol: _ZN3c104impl3oldEv",
    ),
    "an extension without a path": Fault(
        "import torch, flashgpu",
        "extension-of-another-torch",
        f"flashgpu/_C{EXTENSION}",
        "pip's flashgpu 1.0",
        "Install the extension's build for the installed PyTorch",
        "undefined symbol: _ZN3c104impl3oldEv",
    ),
    "an older library of conda's": Fault(
        "import jitgpu",
        "nvjitlink-too-old",
        "../../../lib/libnvJitLink.so.12",
        "conda's libnvjitlink 12.4.127",
        "libnvjitlink",
        "undefined symbol: __nvJitLinkComplete_12_9, version libnvJitLink.so.12",
    ),
    "another numpy in the user site": Fault(
        "from numpy import trapezoid",
        "other-file-imported",
        f"user/{SITE_PACKAGES}/numpy/__init__.py",
        "pip's numpy 1.24.4",
        "PYTHONNOUSERSITE=1",
        "ImportError: cannot import name 'trapezoid' from 'numpy' (",
        {"PYTHONUSERBASE": "user"},
    ),
    "another numpy on PYTHONPATH": Fault(
        "from numpy import trapezoid",
        "other-file-imported",
        "old-packages/numpy/__init__.py",
        "pip's numpy 1.24.4",
        "out of PYTHONPATH",
        "ImportError: cannot import name 'trapezoid' from 'numpy' (",
        {"PYTHONPATH": "old-packages"},
    ),
    "a stub before the driver": Fault(
        "import drivergpu",
        "driver-is-a-stub",
        "cuda-12.4/lib64/stubs/libcuda.so.1",
        "no package",
        "out of LD_LIBRARY_PATH",
        "RuntimeError: CUDA error: CUDA driver is a stub library",
        {"LD_LIBRARY_PATH": "cuda-12.4/lib64/stubs"},
    ),
    "torch for the CPU": Fault(
        "import torch; torch.zeros(1, device='cuda')",
        "torch-without-cuda",
        "torch/__init__.py",
        "pip's torch 2.1.2+cpu",
        "",
        "AssertionError: Torch not compiled with CUDA enabled",
    ),
}


@pytest.fixture(scope="module")
def broken(lab: Path, channel: Channel) -> Path:
    prefix = install(lab / "broken", [*PYTHON_AND_PIP, "libnvjitlink=12.4"], channel)
    for wheels in wheels_of(lab / "explained", is_broken=True):
        pip_install(prefix, *wheels)
    return prefix


@pytest.fixture(scope="module")
def whole(lab: Path, channel: Channel) -> Path:
    prefix = install(
        lab / "whole", [*PYTHON_AND_PIP, "libcublas=12.4", "libnvjitlink=12.4"], channel
    )
    pip_install(prefix, *wheels_of(lab / "explained", is_broken=False)[0])
    return prefix


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return traps(tmp_path_factory.mktemp("traps"))


@pytest.fixture
def explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Pipe a text into the command, as a user does whose shell has these variables."""
    for name in {
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "LD_LIBRARY_PATH",
        "PYTHONUSERBASE",
        "PYTHONPATH",
    } & os.environ.keys():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(prefix: Path, text: str, shell: Mapping[str, str], *options: str) -> str:
        command = ["explain", "-p", str(prefix), *options]
        done = CliRunner().invoke(cli, command, input=text, env=shell)
        assert done.exit_code == 1, (text, done.output)
        return done.stdout

    return run


def said_by(prefix: Path, code: str, shell: Mapping[str, str]) -> str:
    """What the environment's own interpreter writes to stderr."""
    done = subprocess.run(
        [prefix / "bin/python", "-B", "-c", code],
        env=clean_variables(**shell),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode, "nothing has failed"
    return done.stderr


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_interpreter_says_is_explained_by_the_file_at_fault_and_its_owner(
    name: str,
    broken: Path,
    whole: Path,
    places: Mapping[str, Path],
    explained: Callable[..., str],
) -> None:
    fault = FAULTS[name]
    shell = {variable: str(places[trap]) for variable, trap in fault.shell.items()}
    text = said_by(broken, fault.code, shell)
    assert fault.says in text
    where = {place: str(folder) for place, folder in places.items()}
    trap = next((place for place in where if fault.culprit.startswith(f"{place}/")), None)
    path = (
        fault.culprit.replace(trap, where[trap], 1)
        if trap
        else os.path.normpath(f"{broken}/{SITE_PACKAGES}/{fault.culprit}")
    )

    (told,) = json.loads(explained(broken, text, shell, "--format", "json"))["diagnoses"]

    assert (told["id"], told["certainty"]) == (fault.id, "proven"), told
    assert told["culprit"] == {"path": path, "owner": fault.owner}, told
    assert fault.remedy in told["remedy"]
    page = "".join(explained(broken, text, shell).split())
    assert f"{path}({fault.owner})".replace(" ", "") in page

    elsewhere = json.loads(explained(whole, text, {}, "--format", "json"))["diagnoses"]

    assert [one["certainty"] for one in elsewhere] != ["proven"], elsewhere
    assert [one["culprit"] for one in elsewhere] == [None], elsewhere


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_fails_where_there_is_no_fault(name: str, whole: Path) -> None:
    done = subprocess.run(
        [whole / "bin/python", "-B", "-c", FAULTS[name].code],
        env=clean_variables(),
        capture_output=True,
        text=True,
        check=False,
    )

    # a stub has no module to give
    assert done.returncode == 0 or "Error: initialization of" in done.stderr, done.stderr
