"""What a repair changes and what it leaves, as a user reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from output.reports import EMPTY, ESCAPE, finding
from reconciler import pipeline
from reconciler.model.finding import Severity
from reconciler.model.fix import Applicability, Command, Fix
from reconciler.model.look import Look
from reconciler.model.plan import FileRepair, LeftOutFix, PlannedFix, Reason, Repair
from reconciler.output import diff, repair
from reconciler.testing import sketch

if TYPE_CHECKING:
    from reconciler.model.finding import Finding
    from reconciler.model.report import Report

BAD = """\
environment.yml: |
  name: gpu
  channels: [conda-forge]
  dependencies:
    - python=3.11
    - cudatoolkit=11.8.0=h4ba93d1_13
    - pip:
      - torch==2.1.2
  prefix: /home/ann/x
"""


def file(before: str, after: str, path: str = "a.yml") -> FileRepair:
    return FileRepair(path=path, before=before, after=after, rounds=())


def fix(title: str, how: Applicability = Applicability.SAFE, *commands: Command) -> Fix:
    return Fix(title=title, applicability=how, commands=commands)


def report(*findings: Finding) -> Report:
    return type(EMPTY)(envfix=EMPTY.envfix, target=EMPTY.target, findings=findings)


def told(mended: Repair, **how: object) -> str:
    return repair.render(mended, how="envfix fix --write", **how)  # type: ignore[arg-type]  # by name


def test_a_diff_has_the_paths_that_git_gives_them() -> None:
    assert diff.render([file("a\nb\n", "a\n"), file("", "x\n", "/srv/b.txt")]) == (
        "--- a/a.yml\n+++ b/a.yml\n@@ -1,2 +1 @@\n a\n-b\n"
        "--- a/srv/b.txt\n+++ b/srv/b.txt\n@@ -0,0 +1 @@\n+x\n"
    )


def test_a_diff_keeps_line_ends_and_says_where_the_last_one_is_missing() -> None:
    said = diff.render([file("a\r\nb", "c\r\nb")])

    assert said.endswith(" @@\n-a\r\n+c\r\n b\n\\ No newline at end of file\n")


def test_a_diff_splits_lines_as_editors_do() -> None:
    assert "-a\\x0cb\n+a\\x0cc\n" in diff.render([file("a\x0cb\n", "a\x0cc\n")])


def test_a_diff_has_the_colors_that_git_gives_it() -> None:
    said = diff.render([file("a\nb\n", "a\nc\n")], color=True)

    assert "\x1b[36m@@ -1,2 +1,2 @@\x1b[0m\n a\n\x1b[31m-b\x1b[0m\n\x1b[32m+c\x1b[0m\n" in said


def test_a_repair_has_the_letters_of_a_pipe_in_color() -> None:
    mended = pipeline.fix(sketch(BAD), unsafe=True)
    shown = told(mended, look=Look(color=True))

    assert "\x1b[31m-  - cudatoolkit=11.8.0=h4ba93d1_13\x1b[0m\n" in shown
    assert "\x1b[1mWhat this does\x1b[0m\n" in shown
    assert "\x1b[36m`envfix fix --write`\x1b[0m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == told(mended, look=Look(whole=True))


@pytest.mark.parametrize("color", [False, True])
def test_no_escape_of_a_file_reaches_the_terminal(color: bool) -> None:
    said = diff.render([file(f"{ESCAPE}\n\tx\n", "\tx\n", f"{ESCAPE}.yml")], color=color)

    assert not set(said) & {"\x07", "\u202e"}
    assert "\x1b[31mred" not in said
    assert "\tx" in said


def test_what_is_done_and_left_is_told() -> None:
    said = told(pipeline.fix(sketch(BAD), select=["DEC712", "DEC713", "CUD201"]))

    assert said.startswith("--- a/environment.yml\n+++ b/environment.yml\n@@ ")
    assert "-prefix: /home/ann/x\n" in said
    assert (
        "What this does\n"
        "- Drop `prefix:` (safe).\n"
        "  closes DEC712 (info) environment.yml:8:1: environment.yml names the folder"
    ) in said
    assert "What it leaves out\n- Keep torch 2.1.2 with its CUDA 12: it may not be what" in said
    assert " mean; --unsafe-fixes makes it. " in " ".join(said.split())
    assert said.endswith(
        "1 file to write, which closes 1 finding: `envfix fix --write`"
        " (2 more with --unsafe-fixes)\n"
    )


def test_what_was_written_is_told_without_its_diff() -> None:
    mended = pipeline.fix(sketch(BAD), select=["DEC712"])

    said = told(mended, written=["environment.yml"])

    assert said.startswith("What was done\n- Drop `prefix:` (safe).\n")
    assert said.endswith(
        "Written: environment.yml (1 finding closed); `envfix undo` takes it back\n"
    )


def test_where_nothing_is_wrong_there_is_one_line() -> None:
    mended = Repair(before=EMPTY, after=EMPTY)

    assert told(mended) == "Nothing found, no file to change\n"
    assert told(mended, written=[]) == "Nothing found, no file to change\n"


def test_what_is_left_for_a_person_is_told_with_what_to_do() -> None:
    choice = fix("keep one of the two", Applicability.DISPLAY)
    bad = type(finding())(
        **{name: getattr(finding(), name) for name in finding().__struct_fields__} | {"fix": choice}
    )
    after = report(bad, finding("a word of advice", Severity.INFO))

    said = told(Repair(before=after, after=after))

    assert "What is left for you\n- XYZ901 (error)" in said
    assert "  do  keep one of the two. The libraries of CUDA 11" in " ".join(said.splitlines())
    assert "1 finding of no harm (info): -v shows\n" in said
    assert "a word of advice" not in said
    assert "a word of advice" in told(Repair(before=after, after=after), verbose=True)
    assert said.endswith("No file to change\n")


def test_commands_are_told_apart_from_what_is_left_for_a_person() -> None:
    command = Command(
        manager="pip", argv=("pip", "uninstall", "-y", "x y"), why="x is twice", destructive=True
    )
    found = finding()
    bad = type(found)(
        **{name: getattr(found, name) for name in found.__struct_fields__}
        | {"fix": fix("remove it", Applicability.UNSAFE, command)}
    )

    said = told(Repair(before=report(bad), after=report(bad)))

    assert said == (
        "What to run in the environment (--script FILE writes it)\n"
        "  pip uninstall -y 'x y'\n"
        "      XYZ901: x is twice.\n\n"
        "No file to change\n"
    )


def test_what_a_fix_left_open_and_what_it_brought_is_told() -> None:
    open_one, new = finding("it is open"), finding("it is new", Severity.INFO)
    made = PlannedFix(fix=fix("mend it"), findings=(open_one, finding("it is closed")))
    mended = Repair(
        before=report(open_one),
        after=report(open_one, new),
        files=(file("a\n", "b\n"),),
        made=(made,),
        unclosed=(open_one,),
        caused=(new,),
    )

    said = told(mended)

    assert "  does not close XYZ901 (error) it is open:12:5: it is open.\n" in said
    assert "  closes XYZ901 (error) it is closed:12:5: it is closed.\n" in said
    assert "- After it, XYZ901 (info) it is new:12:5: it is new.\n" in said


def test_why_a_fix_was_left_out_is_told_once() -> None:
    bad = finding()
    left = LeftOutFix(
        fix=fix("mend it"), findings=(bad,), reason=Reason.CLASHES, why="it clashes with another"
    )

    said = told(Repair(before=report(bad), after=report(bad), left_out=(left,)))

    assert said.startswith("What it leaves out\n- Mend it: it clashes with another.\n  XYZ901 (")
    assert "What is left for you" not in said


def test_what_was_mended_is_a_line_each_above_a_report() -> None:
    mended = pipeline.fix(sketch(BAD), select=["DEC712"])

    assert repair.render_made(mended) == "environment.yml:8:1: mended DEC712: drop `prefix:`\n\n"
    assert repair.render_made(Repair(before=EMPTY, after=EMPTY)) == ""
