"""What a terminal is sent, and what a pipe is: held on real pseudo-terminals."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from contextlib import redirect_stderr
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from lab.channel import write_repodata
from terminals import SILENT, environ, on_terminal, pty

from reconciler import pipeline, progress, terminal
from reconciler.model.look import Look
from reconciler.output import conversion, rule_page, rule_reading
from reconciler.output.page import Page
from reconciler.rules import all_rules
from reconciler.testing import sketch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

CLEAR = "\r\x1b[K"
STYLE = re.compile(r"\x1b\[[\d;]*m")
CHANNEL = {
    "cuda-version-11.8-0.conda": {"name": "cuda-version", "version": "11.8", "build": "0"},
    "python-3.11.7-0.conda": {"name": "python", "version": "3.11.7", "build": "0"},
    "numpy-1.26.0-0.conda": {"name": "numpy", "version": "1.26.0", "build": "0"},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "saved.json"
    path.write_bytes(pipeline.save_snapshot(sketch(all_rules()["CUD201"].BAD)))
    return path


def piped(*arguments: object, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *map(str, arguments)],
        capture_output=True,
        env=environ(**variables),
        check=False,
    )
    return done.stdout.decode() + done.stderr.decode()


def test_a_terminal_is_sent_colors_and_the_words_that_a_pipe_is_sent(saved: Path) -> None:
    shown = on_terminal("scan", "--snapshot", saved)
    plain = piped("scan", "--snapshot", saved)

    assert "\x1b[1;31merror\x1b[0m" in shown
    assert "\x1b" not in plain
    assert STYLE.sub("", shown).split() == plain.split()


def test_what_stops_the_program_is_one_line_that_a_terminal_shows_in_red() -> None:
    assert on_terminal("scna").startswith("\x1b[1;31menvfix:\x1b[0m no command is called 'scna'")
    assert "\x1b" not in on_terminal("scna", NO_COLOR="1")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_is_sent_no_color_where_none_is_wanted(
    saved: Path, variables: dict[str, str]
) -> None:
    assert "\x1b" not in on_terminal("scan", "--snapshot", saved, **variables)


@pytest.mark.parametrize("columns", [80, 200])
def test_no_line_that_can_be_broken_is_longer_than_the_terminal(saved: Path, columns: int) -> None:
    lines = STYLE.sub("", on_terminal("scan", "-v", "--snapshot", saved, columns=columns))

    longest = max(lines.splitlines(), key=len)
    assert len(longest) <= min(columns, 100) or len(longest.split()) < 3


class Slow(SimpleHTTPRequestHandler):
    """A channel that takes its time."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if "repodata" in self.path:
            time.sleep(0.5)
        super().do_GET()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A file to convert, and the address of a channel that is slow to serve."""
    for subdir, packages in (("linux-64", CHANNEL), ("noarch", {})):
        place = tmp_path / "channel" / subdir
        place.mkdir(parents=True)
        given = {"subdir": subdir, "build_number": 0, "depends": [], "sha256": "0" * 64, "size": 1}
        entries = {key: {**given, **package} for key, package in packages.items()}
        write_repodata(place, entries)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    served = partial(Slow, directory=str(tmp_path / "channel"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path / "requirements.txt", f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_slow_solve_is_told_while_it_lasts_and_leaves_nothing(
    slow: tuple[Path, str], tmp_path: Path
) -> None:
    source, channel = slow

    sent = on_terminal(
        *("convert", source, "--platform", "linux-64", "--channel", channel),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )

    under_way, _, left = sent.rpartition(CLEAR)
    assert "solving for linux-64" in under_way
    assert under_way.startswith(CLEAR)
    assert "\n" not in under_way
    assert "solving" not in left
    assert "Proven for linux-64" in STYLE.sub("", left)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[IO[str], IO[bytes]]]:
    """A terminal: what is written to, and where it is read."""
    ours, its = pty.openpty()
    for name in SILENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with open(its, "w", encoding="utf-8") as stream, open(ours, "rb", 0) as reader:
        yield stream, reader


def test_what_is_done_soon_is_not_told(screen: tuple[IO[str], IO[bytes]]) -> None:
    stream, reader = screen
    with redirect_stderr(stream):
        with progress.shown("judging"):
            pass
        stream.write("end")
        stream.flush()

    assert reader.read(65536) == b"end"


def test_a_note_stays_and_what_is_under_way_goes(screen: tuple[IO[str], IO[bytes]]) -> None:
    stream, reader = screen
    with redirect_stderr(stream), progress.shown("judging") as tell:
        assert tell
        tell("reading \x1b]0;x\x07 ...")
        tell("no credentials are used")
        time.sleep(progress.PATIENCE + 2 * progress.PACE)

    sent = reader.read(65536).decode()
    assert sent.startswith(f"{CLEAR}envfix: no credentials are used\r\n")
    assert r"⠋ reading \x1b]0;x\x07" in sent
    assert sent.endswith(CLEAR)


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_nobody_is_told_where_nobody_looks(
    screen: tuple[IO[str], IO[bytes]], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert progress.is_watched(screen[0])
    monkeypatch.setenv(name, value)
    with redirect_stderr(screen[0]), progress.shown("judging") as tell:
        assert tell is None


def test_quiet_tells_nothing(screen: tuple[IO[str], IO[bytes]]) -> None:
    with redirect_stderr(screen[0]), progress.shown("judging", quiet=True) as tell:
        assert tell is None


@pytest.mark.parametrize(
    ("text", "columns", "fits"),
    [("abc", 3, "abc"), ("abc", 2, "ab"), ("名a", 2, "名"), ("名", 1, "")],
)
def test_what_is_under_way_fits_into_the_line(text: str, columns: int, fits: str) -> None:
    assert progress.fitting(text, columns) == fits


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii", "cp932", "utf-8"])
def test_every_page_can_be_written_in_every_code_page(encoding: str) -> None:
    pages = "".join(map(rule_page.render, all_rules().values()))

    assert terminal.encoded(f"{pages}…/lib → é名", encoding)


def test_what_a_code_page_lacks_is_spelled_or_escaped() -> None:
    assert terminal.encoded("…/lib é └─ 名 ", "cp437") == b"\x2e../lib \x82 \xc0\xc4 \\u540d "
    assert terminal.encoded("… é └─ 名", "cp1252") == b"\x85 \xe9 `- \\u540d"
    assert terminal.encoded("… é", "ascii") == b"... \\xe9"


COMMAND = "`envfix fix --write --unsafe-fixes`"


@pytest.mark.parametrize("width", range(20, 80, 7))
def test_a_command_in_a_sentence_is_not_broken_on_a_terminal(width: int) -> None:
    page = Page(Look(width=width, whole=True))
    page.paragraph(f"It has a number of words before {COMMAND} and some behind it.", label="do  ")

    assert any(COMMAND in line for line in page.lines)
    assert all(line.startswith("      ") for line in page.lines[1:])


@pytest.mark.parametrize("module", all_rules().values(), ids=all_rules())
def test_a_rule_s_page_is_read_without_the_marks_of_markdown(module) -> None:
    read = rule_reading.told([module], Look(whole=True), is_page=True)

    assert "```" not in read
    assert "](" not in read
    assert not re.search(r"^#", read, re.MULTILINE)
    assert {line.strip() for line in module.BAD.splitlines()} <= set(
        map(str.strip, read.split("\n"))
    )


def test_the_list_of_rules_hangs_on_a_terminal_and_is_a_line_each_in_a_pipe() -> None:
    modules = tuple(all_rules().values())

    read = rule_reading.told(modules, Look(whole=True), is_page=False)
    plain = rule_reading.told(modules, Look(), is_page=False)

    assert max(map(len, read.splitlines())) <= 80
    assert read.split() == plain.split()
    assert len(plain.splitlines()) == len(modules)


def test_a_conversion_is_wrapped_to_the_terminal_and_elsewhere_as_it_is_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.1.2+cu118\nnumpy<2\n-e .\n")
    from reconciler.conversion import convert  # noqa: PLC0415 - all that is converted here

    made = convert(str(tmp_path), ["requirements.txt"])
    how = {"form": "text", "diff": False, "verbose": True}
    shown = conversion.render(made, Look(width=60, whole=True, color=True), **how)
    kept = conversion.render(made, **how)

    told = [line for line in STYLE.sub("", shown).splitlines() if line.startswith("#")]
    assert max(len(line) for line in told if len(line.split()) > 3) <= 60
    assert "\x1b[1mCUDA 11.8" in shown
    assert STYLE.sub("", shown).replace("#", "").split() == kept.replace("#", "").split()
    assert "\x1b[32m+" in conversion.render(
        made, Look(color=True), form="text", diff=True, verbose=False
    )


def test_who_types_an_error_is_told_how_to_end() -> None:
    ours, its = pty.openpty()
    with open(its, "rb", 0) as typed, open(ours, "wb", 0) as keys:
        keys.write(b"nothing that is known\n\x04")
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "explain", "--no-env"],
            stdin=typed,
            capture_output=True,
            env=environ(),
            check=False,
        )

    assert done.stderr == b"envfix: paste the text, then press Ctrl-D\n"
    assert done.stdout.startswith(b"unknown  nothing that is known\nNo error that envfix knows")
