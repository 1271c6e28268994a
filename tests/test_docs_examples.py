"""Every command in the docs and the README is run, and prints what stands below it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import docs_picture
import pytest
from docs_pages import ROOT, agrees, commands, pages, parts
from docs_shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docs_pages import Part

each_page = pytest.mark.parametrize("page", pages(), ids=lambda p: p.relative_to(ROOT).as_posix())


@pytest.mark.skipif(sys.platform != "linux", reason="what is shown is what Linux shows")
@each_page
def test_every_command_prints_what_the_page_shows(
    page: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    text = page.read_text("utf-8")
    told = [(part, now) for part, now in played(text, monkeypatch) if part.body != now]
    if pytestconfig.getoption("--accept"):
        for part, now in reversed(told):
            text = text[: part.at] + now + text[part.at + len(part.body) :]
        page.write_text(text, "utf-8")
    assert [now for _, now in told] == [part.body for part, _ in told]


@pytest.mark.skipif(sys.platform != "linux", reason="what is shown is what Linux shows")
def test_the_picture_is_what_a_terminal_shows(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    shell = Shell("cudatoolkit-11-beside-pytorch-cuda-12", monkeypatch)
    drawn = docs_picture.draw("envfix scan", shell.run("envfix scan --color always"))
    shell.leave()
    picture = ROOT / "docs/images/report.svg"
    if pytestconfig.getoption("--accept"):
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(drawn, "utf-8")
    assert drawn == picture.read_text("utf-8")


def played(text: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Part, str]]:
    """Run a page; yield each of its files and consoles, and what stands there in truth."""
    shell: Shell | None = None
    is_run = True
    try:
        for part in parts(text):
            if part.tag == "example":
                shell = _anew(shell, part.said, monkeypatch)
            elif part.tag == "not run":
                is_run = False
                continue
            elif part.said:
                shell = shell or Shell("nothing", monkeypatch)
                yield part, shell.file(part.said, part.body)
            elif part.tag == "console" and is_run:
                shell = shell or Shell("nothing", monkeypatch)
                yield part, _now(part.body, shell)
            is_run = True
    finally:
        if shell:
            shell.leave()


def _anew(shell: Shell | None, example: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    if shell:
        shell.leave()
    return Shell(example, monkeypatch)


def _now(body: str, shell: Shell) -> str:
    lines = []
    for command, shown in commands(body):
        printed = shell.run(command.partition("  # ")[0])
        lines.append(f"$ {command}\n{shown if agrees(shown, printed) else printed}")
    return "".join(lines)
