"""What is released: the wheel, the source distribution, and that both are the same each time."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("hatchling", reason="the session `package` of nox installs it")

ROOT = Path(__file__).parents[1]
#: In bytes. Twice what it is would be a table, or a picture, that nobody has looked at.
SIZES = {"wheel": 1_700_000, "sdist": 2_800_000}


def build(root: Path, folder: Path, *targets: str) -> dict[str, Path]:
    """Build from a source tree, as every front end does, and return what was made."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    options = [option for target in targets for option in ("-t", target)]
    done = subprocess.run([*command, *options], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    ends = {"wheel": "*.whl", "sdist": "*.tar.gz"}
    return {target: next(folder.glob(ends[target])) for target in targets}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    # Where the session has built already, its files are what is looked at.
    folder = Path(os.environ.get("ENVFIX_DIST") or tmp_path_factory.mktemp("dist"))
    if list(folder.glob("*.whl")):
        return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}
    return build(ROOT, folder, "sdist", "wheel")


@pytest.fixture(scope="session")
def unpacked(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built["sdist"]) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def read(wheel: Path, end: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(f".dist-info/{end}"))
        return archive.read(name)


def test_the_source_distribution_builds_the_same_files_at_another_time(
    built: dict[str, Path], unpacked: Path, tmp_path: Path
) -> None:
    os.utime(unpacked / "README.md", (1_000_000_000, 1_000_000_000))
    before = os.umask(0o077)
    try:
        again = build(unpacked, tmp_path, "sdist", "wheel")
    finally:
        os.umask(before)

    assert {k: p.read_bytes() for k, p in again.items()} == {
        k: p.read_bytes() for k, p in built.items()
    }


def is_shipped(path: Path) -> bool:
    is_maintainers = path.suffix == ".toml" or path.name in MAINTAINERS
    return "__pycache__" not in path.parts and not (path.parent.name in TABLES and is_maintainers)


TABLES = {"catalog", "errors"}
#: A license is among the licenses.
MAINTAINERS = {"generate.py", "refresh.py", "LICENSE.parselmouth"}


def test_the_wheel_holds_the_package_and_nothing_else(
    built: dict[str, Path], unpacked: Path
) -> None:
    sources = (path for path in (unpacked / "reconciler").rglob("*") if path.is_file())
    wanted = {path.relative_to(unpacked).as_posix() for path in sources if is_shipped(path)}

    beside = re.compile(r"envfix_cuda-[^/]+\.(?:dist-info/.+|data/data/share/man/man1/envfix\.1)")
    files = {name for name in files_of(built["wheel"]) if not beside.fullmatch(name)}

    assert files == wanted
    assert {"reconciler/py.typed", "reconciler/catalog/releases.json"} <= files
    assert any(name.endswith(".html.j2") for name in files)
    assert not any(name.endswith(".toml") for name in files)


def test_every_table_has_its_json_in_the_wheel(built: dict[str, Path]) -> None:
    tables = sorted((ROOT / "reconciler/catalog").rglob("*.toml"))
    files = files_of(built["wheel"])
    # What is left out of the tables on purpose, with its reason, is for their test.
    missing = {
        table.stem
        for table in tables
        if table.relative_to(ROOT).with_suffix(".json").as_posix() not in files
    }

    assert missing == {"left_out"}


def test_the_wheel_has_each_license(built: dict[str, Path]) -> None:
    metadata = message_from_bytes(read(built["wheel"], "METADATA"))

    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert read(built["wheel"], "licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert set(metadata.get_all("License-File", ())) == {
        "LICENSE",
        "reconciler/catalog/LICENSE.parselmouth",
    }


def test_the_wheel_says_what_it_is(built: dict[str, Path]) -> None:
    metadata = message_from_bytes(read(built["wheel"], "METADATA"))
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist", ())]

    assert (metadata["Name"], metadata["Version"]) == ("envfix-cuda", __version__)
    assert metadata["Requires-Python"] == ">=3.11"
    assert "conda" not in {requirement.name for requirement in needed}
    required = {canonicalize_name(r.name) for r in needed if r.marker is None}
    assert required >= {"click", "msgspec", "ruamel-yaml"}
    assert b"Root-Is-Purelib: true" in read(built["wheel"], "WHEEL")


def test_the_wheel_brings_the_command_and_the_plugin(built: dict[str, Path]) -> None:
    points = configparser.ConfigParser(delimiters="=")
    points.read_string(read(built["wheel"], "entry_points.txt").decode())

    assert dict(points["console_scripts"]) == {"envfix": "reconciler.__main__:main"}
    assert dict(points["conda"]) == {"envfix": "reconciler.conda_plugin"}


@pytest.mark.parametrize(
    "path",
    [
        "LICENSE",
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "PKG-INFO",
        "pyproject.toml",
        "noxfile.py",
        "tests/test_package.py",
        "fixtures/envs",
        "recipe/recipe.yaml",
        "action.yml",
        ".pre-commit-hooks.yaml",
        "reconciler/catalog/releases.toml",
    ],
)
def test_the_source_distribution_holds_what_its_tests_need(unpacked: Path, path: str) -> None:
    assert (unpacked / path).exists()


@pytest.mark.parametrize("name", ["__pycache__", ".git", ".venv", ".hypothesis", "dist", ".nox"])
def test_the_source_distribution_holds_nothing_that_was_made(unpacked: Path, name: str) -> None:
    assert [path for path in unpacked.rglob(name) if "fixtures" not in path.parts] == []


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_what_is_released_stays_small(
    built: dict[str, Path], target: str, record_property: Callable[[str, object], None]
) -> None:
    record_property(target, built[target].stat().st_size)

    assert built[target].stat().st_size < SIZES[target]
