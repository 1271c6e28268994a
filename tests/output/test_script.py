from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from reconciler import pipeline
from reconciler.cli import cli
from reconciler.model.fix import Applicability, Command, Fix
from reconciler.model.os_name import from_os
from reconciler.model.snapshot import Target
from reconciler.output import script
from reconciler.rules import all_rules
from reconciler.testing import sketch

from .reports import ESCAPE, finding

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.finding import Finding

TARGET = Target(project="/project", prefix="/pre fix", kind="conda", platform="linux-64")
#: Names as an environment may hold them, made to be run.
HOSTILE = (
    "$(touch gone)",
    "`touch gone`",
    "a\ntouch gone\n",
    "'; touch gone; '",
    "-e",
    "\\",
    "\x00",
)


def wanting(*argv: str, why: str = "it has to", title: str = "mend it", times: int = 1) -> Finding:
    command = Command(manager="pip", argv=argv, why=why, destructive=True, times=times)
    fix = Fix(title=title, applicability=Applicability.UNSAFE, commands=(command,))
    return msgspec.structs.replace(finding("something is wrong"), fix=fix)


def render(*findings: Finding) -> str:
    return script.render(findings, TARGET, envfix="0.1.0")


def test_the_head_says_for_what_and_why() -> None:
    lines = render(wanting("pip", "check")).splitlines()

    assert lines[:6] == [
        "#!/bin/sh",
        "# Written by envfix 0.1.0 for /pre fix (linux-64).",
        "#",
        "# XYZ901 something is wrong.",
        "#   To mend it: mend it.",
        "#",
    ]
    assert "set -eu" in lines


def test_each_command_stands_under_the_code_and_its_reason() -> None:
    assert render(wanting("pip", "check")).endswith("\n# XYZ901: it has to.\npip check\n")


def test_a_second_reason_is_said_too() -> None:
    text = render(wanting("pip", "check"), wanting("pip", "check", why="it wants to"))

    assert text.endswith("# XYZ901: it has to.\n# and: it wants to.\npip check\n")


def test_what_is_to_be_run_twice_stands_there_twice() -> None:
    assert render(wanting("pip", "check", times=2)).endswith("\npip check\npip check\n")


def test_without_a_command_there_is_nothing_to_run() -> None:
    text = render(finding())

    assert "# There is nothing to run." in text
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["set -eu"]


def test_what_is_left_out_is_said() -> None:
    left = wanting("pip", "check")
    assert left.fix is not None
    fix = msgspec.structs.replace(left.fix, applicability=Applicability.DISPLAY)

    text = render(msgspec.structs.replace(left, fix=fix))

    assert "#   Not in here: left to you: mend it." in text
    assert "\npip check" not in text


@pytest.mark.parametrize("text", [*HOSTILE, ESCAPE], ids=repr)
def test_no_text_of_an_environment_ends_a_comment(text: str) -> None:
    said = msgspec.structs.replace(wanting("true", why=text, title=text), message=text)

    lines = render(said).splitlines()

    code = [line for line in lines if line and not line.startswith("#")]
    assert code == ["set -eu", *script.ALONE.splitlines()[1:], "true"]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=repr)
def test_no_text_of_an_environment_is_more_than_a_word(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mend.sh"
    path.write_text(render(wanting("printf", "%s", "--", text)))

    done = subprocess.run(
        ["sh", str(path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout == f"--{text}"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mend.sh"]


def test_it_stops_at_the_first_step_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "mend.sh"
    path.write_text(render(wanting("false"), wanting("touch", str(tmp_path / "reached"))))

    assert subprocess.run(["sh", str(path)], check=False).returncode == 1
    assert not (tmp_path / "reached").exists()


def test_another_environment_is_not_seen_by_what_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "mend.sh"
    path.write_text(render(wanting("env")))
    variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/x", "PYTHONHOME": "/y"}

    shown = subprocess.run(
        ["sh", str(path)], env=variables, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert "PYTHONNOUSERSITE=1" in shown
    assert not [line for line in shown if line.startswith(("PYTHONPATH", "PYTHONHOME"))]


def test_a_prefix_with_a_space_is_one_word() -> None:
    line = render(wanting("/pre fix/bin/python", "-m", "pip")).splitlines()[-1]

    assert shlex.split(line) == ["/pre fix/bin/python", "-m", "pip"]


def test_the_command_line_writes_it_with_the_bytes_that_a_prefix_has(tmp_path: Path) -> None:
    snapshot = sketch(all_rules()["ELF506"].BAD)
    target = msgspec.structs.replace(snapshot.target, prefix=from_os("/caf\udce9"))
    seen, path = tmp_path / "seen.json", tmp_path / "mend.sh"
    seen.write_bytes(pipeline.save_snapshot(msgspec.structs.replace(snapshot, target=target)))

    done = CliRunner().invoke(cli, ["fix", "--snapshot", str(seen), "--script", str(path)])

    assert done.exit_code in {0, 1}, done.output
    assert b"uv pip install --python '/caf\xe9/bin/python' --reinstall " in path.read_bytes()
