from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect.prefixes import Choice, choose, find, kind_of
from reconciler.errors import TargetNotFoundError

from .trees import conda_prefix, venv, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model.snapshot import Target

NO_CHOICE = Choice()


class Machine:
    """The folders of a user who has every kind of environment."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.home = folder / "home"
        self.venv = venv(folder / "a-venv")
        self.active = conda_prefix(folder / "conda" / "envs" / "active")
        self.base = conda_prefix(folder / "conda")
        self.project.mkdir()
        self.home.mkdir()

    def target(self, choice: Choice = NO_CHOICE, **environ: Path | str) -> Target:
        return choose(str(self.project), choice, self.environ(**environ))

    def environ(self, **environ: Path | str) -> Mapping[str, str]:
        return {name: str(value) for name, value in {"HOME": self.home, **environ}.items()}

    def in_base(self) -> Mapping[str, Path | str]:
        return {"CONDA_PREFIX": self.base, "CONDA_DEFAULT_ENV": "base"}

    def declare(self, text: str) -> None:
        write(self.project, {"environment.yml": text})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_any_environment_there_is_none(machine: Machine) -> None:
    target = machine.target()

    assert (target.prefix, target.kind) == (None, "none")
    assert target.because == "no environment is active, and the project has none"


def test_no_env_looks_at_none_though_one_is_active(machine: Machine) -> None:
    target = machine.target(Choice(no_env=True), VIRTUAL_ENV=machine.venv)

    assert (target.prefix, target.because) == (None, "--no-env")


def test_an_option_comes_before_everything(machine: Machine) -> None:
    venv(machine.project / ".venv")

    target = machine.target(Choice(prefix=str(machine.active)), VIRTUAL_ENV=machine.venv)

    assert (target.prefix, target.because) == (str(machine.active), "--prefix")


def test_virtual_env_comes_before_an_active_conda_environment(machine: Machine) -> None:
    target = machine.target(VIRTUAL_ENV=machine.venv, CONDA_PREFIX=machine.active)

    assert (target.prefix, target.kind) == (str(machine.venv), "venv")


def test_an_active_conda_environment_comes_before_the_projects_own(machine: Machine) -> None:
    venv(machine.project / ".venv")

    target = machine.target(CONDA_PREFIX=machine.active, CONDA_DEFAULT_ENV="active")

    assert (target.prefix, target.kind) == (str(machine.active), "conda")


def test_that_the_project_has_another_environment_is_said(machine: Machine) -> None:
    own = venv(machine.project / ".venv")

    (note,) = machine.target(CONDA_PREFIX=machine.active).notes

    assert str(own) in note


def test_the_projects_own_comes_before_base(machine: Machine) -> None:
    own = venv(machine.project / ".venv")

    target = machine.target(**machine.in_base())

    assert (target.prefix, target.notes) == (str(own), ())


def test_base_is_taken_where_nothing_else_is(machine: Machine) -> None:
    target = machine.target(**machine.in_base())

    assert (target.prefix, target.because) == (
        str(machine.base),
        "base is the active conda environment",
    )


def test_base_is_known_by_its_condabin_whatever_it_is_called(machine: Machine) -> None:
    (machine.base / "condabin").mkdir()
    own = venv(machine.project / ".venv")

    target = machine.target(CONDA_PREFIX=machine.base, CONDA_DEFAULT_ENV=machine.base)

    assert target.prefix == str(own)


@pytest.mark.parametrize("own", [".venv", ".pixi/envs/default"])
def test_the_usual_folders_are_the_projects_own(machine: Machine, own: str) -> None:
    prefix = venv(machine.project / own)

    target = machine.target()

    assert (target.prefix, target.because) == (str(prefix), f"the project has {own}")


def test_the_name_in_environment_yml_is_the_projects_own(machine: Machine) -> None:
    machine.declare("name: active\n")

    target = machine.target(CONDA_EXE=machine.base / "bin" / "conda")

    assert (target.prefix, target.because) == (
        str(machine.active),
        "the project's environment.yml names 'active'",
    )


def test_the_prefix_in_environment_yml_is_the_projects_own(machine: Machine) -> None:
    machine.declare(f"name: other\nprefix: {machine.active}\n")

    assert machine.target().prefix == str(machine.active)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_name_in_an_environment_yml_of_windows_is_read(machine: Machine, encoding: str) -> None:
    text = "name: active\r\n".encode(encoding)
    (machine.project / "environment.yml").write_bytes(text)

    target = machine.target(CONDA_EXE=machine.base / "bin" / "conda")

    assert target.prefix == str(machine.active)


@pytest.mark.parametrize("text", ["[", "name:\n", "name: [a]\n", "name: unknown\n", "", "\x00"])
def test_an_environment_yml_that_names_none_is_passed_over(machine: Machine, text: str) -> None:
    machine.declare(text)

    assert machine.target(**machine.in_base()).prefix == str(machine.base)


def test_a_variable_that_leads_nowhere_is_said_and_the_next_is_taken(machine: Machine) -> None:
    target = machine.target(VIRTUAL_ENV="/nowhere", CONDA_PREFIX=machine.active)

    assert target.prefix == str(machine.active)
    assert target.notes == ("VIRTUAL_ENV names it, and /nowhere is no environment",)


def test_a_project_without_a_venv_is_not_told_so(machine: Machine) -> None:
    assert machine.target(CONDA_PREFIX=machine.active).notes == ()


def test_paths_are_real_ones(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(machine.venv)

    assert machine.target(VIRTUAL_ENV=tmp_path / "link").prefix == str(machine.venv)


def test_a_name_that_is_no_utf8_is_stored(machine: Machine) -> None:
    prefix = os.fsdecode(os.fsencode(machine.home) + b"/.conda/envs/caf\xe9")
    os.makedirs(f"{prefix}/conda-meta")

    target = machine.target(Choice(name=os.fsdecode(b"caf\xe9")))

    assert target.prefix == f"{machine.home}/.conda/envs/caf\U0010ffe9"
    assert target.because == "--name caf\U0010ffe9"


def test_a_project_that_is_no_folder_is_an_error(machine: Machine) -> None:
    with pytest.raises(TargetNotFoundError) as caught:
        choose(str(machine.project / "nowhere"), NO_CHOICE, {})

    assert str(caught.value) == (
        f"{machine.project}/nowhere: not a folder; give the project's folder as PROJECT"
    )


def test_a_prefix_that_is_no_environment_is_an_error(machine: Machine) -> None:
    with pytest.raises(TargetNotFoundError, match=r"neither a conda prefix .* nor a virtual"):
        machine.target(Choice(prefix=str(machine.project)))


def test_a_name_that_nobody_knows_is_an_error(machine: Machine) -> None:
    with pytest.raises(TargetNotFoundError, match="unknown: no conda environment of that name"):
        machine.target(Choice(name="unknown"))


def test_an_environment_is_known_from_the_list_of_conda(machine: Machine, tmp_path: Path) -> None:
    prefix = conda_prefix(tmp_path / "elsewhere" / "gpu")
    write(machine.home, {".conda/environments.txt": f"/gone/gpu\n\n{prefix}\n"})

    assert find("gpu", machine.environ()) == str(prefix)


def test_an_environment_is_known_from_the_folders_of_conda(
    machine: Machine, tmp_path: Path
) -> None:
    prefix = conda_prefix(tmp_path / "envs" / "gpu")
    folders = os.pathsep.join(["/nowhere", str(tmp_path / "envs")])

    assert find("gpu", machine.environ(CONDA_ENVS_PATH=folders)) == str(prefix)


def test_an_environment_is_known_beside_its_conda(machine: Machine) -> None:
    environ = machine.environ(CONDA_EXE=machine.base / "bin" / "conda")

    assert find("active", environ) == str(machine.active)


def test_an_environment_is_known_beside_its_mamba(machine: Machine) -> None:
    assert find("active", machine.environ(MAMBA_ROOT_PREFIX=machine.base)) == str(machine.active)


@pytest.mark.parametrize("name", ["base", "root"])
def test_base_is_the_prefix_of_conda_itself(machine: Machine, name: str) -> None:
    environ = machine.environ(CONDA_EXE=machine.base / "bin" / "conda")

    assert find(name, environ) == str(machine.base)


def test_a_venv_has_no_name(machine: Machine) -> None:
    venv(machine.home / ".conda" / "envs" / "gpu")

    assert find("gpu", machine.environ()) is None


def test_a_list_that_is_a_pipe_is_passed_over(machine: Machine) -> None:
    (machine.home / ".conda").mkdir()
    os.mkfifo(machine.home / ".conda" / "environments.txt")

    assert find("gpu", machine.environ()) is None


def test_a_conda_prefix_is_one_though_it_holds_a_pyvenv_cfg(machine: Machine) -> None:
    write(machine.active, {"pyvenv.cfg": ""})

    assert kind_of(str(machine.active)) == "conda"


def test_a_name_that_nothing_knows_is_said(machine: Machine) -> None:
    machine.declare("name: absent\n")

    target = machine.target()

    assert target.prefix is None
    assert target.notes == (
        "the project's environment.yml names 'absent', and no environment of that name is known here",
    )


def test_a_root_that_is_not_there_is_no_base(machine: Machine) -> None:
    with pytest.raises(TargetNotFoundError, match="no conda environment of that name"):
        machine.target(Choice(name="base"), MAMBA_ROOT_PREFIX="/nowhere")


def test_base_is_found_from_an_active_environment_of_it(machine: Machine) -> None:
    target = machine.target(Choice(name="base"), CONDA_PREFIX=machine.active)

    assert target.prefix == str(machine.base)
