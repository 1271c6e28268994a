"""Whatever fails in envfix, conda goes on, and what is conda's own passes through."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import conda_fake
import pytest
from conda_fake import NEWEST
from test_conda_plugin import BROKEN, NOT_FOUND, offered, root  # noqa: F401 - one is a fixture

from reconciler import asking, conda_plugin
from reconciler.asking import NoAnswerError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(os.name == "nt", reason="the interpreter that fails is a shell script")
@pytest.mark.parametrize(
    "starts",
    [
        pytest.param(None, id="no interpreter"),
        pytest.param(f'exec "{sys.executable}" -S "$@"', id="no msgspec"),
        pytest.param("echo Segmentation fault >&2; kill -SEGV $$", id="killed"),
        pytest.param("echo 'no JSON'", id="another answer"),
    ],
)
def test_conda_goes_on_where_envfix_fails(
    starts: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    python = tmp_path / "python"
    if starts:
        python.write_text(f"#!/bin/sh\n{starts}\n")
        python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    conda_plugin.check(str(BROKEN), False)
    conda_plugin.warn("install")

    assert offered(NEWEST, "conda_error_hints", error=NOT_FOUND) == []
    assert caplog.text.count("envfix: ") == caplog.text.count("--help` shows whether it runs") == 3
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(os.name == "nt", reason="the interpreter that fails is a shell script")
def test_what_a_signal_ended_has_the_shell_s_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -TERM $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    assert conda_plugin.run(("scan",)) == 128 + signal.SIGTERM


@pytest.mark.skipif(os.name == "nt", reason="the interpreter that fails is a shell script")
def test_what_gives_no_answer_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(NoAnswerError, match=r"timed out after 0\.1 seconds"):
        asking.ask("health", seconds=0.1)


class Failing:
    """A context of a conda that nobody has seen yet."""

    json = False

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [SystemExit("no"), RuntimeError("no"), AttributeError("no")])
def test_nothing_that_the_warning_meets_ends_conda(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    conda_fake.put(monkeypatch, NEWEST, Failing(error))
    monkeypatch.setenv(conda_plugin.VARIABLE, "1")

    conda_plugin.warn("install")

    assert f"envfix: {type(error).__name__}: no" in caplog.text


def test_an_interruption_is_conda_s(monkeypatch: pytest.MonkeyPatch) -> None:
    conda_fake.put(monkeypatch, NEWEST, Failing(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        conda_plugin.warn("install")
