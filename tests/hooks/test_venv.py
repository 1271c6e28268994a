"""A virtual environment's hook is sourced by its user, and taken back by ``deactivate``."""

import os
import subprocess
import sys

import pytest
from msgspec.structs import replace

from reconciler.model.hook import Place
from tests.hooks.shells import POSIX, Session
from tests.hooks.worlds import BEFORE, expected, hook_of, install

SUFFIX = {"fish": ".fish", "tcsh": ".csh"}
OWN = ("PATH", "VIRTUAL_ENV", "PYTHONHOME")


@pytest.fixture(params=["bash", "dash", "zsh", "ksh", "fish", "tcsh"])
def session(request, tmp_path):
    session = Session(request.param, tmp_path)
    if session.shell == "tcsh":
        # activate.csh asks for the prompt, which only an interactive shell has
        session.lines.append("set prompt = '> '")
    return session


@pytest.fixture(scope="module", params=["venv", "my env's é"])
def venv(request, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("home") / request.param
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    install(hook_for(prefix), prefix)
    return prefix


def hook_for(prefix):
    return replace(hook_of("v", str(prefix)), place=Place.VENV)


def source(session, venv, step):
    word = "." if session.shell in POSIX else "source"
    suffix = SUFFIX.get(session.shell, ".sh")
    session.lines.append(f'{word} "{venv}/bin/envfix-{step}{suffix}"')


def of(dump):
    names = {*OWN, *(variable.name for variable in hook_for("/").variables)}
    return {name: value for name, value in dump.items() if name in names}


def in_force(venv, before):
    changed = expected(hook_for(venv), before, os.fsencode(venv))
    return {**changed, "VIRTUAL_ENV": os.fsencode(venv), "PATH": changed["PATH"]}


def test_deactivate_takes_the_hook_back_with_the_environment(session, venv):
    session.dump()
    source(session, venv, "activate")
    session.dump()
    session.lines.append("deactivate")
    session.dump()
    bare, active, left = session.run({**BEFORE, "PYTHONHOME": b"/py"})
    assert of(left) == of(bare)
    assert [name for name in left if "ENVFIX" in name] == []
    assert without_path(active) == without_path(in_force(venv, of(bare)))
    assert active["PATH"] == os.fsencode(venv) + b"/bin:" + bare["PATH"]


def without_path(dump):
    return {name: value for name, value in of(dump).items() if name not in {"PATH", "PYTHONHOME"}}


def test_it_may_be_activated_twice_and_again(session, venv):
    session.dump()
    for _ in range(2):
        source(session, venv, "activate")
        source(session, venv, "activate")
        session.dump()
        session.lines.append("deactivate")
        session.dump()
    bare, active, left, again, last = session.run(BEFORE)
    assert of(left) == of(last) == of(bare)
    assert of(active) == of(again)
    assert without_path(active) == without_path(in_force(venv, of(bare)))


def test_what_another_environment_has_left_is_taken_back_by_hand(session, venv):
    """Another ``activate`` replaces ``deactivate`` and calls its own."""
    session.dump()
    source(session, venv, "activate")
    word = "." if session.shell in POSIX else "source"
    session.lines.append(f'{word} "{venv}/bin/activate{SUFFIX.get(session.shell, "")}"')
    session.lines.append("deactivate")
    source(session, venv, "deactivate")
    session.dump()
    bare, left = session.run(BEFORE)
    assert of(left) == of(bare)


def test_the_environment_s_own_scripts_stay_as_they_are(venv):
    assert b"envfix" not in (venv / "bin" / "activate").read_bytes()
