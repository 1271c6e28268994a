"""docs/converting.md shows what its commands print."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_channels import write_channels

from reconciler.cli import cli

PAGE = Path(__file__).parent.parent / "docs" / "converting.md"
BLOCK = re.compile(
    r"^```(?P<kind>text|console) ?(?P<name>\S*)\n(?P<body>.*?)^```\n", re.MULTILINE | re.DOTALL
)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    folder = tmp_path / "segment"
    folder.mkdir()
    write_channels(folder / "channels")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_every_output_of_the_page_is_what_its_command_prints(project, pytestconfig):
    text = PAGE.read_text("utf-8")
    commands = []
    for block in BLOCK.finditer(text):
        if block["kind"] == "text":
            (project / block["name"]).write_text(block["body"], "utf-8")
            continue
        command = block["body"].splitlines()[0].removeprefix("$ envfix ")
        printed = CliRunner().invoke(cli, shlex.split(command)).stdout
        printed = printed.replace(project.as_uri(), "file:///home/me/segment")
        commands.append((block["body"], f"$ envfix {command}\n{printed}"))
    if pytestconfig.getoption("--accept"):
        for shown, printed in commands:
            text = text.replace(shown, printed)
        PAGE.write_text(text, "utf-8")
    assert len(commands) > 4
    assert [shown for shown, _ in commands] == [printed for _, printed in commands]
