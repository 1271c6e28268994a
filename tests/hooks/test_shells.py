"""Every variable that a hook names is restored, in every shell, whatever is activated over what."""

from dataclasses import replace
from functools import cache
from itertools import islice

import pytest
from msgspec.structs import replace as struct_replace

from tests.hooks.shells import SHELLS, STRICT, Session
from tests.hooks.worlds import BEFORE, Environment, Manager, expected, hook_of, install

#: What CONDA_PREFIX is: both were renamed after their hooks were written.
PREFIXES = {"A_PREFIX": b"/moved/env", "B_PREFIX": '/moved/my "env\'s" `x` é'.encode()}
NAMES = {variable.name for variable in hook_of("a", "/x").variables}


def plain(manager, a, _):
    manager.enter(a)
    yield (a,)
    manager.leave(a)
    yield ()


def nested(manager, a, b):
    manager.enter(a)
    manager.leave(a)
    manager.enter(b)
    yield (b,)
    manager.leave(b)
    manager.enter(a)
    yield (a,)
    manager.leave(a)
    yield ()


def stacked(manager, a, b):
    manager.enter(a)
    manager.enter(b)
    yield (a, b)
    manager.leave(b)
    # conda sources the scripts of the lower environment again: activate.py, build_deactivate
    manager.enter(a)
    yield (a,)
    manager.leave(a)
    yield ()


def activated_twice(manager, a, _):
    manager.enter(a)
    manager.enter(a)
    yield (a,)
    manager.leave(a)
    yield ()


def reactivated(manager, a, _):
    manager.enter(a)
    manager.leave(a)
    manager.enter(a)
    yield (a,)
    manager.leave(a)
    yield ()


def deactivated_twice(manager, a, b):
    manager.enter(a)
    manager.leave(a)
    manager.leave(a)
    yield ()
    manager.enter(a)
    manager.enter(b)
    manager.leave(b)
    manager.leave(b)
    yield (a,)
    manager.leave(a)
    yield ()


def never_activated(manager, a, _):
    manager.leave(a)
    yield ()


def copied(manager, a, _):
    """An environment over its own copy, whose scripts are the same byte for byte."""
    copy = replace(a, variable="B_PREFIX")
    manager.enter(a)
    manager.enter(copy)
    yield (copy,)
    manager.leave(copy)
    manager.enter(a)
    yield (a,)
    manager.leave(a)
    yield ()


def written_anew(manager, a, _):
    """While an environment is active, its hook is replaced by one of more variables."""
    first = replace(
        a,
        hook=struct_replace(a.hook, variables=a.hook.variables[::2]),
        prefix=manager.session.folder / "first",
    )
    install(first.hook, first.prefix)
    manager.enter(first)
    yield (first,)
    manager.leave(a)
    yield ()


def strict(manager, a, b):
    manager.session.be_strict()
    for steps in (stacked, deactivated_twice) if manager.session.shell in STRICT else (plain,):
        yield from steps(manager, a, b)


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        plain,
        nested,
        stacked,
        activated_twice,
        reactivated,
        deactivated_twice,
        never_activated,
        copied,
        written_anew,
        strict,
    )
}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("order", ["conda", "rattler"])
@pytest.mark.parametrize("shell", SHELLS)
def test_each_variable_is_what_it_was(shell, order, scenario, told):
    active, dumps = told(shell, order)[scenario]
    assert [of_hook(dump) for dump in dumps] == [in_force(*each) for each in active]
    idle = [dump for dump, each in zip(dumps, active, strict=True) if not each]
    assert [leftovers(dump) for dump in idle] == [[]] * len(idle)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One process of a shell goes through all scenarios, each of which ends where it began."""
    return cache(lambda shell, order: tell(Session(shell, tmp_path_factory.mktemp(shell)), order))


def tell(session, order):
    a = environment(session.folder, "a", "A_PREFIX", "/written/for/a")
    b = environment(session.folder, "b", "B_PREFIX", "/written/for/b")
    session.dump()
    manager = Manager(session, order)
    active = {
        name: list(dumping(session, steps(manager, a, b))) for name, steps in SCENARIOS.items()
    }
    bare, *dumps = session.run({**BEFORE, **PREFIXES})
    assert of_hook(bare) == BEFORE
    left = iter(dumps)
    return {name: (each, list(islice(left, len(each)))) for name, each in active.items()}


def dumping(session, steps):
    for active in steps:
        session.dump()
        yield active


def environment(folder, letter, variable, written_for):
    """The scripts lie in a plain folder, for conda sources them by a name that it does not quote."""
    hook = hook_of(letter, written_for)
    install(hook, folder / letter)
    return Environment(hook, folder / letter, variable)


def of_hook(dump):
    return {name: value for name, value in dump.items() if name in NAMES}


def leftovers(dump):
    return [name for name in dump if "envfix" in name.lower()]


def in_force(*environments):
    variables = dict(BEFORE)
    for each in environments:
        variables = expected(each.hook, variables, PREFIXES[each.variable])
    return of_hook(variables)
