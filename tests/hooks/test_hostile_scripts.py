"""Scripts that were made to be hard to read end soon, and doubt what they may have set."""

from __future__ import annotations

from time import perf_counter

import msgspec
import pytest

from reconciler.hooks.reading import LONGEST, read
from reconciler.model.activation import Action, Assignment
from reconciler.model.sourced import Sourced

_CALLS = "f() { g; g; g; g; }; g() { h; h; h; h; }; h() { i; i; i; i; }; i() { A=1; B=2; }; "
HOSTILE = {
    "parentheses": "(" * LONGEST,
    "substitutions": "$(" * LONGEST,
    "branches": "if a; then " * LONGEST,
    "quotes in substitutions": '"$(' * LONGEST,
    "nulls": "\0" * LONGEST,
    "every character": "".join(map(chr, range(1, 256))) * LONGEST,
    "braces": "${a:-" * LONGEST,
    "here-documents": "cat <<X\n" * LONGEST,
    "a long chain": "a && " * LONGEST,
    "backquotes": "`\\`" * LONGEST,
    "arrays": "a=(" * LONGEST,
    "subscripts": "a[" * LONGEST,
    "patterns": "case a in b) " * LONGEST,
    "carriage returns": "\r\n" * LONGEST,
    "dollars": "$" * LONGEST,
    "continued lines": "\\\n" * LONGEST,
    "redirections": "<<" * LONGEST,
    "calls": _CALLS + "f;" * LONGEST,
    "elifs": "if a; then A=1; " + 'elif [ -z "$A" ]; then A=1; ' * LONGEST,
    "returns": 'if [ -z "$A" ]; then return; fi\n' * LONGEST,
    "evals": "".join(f"A{i} " for i in range(2000)) + "\neval $x\n" * LONGEST,
    "a test": "[[ " + "a && " * LONGEST,
    "recursion": "f() { f; f; }; f\n" * LONGEST,
    "defaults": ("A=" + "${A:=" * 20 + "}" * 20 + "\n") * LONGEST,
    "doubling": "A=xxxxxxxx\n" + "A=$A$A\n" * LONGEST,
    "stars": 'case "$A" in ' + "*a" * 9_000 + "*b) B=1;; esac\n",
    "surrogates": "export A=\udcff\U0010ffff\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("is_cut", [True, False], ids=["cut", "whole"])
def test_a_hostile_script_is_read_soon_and_bounded(name: str, is_cut: bool) -> None:
    text = HOSTILE[name][:LONGEST] if is_cut else HOSTILE[name]
    start = perf_counter()

    steps = read(text)
    shell = Sourced({"A": "a" * 10_000}, is_known=lambda _: True)
    shell.source("a.sh", steps)
    known, _ = shell.given()

    # Seconds on a slow machine; what is not bounded takes hours.
    assert perf_counter() - start < 20
    assert len(steps) <= 2_001
    assert sum(map(len, known.values())) < 1_000_000


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "surrogates"])
def test_the_steps_of_a_hostile_script_are_stored(name: str) -> None:
    steps = read(HOSTILE[name][:LONGEST])

    raw = msgspec.json.encode(steps)

    assert msgspec.json.decode(raw, type=tuple[Assignment, ...]) == steps
    assert len(raw) < 8_000_000


@pytest.mark.parametrize("text", ["A=1\n" * LONGEST, "A=\0\n"], ids=["long", "null"])
def test_a_script_that_is_not_read_may_have_set_anything(text: str) -> None:
    (step,) = read(text)

    assert step.action is Action.ANYTHING
    assert "not read" in step.text


def test_what_stands_before_an_error_was_done() -> None:
    steps = read("export A=1\nexport B=2; export C=)\nexport D=4\n")

    assert [(step.variable, step.line, step.is_computed) for step in steps] == [
        ("A", 1, False),
        ("B", 2, True),
        ("C", 2, True),
        ("D", 2, True),
    ]
