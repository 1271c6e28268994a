"""Fixes of the real files of the corpus: only the lines that they name change, for good."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest
from collect.trees import write
from shared_data import SHARED, shared

from reconciler import pipeline
from reconciler.collect.rereading import change_of
from reconciler.collect.text_encoding import decode
from reconciler.model.finding import Severity, flat
from reconciler.model.fix import Add, Mend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.model.fix import Edit
    from reconciler.model.plan import Repair

CORPUS = SHARED / "corpus"
FILES = [path.relative_to(CORPUS).as_posix() for path in sorted(CORPUS.glob("*/*.[yt]*"))]


def mended(folder: Path, path: str, *, unsafe: bool) -> Repair:
    return pipeline.fix(pipeline.look_at_files(str(folder), (path,)), unsafe=unsafe)


def bad(repair_or_report: object) -> set[str]:
    findings = flat(repair_or_report.findings)  # type: ignore[attr-defined]  # of a report
    return {finding.code for finding in findings if finding.severity is not Severity.INFO}


def test_the_corpus_is_there() -> None:
    assert len([*shared("corpus").glob("*/*.[yt]*")]) == len(FILES) > 300


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
def test_fixes_are_sound(path: str, tmp_path: Path, *, unsafe: bool) -> None:
    repair = mended(CORPUS, path, unsafe=unsafe)
    assert not repair.after.crashes
    assert not repair.unclosed
    if not repair.files:
        return

    (change,) = (change_of(str(CORPUS), file) for file in repair.files)
    assert change.before
    assert change.after
    if not unsafe:
        only_what_is_named_changes(repair, change.before, change.after)
    write(tmp_path, {path: change.after})
    again = mended(tmp_path, path, unsafe=unsafe)
    assert again.before.findings == repair.after.findings
    assert bad(repair.after) <= bad(repair.before)
    assert again.files == ()


def only_what_is_named_changes(repair: Repair, before: bytes, after: bytes) -> None:
    edits = [edit for made in repair.made for edit in made.fix.edits]
    named = {number for edit in edits for number in lines_of(edit)}
    words = [text for edit in edits for text in texts_of(edit)]
    old, new = (decode(raw).text.split("\n") for raw in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, stop, first, last in matcher.get_opcodes():
        if tag != "equal":
            assert {*range(start + 1, stop + 1)} <= named
            for line in new[first:last]:
                # What stays of a line out of which something is taken is no news.
                is_rest = any(line.strip() in whole for whole in old[start:stop])
                assert is_rest or any(word in line for word in filter(None, words))


def lines_of(edit: Edit | Mend) -> Iterator[int]:
    if isinstance(edit, Mend):
        yield from (correction.line for correction in edit.fault.corrections)
    elif not isinstance(edit, Add):
        yield edit.line.line


def texts_of(edit: Edit | Mend) -> Iterator[str]:
    if isinstance(edit, Mend):
        for correction in edit.fault.corrections:
            yield from (correction.text, *correction.above, *correction.below)
    else:
        yield getattr(edit, "text", "")
