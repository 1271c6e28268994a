"""What rattler itself has a shell do brings a hook into force, and takes it back."""

import importlib.util

import pytest

from tests.hooks.shells import Session
from tests.hooks.test_shells import NAMES, of_hook
from tests.hooks.worlds import BEFORE, Environment, Manager, expected, hook_of, install
from tests.lab.missing import missing


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "xonsh"])
def test_one_environment_is_activated_over_another(shell, tmp_path):
    a, b = (environment(tmp_path, letter) for letter in "ab")
    session = Session(shell, tmp_path)
    session.lines += [script(shell, None, a)]
    session.dump()
    session.lines += [script(shell, a, b)]
    session.dump()
    Manager(session, "rattler").leave(b)
    session.dump()
    in_a, in_b, left = session.run(BEFORE)
    for dump, each in ((in_a, a), (in_b, b)):
        assert of_hook(dump) == {
            name: value
            for name, value in expected(each.hook, BEFORE, str(each.prefix).encode()).items()
            if name in NAMES
        }
    assert of_hook(left) == BEFORE


def environment(folder, letter):
    hook = hook_of(letter, f"/written/for/{letter}")
    prefix = folder / f"env {letter}"
    install(hook, prefix)
    return Environment(hook, prefix, "")


def script(shell, old, new):
    if importlib.util.find_spec("rattler") is None:
        missing("py-rattler is not installed (pip install envfix-cuda[solve])")
    from rattler.shell import ActivationVariables, Shell, activate  # noqa: PLC0415 - the line above

    variables = ActivationVariables(old and old.prefix, ["/usr/bin"])
    return activate(new.prefix, variables, getattr(Shell, shell)).script
