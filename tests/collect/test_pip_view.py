from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from reconciler.collect import pip_view
from reconciler.collect.files import UnreadableError
from reconciler.model.pip_view import PipListed
from reconciler.model.snapshot import Fact, Gap

from .trees import SITE, conda_prefix, look

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.pip_view import PipView

VERSION = "pip 25.3 from /x (python 3.11)"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return conda_prefix(tmp_path)


def interpreter(prefix: Path, script: str) -> str:
    """Write an interpreter that is a script of the shell, and return its path."""
    path = prefix / "bin" / "python"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def pip_that_lists(prefix: Path, *listed: tuple[str, str, str]) -> str:
    rows = [{"name": n, "version": v, "location": where} for n, v, where in listed]
    (prefix / "listed.json").write_text(json.dumps(rows), encoding="utf-8")
    answer = f'cat "{prefix}/listed.json"'
    return interpreter(prefix, f'case "$*" in *--version*) echo "{VERSION}";; *) {answer};; esac')


def asked(prefix: Path, path: str, *, timeout: float = 60) -> PipView:
    return pip_view.ask(path, str(prefix), {"PATH": os.environ["PATH"]}, timeout=timeout)


def test_what_pip_lists_is_heard_with_its_place(prefix: Path) -> None:
    inside, outside = f"{prefix}/{SITE}", "/home/me/.local/lib/python3.11/site-packages"
    path = pip_that_lists(prefix, ("Torch", "2.1.2+cu121", inside), ("numpy", "1.26.4", outside))

    view = asked(prefix, path)

    assert view.listed == (
        PipListed(name="Torch", version="2.1.2+cu121", location=SITE),
        PipListed(name="numpy", version="1.26.4", location=outside),
    )
    assert [listed.is_outside for listed in view.listed] == [False, True]


def test_pip_hears_the_variables_of_the_user(prefix: Path) -> None:
    path = pip_that_lists(prefix)
    script = (prefix / "bin/python").read_text(encoding="utf-8")
    (prefix / "bin/python").write_text(script + f'echo "$PYTHONPATH" > "{prefix}/heard"\n')

    pip_view.ask(path, str(prefix), {"PATH": os.environ["PATH"], "PYTHONPATH": "/x"}, timeout=60)

    assert (prefix / "heard").read_text(encoding="utf-8") == "/x\n"


def test_a_fact_that_is_asked_for_is_collected(prefix: Path) -> None:
    pip_that_lists(prefix, ("a", "1", f"{prefix}/{SITE}"))

    snapshot = look(prefix, Fact.PIP_VIEW, environ={"PATH": os.environ["PATH"]})

    assert snapshot.gaps == ()
    assert snapshot.pip_view is not None
    assert [listed.name for listed in snapshot.pip_view.listed] == ["a"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('echo "$0: No module named pip" >&2; exit 1', "the environment has no pip"),
        ("echo 'ImportError: broken' >&2; exit 1", "pip did not answer: ImportError: broken; pip ended with status 1"),
        ("exit 7", "pip did not answer: pip ended with status 7"),
        ("kill -9 $$", "pip did not answer: pip ended with status -9"),
        ("echo garbage", "pip did not answer: "),
        (f'echo "{VERSION}"', "pip did not answer: JSONDecodeError: "),
        (f"case $* in *--version*) echo '{VERSION}';; *) echo '[1]';; esac", "pip did not answer: TypeError: "),
        (r"printf '\377\376'", "pip did not answer: UnicodeDecodeError: "),
    ],
)  # fmt: skip
def test_a_pip_that_does_not_answer_is_the_reason(prefix: Path, script: str, reason: str) -> None:
    path = interpreter(prefix, script)

    with pytest.raises(UnreadableError) as caught:
        asked(prefix, path)

    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_an_interpreter_that_cannot_be_started_is_the_reason(prefix: Path) -> None:
    path = interpreter(prefix, "true")
    (prefix / "bin/python").write_bytes(b"\x7fELF of another machine")

    with pytest.raises(UnreadableError, match=r"pip did not answer: OSError: .*Exec format error"):
        asked(prefix, path)


def test_a_pip_that_hangs_is_ended_with_all_that_it_started(prefix: Path) -> None:
    path = interpreter(prefix, f'echo $$ > "{prefix}/pid"; sleep 60 & wait')
    begun = time.monotonic()

    with pytest.raises(UnreadableError, match=r"no answer within 1\.5 seconds"):
        asked(prefix, path, timeout=1.5)

    assert time.monotonic() - begun < 20
    with pytest.raises(ProcessLookupError):
        _wait_for_end_of(int((prefix / "pid").read_text(encoding="utf-8")))


def _wait_for_end_of(process: int) -> None:
    for _ in range(100):
        os.kill(process, 0)
        if _is_defunct(process):
            raise ProcessLookupError
        time.sleep(0.05)


def _is_defunct(process: int) -> bool:
    # nobody reaps it where the tests are the first process of a container
    with open(f"/proc/{process}/stat", encoding="utf-8") as status:
        return status.read().rpartition(")")[2].split()[0] == "Z"


def test_an_environment_without_interpreter_is_a_gap(prefix: Path) -> None:
    snapshot = look(prefix, Fact.PIP_VIEW)

    reason = "the environment has no interpreter, whose pip could be asked"
    assert snapshot.gaps == (Gap(fact=Fact.PIP_VIEW, reason=reason),)


def test_no_environment_is_a_gap() -> None:
    reason = "no environment to look at"
    assert look(None, Fact.PIP_VIEW).gaps == (Gap(fact=Fact.PIP_VIEW, reason=reason),)


def test_nothing_is_started_where_it_is_not_asked_for(prefix: Path) -> None:
    interpreter(prefix, f'touch "{prefix}/started"')

    look(prefix)

    assert not (prefix / "started").exists()
