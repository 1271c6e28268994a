from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.collect.evidence import LIMIT
from reconciler.collect.ground import EvidenceWanted
from reconciler.model.library import EvidenceText
from reconciler.model.snapshot import Fact

from .trees import SITE, look, reasons, venv, write

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.snapshot import Snapshot

WANTED = EvidenceWanted(texts=frozenset({"torch/version.py", "jaxlib/version.py"}))
VERSION = f"{SITE}/torch/version.py"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return venv(tmp_path / "venv")


def evidence(prefix: Path | None) -> Snapshot:
    return look(prefix, Fact.PYTHON, Fact.EVIDENCE, wanted=WANTED)


def test_a_text_that_is_not_there_is_no_gap(prefix: Path) -> None:
    snapshot = evidence(prefix)

    assert (snapshot.evidence, snapshot.gaps) == ((), ())


def test_a_text_that_nobody_wants_is_not_read(prefix: Path) -> None:
    write(prefix, {f"{SITE}/torch/__init__.py": "", f"{SITE}/version.py": ""})

    assert evidence(prefix).evidence == ()


def test_a_wanted_text_is_read_whole(prefix: Path) -> None:
    write(prefix, {VERSION: "cuda = '12.1'\n"})

    assert evidence(prefix).evidence == (EvidenceText(path=VERSION, text="cuda = '12.1'\n"),)


def test_what_is_no_utf8_is_kept_byte_by_byte(prefix: Path) -> None:
    write(prefix, {VERSION: b"# caf\xe9\n"})

    (found,) = evidence(prefix).evidence

    assert found.text == "# caf\U0010ffe9\n"


def test_a_text_that_is_too_large_is_a_gap(prefix: Path) -> None:
    write(prefix, {VERSION: bytes(LIMIT + 1)})

    assert list(reasons(evidence(prefix))) == [VERSION]


def test_a_pipe_in_place_of_a_text_is_a_gap(prefix: Path) -> None:
    (prefix / SITE / "torch").mkdir()
    os.mkfifo(prefix / VERSION)

    assert reasons(evidence(prefix)) == {VERSION: "not a regular file"}


def test_no_environment_is_a_gap_of_all_evidence() -> None:
    assert reasons(look(None, Fact.EVIDENCE)) == {None: "no environment to look at"}
