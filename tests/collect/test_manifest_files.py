from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect.manifest_files import LIMIT
from reconciler.collect.text_encoding import decode
from reconciler.model.snapshot import Fact
from reconciler.pipeline import load_snapshot, save_snapshot

from .trees import look, reasons, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.snapshot import Snapshot


def manifests(project: Path) -> Snapshot:
    return look(None, Fact.MANIFESTS, project=project)


def paths(project: Path) -> list[str]:
    return [manifest.path for manifest in manifests(project).manifests]


def test_a_project_without_files_has_none_and_no_gap(tmp_path: Path) -> None:
    snapshot = manifests(tmp_path)

    assert (snapshot.manifests, snapshot.gaps) == ((), ())


def test_the_files_of_a_project_are_read(tmp_path: Path) -> None:
    text = "dependencies: [python]\n"
    files = {"environment.yml": text, "environment.yaml": text, "requirements.txt": "torch\n"}

    assert paths(write(tmp_path, files | {"setup.cfg": ""})) == sorted(files)


def test_what_is_included_is_read(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r requirements/gpu.txt\n-c constraints.txt\n",
        "requirements/gpu.txt": "-r base.txt\n",
        "requirements/base.txt": "torch\n",
        "constraints.txt": "torch==2.1.2\n",
    }

    assert sorted(paths(write(tmp_path, files))) == sorted(files)


def test_what_the_pip_section_includes_is_read(tmp_path: Path) -> None:
    files = {
        "environment.yml": "dependencies:\n  - pip:\n      - -r gpu.txt\n",
        "gpu.txt": "torch\n",
    }

    assert paths(write(tmp_path, files)) == list(files)


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r a.txt\n-r ./a.txt\n",
        "a.txt": "-r requirements.txt\n-r a.txt\n",
    }

    snapshot = manifests(write(tmp_path, files))

    assert [m.path for m in snapshot.manifests] == list(files)
    assert snapshot.gaps == ()


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "a/../../secret.txt", "..", "/etc/passwd", "https://host.example/r.txt"],
)
def test_what_is_not_of_the_project_is_a_gap_and_is_not_read(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"secret.txt": "torch\n", "project/requirements.txt": f"-r {path}\n"})

    snapshot = manifests(tmp_path / "project")

    assert [m.path for m in snapshot.manifests] == ["requirements.txt"]
    assert list(reasons(snapshot).values()) == ["included, but not of this project: it is not read"]


def test_what_is_included_and_not_there_is_one_gap(tmp_path: Path) -> None:
    project = write(tmp_path, {"requirements.txt": "-r gpu.txt\n-r gpu.txt\n"})

    assert reasons(manifests(project)) == {"gpu.txt": "no such file"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path, encoding: str) -> None:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    text = "name: café\r\ndependencies:\r\n  - python\r\n"
    raw = marks.get(encoding, b"") + text.encode(encoding)

    (manifest,) = manifests(write(tmp_path, {"environment.yml": raw})).manifests

    assert (manifest.text, manifest.environments) == (text, ("café",))


@pytest.mark.parametrize("raw", [b"# caf\xe9\0\ntorch\n", codecs.BOM_UTF16_LE + b"\x00"])
def test_a_file_that_cannot_be_decoded_is_a_gap(tmp_path: Path, raw: bytes) -> None:
    (reason,) = reasons(manifests(write(tmp_path, {"requirements.txt": raw}))).values()

    assert reason.startswith("not utf-")
    assert "at byte" in reason


@pytest.mark.parametrize(
    ("raw", "text", "why", "line"),
    [
        (b"torch\r# caf\xe9\r\nnumpy\n", "torch\r# café\r\nnumpy\n", "not UTF-8 at the byte 0xe9: pip", 2),
        (b"torch\n# \x81\n", "torch\n# \x81\n", "not UTF-8 at the byte 0x81: pip", 2),
        ("torch\nn\n".encode("utf-16-le"), "torch\nn\n", "UTF-16 without its byte order mark: pip", 1),
        ("torch\nn\n".encode("utf-16-be"), "torch\nn\n", "UTF-16 without its byte order mark: pip", 1),
    ],
)  # fmt: skip
def test_what_pip_cannot_decode_is_read_and_is_a_fault(
    tmp_path: Path, raw: bytes, text: str, why: str, line: int
) -> None:
    (manifest,) = manifests(write(tmp_path, {"requirements.txt": raw})).manifests
    (fault,) = manifest.faults

    assert (manifest.text, fault.kind, fault.line) == (text, "unreadable", line)
    assert fault.why.startswith(why)
    assert [d.name for d in manifest.declared][:1] == ["torch"]


@pytest.mark.parametrize(
    "coding", ["# -*- coding: latin-1 -*-\n", "\n# vim: set fileencoding=cp1252:\n"]
)
def test_an_encoding_that_the_file_names_is_no_fault(tmp_path: Path, coding: str) -> None:
    raw = f"{coding}torch # café\n".encode("latin-1")

    (manifest,) = manifests(write(tmp_path, {"requirements.txt": raw})).manifests

    assert (manifest.text, manifest.faults) == (f"{coding}torch # café\n", ())


@pytest.mark.parametrize("coding", ["nothing", "utf-8", "rot13", "punycode"])
def test_an_encoding_that_cannot_be_meant_is_passed_over(tmp_path: Path, coding: str) -> None:
    raw = f"# coding: {coding}\ntorch # café\n".encode("latin-1")

    (manifest,) = manifests(write(tmp_path, {"requirements.txt": raw})).manifests

    assert [fault.line for fault in manifest.faults] == [2]


def test_docker_takes_any_bytes(tmp_path: Path) -> None:
    (manifest,) = manifests(write(tmp_path, {"Dockerfile": b"# caf\xe9\nFROM x\n"})).manifests

    assert manifest.faults == ()


@pytest.mark.parametrize("raw", [b"ab", b"a\0", b"\0a", b"a\0\0b"])
def test_a_short_file_is_no_utf_16_by_chance(raw: bytes) -> None:
    assert len(decode(raw).text) in {1, 2, 4}


@pytest.mark.parametrize("raw", [b"a\0\xd8\xd8", b"\0a\xd8\xd8"])
def test_what_is_no_text_at_all_is_not_decoded(raw: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(raw)


def test_a_file_that_is_no_yaml_is_a_fault_with_its_line(tmp_path: Path) -> None:
    project = write(
        tmp_path, {"environment.yml": "name: x\ndependencies: [\n", "requirements.txt": "torch\n"}
    )

    snapshot = manifests(project)

    broken, other = snapshot.manifests
    assert (broken.path, other.path) == ("environment.yml", "requirements.txt")
    assert [(fault.kind, fault.line) for fault in broken.faults] == [("unreadable", 2)]


def test_a_pipe_in_place_of_a_file_is_a_gap(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")

    assert reasons(manifests(tmp_path)) == {"requirements.txt": "not a regular file"}


def test_a_file_that_is_too_large_is_a_gap(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": bytes(LIMIT + 1)})

    assert list(reasons(manifests(tmp_path))) == ["requirements.txt"]


def test_a_circle_of_links_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").symlink_to("requirements.txt")

    assert list(reasons(manifests(tmp_path))) == ["requirements.txt"]


def test_a_secret_is_masked_and_everything_else_keeps_its_place(tmp_path: Path) -> None:
    text = (
        "dependencies:\n"
        "  - pip:\n"
        "      - --extra-index-url https://me:hunter2@host.example/simple\n"
        "      - torch==2.1.2\n"
        "variables: {API_TOKEN: hunter2, OTHER: x}\n"
    )

    (manifest,) = manifests(write(tmp_path, {"environment.yml": text})).manifests

    assert "hunter2" not in repr(manifest)
    assert [(d.name, d.line, d.column) for d in manifest.declared] == [
        ("https://**:*******@host.example/simple", 3, 9),
        ("torch", 4, 9),
        ("API_TOKEN", 5, 13),
        ("OTHER", 5, 33),
    ]


def test_what_cannot_be_stored_as_it_is_can_be_saved(tmp_path: Path) -> None:
    text = 'name: "\\ud800"\ndependencies: ["\\udc80", "\U0010ffe9"]\n'

    snapshot = manifests(write(tmp_path, {"environment.yml": text}))

    assert load_snapshot(save_snapshot(snapshot), where="here") == snapshot
