"""A repair laid over the file's own bytes: its encoding, its line ends, its secrets."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest

from collect.trees import write
from reconciler.collect import rereading
from reconciler.collect.manifest_files import read_text
from reconciler.collect.rereading import change_of
from reconciler.errors import WriteError
from reconciler.manifests.rewriting import apply_splices
from reconciler.model.fix import Splice
from reconciler.model.plan import FileRepair

if TYPE_CHECKING:
    from pathlib import Path

NAME = "requirements.txt"


def repair(folder: Path, old: str, new: str) -> FileRepair:
    """Return what replaces one text of a file by another."""
    text = read_text(f"{folder}/{NAME}")
    at = text.index(old)
    splices = (Splice(at, at + len(old), new),)
    after = apply_splices(text, splices)
    return FileRepair(path=NAME, before=text, after=after, rounds=(splices,))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a==1\nb\n", b"a==2\nb\n"),
        (b"a==1\r\nb", b"a==2\r\nb"),
        (b"a==1\rb\r", b"a==2\rb\r"),
        (codecs.BOM_UTF8 + b"a==1\n", codecs.BOM_UTF8 + b"a==2\n"),
        ("# é\na==1\n".encode("utf-16"), "# é\na==2\n".encode("utf-16")),
        (
            codecs.BOM_UTF16_BE + "a==1\r\n".encode("utf-16-be"),
            codecs.BOM_UTF16_BE + "a==2\r\n".encode("utf-16-be"),
        ),
        ("a==1\n".encode("utf-32"), "a==2\n".encode("utf-32")),
        (b"# coding: cp1252\n# caf\xe9\na==1\n", b"# coding: cp1252\n# caf\xe9\na==2\n"),
        ("# \N{ROCKET}\na==1\n".encode(), "# \N{ROCKET}\na==2\n".encode()),
    ],
)
def test_only_what_is_meant_changes_in_the_bytes(
    tmp_path: Path, raw: bytes, expected: bytes
) -> None:
    write(tmp_path, {NAME: raw})

    change = change_of(str(tmp_path), repair(tmp_path, "a==1", "a==2"))

    assert (change.before, change.after) == (raw, expected)
    assert (change.path, change.name) == (f"{tmp_path}/{NAME}", NAME)


def test_further_rounds_are_over_what_the_last_one_left(tmp_path: Path) -> None:
    write(tmp_path, {NAME: "a\nb\n"})
    rounds = ((Splice(0, 2, ""),), (Splice(0, 1, "c"),))

    change = change_of(
        str(tmp_path), FileRepair(path=NAME, before="a\nb\n", after="c\n", rounds=rounds)
    )

    assert change.after == b"c\n"


def test_a_secret_stays_what_it_was(tmp_path: Path) -> None:
    secret = b"--extra-index-url https://ann:hunter2@example.org/simple\n"
    write(tmp_path, {NAME: secret + b"a==1\n"})

    planned = repair(tmp_path, "a==1", "a==2")
    change = change_of(str(tmp_path), planned)

    assert "hunter2" not in planned.before + planned.after
    assert change.after == secret + b"a==2\n"


def refused(folder: Path, planned: FileRepair) -> str:
    with pytest.raises(WriteError) as caught:
        change_of(str(folder), planned)
    return str(caught.value)


@pytest.mark.parametrize("raw", [b"a==3\n", b"a==1\nb\n", b"\xff\xfe\0"])
def test_a_file_that_was_changed_meanwhile_is_refused(tmp_path: Path, raw: bytes) -> None:
    planned = repair(write(tmp_path, {NAME: "a==1\n"}), "a==1", "a==2")
    write(tmp_path, {NAME: raw})

    assert refused(tmp_path, planned) == (
        "requirements.txt: not what it was when envfix read it; nothing was written;"
        " run envfix again"
    )


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    planned = repair(write(tmp_path, {NAME: "a==1\n"}), "a==1", "a==2")
    (tmp_path / NAME).unlink()

    assert "no such file; nothing was written" in refused(tmp_path, planned)


def test_bytes_that_would_not_come_out_as_they_went_in_are_refused(tmp_path: Path) -> None:
    # 0x81 is no character of cp1252.
    write(tmp_path, {NAME: b"# coding: cp1252\n# \x81\na==1\n"})

    assert "its bytes are not all cp1252" in refused(tmp_path, repair(tmp_path, "a==1", "a==2"))


def test_a_character_that_snapshots_keep_otherwise_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {NAME: "# \U0010ff80\na==1\n"})

    assert "nothing was written" in refused(tmp_path, repair(tmp_path, "a==1", "a==2"))


def test_what_the_encoding_of_the_file_has_not_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {NAME: b"# coding: cp1252\n# caf\xe9\na==1\n"})

    said = refused(tmp_path, repair(tmp_path, "a==1", "\N{ROCKET}"))

    assert "its encoding, cp1252, lacks a character of what would be written" in said


def test_what_would_put_a_secret_where_it_was_not_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {NAME: "a==1\n"})

    said = refused(tmp_path, repair(tmp_path, "a==1", "https://ann:hunter2@example.org"))

    assert "a secret is in the way" in said


def test_a_file_is_read_no_further_than_it_was_judged() -> None:
    assert rereading.limit_of("uv.lock") > rereading.limit_of("pyproject.toml")
