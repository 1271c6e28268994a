"""What a script does to the shell that sources it: held against bash, and told at its line."""

import subprocess

import pytest

from reconciler.hooks.strict import LONGEST, harms
from reconciler.model.hook_harm import Harm

PATH = "etc/conda/activate.d/x.sh"
#: Scripts, and whether they end a shell that has the option.
SCRIPTS = (
    'export A="$LD_LIBRARY_PATH"',
    'export A="${LD_LIBRARY_PATH:-}"',
    "export A=x${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}",
    "export A=${LD_LIBRARY_PATH%%:*}",
    "export A=${#LD_LIBRARY_PATH}",
    ': "${MINE:=1}"; export A=$MINE',
    "[ -n '' ] && export A=1",
    "[[ -d /nowhere ]] && export A=1",
    "[ -d /nowhere ] && [ -d / ] && export A=1",
    "if [ -d /nowhere ]; then export A=1; fi",
    "if [ -d / ]; then [ -d /nowhere ] && export A=1; fi",
    "[ -d / ] || export A=1",
    "export A=1; :",
    "test -d /nowhere",
    "f() { export A=$NOT_SET; }",
    "f() { if true; then MINE=1; fi; }; f; export A=$MINE",
    'if [ "${CONDA_BUILD:-0}" = 1 ]; then export A=$SRC_DIR; fi',
    'case "${CONDA_BUILD:-0}" in 1) export A=$SRC_DIR ;; esac',
    'if [ "$(uname)" = Darwin ]; then export A=$DYLD_LIBRARY_PATH; fi',
    "for x in 1; do export A=$x; done",
    "if true; then while false; do :; done; fi",
    "! [ -d / ] && export A=1",
    "f() { [ -d /x ] && g || h; case x in y) A=1 ;; esac; }",
    "if [ -d /x ]; then :; else [ -d /y ]; fi",
    "export A=1 | cat",
    "(exit 3) || true",
    "declare MINE=1; export A=$MINE",
)


def ends(script, option, tmp_path):
    """Tell whether bash under an option comes to its end when it has sourced a script."""
    file = tmp_path / "x.sh"
    file.write_text(f"{script}\n")
    run = subprocess.run(
        ["/bin/bash", option, "-c", f". {file}\necho reached"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    return "reached" not in run.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_bash_stops_where_it_is_said_to(script, tmp_path):
    told = {one.harm for one in harms(PATH, f"{script}\n")}

    assert (Harm.UNBOUND in told) is ends(script, "-u", tmp_path)
    assert (Harm.LAST_FAILS in told) is ends(script, "-e", tmp_path)


def test_each_harm_has_its_line():
    text = "# a\nexport A=$B\n  export C=$D\nset -e\nexit 1\n"

    assert [(one.harm, one.variable, one.line, one.text) for one in harms(PATH, text)] == [
        (Harm.UNBOUND, "B", 2, "export A=$B"),
        (Harm.UNBOUND, "D", 3, "export C=$D"),
        (Harm.EXITS, "", 5, "exit 1"),
        (Harm.MAKES_STRICT, "", 4, "set -e"),
    ]


@pytest.mark.parametrize("text", ["exit\0", "exit\n" + "#" * LONGEST])
def test_what_is_no_page_of_text_is_not_read(text):
    assert harms(PATH, text) == ()


@pytest.mark.parametrize("name", ["x.fish", "x.ps1", "x.bat", "x"])
def test_shells_that_know_no_strictness_have_none(name):
    assert harms(name, "export A=$B\nexit 1\n") == ()


def test_csh_knows_a_variable_that_the_script_has_set():
    text = "setenv A $B\nsetenv C $A\nsetenv D $B\nsetenv E $HOME\n"
    assert [one.variable for one in harms("x.csh", text)] == ["B"]


def test_a_script_that_cannot_be_read_to_its_end_has_no_last_command():
    assert harms(PATH, "export A=1\n[ -d /x ] && (\n") == ()
