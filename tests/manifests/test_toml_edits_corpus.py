"""Edits of the corpus's own pyproject.toml and pixi.toml: made as meant, or held back in words."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from manifest_reading import read_or_refused
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests import format_of, pip_requirement
from reconciler.manifests.rewriting import rewrite
from reconciler.model.fix import Add, Edit, Remove, Replace
from reconciler.model.manifest import Declared, IndexRole, Kind, Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILES = [
    path for kind in ("pyproject", "pixi") for path in (SHARED / "corpus" / kind).glob("*.toml")
]
EACH = pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.name)
#: Why edits of these files may be held back.
REASONS = (
    # What uv takes for an extra alone is declared by the project's own line as well.
    "the file would not say torch",
    "the file would not say triton-rocm==9.9",
    "line ",
    "the file names no indexes for pip",
    "[tool.uv.sources] says already where ",
    "what the project requires is in none of pixi's tables",
    # What builds the project has no source in the reader's model.
    "setuptools would not come from",
    "scikit-build-core would not come from",
    "pybind11 would not come from",
    "cmake would not come from",
    "ninja would not come from",
    "hatchling would not come from",
    "pip would not come from",
    "wheel would not come from",
    "poetry would not come from",
)


def manifest_of(path: Path) -> Manifest:
    text = manifest_files.read_text(str(path))
    manifest = read_or_refused(format_of(path.name, text), path.name, text)
    if manifest is None:
        pytest.skip("its own tool refuses the file")
    return manifest


def made(manifest: Manifest, edits: Sequence[Edit]) -> str:
    found = rewrite(manifest, edits)
    out = found.manifest.text
    tomllib.loads(out)
    assert {
        why
        for _, why in found.held
        if not why.startswith(REASONS) and "as well" not in why and "without a source" not in why
    } == set()
    assert (out != manifest.text) == (len(edits) > len(found.held))
    return out


def comments(text: str) -> list[str]:
    return re.findall(r"^[ \t]*#[^\r\n]*", text, re.MULTILINE)


def required(manifest: Manifest) -> list[Declared]:
    """Return the requirements that a line of the file says word for word, once each."""
    lines = (d for d in manifest.declared if d.kind is Kind.REQUIREMENT and "@" not in d.text)
    return [*{(d.line, d.column): d for d in lines}.values()]


def other_text(line: Declared) -> str:
    if line.kind is Kind.REQUIREMENT and line.section is Section.PIP:
        marker = f"; {line.marker}" if line.marker else ""
        return f"{pip_requirement.bare(line.text)}==9.9{marker}"
    texts = {
        Kind.REQUIREMENT: f"{line.name} >=99",
        Kind.PYTHON: ">=3.99",
        Kind.VARIABLE: f"{line.name}=x",
    }
    return texts.get(line.kind, "https://other.example")


def test_the_corpus_is_there() -> None:
    assert len([*shared("corpus").glob("p*/*.toml")]) >= len(FILES) > 30


@EACH
def test_no_edit_gives_a_file_back_byte_for_byte(path: Path) -> None:
    manifest = manifest_of(path)

    assert made(manifest, ()) == manifest.text


@EACH
def test_every_line_can_be_taken_out(path: Path) -> None:
    manifest = manifest_of(path)
    lines = {(d.line, d.column, d.kind): d for d in manifest.declared}.values()

    out = made(manifest, [Remove(line=line) for line in lines])

    assert comments(out) == comments(manifest.text)


@EACH
def test_every_line_can_say_something_else(path: Path) -> None:
    manifest = manifest_of(path)
    lines = {(d.line, d.column): d for d in manifest.declared if "@" not in d.text}.values()

    out = made(manifest, [Replace(line=line, text=other_text(line)) for line in lines])

    assert comments(out) == comments(manifest.text)
    assert out.count("\n") == manifest.text.count("\n")


@EACH
def test_a_requirement_can_come_in_behind_every_one(path: Path) -> None:
    manifest = manifest_of(path)

    out = made(
        manifest,
        [
            Add(path=d.path, section=d.section, text=f"new{n} ==1", scope=d.scope, after=d)
            for n, d in enumerate(required(manifest))
            if "without a source" not in d.scope
        ],
    )

    assert comments(out) == comments(manifest.text)


@EACH
def test_an_index_can_be_named_for_every_requirement_of_pypi(path: Path) -> None:
    manifest = manifest_of(path)
    lines = [d for d in required(manifest) if d.section is Section.PIP and not d.index]

    out = made(
        manifest,
        [
            Add(
                path=d.path,
                section=d.section,
                kind=Kind.INDEX,
                role=IndexRole.EXPLICIT,
                text="https://download.pytorch.org/whl/cu118",
                after=d,
            )
            for d in lines
        ],
    )

    assert comments(out) == comments(manifest.text)
