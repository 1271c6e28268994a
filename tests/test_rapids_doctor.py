"""envfix as a check of RAPIDS's doctor, called as rapids-cli calls it (docs/decisions/0051)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from test_conda_plugin import BROKEN, NOWHERE

from reconciler import rapids_doctor
from reconciler.asking import NoAnswerError

if TYPE_CHECKING:
    from pathlib import Path


def test_rapids_doctor_fails_where_an_error_is_found_and_passes_where_none_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(BROKEN))
    with pytest.raises(RuntimeError, match=r"^CUD201: .* What to do: keep pytorch 2\.3\.1"):
        rapids_doctor.envfix_check(verbose=False, of_a_later_release=True)

    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    told = rapids_doctor.envfix_check(verbose=True)

    assert told == f"{tmp_path}: conda and pip agree on CUDA"


def test_no_word_is_lost_where_rapids_doctor_takes_brackets_for_markup() -> None:
    finding = {"code": "CUD204", "message": "tensorflow[and-cuda] lacks x", "remedy": "add [1]"}

    assert rapids_doctor._line(finding) == (
        r"CUD204: tensorflow\[and-cuda] lacks x. What to do: add [1]"
    )


def test_rapids_doctor_is_told_what_kept_envfix_from_answering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", NOWHERE)

    with pytest.raises(NoAnswerError, match=NOWHERE):
        rapids_doctor.envfix_check()
