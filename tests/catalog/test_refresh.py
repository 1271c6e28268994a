"""What an index has that the tables lack, asked of an index on this machine."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from reconciler.catalog import refresh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KNOWN = refresh.known_versions()
NOTHING_NEW = {name: json.dumps({"files": []}) for name in KNOWN}


def project(*versions: str, yanked: tuple[str, ...] = ()) -> str:
    wheels = [f"torch-{version}-cp312-cp312-manylinux_2_28_x86_64.whl" for version in versions]
    files = [
        {"filename": file, "yanked": version in yanked}
        for file, version in zip(wheels, versions, strict=True)
    ]
    return json.dumps({"name": "torch", "files": files})


@contextmanager
def index(pages: Mapping[str, str]) -> Iterator[str]:
    """Serve pages by project, as a package index does, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.strip("/").rpartition("/")[2])
            self.send_response(404 if page is None else 200)
            is_html = page is not None and page.startswith("<!DOCTYPE html>")
            self.send_header("Content-Type", "text/html" if is_html else "application/json")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_packages_with_rows_by_version_are_asked_for() -> None:
    assert {"torch", "torchvision", "torchaudio", "tensorflow", "jaxlib"} <= KNOWN.keys()
    assert "2.1.2" in KNOWN["torch"]


def test_releases_that_are_newer_than_every_row_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pages = NOTHING_NEW | {"torch": project("2.1.2", "99.1", "99.0.1", "99.10")}
    with index(pages) as url:
        status = refresh.main(["--index-url", url])

    lines = capsys.readouterr().out.splitlines()
    newest = max(KNOWN["torch"], key=refresh.Version)
    assert lines[0] == f"torch: 99.0.1, 99.1, 99.10 (the tables end at {newest})"
    assert lines[1].startswith("1 of ")
    assert status == 1


def test_yanked_releases_and_previews_are_not_named(capsys: pytest.CaptureFixture[str]) -> None:
    page = project("99.0", "99.1rc1", "99.2.dev1", "not-a-version", yanked=("99.0",))
    with index(NOTHING_NEW | {"torch": page}) as url:
        status = refresh.main(["--index-url", url])

    assert capsys.readouterr().out.startswith("0 of ")
    assert status == 0


def test_an_index_that_has_pages_alone_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["torch-99.0.tar.gz", "torch-99.1%2Bcu130-cp312-cp312-win_amd64.whl", "readme.txt"]
    links = "".join(f'<a href="../../f/{file}#sha256=0">{file}</a>\n' for file in files)
    yanked = '<a href="torch-99.2.tar.gz" data-yanked="broken">torch-99.2.tar.gz</a>'
    with index(NOTHING_NEW | {"torch": f"<!DOCTYPE html>{links}{yanked}"}) as url:
        refresh.main(["--index-url", url])

    assert capsys.readouterr().out.startswith("torch: 99.0, 99.1+cu130 (the tables end at ")


def test_the_index_may_be_named_by_a_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with index(NOTHING_NEW) as url:
        monkeypatch.setenv(refresh.VARIABLE, url)
        status = refresh.main([])

    assert capsys.readouterr().out.startswith("0 of ")
    assert status == 0


@pytest.mark.parametrize("page", ["<html>", "", "[]", '{"files": 7}', "[" * 99_999])
def test_an_answer_that_is_none_is_one_line(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    with index(dict.fromkeys(KNOWN, page)) as url:
        status = refresh.main(["--index-url", url])

    assert_one_line(capsys, status)


def test_a_project_that_an_index_lacks_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with index({}) as url:
        status = refresh.main(["--index-url", url])

    assert_one_line(capsys, status)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/simple", "file:///etc", "simple", "http://[", "https://\x1b[2J/"]
)
def test_an_index_that_cannot_be_reached_is_one_line(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_one_line(capsys, refresh.main(["--index-url", url]))


def assert_one_line(capsys: pytest.CaptureFixture[str], status: int) -> None:
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("refresh: ")
    assert captured.err.count("\n") == 1
    assert "\x1b" not in captured.err
