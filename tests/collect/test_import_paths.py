from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect.ground import EvidenceWanted
from reconciler.model.host import ImportPath
from reconciler.model.snapshot import Fact
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, look, reasons, venv, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.snapshot import Snapshot

FACTS = (Fact.RECORDS, Fact.PYTHON, Fact.STATE, Fact.PYTHONPATH, Fact.IMPORT_PATHS, Fact.OUTSIDE)
WANTED = EvidenceWanted(imports=frozenset({"torch", "numpy"}))
NOBODY = {"HOME": "/nonexistent"}


def snapshot_of(prefix: Path | None, project: Path | str = "/project", **environ: str) -> Snapshot:
    return look(prefix, *FACTS, project=project, environ=NOBODY | environ, wanted=WANTED)


def paths(prefix: Path, **environ: str) -> list[ImportPath]:
    entries = snapshot_of(prefix, **environ).import_paths
    return [entry for entry in entries if entry.origin != "working directory"]


@pytest.fixture
def conda(tmp_path: Path) -> Path:
    return conda_prefix(tmp_path / "conda", PYTHON_RECORD)


def test_a_plain_environment_has_its_site_packages_alone(conda: Path) -> None:
    assert paths(conda) == [ImportPath(path=SITE, origin="site-packages")]


def test_without_an_environment_it_is_a_gap() -> None:
    assert reasons(snapshot_of(None))[None] == "no environment to look at"


def test_without_a_python_there_is_no_path(tmp_path: Path) -> None:
    write(tmp_path, {"conda-meta/history": ""})

    assert snapshot_of(tmp_path).import_paths == ()


def test_pythonpath_comes_first_then_the_user_site(conda: Path, tmp_path: Path) -> None:
    write(tmp_path, {f".local/{SITE}/x.py": "", "src/x.py": ""})

    entries = paths(conda, HOME=str(tmp_path), PYTHONPATH=f"{tmp_path}/src")

    assert [(e.path, e.origin) for e in entries] == [
        (f"{tmp_path}/src", "PYTHONPATH"),
        (f"{tmp_path}/.local/{SITE}", "user site"),
        (SITE, "site-packages"),
    ]


def test_the_own_site_packages_through_a_link_is_the_own_one(conda: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(conda)

    (only,) = paths(conda, PYTHONPATH=f"{tmp_path}/link/{SITE}")

    assert (only.path, only.origin) == (SITE, "PYTHONPATH")


def test_the_working_directory_comes_before_all(conda: Path) -> None:
    first, *_ = snapshot_of(conda, PYTHONPATH="/src").import_paths

    assert first == ImportPath(path="/project", origin="working directory")


def test_a_safe_path_has_no_working_directory(conda: Path) -> None:
    (only,) = snapshot_of(conda, PYTHONSAFEPATH="1").import_paths

    assert only.origin == "site-packages"


def test_pythonuserbase_is_the_user_site_in_place_of_home(conda: Path, tmp_path: Path) -> None:
    write(tmp_path, {f".local/{SITE}/x.py": "", f"base/{SITE}/x.py": ""})

    first, _ = paths(conda, HOME=str(tmp_path), PYTHONUSERBASE=f"{tmp_path}/base")

    assert first.path == f"{tmp_path}/base/{SITE}"


def test_without_a_home_it_is_not_known_where_the_user_site_lies(conda: Path) -> None:
    snapshot = look(conda, *FACTS, environ={})

    assert "HOME is not set" in reasons(snapshot)["user site"]


def test_the_user_site_of_windows_lies_in_appdata(tmp_path: Path) -> None:
    prefix = write(tmp_path / "conda", {"conda-meta/history": "", "python311.dll": ""})
    write(prefix, {"Lib/site-packages/x.py": "", "python.exe": ""})
    write(tmp_path, {"Roaming/Python/Python311/site-packages/x.py": ""})

    snapshot = look(prefix, *FACTS, environ={"APPDATA": f"{tmp_path}/Roaming"}, platform="win-64")

    assert [entry.path for entry in snapshot.import_paths[1:]] == [
        f"{tmp_path}/Roaming/Python/Python311/site-packages",
        "Lib/site-packages",
    ]


def test_a_folder_that_may_not_be_listed_is_a_gap(conda: Path, tmp_path: Path) -> None:
    (tmp_path / "user").mkdir()
    site = tmp_path / "user" / SITE
    site.mkdir(parents=True)
    site.chmod(0)

    snapshot = snapshot_of(conda, PYTHONUSERBASE=f"{tmp_path}/user")
    site.chmod(0o700)

    assert os.geteuid() == 0 or str(site) in reasons(snapshot)
    assert snapshot.import_paths[1].path == str(site)


def test_the_free_threaded_python_has_a_user_site_of_its_own(tmp_path: Path) -> None:
    own = "lib/python3.13t/site-packages"
    record = {**PYTHON_RECORD, "version": "3.13.1", "python_site_packages_path": own}
    prefix = conda_prefix(tmp_path / "conda", record)
    write(tmp_path, {f".local/{own}/x.py": "", ".local/lib/python3.13/site-packages/x.py": ""})

    first, *_ = paths(prefix, HOME=str(tmp_path))

    assert first.path == f"{tmp_path}/.local/{own}"


def test_the_environments_own_variable_switches_the_user_site_off(
    conda: Path, tmp_path: Path
) -> None:
    write(tmp_path, {f".local/{SITE}/x.py": ""})
    write(conda, {"conda-meta/state": '{"env_vars": {"PYTHONNOUSERSITE": "1"}}'})

    (only,) = paths(conda, HOME=str(tmp_path))

    assert only.origin == "site-packages"


@pytest.mark.parametrize("system", ["false", "False"])
def test_a_venv_has_no_user_site(tmp_path: Path, system: str) -> None:
    prefix = venv(tmp_path / "venv")
    text = f"home = /usr/bin\nversion = 3.11.7\ninclude-system-site-packages = {system}\n"
    write(prefix, {"pyvenv.cfg": text})
    write(tmp_path, {f".local/{SITE}/x.py": ""})

    (only,) = paths(prefix, HOME=str(tmp_path))

    assert only.path == SITE


def test_a_venv_that_lets_the_system_in_comes_before_it(tmp_path: Path) -> None:
    base = write(tmp_path / "base", {f"{SITE}/x.py": "", "lib/python3/dist-packages/x.py": ""})
    prefix = venv(tmp_path / "venv")
    text = f"home = {base}/bin\nversion = 3.11.7\ninclude-system-site-packages = true\n"
    write(prefix, {"pyvenv.cfg": text})
    write(tmp_path, {f".local/{SITE}/x.py": ""})

    assert [e.path for e in paths(prefix, HOME=str(tmp_path))] == [
        SITE,
        f"{tmp_path}/.local/{SITE}",
        f"{base}/{SITE}",
        f"{base}/lib/python3/dist-packages",
    ]


def test_a_pth_file_adds_what_is_there_and_says_which_it_was(conda: Path, tmp_path: Path) -> None:
    write(tmp_path, {"src/x.py": ""})
    write(conda, {f"{SITE}/x.pth": f"# {tmp_path}\n{tmp_path}/src\n{tmp_path}/gone\n"})

    _, added = paths(conda)

    assert added == ImportPath(path=f"{tmp_path}/src", origin=".pth", via=f"{SITE}/x.pth")


def test_what_a_pth_file_would_execute_is_noted_and_left(conda: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    write(conda, {f"{SITE}/x.pth": f"import os; os.mkdir({str(mark)!r})\n"})

    (site,) = paths(conda)

    assert site.runs == ("x.pth",)
    assert not mark.exists()


@pytest.mark.parametrize("name", [".hidden.pth", "x.pth.bak"])
def test_a_file_that_site_passes_over_adds_nothing(conda: Path, tmp_path: Path, name: str) -> None:
    write(conda, {f"{SITE}/{name}": str(tmp_path)})

    assert len(paths(conda)) == 1


def test_hostile_pth_files_are_gaps_of_their_own(conda: Path, tmp_path: Path) -> None:
    site = conda / SITE
    os.mkfifo(site / "fifo.pth")
    (site / "loop.pth").symlink_to("loop.pth")
    write(
        conda,
        {
            f"{SITE}/big.pth": b"\n" * (2 << 20),
            f"{SITE}/nul.pth": b"/\0\n",
            f"{SITE}/odd.pth": b"\xff\xfe/caf\xe9\n" + str(tmp_path).encode(),
        },
    )

    snapshot = snapshot_of(conda)

    assert {f"{SITE}/{name}.pth" for name in ("fifo", "loop", "big")} <= reasons(snapshot).keys()
    assert snapshot.import_paths[-1].path == str(tmp_path)
    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot


def test_what_answers_a_wanted_import_outside_is_listed(conda: Path, tmp_path: Path) -> None:
    files = ["torch/__init__.py", "numpy.py", "numpy.so", "jax.py", "x/torch.py"]
    files += ["numpy.cpython-38-x86_64-linux-gnu.so"]
    write(tmp_path / "src", dict.fromkeys(files, ""))
    write(conda, {f"{SITE}/torch/__init__.py": ""})

    outside, own = paths(conda, PYTHONPATH=f"{tmp_path}/src")

    assert outside.modules == ("torch/__init__.py", "numpy.py", "numpy.so")
    assert own.modules == ()


def test_a_folder_without_init_answers_nothing(conda: Path, tmp_path: Path) -> None:
    write(tmp_path, {"torch/weights.pt": ""})

    assert snapshot_of(conda, project=tmp_path).import_paths[0].modules == ()


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({}, None),
        ({"pyproject.toml": "[tool.ruff]\n"}, None),
        ({"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'}, ""),
        ({"pyproject.toml": '[project]\nname = "torch"\n'}, "torch"),
        ({"pyproject.toml": '[tool.poetry]\nname = "torch"\n'}, "torch"),
        ({"pyproject.toml": "[project\n"}, ""),
        ({"pyproject.toml": "project = 1\n[tool]\n", "setup.py": "setup(name='torch')"}, "torch"),
        ({"setup.cfg": "[metadata]\nname = torch\n"}, "torch"),
        ({"setup.py": "setup(name=NAME)"}, ""),
    ],
    ids=str,
)
def test_a_project_that_hides_a_framework_says_what_it_is_the_source_of(
    conda: Path, tmp_path: Path, files: dict[str, str], name: str | None
) -> None:
    project = write(tmp_path / "project", {"torch.py": "", **files})

    assert snapshot_of(conda, project=project).import_paths[0].source_of == name


def test_distributions_outside_have_absolute_places(conda: Path, tmp_path: Path) -> None:
    base = tmp_path / ".local"
    dist_info(base, "six", "1.16.0", RECORD="six.py,,\n")
    dist_info(conda, "six", "1.17.0")

    (six,) = snapshot_of(conda, HOME=str(tmp_path)).outside

    assert (six.version, six.location) == ("1.16.0", f"{base}/{SITE}")


def test_distributions_of_the_project_are_not_outside(conda: Path, tmp_path: Path) -> None:
    write(tmp_path, {"x-1.0.dist-info/METADATA": "Name: x\nVersion: 1.0\n\n"})

    assert snapshot_of(conda, project=tmp_path).outside == ()


def test_one_broken_distribution_outside_hides_no_other(conda: Path, tmp_path: Path) -> None:
    write(
        tmp_path, {"a-1.0.dist-info/x": "", "b-1.0.dist-info/METADATA": "Name: b\nVersion: 1\n\n"}
    )

    snapshot = snapshot_of(conda, PYTHONPATH=str(tmp_path))

    assert [d.name for d in snapshot.outside] == ["b"]
    assert f"{tmp_path}/a-1.0.dist-info" in reasons(snapshot)
