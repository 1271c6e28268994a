"""A hook becomes files that say what they are, and what cannot be served is refused in words."""

import re

import pytest
import tree_sitter
import tree_sitter_powershell

from reconciler.errors import HookError
from reconciler.hooks import cmd, powershell, writing
from reconciler.model.hook import (
    Hook,
    Place,
    PrependPath,
    Reason,
    RemoveElement,
    SetVariable,
    Unset,
)
from tests.hooks.imitation import unquoted
from tests.hooks.test_injection import VALUES, stored
from tests.hooks.worlds import hook_of

WHY = (Reason(code="ELF501", sentence="libnvJitLink.so.12 is answered by /usr/local/cuda"),)
CUDA = "lib/python3.12/site-packages/nvidia/cublas/lib"


def hook(*variables, prefix="/opt/env", **fields):
    variables = variables or (PrependPath(name="LD_LIBRARY_PATH", directories=(CUDA,)),)
    why = fields.pop("why", WHY)
    return Hook(prefix=prefix, variables=variables, why=why, created_by="0.1.0", **fields)


def written(hook):
    return {file.path: file.text for file in writing.scripts(hook)}


def test_each_shell_has_its_twins_behind_every_other_script():
    stems = {path.rpartition("/")[2] for path in written(hook())}
    assert stems == {"~~envfix.sh", "~~envfix.fish", "~~envfix.csh", "~~envfix.ps1"}
    assert len(written(hook())) == 2 * len(stems)
    assert min(stems) > max("zz.sh", "~cuda-nvcc_activate.sh", "~libfoo.sh")


def test_windows_has_cmd_and_neither_fish_nor_csh():
    paths = written(hook(prefix="C:\\env", windows=True))
    assert {path.rpartition(".")[2] for path in paths} == {"sh", "ps1", "bat"}


def test_a_virtual_environment_has_them_beside_its_own_scripts():
    paths = {*written(hook(place=Place.VENV))}
    assert {"bin/envfix-activate.sh", "bin/envfix-deactivate.fish"} <= paths
    windows = {*written(hook(prefix="C:\\env", place=Place.VENV, windows=True))}
    assert {"Scripts/envfix-activate.bat", "Scripts/envfix-deactivate.ps1"} <= windows


@pytest.mark.parametrize("path", [*written(hook()), "etc/conda/activate.d/~~envfix.bat"])
def test_the_header_says_what_and_why_and_how_to_remove(path):
    text = written(hook(windows=path.endswith("bat"), prefix="/p"))[path]
    twin = path.replace("/activate.d", "/deactivate.d")
    head = text[: re.search(r"^(?!#|@rem)", text, re.MULTILINE).start()]
    flat = re.sub(r"\s*(#|@rem)\s+", " ", head)
    assert f"LD_LIBRARY_PATH begins with {CUDA}" in flat
    assert "Why: ELF501 libnvJitLink.so.12 is answered by /usr/local/cuda." in flat
    assert "To remove it: envfix hooks remove, or delete" in flat
    assert twin in flat
    assert "etc/envfix/hooks.json" in flat


def test_no_script_of_conda_holds_the_path_of_its_environment():
    assert [path for path, text in written(hook()).items() if "/opt/env" in text] == []


def test_the_scripts_of_an_environment_are_the_same_each_time_and_not_those_of_another():
    assert written(hook()) == written(hook())
    assert written(hook()) != written(hook(prefix="/opt/other"))


@pytest.mark.parametrize("character", ":;$")
def test_a_prefix_that_the_loader_cannot_take_is_refused_in_words(character):
    with pytest.raises(HookError, match=re.escape(repr(character))) as refusal:
        writing.scripts(hook(prefix=f"/opt/a{character}b"))
    assert refusal.value.where == f"/opt/a{character}b"
    assert refusal.value.next_step == "make it again in a folder without it"


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        (Unset(name="A=B"), "no name of a variable"),
        (Unset(name="A\nB"), "no name of a variable"),
        (Unset(name="path"), "must not change"),
        (Unset(name="CONDA_PREFIX"), "must not change"),
        (Unset(name="_ENVFIX_x"), "must not change"),
        (SetVariable(name="A", value="\0"), "the byte 0"),
        (SetVariable(name="A", path="../x"), "below the prefix"),
        (PrependPath(name="A", directories=()), "no directory"),
        (PrependPath(name="A", directories=("/x",)), "below the prefix"),
        (PrependPath(name="A", directories=("x:y",)), "the loader reads"),
        (RemoveElement(name="A", directory=""), "no single element"),
        (RemoveElement(name="A", directory="/a:/b"), "no single element"),
    ],
)
def test_what_no_shell_can_do_is_refused(variable, why):
    with pytest.raises(HookError, match=why):
        writing.scripts(hook(variable))


def test_the_drive_of_a_prefix_on_windows_is_no_trouble():
    assert writing.scripts(hook(prefix="C:\\env", windows=True))
    with pytest.raises(HookError):
        writing.scripts(hook(prefix="C:\\e;nv", windows=True))


@pytest.mark.parametrize("value", ['a"b', "a!b", "a^b", "a\nb", "é"])
def test_cmd_refuses_what_it_would_read_as_more_than_text(value):
    with pytest.raises(HookError, match=r"cmd\.exe cannot be given"):
        writing.scripts(hook(SetVariable(name="A", value=value), prefix="C:\\e", windows=True))


def test_cmd_expands_no_percent_sign_of_ours():
    lines = [*cmd.activate(hook(SetVariable(name="A", value="100%PATH%"), windows=True))]
    assert '@set "A=100%%PATH%%"' in lines


def test_cmd_shows_nothing_and_jumps_only_to_labels_that_are_there():
    for step in (cmd.activate, cmd.deactivate):
        lines = [*step(hook_of("a", "C:\\env"))]
        jumps = re.findall(r"@goto (:\w+)", "\n".join(lines))
        labels = [line for line in lines if line.startswith(":")]
        assert {*jumps} <= {*labels}
        assert len(labels) == len({*labels})
        assert [line for line in lines if not line.startswith(("@", ":"))] == []


@pytest.fixture(scope="session")
def powershell_parser():
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("place", list(Place))
def test_powershell_s_grammar_takes_its_scripts(windows, place, powershell_parser):
    variables = (SetVariable(name="NASTY", value="é'\n$(x)`"), *hook_of("a", "/x").variables)
    for step in (powershell.activate, powershell.deactivate):
        text = "\n".join(step(hook(*variables, windows=windows, place=place)))
        tree = powershell_parser.parse(text.encode())
        assert not tree.root_node.has_error, text


def test_powershell_is_told_every_value_in_plain_ascii_and_single_quotes(powershell_parser):
    for value in map(stored, VALUES):
        word = powershell.quote(value)
        assert re.fullmatch(r"[ -~]*", word)
        assert unquoted(word) == value
        tree = powershell_parser.parse(f"$Env:A = {word}\n".encode())
        assert not tree.root_node.has_error, word


@pytest.mark.parametrize("windows", [False, True])
def test_a_reason_cannot_end_the_comment_that_it_stands_in(windows):
    sentence = "a\nrm -rf ~\r\n#> `id` $(id) %~ %0 ^ & /? é \\"
    why = (Reason(code="ELF501", sentence=sentence),)
    for path, text in written(hook(prefix="/p", windows=windows, why=why)).items():
        bare = written(hook(prefix="/p", windows=windows, why=()))[path]
        added = set(text.splitlines()) - set(bare.splitlines())
        assert added
        for line in added:
            assert re.fullmatch(r"(#|@rem) [\w .,:;()/'=+~*@-]+", line, re.ASCII), line
            assert "/?" not in line
