"""What is completed in bash, zsh and fish; what is mistyped; and how the help is ordered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hooks.shells import find

from reconciler.cli import cli
from reconciler.cli_group import SECTIONS
from reconciler.rules import all_rules

#: A shell is told to begin with what is documented, then asked as a user's Tab does.
BASH = """
eval "$(_ENVFIX_COMPLETE=bash_source envfix)"
COMP_WORDS=({words} "{begun}"); COMP_CWORD={number}
_envfix_completion envfix
printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p envfix
"""
FISH = """
_ENVFIX_COMPLETE=fish_source envfix | source
complete -C "{words} {begun}"
"""
# zsh completes on a terminal alone: its module for them plays one.
ZSH = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1="ready "; autoload -U compinit; compinit -u -D; LISTMAX=500'
zpty -w shell 'eval "$(_ENVFIX_COMPLETE=zsh_source envfix)"; echo it-is-$((40 + 2))'
zpty -r -m shell said '*it-is-42*'
zpty -w -n shell '{words} {begun}'$'\\t'
zpty -r -m shell said '*{wanted}*' && print -r -- "$said"
zpty -d shell
"""
ASKED = [
    ("envfix", "conv", "convert"),
    ("envfix hooks", "ins", "install"),
    ("envfix rule", "CUD20", "CUD201"),
    ("envfix scan --select", "ELF50", "ELF501"),
    ("envfix scan --select", "ELF501,DUP10", "ELF501,DUP101"),
    ("envfix scan --format", "js", "json"),
    ("envfix check --platform", "linux-aa", "linux-aarch64"),
    ("envfix scan -n", "my-", "my-env"),
    ("envfix scan", "--save-s", "--save-snapshot"),
]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The variables of a user who has one conda environment."""
    (tmp_path / ".conda/envs/my-env/conda-meta").mkdir(parents=True)
    (tmp_path / ".conda/envs/left-over").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {"LANG", "LC_ALL", "SYSTEMROOT"}
    variables = {name: value for name, value in os.environ.items() if name in kept}
    return {**variables, "PATH": path, "HOME": str(tmp_path), "TERM": "xterm"}


def told(program: list[str], script: str, home: dict[str, str]) -> str:
    done = subprocess.run(
        [*program, script],
        env=home,
        cwd=home["HOME"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("words", "begun", "wanted"), ASKED[:4] + ASKED[-2:])
def test_bash_completes(words: str, begun: str, wanted: str, home: dict[str, str]) -> None:
    script = BASH.format(words=words, begun=begun, number=len(words.split()))
    lines = told([find("bash"), "--norc", "-c"], script, home).splitlines()

    assert wanted in lines
    assert lines[-1].startswith("complete ")


@pytest.mark.parametrize(("words", "begun", "wanted"), [ASKED[0], ASKED[2], ASKED[7]])
def test_fish_completes(words: str, begun: str, wanted: str, home: dict[str, str]) -> None:
    script = FISH.format(words=words, begun=begun)
    lines = told([find("fish"), "--no-config", "-c"], script, home).splitlines()

    assert wanted in {line.partition("\t")[0] for line in lines}


@pytest.mark.parametrize(("words", "begun", "wanted"), [ASKED[2], ASKED[7]])
def test_zsh_completes(words: str, begun: str, wanted: str, home: dict[str, str]) -> None:
    script = ZSH.format(words=words, begun=begun, wanted=wanted)

    assert wanted in told([find("zsh"), "-f", "-c"], script, home)


def completed(words: str, begun: str, home: dict[str, str]) -> list[str]:
    variables = {"COMP_WORDS": f"{words} {begun}", "COMP_CWORD": str(len(words.split()))}
    done = CliRunner().invoke(
        cli,
        prog_name="envfix",
        env={**home, **variables, "_ENVFIX_COMPLETE": "bash_complete", "CONDA_PREFIX": None},
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(("words", "begun", "wanted"), ASKED)
def test_what_was_begun_is_completed(
    words: str, begun: str, wanted: str, home: dict[str, str]
) -> None:
    assert f"plain,{wanted}" in completed(words, begun, home)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("envfix scan --snapshot", "file"),
        ("envfix scan -p", "dir"),
        ("envfix scan", "dir"),
        ("envfix check", "file"),
        ("envfix convert", "file"),
    ],
)
def test_files_and_folders_are_the_shell_s_to_complete(
    words: str, kind: str, home: dict[str, str]
) -> None:
    assert f"{kind},there" in completed(words, "there", home)


def test_a_folder_that_is_no_environment_is_not_offered(home: dict[str, str]) -> None:
    assert completed("envfix scan -n", "", home) == ["plain,my-env"]


def test_every_rule_is_offered(home: dict[str, str]) -> None:
    assert completed("envfix rule", "", home) == [f"plain,{code}" for code in all_rules()]


@pytest.mark.parametrize(
    ("mistyped", "said"),
    [
        ("scna", "no command is called 'scna': did you mean scan? See `envfix --help`"),
        ("xyz", "no command is called 'xyz'; see `envfix --help`"),
        ("rule cdu201", "CDU201: no rule has this code; did you mean CUD201? `envfix rule` lists"),
        ("rule duq", "DUQ: no rule has this code; `envfix rule` lists"),
        ("scan --format jsn", "'sarif': did you mean json? See `envfix scan --help`"),
        ("scan --format xml", "'sarif'; see `envfix scan --help`"),
        ("scan --color x", "'never'; see `envfix scan --help`"),
        ("hooks instal", "did you mean install? See `envfix hooks --help`"),
        ("scan --formt json", "No such option '--formt'"),
        ("check", "give the files to judge, or a --snapshot; see `envfix check --help`"),
    ],
)
def test_a_near_miss_is_understood_in_one_line(mistyped: str, said: str) -> None:
    done = CliRunner().invoke(cli, mistyped.split(), prog_name="envfix")

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_has_every_command_in_the_order_of_use() -> None:
    told = CliRunner().invoke(cli, ["--help"], prog_name="envfix", terminal_width=78).stdout
    ordered = [name for section in SECTIONS.values() for name in section]

    assert sorted(ordered) == sorted(cli.commands)
    places = [told.index(f"\n  {name:7}  ") for name in ordered]
    assert places == sorted(places)
    assert told.count("...") == 1
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize("name", [*cli.commands])
def test_every_option_is_explained_in_characters_of_every_code_page(name: str) -> None:
    told = CliRunner().invoke(cli, [name, "--help"]).stdout
    options = [p for p in cli.commands[name].params if p.param_type_name == "option"]

    assert told.isascii()
    assert [option.name for option in options if not option.help] == []


def test_completion_survives_the_isolated_start(home: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"],
        env={
            **home,
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "_ENVFIX_COMPLETE": "bash_complete",
            "COMP_WORDS": "envfix und",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("plain,undo\n", "")


@pytest.mark.parametrize(
    ("option", "unneeded"),
    [
        ("--version", ("click", "msgspec")),
        ("--help", ("reconciler.pipeline", "reconciler.catalog", "packaging", "ruamel", "rattler")),
    ],
)
def test_what_is_told_at_once_imports_little(option: str, unneeded: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", "-m", "reconciler", option],
        capture_output=True,
        text=True,
        check=True,
    )

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "envfix" in done.stdout
    assert not [name for name in imported if name.startswith(unneeded)]


def test_groff_has_nothing_against_the_manual_page() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed here")
    page = Path(__file__).parent.parent / "docs/envfix.1"
    done = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", page], capture_output=True, text=True, check=True
    )

    assert done.stderr == ""
    assert all(
        f"envfix {name}" in re.sub(r"\x1b\[\d+m|.\x08", "", done.stdout) for name in cli.commands
    )
