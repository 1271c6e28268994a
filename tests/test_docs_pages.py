"""What the pages name is there: commands, options, hooks, files; and nothing of them goes unseen."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from docs_pages import INDENTED, ROOT, commands, pages, parts
from ruamel.yaml import YAML

from reconciler import catalog, config
from reconciler.cli import cli
from reconciler.output import json as json_report

PAGES = pages()
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
INLINE = re.compile(r"(?<!`)`(?:conda )?envfix ([^`]+)`(?!`)")
#: Every command of a fence that no test runs, and what holds it true instead.
NOT_RUN = {
    '"$(conda info --base)/bin/python" -m pip install envfix-cuda': "the name, as below",
    "conda config --set plugins.envfix_drift true": "tests/test_conda_plugin.py knows the setting",
    **dict.fromkeys(
        (
            "conda doctor -n segment envfix",
            "conda doctor -n segment envfix --fix --dry-run",
            "conda envfix scan -n segment -q",
            "conda install -n segment cudatoolkit=12.4",
            "conda remove -n segment pytorch-mutex",
        ),
        "tests/test_conda_plugin.py has what envfix prints in them; CI has no conda",
    ),
    "pip install torch torchvision --index-url https://download.pytorch.org/whl/cu128": (
        "the options are asked of pip, and the index of the catalog, below"
    ),
    "pipx install envfix-cuda": "the name is that of pyproject.toml, below",
    "pre-commit try-repo PATH-OF-A-CLONE envfix-check -a": "tests/test_pre_commit.py runs it",
    "python train.py 2>&1 | envfix explain -": "tests/test_explain_command.py pipes a log",
    "envfix scan --format json | jq .summary.error": "the field is in the schema, below",
}
#: The two commands of the README, indented: the first is read by test_docs.py, the gate is the second.
PROGRAM = re.compile(r"^ *(?:\$ )?(?:envfix|pip|pipx|conda|mamba|uv|pixi) ", re.MULTILINE)
SET_UP = re.compile(r"python3 -m venv \.venv && \.venv/bin/pip install")


def test_every_command_that_no_test_runs_is_known() -> None:
    found = [
        command
        for page in PAGES
        for before, part in _pairs(page)
        if part.tag == "console" and before == "not run"
        for command, _ in commands(part.body)
    ]
    assert sorted(found) == sorted(NOT_RUN)


def _pairs(page: Path):
    before = ""
    for part in parts(page.read_text("utf-8")):
        yield before, part
        before = part.tag


@each_page
def test_commands_stand_in_consoles_where_they_are_run(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.findall(r"^```(?:sh|bash|shell|zsh|powershell)\b", text, re.MULTILINE)
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = [block for block in INDENTED.findall(outside) if PROGRAM.search(block)]
    assert [block for block in blocks if not SET_UP.search(block)] == []
    for part in parts(text):
        assert part.tag != "console" or part.body.startswith("$ "), part.body


@each_page
def test_what_is_no_run_example_says_why(page: Path) -> None:
    for part in parts(page.read_text("utf-8")):
        assert part.tag not in {"example", "not run"} or part.said


@each_page
def test_commands_in_a_sentence_exist_with_their_options(page: Path) -> None:
    for command in INLINE.findall(page.read_text("utf-8")):
        words = shlex.split(command)
        assert _unknown(cli, words) == [], command


def _unknown(group: click.Group, words: list[str]) -> list[str]:
    """Return the first word that is no command of a group, or the options that the command lacks."""
    if words[0] == "COMMAND" or words[0].startswith("-"):
        return []
    if words[0] not in group.commands:
        return [words[0]]
    command = group.commands[words[0]]
    if isinstance(command, click.Group):
        return _unknown(command, words[1:]) if len(words) > 1 else []
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return [option for option in options if option not in known | {"--help", "-h"}]


def test_every_option_is_explained() -> None:
    page = (ROOT / "docs/options.md").read_text("utf-8")
    named = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", page))
    assert {o for o in _options(cli) if o.startswith("--")} - named == set()


def test_every_command_is_explained() -> None:
    page = (ROOT / "docs/options.md").read_text("utf-8")
    assert [name for name in cli.commands if f"| `envfix {name}" not in page] == []


def _options(group: click.Group) -> set[str]:
    found: set[str] = set()
    for command in group.commands.values():
        if isinstance(command, click.Group):
            found |= _options(command)
        elif not command.hidden:
            found |= {option for param in command.params for option in param.opts}
    return {option for option in found if option.startswith("-")}


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    settings = config.schema()["$defs"]["Settings"]["properties"]
    assert [name for name in settings if f"| `{name}` |" not in page] == []


def test_every_field_of_the_report_is_explained_and_no_other() -> None:
    words = tomllib.loads((ROOT / "docs/json_fields.toml").read_text("utf-8"))
    definitions = json_report.schema()["$defs"]
    fields = {name: {*d.get("properties", ())} for name, d in definitions.items()}
    assert {name: set(rows) for name, rows in words.items()} == {
        n: f for n, f in fields.items() if f
    }


def test_the_hooks_that_a_page_asks_for_exist() -> None:
    ids = {hook["id"] for hook in YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")}
    text = (ROOT / "docs/ci.md").read_text("utf-8")
    named = set(re.findall(r"\benvfix-(?:check|fix)\b", text))
    assert named <= ids
    assert "envfix-check" in named


def test_the_action_has_the_inputs_that_a_page_gives_it() -> None:
    inputs = YAML(typ="safe").load(ROOT / "action.yml")["inputs"]
    shown = [part.body for part in parts((ROOT / "docs/ci.md").read_text("utf-8"))]
    jobs = [YAML(typ="safe").load(body)["jobs"] for body in shown if body.startswith("jobs:")]
    steps = [step for job in jobs for step in job["envfix"]["steps"]]
    (given,) = (step["with"] for step in steps if "/envfix@" in step["uses"])
    assert {*given} <= {*inputs}


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_what_is_shown_as_yaml_and_toml_can_be_read(kind: str) -> None:
    read = YAML(typ="safe").load if kind == "yaml" else tomllib.loads
    for page in PAGES:
        for part in parts(page.read_text("utf-8")):
            if part.tag == kind:
                assert read(part.body), f"{page}: {part.body}"


def test_the_indexes_of_pytorch_that_pages_name_are_known() -> None:
    table = Path(catalog.__file__).parent / "index_builds.toml"
    known = {"cpu", *re.findall(r'"(cu\d+)"', table.read_text("utf-8"))}
    for page in PAGES:
        for tag in re.findall(r"download\.pytorch\.org/whl/(\w+)", page.read_text("utf-8")):
            assert tag in known, f"{page}: {tag}"


def test_pip_has_the_options_that_pages_name() -> None:
    asked = [sys.executable, "-m", "pip", "install", "--help"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    for page in PAGES:
        for command in re.findall(r"(?<!uv )pip install [^`\n&]*", page.read_text("utf-8")):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", command):
                assert option in known, f"{page}: {command}"


def test_the_name_that_is_installed_is_this_distribution_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for page in PAGES:
        text = page.read_text("utf-8")
        installed = re.findall(r"(?:pipx|uv tool) install ([\w-]+)", text)
        assert {*installed} <= {project["name"]}


def test_the_site_loads_nothing_of_another_host() -> None:
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert "font: false" in settings
    assert "https:" not in settings
    assert not re.search(r"^(?:extra_css|extra_javascript):", settings, re.MULTILINE)
