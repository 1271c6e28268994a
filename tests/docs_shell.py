"""The machine on which the commands of the docs run: somebody's home, with one project in it.

What looks at an environment replays it from a snapshot of its fixture, so that every machine gives
the same answer, with or without a GPU. Everything else is done for real in a folder, whose name is
as long as ``/home/me``: so lines break where they break for the reader.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import string
from pathlib import Path
from typing import TYPE_CHECKING

import docs_hook_example
import msgspec
from click.testing import CliRunner
from small_channels import write_channels
from test_envs import Host, host_of

from reconciler import pipeline
from reconciler.cli import cli
from reconciler.model.host import DriverRelease
from reconciler.model.snapshot import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from reconciler.model.snapshot import Snapshot

HOME = "/home/me"
PROJECT = "segment"
CASES = Path(__file__).parents[1] / "fixtures" / "envs"
LOOKING = {"scan", "which", "explain", "fix"}
#: What makes a command look at something else than the environment of the example.
ELSEWHERE = {"-p", "--prefix", "-n", "--name", "--no-env", "--snapshot", "--write"}
NAME = re.compile(r"^name: (\S+)", re.MULTILINE)
#: A hook's variables have a hash of its environment's path in their names.
KEY = re.compile(r"(_ENVFIX_(?:NO_)?)[0-9a-f]{8}_")
OF_THE_MACHINE = ("CONDA", "CUDA", "LD_", "PIP_", "PYTHON", "VIRTUAL_ENV", "XDG_", "ENVFIX", "NV")


class Shell:
    """A home of its own, in which commands run one after another."""

    def __init__(self, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._home = _folder_as_long_as(HOME)
        self._project = self._home / PROJECT
        self._snapshot: Path | None = None
        self.last = 0
        for name in [n for n in os.environ if n.startswith(OF_THE_MACHINE)]:
            monkeypatch.delenv(name)
        for name, value in {"HOME": str(self._home), "COLUMNS": "80", "NO_COLOR": "1"}.items():
            monkeypatch.setenv(name, value)
        if (CASES / example).is_dir() and example:
            self._furnish(CASES / example)
        else:
            self._project.mkdir()
        if example == "channels":
            write_channels(self._project / "channels")
        if example == "hooks":
            prefix = self._home / "miniforge3" / "envs" / PROJECT
            docs_hook_example.furnish(prefix)
            monkeypatch.setenv("CONDA_PREFIX", str(prefix))
            monkeypatch.setenv("SHELL", "/bin/bash")
        monkeypatch.chdir(self._project)

    def _furnish(self, case: Path) -> None:
        shutil.copytree(case / "project", self._project)
        prefix = prefix_of(case)
        shutil.copytree(case / "prefix", self._home / prefix, symlinks=True)
        saved = pipeline.save_snapshot(snapshot_of(case))
        lies = {"project": PROJECT, "prefix": prefix, "conda": "miniforge3/envs/cuda"}
        for was, now in ((f"{case}/{folder}", place) for folder, place in lies.items()):
            saved = saved.replace(was.encode(), f"{HOME}/{now}".encode())
        self._snapshot = self._home / ".seen.json"
        self._snapshot.write_bytes(saved.replace(f"{case}/home".encode(), HOME.encode()))

    def file(self, name: str, body: str) -> str:
        """Put a file into the project, or return what the one of the example has in it."""
        path = self._project / name
        if path.is_file():
            return path.read_text("utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, "utf-8")
        return body

    def run(self, command: str) -> str:
        """Run one command and return what it prints."""
        program, *arguments = shlex.split(command, comments=True)
        if program == "cat":
            return self._as_shown((self._project / arguments[0]).read_text("utf-8"))
        if command == "echo $?":
            return f"{self.last}\n"
        assert program == "envfix", f"no test runs {program}: say why before the fence"
        if self._snapshot and arguments[0] in LOOKING and not ELSEWHERE & {*arguments}:
            arguments += ["--snapshot", str(self._snapshot)]
        done = CliRunner().invoke(cli, arguments, color=True)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        self.last = done.exit_code
        return self._as_shown(done.output)

    def _as_shown(self, printed: str) -> str:
        """Put the reader's home in the place of this one, and of a hash that is made of it."""
        lines = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
        return KEY.sub(r"\g<1>5c808241_", lines.replace(str(self._home), HOME))

    def leave(self) -> None:
        """Leave nothing behind."""
        os.chdir("/")
        shutil.rmtree(self._home, ignore_errors=True)


def prefix_of(case: Path) -> str:
    """Return where the environment of a case lies below the home; conda's has the name that its file says."""
    if (case / "prefix" / "pyvenv.cfg").is_file():
        return f"{PROJECT}/.venv"
    declared = case / "project" / "environment.yml"
    name = NAME.search(declared.read_text("utf-8")) if declared.is_file() else None
    return f"miniforge3/envs/{name[1] if name else PROJECT}"


def snapshot_of(case: Path) -> Snapshot:
    """Look at a case as its user does who has the environment active."""
    host = host_of(case)
    seen = pipeline.look(
        str(case / "project"),
        pipeline.Choice(),
        dict(_variables(case, host)),
        host=False,
        root=str(case),
    )
    is_silent = not (case / "prefix/bin/python").exists()
    without = {Fact.LOADER} if is_silent else set()  # without an interpreter nothing is loaded
    return msgspec.structs.replace(
        seen,
        asked=(*(fact for fact in seen.asked if fact not in without), Fact.DRIVER),
        gaps=tuple(gap for gap in seen.gaps if gap.fact not in without),
        driver=DriverRelease.parse(host.driver) if host.driver else None,
        # It lies under the name that its file says, so that conda knows it by that.
        target=msgspec.structs.replace(seen.target, platform=host.platform, notes=()),
    )


def _variables(case: Path, host: Host) -> Iterator[tuple[str, str]]:
    is_venv = (case / "prefix" / "pyvenv.cfg").is_file()
    yield "HOME", f"{case}/home"
    yield ("VIRTUAL_ENV" if is_venv else "CONDA_PREFIX"), f"{case}/prefix"
    for name, value in host.variables.items():
        yield name, value.replace("$CASE", str(case))


def _folder_as_long_as(home: str) -> Path:
    while True:
        letters = random.choices(string.ascii_lowercase, k=len(home) - len("/tmp/"))
        folder = Path("/tmp", "".join(letters))
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
