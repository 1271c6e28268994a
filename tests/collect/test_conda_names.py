"""Environments by name, as .condarc files and conda's own API know them.

The fake conda has the names of the real one that are asked: ``conda.CondaError``, and
``conda.base.context.Context(SEARCH_PATH)`` with ``root_prefix`` and ``envs_dirs``. As in the real
one, a context that is given no search path has read no .condarc.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.collect import conda_names
from reconciler.collect.prefixes import Choice, choose, find
from reconciler.errors import TargetNotFoundError

from .trees import conda_prefix, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONDA = "class CondaError(Exception):\n    pass\n"
CONTEXT = """
class Context:
    def __init__(self, search_path=()):
        self.root_prefix = {root!r}
        self.envs_dirs = ({envs!r},) if search_path else ()

context = Context()
"""
BROKEN = "from conda import CondaError\nraise CondaError('a .condarc that is none')\n"
MANAGER = "raise SystemExit('it rewrites environments.txt')\n"


@pytest.fixture(autouse=True)
def _without_conda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget whatever conda a test has imported."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "conda"]:
        del sys.modules[name]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A conda with an environment in a folder of its own."""
    conda_prefix(tmp_path / "data" / "envs" / "gpu")
    return conda_prefix(tmp_path / "conda")


def fake_conda(folder: Path, context: str) -> None:
    write(
        folder,
        {
            "fake/conda/__init__.py": CONDA,
            "fake/conda/base/__init__.py": "",
            "fake/conda/base/constants.py": "SEARCH_PATH = ('~/.condarc',)\n",
            "fake/conda/base/context.py": context,
            "fake/conda/core/__init__.py": "",
            "fake/conda/core/envs_manager.py": MANAGER,
        },
    )
    sys.path.insert(0, str(folder / "fake"))


def test_where_conda_cannot_be_imported_nothing_is_known(tmp_path: Path) -> None:
    assert conda_names.ask() is None
    assert find("gpu", {"HOME": str(tmp_path)}) is None


def test_a_name_that_only_conda_knows_is_found(tmp_path: Path, root: Path) -> None:
    envs = tmp_path / "data" / "envs"
    fake_conda(tmp_path, CONTEXT.format(root=str(root), envs=str(envs)))

    assert find("gpu", {"HOME": str(tmp_path)}) == str(envs / "gpu")
    assert find("base", {"HOME": str(tmp_path)}) == str(root)
    assert find("unknown", {"HOME": str(tmp_path)}) is None


def test_conda_says_what_its_files_say(tmp_path: Path, root: Path) -> None:
    envs = tmp_path / "data" / "envs"
    write(tmp_path, {".condarc": f"envs_dirs:\n  - {envs}\n"})
    by_files = find("gpu", {"HOME": str(tmp_path)})

    fake_conda(tmp_path, CONTEXT.format(root=str(root), envs=str(envs)))

    assert by_files == find("gpu", {"HOME": str(tmp_path / "nobody")}) == str(envs / "gpu")


@pytest.mark.usefixtures("root")
def test_a_name_that_the_files_know_does_not_take_conda(tmp_path: Path) -> None:
    fake_conda(tmp_path, "raise SystemExit('imported')\n")
    environ = {"HOME": str(tmp_path), "CONDA_ENVS_PATH": str(tmp_path / "data" / "envs")}

    assert find("gpu", environ) == str(tmp_path / "data" / "envs" / "gpu")


@pytest.mark.parametrize("context", [BROKEN, "", "import conda.gone\n"])
def test_a_conda_that_cannot_tell_is_passed_over(tmp_path: Path, context: str) -> None:
    fake_conda(tmp_path, context)

    with pytest.raises(TargetNotFoundError, match="no conda environment of that name"):
        choose(str(tmp_path), Choice(name="gpu"), {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    "path",
    [
        "home/.condarc",
        "home/.conda/.condarc",
        "home/.conda/condarc.d/here.yml",
        "home/.config/conda/condarc",
        "home/.config/conda/condarc.d/here.yaml",
        "xdg/conda/.condarc",
        "xdg/conda/condarc.d/here.yml",
        "conda/.condarc",
        "conda/condarc.d/here.yml",
        "active/condarc",
        "active/condarc.d/here.yml",
        "named.yml",
    ],
)
def test_each_condarc_is_read(tmp_path: Path, root: Path, path: str) -> None:
    write(tmp_path, {path: f"channels: [conda-forge]\nenvs_dirs:\n  - {tmp_path}/data/envs\n"})
    environ = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "CONDA_EXE": str(root / "bin" / "conda"),
        "CONDA_PREFIX": str(tmp_path / "active"),
        "CONDARC": str(tmp_path / "named.yml"),
    }

    assert find("gpu", environ) == str(tmp_path / "data" / "envs" / "gpu")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("folder", ["~/data/envs", "$HOME/data/envs", "${DATA}/envs"])
def test_a_folder_may_be_written_with_a_variable(tmp_path: Path, folder: str) -> None:
    write(tmp_path, {".condarc": f"envs_path: ['{folder}']\n"})
    environ = {"HOME": str(tmp_path), "DATA": str(tmp_path / "data")}

    assert find("gpu", environ) == str(tmp_path / "data" / "envs" / "gpu")


@pytest.mark.parametrize(
    "text", ["[", "envs_dirs: 1\n", "envs_dirs: [{a: b}]\n", "[]", "", "\x00", "$"]
)
def test_a_condarc_that_is_none_is_passed_over(tmp_path: Path, text: str) -> None:
    write(tmp_path, {".condarc": text})

    assert find("gpu", {"HOME": str(tmp_path)}) is None


def test_the_files_of_a_folder_count_in_conda_s_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".conda/condarc.d/10-site.yml": "envs_dirs: [/site]\n",
            ".conda/condarc.d/20-group.yaml": "envs_dirs: [/group]\n",
            ".conda/condarc": "envs_dirs: [/condarc]\n",
            ".conda/.condarc": "envs_dirs: [/dotted]\n",
            ".condarc": "envs_dirs: [/home]\n",
            "active/condarc.d/a.yml": "envs_dirs: [/active]\n",
        },
    )
    environ = {"HOME": str(tmp_path), "CONDA_PREFIX": str(tmp_path / "active")}

    listed = list(conda_names.configured(environ))

    assert listed == ["/active", "/home", "/group", "/site", "/condarc", "/dotted"]


def test_a_variable_may_lead_to_a_folder_of_files(tmp_path: Path) -> None:
    write(tmp_path, {"rc/a.yml": "envs_dirs: [/a]\n"})

    assert list(conda_names.configured({"CONDARC": str(tmp_path / "rc")})) == ["/a"]


def test_what_is_no_file_of_yaml_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    folder = ".conda/condarc.d"
    write(
        tmp_path,
        {
            f"{folder}/README": "envs_dirs: [/readme]\n",
            f"{folder}/a.yml~": "envs_dirs: [/backup]\n",
            f"{folder}/b.yml/c.yml": "envs_dirs: [/deeper]\n",
            f"{folder}/good.yml": "envs_dirs: [/good]\n",
            f"{folder}/torn.yml": "envs_dirs: [",
        },
    )
    os.mkfifo(tmp_path / folder / "fifo.yml")
    (tmp_path / folder / "loop.yml").symlink_to("loop.yml")

    assert list(conda_names.configured({"HOME": str(tmp_path)})) == ["/good"]


def test_a_folder_of_very_many_files_is_not_read_to_its_end(tmp_path: Path) -> None:
    count = conda_names.MOST_FILES + 5
    texts = {f"rc/{n:04}.yml": f"envs_dirs: [/{n}]\n" for n in range(count)}
    write(tmp_path, texts)

    listed = list(conda_names.configured({"CONDARC": str(tmp_path / "rc")}))

    assert (len(listed), listed[0]) == (conda_names.MOST_FILES, f"/{count - 1}")
