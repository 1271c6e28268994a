"""Edits of the real files of the corpus: each comes out as meant, or is held back for a reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from manifest_reading import read_or_refused
from shared_data import SHARED, shared

from reconciler.collect import manifest_files
from reconciler.manifests.rewriting import apply_splices, rewrite
from reconciler.model.fix import Add, Edit, Remove, Replace
from reconciler.model.manifest import Kind, Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMS = {
    "environment": ("environment_yml", "environment.yml"),
    "requirements": ("requirements_txt", "requirements.txt"),
}
FILES = [path for folder in FORMS for path in sorted((SHARED / "corpus" / folder).glob("*.[yt]*"))]
EACH = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
#: Why edits of these files may be held back.
REASONS = {
    "the file holds both sides of an unfinished merge",
    "a program has written the file",
    "the file has hashes: pip would want one of the new line as well",
    "the hashes behind it are those of",
    # What pip dropped behind an option would be a line, and a lost pip section the last one.
    "the file would be at fault afterwards",
    "the file would say simpleitk==2.2.1",
}


def manifest_of(path: Path) -> Manifest:
    form, name = FORMS[path.parent.name]
    manifest = read_or_refused(form, name, manifest_files.read_text(str(path)))
    if manifest is None:
        pytest.skip("its own tool refuses the file")
    return manifest


def made(manifest: Manifest, edits: Sequence[Edit]) -> str:
    found = rewrite(manifest, edits)
    assert {why for _, why in found.held if not why.startswith((*REASONS,))} == set()
    assert bool(found.splices) == (len(edits) > len(found.held))
    return apply_splices(manifest.text, found.splices)


def comments(text: str) -> list[str]:
    return re.findall(r"^[ \t]*#[^\r\n]*", text, re.MULTILINE)


def test_the_corpus_is_there() -> None:
    assert len([*shared("corpus").glob("*/*.[yt]*")]) >= len(FILES) > 200


@EACH
def test_no_edit_gives_a_file_back_byte_for_byte(path: Path) -> None:
    manifest = manifest_of(path)

    assert made(manifest, ()) == manifest.text


@EACH
def test_every_line_can_be_taken_out(path: Path) -> None:
    manifest = manifest_of(path)

    out = made(manifest, [Remove(line=line) for line in manifest.declared])

    assert comments(out) == comments(manifest.text)


@EACH
def test_every_requirement_can_be_pinned(path: Path) -> None:
    manifest = manifest_of(path)
    named = [d for d in manifest.declared if d.kind is Kind.REQUIREMENT and d.name]

    out = made(manifest, [Replace(line=d, text=f"{d.name}==1.2.3") for d in named])

    assert comments(out) == comments(manifest.text)
    assert out.count("\n") == manifest.text.count("\n")


@EACH
def test_a_requirement_can_come_in_behind_every_one(path: Path) -> None:
    manifest = manifest_of(path)
    required = [d for d in manifest.declared if d.kind is Kind.REQUIREMENT]

    out = made(
        manifest,
        [
            Add(path=d.path, section=d.section, text=f"new{n}==1", after=d)
            for n, d in enumerate(required)
        ],
    )

    assert {*manifest.text.splitlines()} - {*out.splitlines()} == set()
