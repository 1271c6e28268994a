"""What a hook makes of variables, told by the model, is what its scripts make of them."""

import os

import pytest
from msgspec.structs import replace

from reconciler.hooks import writing
from reconciler.hooks.reading import read
from reconciler.model.hook import PrependPath, RemoveElement, SetVariable, Unset
from reconciler.model.hook_variables import changes, merged
from reconciler.model.sourced import Sourced
from tests.hooks.worlds import BEFORE, expected, hook_of

PREFIX = "/opt/my env"
HOOK = hook_of("a", PREFIX)


def test_the_model_gives_what_the_shells_were_seen_to_give():
    before = {name: os.fsdecode(value) for name, value in BEFORE.items()}

    changed = changes(HOOK.variables, before, PREFIX)

    after = {**before, **changed}
    seen = expected(HOOK, BEFORE, PREFIX.encode())
    assert {n: v for n, v in after.items() if v is not None} == {
        name: os.fsdecode(value) for name, value in seen.items()
    }


@pytest.mark.parametrize("path", [None, "", "a b"])
@pytest.mark.parametrize("former", [None, "", "/x:/y"])
def test_the_model_reads_its_own_script_alike(path, former):
    variables = (
        SetVariable(name="XLA_FLAGS", value="--dir=", path=path),
        PrependPath(name="LD_LIBRARY_PATH", directories=("lib/a", "lib/b c")),
    )
    hook = replace(HOOK, variables=variables)
    shell = {"CONDA_PREFIX": PREFIX}
    shell |= {} if former is None else {"LD_LIBRARY_PATH": former}
    sourced = Sourced(shell, is_known=lambda _: True)

    sourced.source("x.sh", read(writing.scripts(hook)[0].text))

    known, doubts = sourced.given()
    assert doubts == ()
    wanted = changes(variables, shell, PREFIX)
    assert {name: known.get(name) for name in wanted} == wanted


def test_what_several_want_is_done_once_and_what_goes_goes_first():
    front = PrependPath(name="LD_LIBRARY_PATH", directories=("lib/a",))
    more = PrependPath(name="LD_LIBRARY_PATH", directories=("lib/a", "lib/b"))
    out = RemoveElement(name="LD_LIBRARY_PATH", directory="/old")
    first, second = (SetVariable(name="A", value=value) for value in "12")

    assert merged([(front,), (more, first), (second, out), (Unset(name="B"), front)]) == (
        out,
        Unset(name="B"),
        PrependPath(name="LD_LIBRARY_PATH", directories=("lib/a", "lib/b")),
        first,
    )
