"""envfix as its users start it: in an environment that has the fault it looks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from collect.trees import PYTHON_RECORD, SITE, conda_prefix, dist_info, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BROKEN = "raise SystemExit('broken: this was imported')\n"
CHECKOUT = Path(__file__).resolve().parents[1]
SCRIPT = Path(sysconfig.get_path("scripts")) / "envfix"
MODULE = (sys.executable, "-m", "reconciler")
STARTS = [
    pytest.param(MODULE, id="python -m reconciler"),
    pytest.param(
        (str(SCRIPT),),
        id="envfix",
        marks=pytest.mark.skipif(not SCRIPT.exists(), reason="envfix is not installed here"),
    ),
]
NAMES = ["click", "typing", "msgspec", "packaging", "ruamel", "json", "textwrap", "enum"]

either_start = pytest.mark.parametrize("start", STARTS)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A healthy conda environment."""
    return conda_prefix(tmp_path / "prefix", PYTHON_RECORD)


@pytest.fixture(scope="module")
def base_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python of the system that has envfix: a virtual environment would have no user site."""
    folder = tmp_path_factory.mktemp("base")
    stdlib = Path(sysconfig.get_path("stdlib"))
    copied = folder / "lib" / stdlib.name
    (copied / "site-packages").mkdir(parents=True)
    for entry in stdlib.iterdir():
        if entry.name != "site-packages":
            (copied / entry.name).symlink_to(entry)
    found = (str(CHECKOUT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    write(copied, {"site-packages/envfix.pth": "\n".join(found)})
    python = folder / "bin" / stdlib.name
    python.parent.mkdir()
    shutil.copy2(sys._base_executable, python)
    return str(python)


def run(
    start: Sequence[str], *arguments: str | Path, cwd: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    known = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    command = [*start, *map(os.fspath, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=known | {"HOME": os.fspath(cwd)} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def scan(
    start: Sequence[str],
    prefix: Path,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Mapping[str, object]:
    """Scan an empty project; the report, which must be there and clean."""
    project = prefix.parent / "project"
    project.mkdir(exist_ok=True)
    options = ("--no-host", "--format", "json", "--fail-on", "never")
    done = run(
        start, "scan", project, "-p", prefix, *options, cwd=cwd or project, environ=environ or {}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def codes(report: Mapping[str, object]) -> Sequence[str]:
    return [finding["code"] for finding in report["findings"]]


def modules(folder: Path, *names: str, text: str = BROKEN) -> Path:
    return write(folder, {f"{name}.py": text for name in names})


@either_start
def test_a_healthy_environment_is_clean(prefix: Path, start: Sequence[str]) -> None:
    assert codes(scan(start, prefix)) == []


@either_start
@pytest.mark.parametrize("name", NAMES)
def test_a_broken_module_in_pythonpath_is_not_imported(
    tmp_path: Path, prefix: Path, start: Sequence[str], name: str
) -> None:
    if name == "enum" and start != MODULE:
        pytest.skip("the start of a console script imports enum before any line of envfix")
    hostile = modules(tmp_path / "hostile", name)

    assert codes(scan(start, prefix, environ={"PYTHONPATH": str(hostile)})) == []


@either_start
def test_the_pythonpath_is_still_seen(tmp_path: Path, prefix: Path, start: Sequence[str]) -> None:
    hostile = modules(tmp_path / "lib" / "python3.8" / "site-packages", "click", "typing")

    assert codes(scan(start, prefix, environ={"PYTHONPATH": str(hostile)})) == ["PTH401"]


@either_start
def test_the_pythonpath_is_kept_in_the_saved_snapshot(
    tmp_path: Path, prefix: Path, start: Sequence[str]
) -> None:
    hostile = modules(tmp_path / "hostile", "click")
    saved = tmp_path / "snapshot.json"

    run(
        start,
        *("scan", tmp_path, "-p", prefix, "--save-snapshot", saved),
        cwd=tmp_path,
        environ={"PYTHONPATH": str(hostile)},
    )

    snapshot = json.loads(saved.read_bytes())
    assert snapshot["variables"]["PYTHONPATH"] == str(hostile)
    assert [entry["path"] for entry in snapshot["pythonpath"]] == [str(hostile)]


@either_start
def test_the_mark_of_the_second_start_stays_out_of_the_snapshot(
    tmp_path: Path, prefix: Path, start: Sequence[str]
) -> None:
    saved = tmp_path / "snapshot.json"

    run(
        start,
        *("scan", tmp_path, "-p", prefix, "--save-snapshot", saved),
        cwd=tmp_path,
        environ={"PYTHONPATH": str(tmp_path)},
    )

    assert b"_ENVFIX" not in saved.read_bytes()


@either_start
def test_a_pythonpath_that_is_a_site_packages_is_not_imported_from(
    tmp_path: Path, prefix: Path, start: Sequence[str]
) -> None:
    # modules that the libraries of envfix try to import, and do without
    mark = tmp_path / "mark"
    text = f"open({str(mark)!r}, 'w')\n"
    site = modules(
        tmp_path / "x" / SITE, "_ruamel_yaml", "typing_extensions", "ordereddict", text=text
    )
    project = write(tmp_path / "project", {"environment.yml": "dependencies: [python]\n"})

    scan(start, prefix, cwd=project, environ={"PYTHONPATH": str(site)})

    assert not mark.exists()


@pytest.mark.parametrize("name", ["click", "typing", "msgspec", "json", "enum", "reconciler.cli"])
def test_a_broken_module_in_the_working_directory_is_not_imported(
    tmp_path: Path, prefix: Path, name: str
) -> None:
    project = modules(tmp_path / "project", name)

    assert codes(scan(MODULE, prefix, cwd=project)) == []


@pytest.mark.skipif(not SCRIPT.exists(), reason="envfix is not installed here")
def test_the_command_imports_nothing_from_the_working_directory(
    tmp_path: Path, prefix: Path
) -> None:
    project = modules(tmp_path / "project", *NAMES, "reconciler", "sitecustomize")

    assert codes(scan((str(SCRIPT),), prefix, cwd=project)) == []


@pytest.mark.skipif(os.name == "nt", reason="the copy of the interpreter is one of POSIX")
@pytest.mark.parametrize("name", ["click", "typing", "msgspec", "json"])
def test_a_broken_module_in_the_user_site_is_not_imported(
    tmp_path: Path, prefix: Path, base_python: str, name: str
) -> None:
    environ = {"PYTHONUSERBASE": str(tmp_path / "base")}
    asked = (base_python, "-c", "import site; print(site.getusersitepackages())")
    user_site = Path(run(asked, cwd=tmp_path, environ=environ).stdout.strip())
    modules(user_site, name)
    start = (base_python, "-c", "from reconciler.__main__ import main; main()")

    assert codes(scan(start, prefix, environ=environ)) == []


@either_start
@pytest.mark.parametrize("isolating", [{}, {"PYTHONPATH": "/nowhere"}])
def test_nothing_of_the_environment_is_executed(
    tmp_path: Path, prefix: Path, start: Sequence[str], isolating: Mapping[str, str]
) -> None:
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w')\n"
    dist_info(prefix, "torch", "2.1.2", RECORD="torch/__init__.py,,\ntorch/version.py,,\n")
    write(
        prefix,
        {
            f"{SITE}/hostile.pth": f"import os; {code}",
            f"{SITE}/sitecustomize.py": code,
            f"{SITE}/usercustomize.py": code,
            f"{SITE}/torch/__init__.py": code,
            f"{SITE}/torch/version.py": f"cuda = '12.1'\n{code}",
            "bin/python": f"#!/bin/sh\n: > {mark}\n",
            "bin/conda": f"#!/bin/sh\n: > {mark}\n",
            "etc/conda/activate.d/hostile.sh": f": > {mark}\n",
        },
    )
    for name in ("python", "conda"):
        (prefix / "bin" / name).chmod(0o755)
    active = {"CONDA_PREFIX": str(prefix), "PATH": f"{prefix / 'bin'}{os.pathsep}{os.defpath}"}

    scan(start, prefix, environ={**active, **isolating})

    assert not mark.exists()


@either_start
def test_the_arguments_reach_the_second_start_as_they_are(
    tmp_path: Path, start: Sequence[str]
) -> None:
    project = tmp_path / "a  'b' \"c\" $HOME \\ é"

    done = run(start, "scan", project, cwd=tmp_path, environ={"PYTHONPATH": str(tmp_path)})

    assert done.returncode == 2
    assert str(project) in done.stderr


@either_start
@pytest.mark.parametrize(
    ("arguments", "status"), [(["--version"], 0), (["scan", "nowhere"], 2), (["nonsense"], 2)]
)
def test_the_exit_code_of_the_second_start_is_that_of_the_first(
    tmp_path: Path, start: Sequence[str], arguments: Sequence[str], status: int
) -> None:
    done = run(start, *arguments, cwd=tmp_path, environ={"PYTHONPATH": str(tmp_path)})

    assert done.returncode == status


@either_start
def test_nothing_is_written_beside_a_broken_module(
    tmp_path: Path, prefix: Path, start: Sequence[str]
) -> None:
    hostile = modules(tmp_path / "hostile", "click")

    scan(start, prefix, environ={"PYTHONPATH": str(hostile)})

    assert os.listdir(hostile) == ["click.py"]
