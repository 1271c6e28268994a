from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler import collect
from reconciler.collect.ground import Ground
from reconciler.model.snapshot import Fact, Target

from .trees import NOTHING_WANTED, conda_prefix, reasons, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.host import PipOption
    from reconciler.model.snapshot import Snapshot

INDEX = "[global]\nindex-url = https://{}.example/simple\n"


class Machine:
    """A machine that is made up: its /etc, its user and one environment."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.home = folder / "home" / "me"
        self.prefix = conda_prefix(folder / "env")

    def seen(self, platform: str = "linux-64", **environ: str) -> Snapshot:
        target = Target(
            project="/project", prefix=str(self.prefix), kind="conda", platform=platform
        )
        ground = Ground(
            target=target,
            environ={"HOME": str(self.home), **environ},
            wanted=NOTHING_WANTED,
            root=str(self.root),
        )
        return collect.collect(ground, (Fact.PIP_OPTIONS,), envfix="0")

    def options(self, platform: str = "linux-64", **environ: str) -> tuple[PipOption, ...]:
        return self.seen(platform, **environ).pip_options

    def values(self, platform: str = "linux-64", **environ: str) -> list[str]:
        """Return the host that each index-url begins with."""
        options = self.options(platform, **environ)
        return [option.value.removeprefix("https://").partition(".")[0] for option in options]

    def write_every_file(self) -> None:
        names = {
            "etc/xdg/pip/pip.conf": "xdg",
            "etc/pip.conf": "etc",
            "home/me/.pip/pip.conf": "legacy",
            "home/me/.config/pip/pip.conf": "user",
            "env/pip.conf": "site",
            "chosen.conf": "chosen",
        }
        write(self.root, {path: INDEX.format(name) for path, name in names.items()})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_where_nothing_is_set_there_is_nothing(machine: Machine) -> None:
    snapshot = machine.seen()

    assert (snapshot.pip_options, snapshot.gaps) == ((), ())


def test_a_file_without_options_that_matter_is_passed_over(machine: Machine) -> None:
    text = "[global]\ntimeout = 60\nproxy = http://me:hunter2@proxy/\n[list]\nformat = json\n"
    write(machine.home, {".config/pip/pip.conf": text + "pre = true\n"})

    assert (
        machine.options(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_CERT="/x", UV_CACHE_DIR="/y") == ()
    )


def test_files_come_in_the_order_of_pip_and_variables_last(machine: Machine) -> None:
    machine.write_every_file()

    hosts = machine.values(PIP_INDEX_URL="https://variable.example/simple")

    assert hosts == ["xdg", "etc", "legacy", "user", "site", "variable"]


def test_a_file_that_a_variable_names_stands_in_for_those_of_the_user(machine: Machine) -> None:
    machine.write_every_file()

    hosts = machine.values(PIP_CONFIG_FILE=str(machine.root / "chosen.conf"))

    assert hosts == ["xdg", "etc", "site", "chosen"]


def test_a_file_that_is_not_there_stands_in_for_none(machine: Machine) -> None:
    machine.write_every_file()

    assert machine.values(PIP_CONFIG_FILE="/nowhere")[-2:] == ["user", "site"]


def test_the_null_device_turns_every_file_off(machine: Machine) -> None:
    machine.write_every_file()

    assert machine.options(PIP_CONFIG_FILE=os.devnull) == ()


def test_the_folders_of_xdg_are_followed(machine: Machine) -> None:
    machine.write_every_file()
    write(machine.root, {"a/pip/pip.conf": INDEX.format("a"), "b/pip/pip.conf": INDEX.format("b")})

    hosts = machine.values(
        XDG_CONFIG_DIRS=str(machine.root / "a"), XDG_CONFIG_HOME=str(machine.root / "b")
    )

    assert hosts == ["a", "etc", "legacy", "b", "site"]


@pytest.mark.parametrize(
    "override",
    [{}, {"PIP_INDEX_URL": "https://variable.example/simple"}, {"PIP_CONFIG_FILE": "chosen.conf"}],
    ids=["files", "variable", "chosen"],
)
def test_the_last_one_is_the_one_that_pip_takes(
    machine: Machine, override: Mapping[str, str]
) -> None:
    pytest.importorskip("pip")
    machine.write_every_file()
    environ = {
        **override,
        "HOME": str(machine.home),
        "XDG_CONFIG_DIRS": str(machine.root / "etc/xdg"),
        "PATH": os.environ["PATH"],
    }
    if "PIP_CONFIG_FILE" in override:
        environ["PIP_CONFIG_FILE"] = str(machine.root / override["PIP_CONFIG_FILE"])
    # the site's file is that of the Python that runs pip, which has none
    (machine.prefix / "pip.conf").unlink()

    key = ":env:.index-url" if "PIP_INDEX_URL" in override else "global.index-url"
    assert machine.options(**environ)[-1].value == taken_by_pip(key, environ)


def taken_by_pip(key: str, environ: Mapping[str, str]) -> str:
    """Return what pip takes: it says so by `get`, or, of PIP_CONFIG_FILE before pip 26, by `list`."""
    pip = [sys.executable, "-m", "pip", "config"]
    asked = subprocess.run([*pip, "get", key], env=environ, capture_output=True, check=False)
    if asked.returncode == 0:
        return asked.stdout.decode().strip()
    listed = subprocess.run([*pip, "list"], env=environ, capture_output=True, check=True)
    (line,) = (line for line in listed.stdout.decode().splitlines() if line.startswith(f"{key}="))
    return line.partition("=")[2].strip("'")


def test_a_section_of_install_comes_after_every_global_one(machine: Machine) -> None:
    write(machine.home, {".config/pip/pip.conf": "[install]\nuser = yes\n"})
    write(machine.prefix, {"pip.conf": "[global]\nuser = no\n"})

    assert [(option.source, option.value) for option in machine.options()] == [
        ("pip.conf", "no"),
        (f"{machine.home}/.config/pip/pip.conf", "yes"),
    ]


def test_names_are_those_of_pip_however_they_are_written(machine: Machine) -> None:
    write(machine.prefix, {"pip.conf": "[global]\n--No_Index = 1\nFind_Links =\n  /a\n  /b\n"})

    assert [(option.name, option.value) for option in machine.options()] == [
        ("no-index", "1"),
        ("find-links", "/a /b"),
    ]


def test_variables_of_uv_are_kept_under_their_own_names(machine: Machine) -> None:
    options = machine.options(UV_TORCH_BACKEND="cu128", UV_INDEX="", UV_DEFAULT_INDEX="https://a/")

    assert [(option.source, option.name, option.value) for option in options] == [
        ("UV_DEFAULT_INDEX", "default-index", "https://a/"),
        ("UV_TORCH_BACKEND", "torch-backend", "cu128"),
    ]


def test_credentials_do_not_enter(machine: Machine) -> None:
    url = "https://me:hunter2@pypi.example/simple"
    write(machine.prefix, {"pip.conf": f"[global]\nextra-index-url = {url}\n"})

    options = machine.options(PIP_INDEX_URL=url)

    assert [option.value for option in options] == ["https://**:*******@pypi.example/simple"] * 2


@pytest.mark.parametrize(
    "text",
    ["no section\n", "[global]\n[global]\n", "[global]\npre = 1\npre = 2\n", "\ufeff[global]\n"],
)
def test_a_file_that_pip_refuses_is_a_gap_of_its_own(machine: Machine, text: str) -> None:
    write(machine.home, {".config/pip/pip.conf": text})
    write(machine.prefix, {"pip.conf": INDEX.format("site")})

    snapshot = machine.seen()

    assert [option.source for option in snapshot.pip_options] == ["pip.conf"]
    (reason,) = reasons(snapshot).values()
    assert reason.startswith("not a configuration of pip: ")


def test_a_file_that_is_a_pipe_is_a_gap(machine: Machine) -> None:
    os.mkfifo(machine.prefix / "pip.conf")

    assert reasons(machine.seen()) == {"pip.conf": "not a regular file"}


def test_a_value_that_is_no_utf8_is_stored(machine: Machine) -> None:
    write(machine.prefix, {"pip.conf": b"[global]\nfind-links = /caf\xe9\n"})

    assert machine.options()[0].value == "/caf\U0010ffe9"


def test_files_of_windows_have_their_own_names(machine: Machine) -> None:
    roaming, program = machine.root / "Roaming", machine.root / "ProgramData"
    write(roaming, {"pip/pip.ini": INDEX.format("user")})
    write(program, {"pip/pip.ini": INDEX.format("global")})
    write(machine.prefix, {"pip.ini": INDEX.format("site"), "pip.conf": INDEX.format("none")})

    hosts = machine.values("win-64", APPDATA=str(roaming), PROGRAMDATA=str(program))

    assert hosts == ["global", "user", "site"]


def test_the_library_of_a_mac_comes_before_its_dot_config(machine: Machine) -> None:
    write(machine.home, {".config/pip/pip.conf": INDEX.format("config")})
    assert machine.values("osx-arm64") == ["config"]

    write(machine.home, {"Library/Application Support/pip/pip.conf": INDEX.format("library")})
    assert machine.values("osx-arm64") == ["library"]
