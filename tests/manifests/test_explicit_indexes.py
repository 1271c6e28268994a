from __future__ import annotations

import pytest

from reconciler.manifests import explicit_indexes, read
from reconciler.model.fix import Add, Edit, HeldBackError, Remove, Replace
from reconciler.model.manifest import IndexRole, Kind, Manifest, Section

NUMPY = "[pypi-dependencies]\nnumpy = '*'\n"
BOTH = NUMPY + "torch = { version = '*', index = 'https://a' }\n"


def pixi(text: str) -> Manifest:
    return read("pixi_toml", "pixi.toml", text)


def new(text: str, after: str) -> Add:
    line = next(d for d in pixi(BOTH).declared if d.text == after)
    return Add(
        path="pixi.toml",
        section=Section.PIP,
        kind=Kind.INDEX,
        role=IndexRole.EXPLICIT,
        text=text,
        after=line,
    )


INDEX, TORCH = (d for d in pixi(BOTH).declared if d.name in {"https://a", "torch"})


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        (BOTH, BOTH, []),
        (BOTH, NUMPY, [Remove(line=TORCH)]),
        (BOTH, BOTH.replace(", index = 'https://a'", ""), [Remove(line=INDEX)]),
        (BOTH, BOTH.replace("//a", "//b"), [Replace(line=INDEX, text="https://b")]),
        (BOTH, BOTH.replace("'*'\nt", "{ index = 'https://a' }\nt"), [new("https://a", "numpy")]),
        (BOTH, BOTH.replace("'*'\nt", "{ index = 'https://b' }\nt"), [new("-i https://b", "numpy")]),
    ],
)  # fmt: skip
def test_what_is_meant_is_right(before: str, after: str, edits: list[Edit]) -> None:
    explicit_indexes.check(pixi(before), pixi(after), edits)


@pytest.mark.parametrize(
    ("before", "after", "edits", "why"),
    [
        (BOTH, NUMPY, [], "the file would not name the index https://a afterwards"),
        (BOTH, BOTH, [Replace(line=INDEX, text="https://b")], "the file would not name the index https://b afterwards"),
        (NUMPY, BOTH, [], "the file would name the index https://a as well"),
        (NUMPY, BOTH, [new("https://a", "numpy")], "numpy would not come from https://a afterwards"),
    ],
)  # fmt: skip
def test_what_is_not_meant_is_held_back(
    before: str, after: str, edits: list[Edit], why: str
) -> None:
    with pytest.raises(HeldBackError) as caught:
        explicit_indexes.check(pixi(before), pixi(after), edits)

    assert caught.value.why == why
