"""What is said of sys.path without starting Python is what Python says when it is started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import catalog, pipeline
from reconciler.model.snapshot import Choice
from reconciler.world import World

from .conftest import PYTHON_AND_PIP
from .prefix import install
from .running import PYTHON, SITE_PACKAGES
from .test_scan import codes, scan
from .wheels import clean_variables, download, pip_install

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .channel import Channel

pytestmark = pytest.mark.lab

ASK = "import json, sys; print(json.dumps([sys.path[1:], sys.base_prefix]))"
SIX = {"old": "six==1.16.0", "new": "six==1.17.0"}


@pytest.fixture(scope="session")
def plain(lab: Path, channel: Channel) -> Path:
    """Python and pip of conda; no test changes it."""
    return install(lab / "plain", PYTHON_AND_PIP, channel)


@pytest.fixture
def conda(tmp_path: Path, channel: Channel) -> Path:
    """The same, for one test."""
    return install(tmp_path / "conda", PYTHON_AND_PIP, channel)


@pytest.fixture(scope="session")
def user_base(lab: Path, plain: Path, downloads: Path) -> Path:
    """A user site into which pip has installed six for the user."""
    base = lab / "user"
    variables = {"PYTHONUSERBASE": str(base), "PIP_USER": "1", "PIP_IGNORE_INSTALLED": "1"}
    pip_install(plain, download(SIX["old"], downloads), **variables)
    return base


def make_venv(python: Path, folder: Path, *options: str) -> Path:
    command = [str(python), "-m", "venv", "--without-pip", *options, str(folder)]
    subprocess.run(command, env=clean_variables(), check=True)
    return folder


def of_python(prefix: Path, **variables: str) -> list[str]:
    """Give the sys.path that the environment's own Python starts with, without its library."""
    done = subprocess.run(
        [str(prefix / "bin" / "python"), "-c", ASK],
        env=clean_variables(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    paths, base = json.loads(done.stdout)
    version = PYTHON.removeprefix("python").replace(".", "")
    library = [f"{base}/lib/python{version}.zip", f"{base}/lib/{PYTHON}"]
    return [path for path in paths if path not in {*library, f"{base}/lib/{PYTHON}/lib-dynload"}]


def of_envfix(prefix: Path, **variables: str) -> list[str]:
    entries = world_of(prefix, **variables).snapshot.import_paths
    return [
        os.path.join(prefix, entry.path) for entry in entries if entry.origin != "working directory"
    ]


def world_of(prefix: Path, **variables: str) -> World:
    choice = Choice(prefix=str(prefix))
    seen = pipeline.look(str(prefix.parent), choice, clean_variables(**variables), host=False)
    return World(seen, catalog.load())


def assert_same(prefix: Path, **variables: str) -> None:
    assert of_envfix(prefix, **variables) == of_python(prefix, **variables)


def test_of_a_conda_environment(plain: Path) -> None:
    assert_same(plain)


def test_of_pythonpath(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    site = plain / SITE_PACKAGES
    entries = [tmp_path / "src", tmp_path / "gone", f"{tmp_path}/src/../src/", tmp_path, site]

    assert_same(plain, PYTHONPATH=":".join(map(str, entries)))


def test_of_a_user_site(plain: Path, user_base: Path) -> None:
    assert_same(plain, PYTHONUSERBASE=str(user_base))


def test_of_a_user_site_below_home(plain: Path, tmp_path: Path) -> None:
    (tmp_path / ".local" / SITE_PACKAGES).mkdir(parents=True)

    assert_same(plain, HOME=str(tmp_path))


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_of_a_user_site_that_is_switched_off(plain: Path, user_base: Path, value: str) -> None:
    assert_same(plain, PYTHONUSERBASE=str(user_base), PYTHONNOUSERSITE=value)


def test_of_pth_files(conda: Path, tmp_path: Path) -> None:
    added = ["absolute", "crlf", "last", "twice", "after-import", "of-user"]
    for name in added:
        (tmp_path / name).mkdir()
    site = conda / SITE_PACKAGES
    (site / "inside").mkdir()
    user = tmp_path / "user" / SITE_PACKAGES
    user.mkdir(parents=True)
    (tmp_path / "archive.egg").write_bytes(b"PK")
    pth = {
        "a.pth": f"# {tmp_path}\n\n{tmp_path}/absolute\ninside\n{tmp_path}/gone\n../outside\n",
        "b.pth": f"import os\n{tmp_path}/after-import\nimport\tsys\n",
        "crlf.pth": f"{tmp_path}/crlf  \r\n{tmp_path}/twice\r\n{tmp_path}/twice\r\n",
        "easy-install.pth": f"{tmp_path}/archive.egg\n./inside\n",
        "z.pth": f"{tmp_path}/last",
        "not-a-pth.txt": f"{tmp_path}/of-user",
    }
    for name, text in pth.items():
        (site / name).write_bytes(text.encode())
    (user / "user.pth").write_text(f"{tmp_path}/of-user\n{tmp_path}/absolute\n")

    assert_same(conda, PYTHONUSERBASE=str(tmp_path / "user"))


def test_of_a_pth_file_that_runs_code_what_it_runs_is_not_known(conda: Path) -> None:
    (conda / SITE_PACKAGES / "a.pth").write_text("import sys; sys.path.append('/nowhere')\n")

    (site,) = (e for e in world_of(conda).snapshot.import_paths if e.origin == "site-packages")

    assert set(of_python(conda)) - set(of_envfix(conda)) == {"/nowhere"}
    assert "a.pth" in site.runs


def test_of_a_conda_environment_that_a_pyvenv_cfg_closes(conda: Path, user_base: Path) -> None:
    text = f"home = {conda}/bin\ninclude-system-site-packages = false\n"
    (conda / "pyvenv.cfg").write_text(text)

    assert_same(conda, PYTHONUSERBASE=str(user_base))


def test_of_a_venv_on_the_python_of_conda(plain: Path, user_base: Path, tmp_path: Path) -> None:
    venv = make_venv(plain / "bin" / "python", tmp_path / "venv")

    assert_same(venv, PYTHONUSERBASE=str(user_base), PYTHONPATH=str(tmp_path))


def test_of_a_venv_that_lets_the_system_in(plain: Path, user_base: Path, tmp_path: Path) -> None:
    venv = make_venv(plain / "bin" / "python", tmp_path / "venv", "--system-site-packages")

    assert_same(venv, PYTHONUSERBASE=str(user_base))


def test_of_a_venv_on_the_running_python(wheels_venv: Path, user_base: Path) -> None:
    assert_same(wheels_venv, PYTHONUSERBASE=str(user_base))


@pytest.mark.parametrize("options", [(), ("--system-site-packages",)])
def test_of_a_venv_on_the_python_of_the_system(tmp_path: Path, options: tuple[str, ...]) -> None:
    system = Path("/usr/bin") / PYTHON
    if not system.exists():
        pytest.skip(f"there is no {system}")

    assert_same(make_venv(system, tmp_path / "venv", *options))


def test_a_six_of_the_user_answers_and_is_found(
    conda: Path, user_base: Path, downloads: Path, tmp_path: Path
) -> None:
    pip_install(conda, download(SIX["new"], downloads))
    variables = {"PYTHONUSERBASE": str(user_base)}

    (shadow,) = world_of(conda, **variables).shadows
    status, report = scan(tmp_path, conda, **variables)

    assert shadow.taken.replace(" ", "==") == imported(conda, **variables) == SIX["old"]
    assert codes(report["findings"]) == ["PTH403"]
    assert status == 1


def test_without_the_user_site_the_six_of_the_environment_answers(
    conda: Path, user_base: Path, downloads: Path, tmp_path: Path
) -> None:
    pip_install(conda, download(SIX["new"], downloads))
    variables = {"PYTHONUSERBASE": str(user_base), "PYTHONNOUSERSITE": "1"}

    assert imported(conda, **variables) == SIX["new"]
    assert scan(tmp_path, conda, **variables)[1]["findings"] == []


def test_a_venv_on_the_python_of_conda_is_left_alone(
    plain: Path, user_base: Path, tmp_path: Path
) -> None:
    venv = make_venv(plain / "bin" / "python", tmp_path / "venv")
    path = f"{venv}/bin:{plain}/bin:{os.environ['PATH']}"
    shell: Mapping[str, str] = {
        "PYTHONUSERBASE": str(user_base),
        "VIRTUAL_ENV": str(venv),
        "CONDA_PREFIX": str(plain),
        "CONDA_DEFAULT_ENV": "plain",
        "CONDA_SHLVL": "1",
        "PATH": path,
    }

    assert scan(tmp_path, venv, **shell)[1]["findings"] == []


def test_an_active_environment_is_left_alone(plain: Path, user_base: Path, tmp_path: Path) -> None:
    assert scan(tmp_path, plain, **active(plain, user_base))[1]["findings"] == []


def test_a_pip_before_that_of_the_active_environment_is_found(
    plain: Path, conda: Path, user_base: Path, tmp_path: Path
) -> None:
    shell = active(plain, user_base)

    _, report = scan(tmp_path, plain, **{**shell, "PATH": f"{conda}/bin:{shell['PATH']}"})

    assert codes(report["findings"]) == ["VIS303"]


def test_the_pip_of_a_moved_environment_starts_a_python_that_is_gone(
    conda: Path, user_base: Path, tmp_path: Path
) -> None:
    moved = conda.rename(tmp_path / "moved")

    _, report = scan(tmp_path, moved, **active(moved, user_base))

    (finding,) = report["findings"]
    assert finding["message"].endswith(f"starts another Python, {conda}/bin/{PYTHON}")


def test_a_venv_whose_conda_environment_was_removed_is_an_error(
    conda: Path, tmp_path: Path
) -> None:
    venv = make_venv(conda / "bin" / "python", tmp_path / "venv")
    shutil.rmtree(conda)

    (finding,) = scan(tmp_path, venv)[1]["findings"]

    assert (finding["code"], finding["severity"]) == ("PTH407", "error")


def test_what_pip_uninstalls_is_what_the_remedy_means(
    conda: Path, downloads: Path, tmp_path: Path
) -> None:
    variables = {"PYTHONUSERBASE": str(tmp_path / "user")}
    pip_install(conda, download(SIX["new"], downloads))
    pip_install(
        conda,
        download(SIX["old"], downloads),
        **variables,
        PIP_USER="1",
        PIP_IGNORE_INSTALLED="1",
    )
    pip = [str(conda / "bin" / "python"), "-m", "pip", "uninstall", "--yes", "six"]

    subprocess.run(pip, env=clean_variables(**variables), check=True, capture_output=True)

    assert imported(conda, **variables) == SIX["new"]


def active(prefix: Path, user_base: Path) -> Mapping[str, str]:
    """Give the variables of a shell in which that environment is active."""
    return {
        "CONDA_PREFIX": str(prefix),
        "CONDA_DEFAULT_ENV": prefix.name,
        "CONDA_SHLVL": "1",
        "PATH": f"{prefix}/bin:{os.environ['PATH']}",
        "PYTHONUSERBASE": str(user_base),
    }


def imported(prefix: Path, **variables: str) -> str:
    done = subprocess.run(
        [str(prefix / "bin" / "python"), "-c", "import six; print('six==' + six.__version__)"],
        env=clean_variables(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
