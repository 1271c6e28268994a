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
    assert "No error that envfix knows stands in this text" in result.output
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


def declared(tmp_path: Path, code: str) -> str:
    path = tmp_path / "declared.json"
    path.write_bytes(pipeline.save_snapshot(sketch(rules.rule(code).BAD)))
    return str(path)


def test_github_is_told_where_the_declared_line_is_at_fault(tmp_path: Path) -> None:
    saved = declared(tmp_path, "DEC701")
    message = "ERROR: No matching distribution found for torch==2.1.2+cu118"

    told = explain("--snapshot", saved, "--format", "github", message).output

    assert told.startswith("::warning file=")
    assert "requirements.txt,line=1,col=1,title=pip-no-cuda-wheel%3A pip finds no" in told
    assert "::Line 1: No matching distribution found for torch==2.1.2+cu118%0ALikely: " in told
    assert "%0AWhat to do: " in told
    assert told.count("\n") == 1


def test_github_is_told_of_a_package_by_its_line_where_no_rule_has_spoken(tmp_path: Path) -> None:
    saved = declared(tmp_path, "DEC701")
    message = (
        "Failed to build `torch-scatter`\nUnable to find installation candidates for torch (2.1)"
    )

    told = explain("--snapshot", saved, "--format", "github", message).output.splitlines()

    assert "requirements.txt,line=1,col=1,title=pip-no-framework-wheel%3A " in told[0]
    assert told[1].startswith("::notice title=extension-build-failed%3A ")


def test_github_is_told_what_is_proven_as_an_error(saved: str) -> None:
    told = explain("--snapshot", saved, "--format", "github", SYMBOL).output

    assert told.startswith("::error title=nvjitlink-too-old%3A an older nvJitLink")
    assert "%0ACulprit: /usr/local/cuda-12.1/lib64/libnvJitLink.so.12 (" in told


def test_github_has_no_annotation_for_a_text_in_which_nothing_is_known(saved: str) -> None:
    result = explain("--snapshot", saved, "--format", "github", "all 100% is:: well\nindeed")

    assert (result.exit_code, result.output) == (0, "unknown: all 100% is:: well indeed\n")


def test_the_machine_that_is_named_is_judged_for(tmp_path: Path) -> None:
    saved = declared(tmp_path, "DEC701")
    message = "RuntimeError: CUDA driver version is insufficient for CUDA runtime version"

    def cause(*machine: str) -> str:
        told = json.loads(
            explain("--snapshot", saved, "--format", "json", *machine, message).output
        )
        return str(told["diagnoses"][0]["certainty"])

    assert (cause("--driver", "418"), cause("--driver", "580")) == ("likely", "general")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("KeyError: 'labels'", "KeyError is raised by the program itself"),
        ("libfoo.so.3 was not to be had", "`envfix which libfoo.so.3`"),
        ("it does not work", "`envfix scan`"),
    ],
)
def test_of_an_unknown_text_what_is_known_of_it_is_told_and_what_to_run_next(
    text: str, said: str
) -> None:
    assert said in " ".join(explain(text).output.split())


def test_what_is_known_in_general_alone_names_the_command_that_tells_more(saved: str) -> None:
    text = "OSError: libcurand.so.9: cannot open shared object file"

    assert "next" not in explain("--snapshot", saved, f"ImportError: {SYMBOL}").output
    assert "next     `envfix which" not in explain("--snapshot", saved, text).output
    assert (
        "next     `envfix scan`"
        in explain("--no-env", "cuda runtime error (30) : unknown error").output
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_of_a_log_in_which_nothing_is_known_the_last_line_is_told(
    tmp_path: Path, encoding: str
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes("step 1\nKeyError: 'labels'\n\n".encode(encoding))

    told = json.loads(explain("--format", "json", str(log)).output)
    piped = json.loads(explain("--format", "json", piped=log.read_bytes()).output)

    assert told["unknown"] == piped["unknown"] == ["KeyError: 'labels'"]
