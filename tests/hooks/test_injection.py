"""What a hook carries arrives letter by letter, and nothing of it is run."""

import os

import pytest

from reconciler.hooks import csh, fish, posix
from reconciler.model.hook import Hook, PrependPath, RemoveElement, SetVariable
from reconciler.model.os_name import from_os, to_os
from tests.hooks.shells import SHELLS, Session

WRITERS = {"fish": fish, "tcsh": csh}
#: The loader would read these as something else, and a hook refuses them.
REFUSED = b":;$"
NASTY = (
    b"",
    b" ",
    b"-n",
    b"--",
    b"''",
    b"'\\''",
    b"\\'",
    b'"',
    b"\\",
    b"a\\\\b\\",
    b"\n",
    b"\\\n\\n",
    b"\r\n",
    b"!!",
    b"\\!x'!'",
    b"$(touch RUN)",
    b"`touch RUN`",
    b"';touch RUN;'",
    b'";touch RUN;"',
    b"'\ntouch RUN\n'",
    b"(touch RUN)",
    b"& touch RUN & | touch RUN",
    b"${IFS}$HOME~/*?[a-z]{a,b}",
    b"@(1+1)@$(touch RUN)$[touch RUN]",
    b"endif\nelse\nend\nfi\n",
    b"%PATH%%1",
    "é 日本 \U0001f600 \u2019touch RUN\u2019".encode(),
    b"\xff\xfe\x80'\xc3",
)
ASCII = bytes(byte for byte in range(1, 128) if byte != 13)
EACH = (b"a" + bytes((byte,)) + b"b" for byte in range(1, 256))
VALUES = (*NASTY, *EACH, bytes(range(1, 256)), ASCII)


def below(prefix):
    return bytes(byte for byte in prefix if byte not in REFUSED)


PREFIXES = tuple(b"/p" + below(value) for value in (*NASTY, bytes(range(1, 256)), ASCII))


@pytest.fixture(params=SHELLS)
def session(request, tmp_path):
    session = Session(request.param, tmp_path)
    session.be_strict()
    return session


def source(session, hook, name="hook"):
    """Source the activation of a hook that a shell's module writes."""
    writer = WRITERS.get(session.shell, posix)
    path = session.folder / name
    text = "".join(f"{line}\n" for line in writer.activate(hook))
    path.write_bytes(os.fsencode(to_os(text)))
    session.source(path)


def hook_with(*variables):
    return Hook(prefix="/p", variables=variables, why=(), created_by="0.1.0")


def held(session, values):
    """What the shell can hold: xonsh reads what bash has exported as text, in UTF-8."""
    return [v for v in values if session.shell != "xonsh" or (is_utf8(v) and b"\r" not in v)]


def is_utf8(raw):
    try:
        return bool(raw.decode() or True)
    except UnicodeDecodeError:
        return False


def stored(raw):
    return from_os(os.fsdecode(raw))


def test_a_value_arrives_exactly(session):
    values = held(session, VALUES)
    variables = (
        SetVariable(name=f"VALUE_{number}", value=stored(value))
        for number, value in enumerate(values)
    )
    source(session, hook_with(*variables))
    session.dump()
    (dump,) = session.run({"CONDA_PREFIX": b"/p"})
    assert [dump[f"VALUE_{number}"] for number in range(len(values))] == values
    assert not (session.folder / "RUN").exists()


def test_a_prefix_arrives_exactly(session):
    hook = hook_with(
        SetVariable(name="HOME_OF_IT", value="x=", path="a"),
        PrependPath(name="LIST_PATH", directories=("lib", "lib64")),
    )
    prefixes = held(session, PREFIXES)
    for number in range(len(prefixes)):
        session.copy("CONDA_PREFIX", f"PREFIX_{number}")
        source(session, hook)
        session.dump()
    given = {f"PREFIX_{number}": prefix for number, prefix in enumerate(prefixes)}
    dumps = session.run(given)
    assert [dump["HOME_OF_IT"] for dump in dumps] == [b"x=" + each + b"/a" for each in prefixes]
    lists = [each + b"/lib:" + each + b"/lib64" for each in prefixes]
    assert [dump["LIST_PATH"] for dump in dumps] == lists
    assert not (session.folder / "RUN").exists()


def test_an_element_is_taken_out_exactly(session):
    gone = [value for value in held(session, VALUES) if value and not set(value) & set(b":;")]
    gone = [value for value in gone if b"\n" not in value or session.shell != "tcsh"]
    variables = (
        RemoveElement(name=f"LIST_{number}", directory=stored(value))
        for number, value in enumerate(gone)
    )
    source(session, hook_with(*variables))
    session.dump()
    lists = {f"LIST_{n}": b"/x:" + value + b":y" + value for n, value in enumerate(gone)}
    (dump,) = session.run({"CONDA_PREFIX": b"/p", **lists})
    left = [dump[f"LIST_{number}"] for number in range(len(gone))]
    assert left == [b"/x:y" + value for value in gone]
    assert not (session.folder / "RUN").exists()
