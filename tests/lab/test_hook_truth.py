"""A hook in a true environment: what the model proved is what the interpreter then maps.

CTranslate2 opens cuBLAS by its name, and nothing leads to the wheel of NVIDIA that has it
(SYSTRAN/faster-whisper#516, OpenNMT/CTranslate2#1826).
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from reconciler import catalog, pipeline
from reconciler.cli import cli
from reconciler.collect import own_hook
from reconciler.world import World
from tests.hooks.shells import Session, find
from tests.hooks.worlds import Environment, Manager

from .conftest import PYTHON_AND_PIP
from .elf_stub import stub_library
from .prefix import install
from .running import EXTENSION, SITE_PACKAGES, WHEEL_TAG
from .wheels import Wheel, build_wheel, clean_variables, download, pip_install

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reconciler.model.hook import Hook

    from .channel import Channel

pytestmark = [pytest.mark.lab, pytest.mark.truth]

INNER = "libctranslate2-d3638643.so.4.5.0"
MODULE = f"ctranslate2/_ext{EXTENSION}"
CUBLAS = "nvidia/cublas/lib"
WHEELS = (
    Wheel(
        "ctranslate2",
        "4.5.0",
        {
            "ctranslate2/__init__.py": b"",
            MODULE: stub_library(None, [INNER], rpath="$ORIGIN/../ctranslate2.libs"),
            f"ctranslate2.libs/{INNER}": stub_library(INNER),
        },
        (),
        f"{WHEEL_TAG}-manylinux2014_x86_64",
    ),
    Wheel(
        "nvidia-cublas-cu12",
        "12.4.5.8",
        {
            f"{CUBLAS}/libcublas.so.12": stub_library(
                "libcublas.so.12", ["libcublasLt.so.12"], runpath="$ORIGIN"
            ),
            f"{CUBLAS}/libcublasLt.so.12": stub_library("libcublasLt.so.12"),
        },
        (),
        "py3-none-manylinux2014_x86_64",
    ),
)
#: Opens what the framework opens, and tells what of it is mapped.
OPENS = """
import ctypes, sys
try:
    for name in sys.argv[2:]:
        ctypes.CDLL(name)
except OSError as error:
    said = str(error)
else:
    lines = (line.split(maxsplit=5) for line in open("/proc/self/maps"))
    said = chr(10).join(sorted({line[5].strip() for line in lines if "cublas" in line[-1]}))
with open(sys.argv[1], "w") as file:
    file.write(said)
"""


@pytest.fixture(scope="module")
def wheels(lab: Path) -> Sequence[Path]:
    return [build_wheel(lab / "hook-wheels", wheel) for wheel in WHEELS]


@pytest.fixture(params=["conda", "rattler", "venv"])
def way(request: pytest.FixtureRequest) -> str:
    """Who activates the environment."""
    find("bash")
    return str(request.param)


@pytest.fixture
def prefix(
    way: str, tmp_path: Path, channel: Channel, wheels: Sequence[Path], downloads: Path
) -> Path:
    """A conda environment, or a virtual one, in which pip has installed both wheels."""
    folder = tmp_path / "my env"
    if way != "venv":
        prefix = install(folder, PYTHON_AND_PIP, channel)
        pip_install(prefix, *wheels)
        return prefix
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, env=clean_variables(), check=True)
    pip = download("pip==25.3", downloads)
    pip_install(folder, pip, *wheels, PYTHONPATH=str(pip))
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run envfix as a user does who has nothing else set."""
    for name in {"VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH"} & os.environ.keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> str:
        done = CliRunner().invoke(cli, [*map(str, arguments)])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_the_interpreter_maps_what_the_model_proved_and_nothing_of_the_hook_stays(
    way: str, prefix: Path, tmp_path: Path, run: Callable[..., str]
) -> None:
    before = everything(prefix)
    assert "libcublas.so.12: cannot open" in seen_in_bash(way, prefix, tmp_path / "1", is_in=False)

    run("hooks", "install", "-p", prefix)

    inside = seen_in_bash(way, prefix, tmp_path / "2", is_in=True)
    assert inside.splitlines() == sorted(predicted(prefix, way))
    assert inside.splitlines() == [
        f"{prefix}/{SITE_PACKAGES}/{CUBLAS}/libcublas.so.12",
        f"{prefix}/{SITE_PACKAGES}/{CUBLAS}/libcublasLt.so.12",
    ]
    assert "It does what the environment needs." in run("hooks", "status", "-p", prefix)

    run("hooks", "remove", "-p", prefix)

    assert everything(prefix) == before
    run("undo", prefix)
    assert seen_in_bash(way, prefix, tmp_path / "3", is_in=True) == inside
    run("undo", prefix)
    assert everything(prefix) == before


def predicted(prefix: Path, way: str) -> set[str]:
    """What the model says that CTranslate2's start maps, with the hook in force."""
    root = "VIRTUAL_ENV" if way == "venv" else "CONDA_PREFIX"
    directory = f"{prefix}/{SITE_PACKAGES}/{CUBLAS}"
    shell = clean_variables(LD_LIBRARY_PATH=directory, **{root: str(prefix)})
    # Of conda's, the model reads the script itself; a venv's is sourced by its user.
    environ = shell if way == "venv" else clean_variables()
    snapshot = pipeline.look(".", pipeline.Choice(prefix=str(prefix)), environ, host=False)
    loading = World(snapshot, catalog.load()).loading
    assert loading
    (start,) = (run for run in loading.alone if run.situation.is_normal_use)
    assert start.failures == ()
    return {link.real for link in start.cuda_links if link.real}


def seen_in_bash(way: str, prefix: Path, folder: Path, *, is_in: bool) -> str:
    """What a program that bash starts maps: in the activated environment, which is then left."""
    folder.mkdir()
    session = Session("bash", folder)
    told = folder / "told"
    module = prefix / SITE_PACKAGES / MODULE
    program = [prefix / "bin/python", "-I", "-B", "-c", OPENS, told, module, "libcublas.so.12"]
    line = shlex.join(map(str, program))
    if is_in and way == "venv":
        session.lines += [f'. "{prefix}/bin/envfix-activate.sh"', line, "deactivate"]
    elif is_in:
        environment = Environment(hook_of(prefix), prefix, "ENTERED")
        manager = Manager(session, way)
        manager.enter(environment)
        session.lines.append(line)
        manager.leave(environment)
    else:
        session.lines.append(line)
    session.dump()
    left: Mapping[str, bytes] = session.run({"ENTERED": os.fsencode(prefix)})[0]
    assert "LD_LIBRARY_PATH" not in left
    assert not [name for name in left if name.startswith("_ENVFIX")]
    return told.read_text()


def hook_of(prefix: Path) -> Hook:
    own = own_hook.read(str(prefix))
    assert own
    return own.manifest.hook


def everything(prefix: Path) -> dict[str, tuple[int, bytes]]:
    """Every file, link and folder of a prefix: its permissions, and its bytes or where it leads."""
    found = {}
    for path in prefix.rglob("*"):
        mode = path.lstat().st_mode
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        else:
            content = b"" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(prefix))] = (mode, content)
    return found


@pytest.mark.parametrize(
    "name", ["conda_gpu", "conda_gpu_of_today", "cpu_by_design", "everyday_wheels", "wheels_venv"]
)
def test_a_healthy_environment_needs_no_hook(name: str, request: pytest.FixtureRequest) -> None:
    healthy: Path = request.getfixturevalue(name)
    choice = pipeline.Choice(prefix=str(healthy))
    snapshot = pipeline.look(".", choice, clean_variables(), host=False)
    hooking = World(snapshot, catalog.load()).hooking

    assert (hooking.fixes, hooking.refusals) == ((), ())
