from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests import read
from reconciler.manifests.rewriting import rewrite
from reconciler.model.fix import Add, Edit, Remove, Replace
from reconciler.model.manifest import Kind, Section

if TYPE_CHECKING:
    from reconciler.model.manifest import Declared

SPACE = st.sampled_from(["", " ", "\n", "\n    ", "\n  # own {n}\n  ", "\n\n\t"])
BEHIND = st.sampled_from(["", "", " ", " # tail {n}\n", " # tail {n}\n  # own {n}b\n"])
QUOTES = st.sampled_from(['"', "'"])
NEWLINES = st.sampled_from(["\n", "\r\n"])
CHOICES = st.lists(st.integers(0, 6), min_size=9, max_size=9)


class Outcome(NamedTuple):
    """What a file should say, and which comments it should have."""

    texts: list[str]
    comments: set[str]


@st.composite
def arrays(draw: st.DrawFn) -> str:
    parts = ["["]
    count = draw(st.integers(0, 6))
    for n in range(count):
        quote = draw(QUOTES)
        parts += draw(SPACE).format(n=n), f"{quote}p{n}{quote}"
        parts += draw(st.sampled_from(["", "", " ", "\n "]))
        if n < count - 1 or draw(st.booleans()):
            parts += ",", draw(BEHIND).format(n=n)
    end = draw(st.sampled_from(["", " ", "\n", "\n  # own end\n"]))
    return "".join((*parts, end, "]"))


@st.composite
def tables(draw: st.DrawFn) -> str:
    lines = []
    for n in range(draw(st.integers(0, 6))):
        lines += draw(st.sampled_from([[], [], [f"# own {n}"], [""]]))
        value = draw(st.sampled_from(['"{v}"', "'{v}'", '{{ version = "{v}", extras = [] }}']))
        tail = draw(st.sampled_from(["", f" # tail {n}"]))
        indent = draw(st.sampled_from(["", "  "]))
        lines.append(f"{indent}p{n} = {value.format(v='*')}{tail}")
    return "\n".join(lines)


def edits_of(lines: list[Declared], choices: list[int]) -> list[Edit]:
    """Return edits as they were drawn for each line, and one of the end."""
    edits: list[Edit] = []
    for n, (line, choice) in enumerate(zip(lines, choices, strict=False)):
        if choice in {1, 2}:
            edits.append(Remove(line=line))
        elif choice == 3:
            edits.append(Replace(line=line, text=f"{line.name}==1; os_name == 'nt'"))
        if choice in {2, 4}:
            edits.append(new(f"new{n}", line))
    return edits + [new("end", None)] * (choices[-1] > 3)


def new(text: str, after: Declared | None) -> Add:
    return Add(path="pyproject.toml", section=Section.PIP, text=text, after=after)


def meant(lines: list[Declared], edits: list[Edit], comments: set[str]) -> Outcome:
    """Apply edits to what was read."""
    changes = {edit.line: edit for edit in edits if not isinstance(edit, Add)}
    texts: list[str] = []
    left = set(comments)
    for n, line in enumerate(lines):
        change = changes.get(line)
        if change is None:
            texts.append(line.text)
        elif isinstance(change, Replace):
            texts.append(change.text)
        else:
            left.discard(f"tail {n}")
        texts += [e.text for e in edits if isinstance(e, Add) and e.after == line]
    texts += [e.text for e in edits if isinstance(e, Add) and e.after is None]
    return Outcome(texts, left)


def comments_of(text: str) -> set[str]:
    return {*re.findall(r"# ((?:own|tail) \w+)", text)}


@settings(max_examples=400, deadline=None)
@given(arrays(), CHOICES, NEWLINES)
def test_an_array_says_what_is_meant_and_keeps_the_comments_of_what_stays(
    array: str, choices: list[int], newline: str
) -> None:
    text = f'[project]\nname = "x"\ndependencies = {array} # last\n'.replace("\n", newline)
    manifest = read("pyproject_toml", "pyproject.toml", text)
    lines = [d for d in manifest.declared if d.kind is Kind.REQUIREMENT]
    wanted = edits_of(lines, choices)

    found = rewrite(manifest, wanted)

    held = {edit for edit, _ in found.held}
    out = found.manifest.text
    outcome = meant(lines, [edit for edit in wanted if edit not in held], comments_of(text))
    assert tomllib.loads(out)["project"]["dependencies"] == outcome.texts
    assert outcome.comments <= comments_of(out)
    assert out.count("\n") == out.count(newline)


@settings(max_examples=200, deadline=None)
@given(tables(), CHOICES, NEWLINES)
def test_a_table_says_what_is_meant_and_keeps_the_comments_of_what_stays(
    table: str, choices: list[int], newline: str
) -> None:
    text = f"[tool.poetry.dependencies]\n{table}".replace("\n", newline)
    manifest = read("pyproject_toml", "pyproject.toml", text)
    lines = [*manifest.declared]
    wanted = [
        Replace(line=edit.line, text=f"{edit.line.name}==1") if isinstance(edit, Replace) else edit
        for edit in edits_of(lines, choices)
    ]

    found = rewrite(manifest, wanted)

    outcome = meant(lines, wanted, comments_of(text))
    assert found.held == ()
    assert {d.text for d in found.manifest.declared} == {*outcome.texts}
    assert outcome.comments == comments_of(found.manifest.text)
