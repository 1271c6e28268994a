"""The user's settings: where they are found, what they may say, and what is told of a mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
from collect.trees import write

from reconciler import config, pipeline
from reconciler.config import Config, Settings
from reconciler.errors import ConfigError
from reconciler.model.install_set import SUBDIRS

if TYPE_CHECKING:
    from pathlib import Path

CODES = ("CUD201", "CUD202", "DEC701", "DEC712")
WHOLE = """\
select = ["CUD", "DEC"]
platforms = ["linux-64", "win-64"]
cuda = "12.4"
fail-on = "error"

[ignore]
CUD202 = "our cluster has its own CUDA"

[per-file-ignores."docs/*.yml"]
DEC701 = "an old example"
"""


def load(folder: Path) -> Config:
    return config.load(str(folder), CODES)


def mistake(folder: Path, text: str, name: str = "envfix.toml") -> str:
    write(folder, {name: text})
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return str(caught.value).removeprefix(f"{folder}/")


def test_without_a_file_everything_is_as_it_comes(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", "pyproject.toml": '[project]\nname = "x"\n'})

    assert load(tmp_path) == Config()


def test_every_setting_is_read(tmp_path: Path) -> None:
    settings = load(write(tmp_path, {"envfix.toml": WHOLE})).settings

    assert settings == Settings(
        select=("CUD", "DEC"),
        ignore={"CUD202": "our cluster has its own CUDA"},
        per_file_ignores={"docs/*.yml": {"DEC701": "an old example"}},
        platforms=("linux-64", "win-64"),
        cuda="12.4",
        fail_on="error",
    )


@pytest.mark.parametrize(
    "text",
    ['[tool.envfix]\ncuda = "none"\n', '[tool]\nenvfix = { cuda = "none" }\n'],
    ids=["a table", "an inline table"],
)
def test_the_table_of_pyproject_toml_is_read(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, {"pyproject.toml": text})).settings.cuda == "none"


def test_envfix_toml_wins_over_the_pyproject_toml_beside_it(tmp_path: Path) -> None:
    files = {"envfix.toml": 'cuda = "none"\n', "pyproject.toml": '[tool.envfix]\ncuda = "12.4"\n'}

    assert load(write(tmp_path, files)).settings.cuda == "none"


def test_the_nearest_file_upward_counts(tmp_path: Path) -> None:
    files = {"envfix.toml": 'cuda = "12.4"\n', "a/envfix.toml": 'cuda = "none"\n', "a/b/c/x": ""}

    assert load(write(tmp_path, files) / "a" / "b" / "c").settings.cuda == "none"


def test_a_pyproject_toml_without_the_table_is_passed_over(tmp_path: Path) -> None:
    files = {"envfix.toml": 'cuda = "none"\n', "a/pyproject.toml": "# envfix\n[project]\n"}

    assert load(write(tmp_path, files) / "a").settings.cuda == "none"


def test_nothing_above_the_repository_counts(tmp_path: Path) -> None:
    files = {"envfix.toml": 'cuda = "none"\n', "repository/.git/HEAD": "", "repository/a/x": ""}

    assert load(write(tmp_path, files) / "repository" / "a") == Config()


@pytest.mark.parametrize("text", ["[tool.envfix", "tool = 1 # envfix\n", "[tool]\nenvfixes = 1\n"])
def test_a_pyproject_toml_that_is_none_is_left_to_others(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, {".git/x": "", "pyproject.toml": text})) == Config()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'cuda = "12.4"\nplatform = ["linux-64"]\n',
            "envfix.toml:2: `platform` is no setting of envfix; `platforms` is the nearest",
        ),
        (
            'cuda = "12"\n',
            (
                'envfix.toml:1: `cuda` is \'12\'; it is a release such as "12.4", or "none" for the'
                ' CPU, or "auto"'
            ),
        ),
        (
            "\ncuda = 12.4\n",
            (
                'envfix.toml:2: `cuda` is 12.4; it is a release such as "12.4", or "none" for the'
                ' CPU, or "auto"'
            ),
        ),
        (
            'ignore = ["CUD202"]\n',
            (
                "envfix.toml:1: `ignore` is a plain list, without reasons; it is a table of codes, each"
                ' with its reason: CUD202 = "our cluster has its own CUDA"'
            ),
        ),
        (
            'fail-on = "errors"\n',
            'envfix.toml:1: `fail-on` is \'errors\'; it is "error", "warning", "info" or "never"',
        ),
        (
            'platforms = ["linux64"]\n',
            (
                "envfix.toml:1: `platforms` names 'linux64', which is no platform of conda's (`linux-64`"
                " is the nearest); it is a list of conda's platforms: linux-64, linux-aarch64, win-64,"
                " osx-arm64, osx-64 ..."
            ),
        ),
        (
            "[ignore]\nCUD209 = 'no such'\n",
            "envfix.toml:2: `CUD209` is no rule's code; `CUD202` is the nearest",
        ),
        (
            'select = ["XYZ"]\n',
            "envfix.toml:1: `XYZ` is no rule's code; there are CUD201, CUD202, DEC701, DEC712",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_right(
    tmp_path: Path, text: str, said: str
) -> None:
    assert mistake(tmp_path, text) == said


@pytest.mark.parametrize(
    "text",
    [
        "select = 1\n",
        "select = [1]\n",
        "ignore = {CUD202 = ''}\n",
        "ignore = {CUD202 = 1}\n",
        "per-file-ignores = ['x']\n",
        "[per-file-ignores]\n'x' = ['CUD202']\n",
        "platforms = 'linux-64'\n",
        "platforms = [[]]\n",
        "cuda = ['12.4']\n",
        "[x]\n[x]\n",
        "x = \n",
        "\xff\n",
        "a = " + "[" * 100_000,
    ],
)
def test_whatever_is_wrong_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "envfix.toml").write_text(text, encoding="latin-1")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path)

    assert str(caught.value).startswith(f"{tmp_path}/envfix.toml")
    assert "\n" not in str(caught.value)


def test_a_table_that_is_none_is_told(tmp_path: Path) -> None:
    said = mistake(tmp_path, "[tool]\nenvfix = 1\n", "pyproject.toml")

    assert said == "pyproject.toml:2: `envfix` is not a table; write [tool.envfix]"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "envfix.toml").mkdir()

    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)


def test_a_pyproject_toml_that_cannot_be_read_is_left_to_others(tmp_path: Path) -> None:
    write(tmp_path, {".git/x": "", "pyproject.toml/x": ""})

    assert load(tmp_path) == Config()


@pytest.mark.parametrize(
    ("glob", "hit"),
    [
        ("docs/*.yml", True),
        ("./docs/*.yml", True),
        ("old.yml", True),
        ("*.yml", True),
        ("docs/*.txt", False),
        ("o*.txt", False),
        ("old", False),
    ],
)
def test_a_glob_is_of_paths_beside_the_settings(tmp_path: Path, glob: str, hit: bool) -> None:
    text = f"[per-file-ignores.'{glob}']\nDEC701 = 'old'\n"
    write(tmp_path, {"envfix.toml": text, "docs/old.yml": ""})

    ignores = [*load(tmp_path / "docs").ignores(str(tmp_path / "docs"), ["old.yml"])]

    assert [(i.codes, i.reason, i.path) for i in ignores] == (
        [(("DEC701",), "old", "old.yml")] if hit else []
    )


def test_an_ignore_knows_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, {"envfix.toml": WHOLE})

    (ignore,) = load(tmp_path).ignores(str(tmp_path), [])

    assert (ignore.at.path, ignore.at.line) == ("envfix.toml", 7)


def test_the_schema_takes_what_is_read() -> None:
    whole = {
        "select": ["CUD"],
        "ignore": {"CUD202": "why"},
        "per-file-ignores": {"*.yml": {"DEC701": "why"}},
        "platforms": [*SUBDIRS],
        "cuda": "none",
        "fail-on": "never",
    }

    jsonschema.validate(whole, config.schema())


@pytest.mark.parametrize("wrong", [{"ignored": {}}, {"ignore": ["CUD202"]}, {"cuda": "12"}])
def test_the_schema_refuses_what_is_refused(wrong: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, config.schema())


def test_the_platforms_are_those_of_conda() -> None:
    rattler = pytest.importorskip("rattler", reason="py-rattler knows conda's platforms")

    assert [str(rattler.Subdir(name)) for name in SUBDIRS] == [*SUBDIRS]


def test_a_project_without_settings_reads_no_toml(tmp_path: Path) -> None:
    write(tmp_path, {".git/x": "", "pyproject.toml": "[project]\n", "environment.yml": "name: x\n"})
    code = "import sys; from reconciler import pipeline; pipeline.configured('.'); "
    code += "print('tomllib' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


# What wins over what: through the pipeline, as the command line asks it.

MIXED = """\
dependencies:
  - cudatoolkit=11.8
  - pip
  - pip:
      - torch==2.1.2+cu121
"""


def codes(folder: Path, settings: str, *select: str) -> tuple[list[str], list[str]]:
    write(folder, {"environment.yml": MIXED, "envfix.toml": settings})
    report = pipeline.check(
        pipeline.look_at_files(str(folder), ["environment.yml"]),
        select=select,
        config=pipeline.configured(str(folder)),
    )
    found = [finding.code for finding in report.findings]
    return [c for c in found if c == "CUD201"], [i.by.reason for i in report.ignored]


def test_what_is_ignored_is_counted_with_its_reason(tmp_path: Path) -> None:
    assert codes(tmp_path, "[ignore]\nCUD201 = 'by its path'\n") == ([], ["by its path"])


def test_what_is_ignored_in_a_file_is_counted_with_its_reason(tmp_path: Path) -> None:
    text = "[per-file-ignores.'*.yml']\nCUD2 = 'by its path'\n"

    assert codes(tmp_path, text) == ([], ["by its path"])


def test_a_rule_that_is_selected_is_not_ignored(tmp_path: Path) -> None:
    assert codes(tmp_path, "[ignore]\nCUD201 = 'x'\n", "CUD201") == (["CUD201"], [])


def test_a_selection_of_the_settings_is_taken(tmp_path: Path) -> None:
    assert codes(tmp_path, "select = ['DEC701']\n") == ([], [])


def test_a_selection_that_is_given_is_taken_in_its_place(tmp_path: Path) -> None:
    assert codes(tmp_path, "select = ['DEC701']\n", "CUD201") == (["CUD201"], [])


def test_a_rule_that_is_ignored_is_not_said_to_be_skipped(tmp_path: Path) -> None:
    from reconciler.testing import sketch  # noqa: PLC0415 - for this test alone

    write(tmp_path, {"envfix.toml": "[ignore]\nCUD = 'x'\nDUP = 'x'\n"})
    report = pipeline.scan(sketch(""), config=pipeline.configured(str(tmp_path)))

    assert [skip.code for skip in report.skips if skip.code.startswith(("CUD", "DUP"))] == []
    assert report.skips


def test_the_schema_in_the_docs_is_json() -> None:
    path = os.path.join(os.path.dirname(__file__), "..", "docs", "config.schema.json")
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["$defs"]["Settings"]["additionalProperties"] is False
