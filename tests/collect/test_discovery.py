"""The files of a project's folders that declare an environment, and those that are left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reconciler.collect import discovery

from .trees import write

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = "name: x\ndependencies: [python]\n"


def found(project: Path) -> list[str]:
    return list(discovery.find(str(project)).value)


def said(project: Path) -> list[tuple[str | None, str]]:
    return [(gap.item, gap.reason) for gap in discovery.find(str(project)).gaps]


def test_the_files_of_the_project_and_of_its_folders_are_found(tmp_path: Path) -> None:
    names = ["environment.yml", "requirements.txt", "env/gpu.yaml", "examples/a/requirements.txt"]

    write(tmp_path, dict.fromkeys(names, ENVIRONMENT))

    assert found(tmp_path) == names


def test_the_nearest_come_first(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["a/b/requirements.txt", "z/requirements.txt"], ""))

    assert found(tmp_path) == ["z/requirements.txt", "a/b/requirements.txt"]


def test_yaml_that_is_of_something_else_is_left_alone(tmp_path: Path) -> None:
    files = {"compose.yml": "services: {}\n", "gpu.yml": ENVIRONMENT, "x.yml": "x: [dependencies:]"}

    assert found(write(tmp_path, files)) == ["gpu.yml"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_the_encoding_hides_nothing(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "gpu.yml").write_text("dependencies: [python]\n", encoding=encoding)

    assert found(tmp_path) == ["gpu.yml"]


def test_a_long_file_is_known_by_its_beginning(tmp_path: Path) -> None:
    text = ENVIRONMENT + "# \N{SNOWMAN}\n" * 50_000

    assert found(write(tmp_path, {"gpu.yml": text})) == ["gpu.yml"]


@pytest.mark.parametrize(
    "folder",
    [
        *(".git", "node_modules", "lib/python3.11/site-packages", "__pycache__", ".tox", ".nox"),
        *("vendor", "third_party", "pip/_vendor", ".pixi/envs/default"),
    ],
)
def test_what_is_others_is_left_out(tmp_path: Path, folder: str) -> None:
    assert found(write(tmp_path, {f"{folder}/requirements.txt": "torch\n"})) == []


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history", ".git/HEAD"])
def test_an_environment_and_another_repository_are_left_out(tmp_path: Path, mark: str) -> None:
    write(tmp_path, {f"other/{mark}": "", "other/a/requirements.txt": "torch\n"})

    assert found(tmp_path) == []


def test_a_project_may_be_a_repository_and_an_environment_itself(tmp_path: Path) -> None:
    names = {".git/HEAD": "", "pyvenv.cfg": "", "requirements.txt": ""}

    assert found(write(tmp_path, names)) == ["requirements.txt"]


IGNORED = {
    "a plain name": ("build\n", {"build/requirements.txt", "a/build/requirements.txt"}),
    "a folder": ("build/\n", {"build/requirements.txt", "a/build/requirements.txt"}),
    "a folder of the project": ("/build/\n", {"build/requirements.txt"}),
    "a file": ("requirements-*.txt\n", {"requirements-dev.txt", "a/requirements-dev.txt"}),
    "a class of letters": (
        "requirements-[a-e]*\n",
        {"requirements-dev.txt", "a/requirements-dev.txt"},
    ),
    "a path": ("a/build/*.txt\n", {"a/build/requirements.txt"}),
    "any depth": ("a/**/requirements.txt\n", {"a/build/requirements.txt"}),
    "what is taken back": (
        "*.txt\n!requirements.txt\n",
        {"requirements-dev.txt", "a/requirements-dev.txt"},
    ),
    "a folder that is taken back": ("build/\n!/build/\n", {"a/build/requirements.txt"}),
    "a comment": ("# requirements.txt\n\n*.pyc\n", set()),
    "a lone mark": ("!\n", set()),
}


@pytest.mark.parametrize(("text", "out"), IGNORED.values(), ids=IGNORED)
def test_what_git_ignores_is_left_out(tmp_path: Path, text: str, out: set[str]) -> None:
    names = {f"{folder}{name}" for folder in ("", "a/") for name in NAMES}
    write(tmp_path, dict.fromkeys(names, "") | {".git/HEAD": "", ".gitignore": text})

    assert {*found(tmp_path)} == names - out


NAMES = ("requirements-dev.txt", "build/requirements.txt")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there to ask")
@pytest.mark.parametrize("inner", ["", "!*.txt\n", "!build\n", "*\n", "/build\n", "!/build/\n"])
@pytest.mark.parametrize("outer", [text for text, _ in IGNORED.values()])
def test_git_itself_says_so(tmp_path: Path, outer: str, inner: str) -> None:
    names = {f"{folder}{name}" for folder in ("", "a/", "build/a/") for name in NAMES}
    write(tmp_path, dict.fromkeys(names, ""))
    write(tmp_path, {".gitignore": outer, "a/.gitignore": inner, "build/a/.gitignore": inner})
    git = ["git", "-c", "core.excludesFile=", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = [*git, "ls-files", "-o", "--exclude-standard", "*.txt"]

    said = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()

    assert sorted(found(tmp_path)) == sorted(said)


def test_what_a_folder_above_ignores_is_left_out(tmp_path: Path) -> None:
    files = {".git/HEAD": "", ".gitignore": "out-*/\n", "a/out-1/requirements.txt": ""}
    write(tmp_path, files | {"a/requirements.txt": ""})

    assert found(tmp_path / "a") == ["requirements.txt"]


def test_without_a_repository_nothing_above_ignores(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "requirements.txt\n", "a/requirements.txt": ""})

    assert found(tmp_path / "a") == ["requirements.txt"]


def test_a_gitignore_that_cannot_be_read_ignores_nothing(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore/x": "", "requirements.txt": ""})

    assert found(tmp_path) == ["requirements.txt"]


def test_pathspec_is_asked_only_where_it_may_have_a_say(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.py[cod]\nbuild/\n/docs/_build\n", "requirements.txt": ""})
    code = "import sys; from reconciler.collect import discovery; discovery.find('.'); "
    code += "print('pathspec' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_a_circle_of_folders_ends(tmp_path: Path) -> None:
    write(tmp_path, {"a/requirements.txt": ""})
    (tmp_path / "a" / "again").symlink_to(tmp_path)

    assert found(tmp_path) == ["a/requirements.txt"]


def test_a_link_to_a_file_of_the_project_is_no_second_file(tmp_path: Path) -> None:
    write(tmp_path, {"requirements/base.txt": ""})
    (tmp_path / "requirements.txt").symlink_to("requirements/base.txt")

    assert found(tmp_path) == ["requirements/base.txt"]


def test_a_link_to_a_file_elsewhere_is_the_project_s(tmp_path: Path) -> None:
    write(tmp_path, {"shared.txt": "", "project/x": ""})
    (tmp_path / "project" / "requirements.txt").symlink_to(tmp_path / "shared.txt")

    assert found(tmp_path / "project") == ["requirements.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFO")
def test_a_fifo_does_not_hold_it_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "any.yml")
    os.mkfifo(tmp_path / "requirements.txt")

    # Whoever reads them says that they cannot be read.
    assert found(tmp_path) == ["any.yml", "requirements.txt"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"closed/requirements.txt": "", "requirements.txt": ""})
    (tmp_path / "closed").chmod(0)

    assert said(tmp_path) == [("closed", "not searched: Permission denied")]


def test_a_project_that_is_gone_is_said(tmp_path: Path) -> None:
    assert said(tmp_path / "gone") == [(".", "not searched: No such file or directory")]


def test_what_lies_too_deep_is_said_once(tmp_path: Path) -> None:
    deep = "/".join("d" * discovery.DEPTH)
    write(tmp_path, {f"{deep}/requirements.txt": "", f"{deep}/a/x": "", f"{deep}/b/x": ""})

    assert found(tmp_path) == [f"{deep}/requirements.txt"]
    assert said(tmp_path) == [
        (f"{deep}/a", "more than 12 folders deep: this and its like are not searched")
    ]


def test_what_is_too_much_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, dict.fromkeys(["requirements.txt", "a/1", "a/2", "b/requirements.txt"], ""))
    monkeypatch.setattr(discovery, "ENTRIES", 4)

    assert found(tmp_path) == ["requirements.txt"]
    assert said(tmp_path) == [
        ("a", "more than 4 files and folders: from here on they are not searched")
    ]


def test_a_folder_of_data_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {f"labels/{number}.yml": "0.1\n" for number in range(4)}
    write(tmp_path, data | {"labels/5.yml": ENVIRONMENT, "labels/requirements.txt": ""})
    monkeypatch.setattr(discovery, "ALIKE", 2)

    assert found(tmp_path) == ["labels/requirements.txt"]
    assert [item for item, _ in said(tmp_path)] == ["labels/2.yml"]


def test_a_folder_of_environments_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {f"envs/{number}.yml": "0.1\n" for number in range(4)}
    write(tmp_path, {"envs/0.yaml": ENVIRONMENT, "envs/00.yml": ENVIRONMENT} | data)
    write(tmp_path, {"envs/5.yml": ENVIRONMENT})
    monkeypatch.setattr(discovery, "ALIKE", 2)

    assert found(tmp_path) == ["envs/0.yaml", "envs/00.yml", "envs/5.yml"]
    assert said(tmp_path) == []


def test_too_many_files_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, dict.fromkeys(["requirements.txt", "a/requirements.txt"], ""))
    monkeypatch.setattr(discovery, "FILES", 1)

    assert found(tmp_path) == ["requirements.txt"]
    assert said(tmp_path) == [(".", "2 files declare environments: 1 of them are read")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names of any bytes")
def test_a_name_of_any_bytes_is_stored(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(folder)
    with open(folder + b"/requirements.txt", "wb"):
        pass

    assert found(tmp_path) == ["\U0010ffff/requirements.txt"]


def test_a_project_of_thousands_of_files_costs_little(tmp_path: Path) -> None:
    for folder in range(100):
        names = [f"{folder}/m{number}.py" for number in range(47)]
        texts = {f"{folder}/{n}.yml": "a: 1\n" * 100 for n in range(3)}
        write(tmp_path, dict.fromkeys(names, "") | texts)
    discovery.find(str(tmp_path))

    started = time.process_time()
    discovery.find(str(tmp_path))

    # Some 15 ms where nothing else runs.
    assert time.process_time() - started < 5
