"""``envfix explain``: an error on the screen, as a user hands it over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from reconciler import pipeline, rules
from reconciler.cli import cli
from reconciler.testing import sketch

if TYPE_CHECKING:
    from pathlib import Path

SYMBOL = "libcusparse.so.12: undefined symbol: __nvJitLinkAddData_12_1, version libnvJitLink.so.12"


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "saved.json"
    path.write_bytes(pipeline.save_snapshot(sketch(rules.rule("PTH404").BAD)))
    return str(path)


def explain(*arguments: str, piped: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments], input=piped)


def test_a_message_is_told_with_its_cause_its_culprit_and_what_to_do(saved: str) -> None:
    result = explain("--snapshot", saved, f"ImportError: {SYMBOL}")

    assert result.exit_code == 1
    assert "an older nvJitLink is loaded than cuSPARSE needs\n" in result.output
    assert "certain  proven here\n" in result.output
    assert "culprit  /usr/local/cuda-12.1/lib64/libnvJitLink.so.12" in result.output
    assert "https://github.com/infiniflow/ragflow/issues/4466" in result.output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_log_is_read_from_a_file(saved: str, tmp_path: Path, encoding: str) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(f"start\n{SYMBOL}\n".encode(encoding))

    told = json.loads(explain("--snapshot", saved, "--format", "json", str(log)).output)

    assert [(d["id"], d["line"]) for d in told["diagnoses"]] == [("nvjitlink-too-old", 2)]


def test_a_log_may_be_piped(saved: str) -> None:
    told = json.loads(
        explain("--snapshot", saved, "--format", "json", "-", piped=SYMBOL.encode()).output
    )

    (diagnosis,) = told["diagnoses"]
    assert diagnosis["certainty"] == "proven"
    assert diagnosis["captured"]["symbol"] == "__nvJitLinkAddData_12_1"
    assert diagnosis["culprit"]["owner"] == "the CUDA toolkit 12.1 in /usr/local/cuda-12.1"
    assert diagnosis["rules"][0] == "PTH404"


def test_of_an_unknown_text_no_cause_is_invented() -> None:
    result = explain("KeyError: 'labels'")

    assert result.exit_code == 0
    assert "no error that envfix knows stands in this text" in result.output
    assert json.loads(explain("--format", "json", "KeyError: 'labels'").output) == {
        "schema": 1,
        "diagnoses": [],
        "unknown": ["KeyError: 'labels'"],
    }


def test_without_an_environment_a_message_is_explained_in_general(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = explain(
        "--no-env", "--no-host", "AssertionError: Torch not compiled with CUDA enabled"
    )

    assert "not seen here" in result.output
