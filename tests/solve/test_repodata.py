"""Repodata of a server: it is cached, its absence is told, and a slow one is mentioned."""

from __future__ import annotations

import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from solve.released import released

from reconciler.model.solution import NotProven, Solution
from reconciler.solve import solve, target

LINUX = target("linux-64", cuda="12.4")


class Quiet(SimpleHTTPRequestHandler):
    delay = 0.0

    def do_GET(self):
        time.sleep(self.delay)
        super().do_GET()

    def log_message(self, *_):
        pass


class Tokens(Quiet):
    def do_GET(self):
        self.path = self.path.replace("/t/s3cret", "")
        super().do_GET()


class Slow(Quiet):
    delay = 2.5


@pytest.fixture
def serve(alias):
    servers = []

    def start(handler):
        folder = f"{alias.removeprefix('file://')}/conda-forge"
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_what_was_fetched_serves_offline(serve, tmp_path):
    channel, server = serve(Quiet)
    ask = partial(solve, ["six=1.17"], [channel], "linux-64", LINUX, cache=str(tmp_path))
    assert isinstance(ask(), Solution)
    server.shutdown()
    server.server_close()
    assert isinstance(ask(offline=True), Solution)


@pytest.mark.parametrize("login", ["", "t/s3cret/", "me:s3cret@"])
def test_a_channel_with_credentials_serves_and_they_are_never_told(serve, login, tmp_path, capfd):
    plain, _ = serve(Tokens)
    before, after = ("", login) if login.startswith("t/") else (login, "")
    channel = f"{plain.replace('://', f'://{before}')}/{after}"
    where = {"cache": str(tmp_path)}
    solution = solve(["six"], [channel], "linux-64", LINUX, **where)
    found = released(["six"], [channel], "linux-64", **where)
    refused = solve(["six=9"], [channel], "linux-64", LINUX, **where)
    nowhere = solve(["six"], [f"{channel}nowhere"], "linux-64", LINUX, **where)
    offline = solve(["six"], [f"{channel}x"], "linux-64", LINUX, offline=True, **where)
    assert isinstance(solution, Solution)
    assert len(found["six"]) == 2
    told = f"{solution} {found} {refused} {nowhere} {offline} {capfd.readouterr()}"
    assert "s3cret" not in told


def test_a_slow_download_is_mentioned_on_stderr_and_nothing_on_stdout(serve, tmp_path, capfd):
    channel, _ = serve(Slow)
    answer = solve(["cuda-version"], [channel], "linux-64", LINUX, cache=str(tmp_path))
    assert isinstance(answer, Solution)
    shown = capfd.readouterr()
    assert f"reading the repodata of {channel} (linux-64)" in shown.err
    assert shown.out == ""


def test_a_server_that_never_answers_proves_nothing(serve, tmp_path):
    channel, _ = serve(Slow)
    answer = solve(["six"], [channel], "linux-64", LINUX, cache=str(tmp_path), timeout=1.5)
    why = "the solver gave no answer within 1.5 seconds"
    assert answer == NotProven(platform="linux-64", why=why)
