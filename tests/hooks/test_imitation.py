"""In PowerShell and cmd.exe, as far as an imitation shows it, each variable is what it was."""

import pytest
from msgspec.structs import replace

from reconciler.hooks import cmd, powershell
from tests.hooks.imitation import Cmd, PowerShell
from tests.hooks.worlds import BEFORE, expected, hook_of

ROOT = '/moved/my env\'s "x" é'
WINDOWS_ROOT = "D:\\moved\\my env's & (x) 100%"


def activated(shell, module, hook, root):
    shell.env["CONDA_PREFIX"] = root
    shell.run([*module.activate(hook)])
    del shell.env["CONDA_PREFIX"]


def decoded(variables):
    return {name: value.decode() for name, value in variables.items()}


def without_empty(variables):
    return {name: value for name, value in variables.items() if value}


@pytest.mark.parametrize("has_empty", [False, True])
def test_powershell_restores_each_variable(has_empty):
    before = BEFORE if has_empty else without_empty(BEFORE)
    hooks = hook_of("a", "/w/a"), hook_of("b", "/w/b")
    shell = PowerShell(decoded(before), has_empty=has_empty)
    check(shell, powershell, hooks, (before, ROOT, (b":", b"/")))


def test_cmd_restores_each_variable():
    before = {
        name: value.replace(b":", b";").replace(b"\n", b" ")
        for name, value in without_empty(BEFORE).items()
    }
    hooks = (replace(hook_of(letter, f"C:\\{letter}"), windows=True) for letter in "ab")
    check(Cmd(decoded(before)), cmd, tuple(hooks), (before, WINDOWS_ROOT, (b";", b"\\")))


def check(shell, module, hooks, world):
    before, root, marks = world
    a, b = hooks
    in_a = expected(a, before, root.encode(), marks)
    in_b = expected(b, in_a, root.encode(), marks)
    shell.run([*module.deactivate(a)])
    assert shell.env == decoded(before)
    for hook, variables in ((a, in_a), (a, in_a), (b, in_b)):
        activated(shell, module, hook, root)
        assert visible(shell) == decoded(variables)
    shell.run([*module.deactivate(b)])
    activated(shell, module, a, root)
    assert visible(shell) == decoded(in_a)
    for _ in range(2):
        shell.run([*module.deactivate(a)])
        assert shell.env == decoded(before)


def visible(shell):
    return {name: value for name, value in shell.env.items() if "ENVFIX" not in name}
