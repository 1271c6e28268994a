from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler import catalog
from reconciler.explain import recognize
from reconciler.rules import all_rules
from tests.shared_data import shared

HERE = Path(__file__).parent
ERRORS = catalog.load().errors


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((HERE / name).read_text("utf-8"))["row"]
    return found


def first(text: str) -> tuple[str, dict[str, str]]:
    found = recognize(text, ERRORS)
    return (found[0].error.id, dict(found[0].captured)) if found else ("", {})


@pytest.mark.parametrize("row", rows("facts.toml"), ids=lambda row: row["example"])
def test_an_example_of_the_facts_is_of_its_class_with_its_parts(row: dict[str, Any]) -> None:
    facts = msgspec.json.decode(shared("facts", "errors.json").read_bytes())["errors"]
    example = next(fact["example"] for fact in facts if fact["id"] == row["example"])

    assert first(example) == (row["id"], row["captured"])


@pytest.mark.parametrize("row", rows("messages.toml"), ids=lambda row: row["source"])
def test_a_message_of_a_thread_is_of_its_class_with_its_parts(row: dict[str, Any]) -> None:
    assert first(row["text"]) == (row["id"], row["captured"])


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.id)
def test_the_message_that_stands_over_a_class_is_of_it(error: Any) -> None:
    assert first(error.message)[0] == error.id


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.id)
def test_a_class_is_sound(error: Any) -> None:
    assert all(mark.isascii() for mark in error.marks)
    assert set(error.rules) <= set(all_rules())
    assert all(
        re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+", source)
        for source in error.sources
    )


def test_no_two_classes_have_one_name() -> None:
    names = [error.id for error in ERRORS]

    assert len(names) == len(set(names))


def test_an_ordinary_log_holds_no_error() -> None:
    log = (HERE / "ordinary.log").read_text("utf-8")

    assert log.count("\n") >= 200
    assert recognize(log, ERRORS) == ()


MISSING = "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory"


def test_colors_are_no_part_of_a_message() -> None:
    colored = "\x1b[31mImportError\x1b[0m: \x1b[1mlibcudart.so.12\x1b[0m: cannot open \x1b[4mshared\x1b[m object file"

    assert first(colored) == ("library-not-found", {"soname": "libcudart.so.12"})


def test_a_message_is_told_once_with_its_first_line_and_how_often_it_is_said() -> None:
    (found,) = recognize(f"start\n\n{MISSING}\nagain\n{MISSING}\n", ERRORS)

    assert (found.line, found.count) == (3, 2)
    assert found.text == "libcudart.so.12: cannot open shared object file"


def test_processes_that_miss_different_libraries_are_told_apart() -> None:
    text = f"[rank0]: {MISSING}\n[rank1]: {MISSING.replace('12', '11.0')}\n"

    assert [(f.line, f.captured["soname"]) for f in recognize(text, ERRORS)] == [
        (1, "libcudart.so.12"),
        (2, "libcudart.so.11.0"),
    ]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_text_in_pieces_is_the_text(size: int) -> None:
    log = (HERE / "ordinary.log").read_text("utf-8")
    text = f"{log}{MISSING}\nWARNING: xFormers can't load C++/CUDA extensions. xFormers was built for:\n    PyTorch 2.2.0+cu121 with CUDA 1201 (you have 2.2.0+cpu)\n"
    pieces = (text[at : at + size] for at in range(0, len(text), size))

    assert recognize(pieces, ERRORS) == recognize(text, ERRORS) != ()


def test_a_line_of_one_s_own_is_found_between_a_hundred_thousand_others() -> None:
    before = [f"2026-11-21 10:00:00 step {i} loss {i * 0.5} device cuda:0" for i in range(100_000)]
    text = "\n".join((*before, MISSING, *before[:10]))

    assert [(f.error.id, f.line) for f in recognize(text, ERRORS)] == [
        ("library-not-found", 100_001)
    ]


def test_what_another_message_brought_about_is_told_last() -> None:
    text = f"""Cannot dlopen some GPU libraries. Skipping registering GPU devices...
OMP: Error #15: Initializing libiomp5md.dll, but found libiomp5md.dll already initialized.
{MISSING}
"""

    assert [found.error.id for found in recognize(text, ERRORS)] == [
        "openmp-twice",
        "library-not-found",
        "tensorflow-gpu-skipped",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "\x00\xff\x1b[", "a" * 300_000, "(" * 5_000])
def test_what_is_no_log_holds_no_error(text: str) -> None:
    assert recognize(text, ERRORS) == ()


def test_a_line_without_end_is_looked_at_all_along() -> None:
    text = "x" * 200_000 + f" {MISSING} " + "y" * 200_000

    assert first(text) == ("library-not-found", {"soname": "libcudart.so.12"})


def test_an_error_among_more_words_than_are_remembered_is_found_again() -> None:
    letters = str.maketrans("0123456789", "ghijklmnop")
    words = [f"{number}".translate(letters) for number in range(300_000)]
    prose = "\n".join(" ".join(words[at : at + 10]) for at in range(0, len(words), 10))
    other = MISSING.replace("cudart", "cublas")

    found = recognize(f"{MISSING}\n{prose}\n{MISSING}\n{prose}\n{other}", ERRORS)

    assert [(one.line, one.count) for one in found] == [(1, 2), (60_003, 1)]


def test_bytes_that_are_no_utf_8_hide_nothing() -> None:
    assert recognize(b"\xff\xfe\x80 " + MISSING.encode() + b"\xff", ERRORS)[0].line == 1


@pytest.mark.parametrize("between", [" ", "\n", "a" * 50])
def test_a_hostile_text_is_read_in_a_moment(between: str) -> None:
    marks = sorted({mark for error in ERRORS for mark in error.marks})
    start = time.monotonic()

    for mark in marks:
        recognize(f"{mark}{between}" * 60, ERRORS)

    assert time.monotonic() - start < 20
