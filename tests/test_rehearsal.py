"""Fixes in memory: what cannot be made whole, does harm, or does nothing is left out, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler import manifests
from reconciler.manifests.rewriting import apply_splices
from reconciler.model.finding import Finding, Severity
from reconciler.model.fix import Add, Applicability, Edit, Fix, Mend, Remove, Replace
from reconciler.model.manifest import Fault, FaultKind, Manifest, Section
from reconciler.model.plan import Reason
from reconciler.model.report import Report
from reconciler.model.snapshot import Snapshot, Target
from reconciler.rehearsal import rehearse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.model.manifest import Declared
    from reconciler.model.plan import Repair

    Says = Callable[[Declared], "tuple[Edit | Mend, ...] | None"]

SAFE = Applicability.SAFE
LINES = "numpy\ntorch==2.1.2\nscipy\n"


def snapshot(text: str = LINES, *, files: tuple[str, ...] = (), **others: str) -> Snapshot:
    texts = {"requirements.txt": text, **{f"{name}.txt": t for name, t in others.items()}}
    return Snapshot(
        envfix="0.1.0",
        target=Target(project="/project", platform="linux-64", files=files),
        manifests=tuple(
            manifests.read("requirements_txt", path, text) for path, text in texts.items()
        ),
    )


def found(
    line: Declared,
    *edits: Edit | Mend,
    code: str = "XYZ901",
    severity: Severity = Severity.WARNING,
    cause: str = "",
) -> Finding:
    fix = Fix(title=f"mend {line.name}", applicability=SAFE, edits=edits) if edits else None
    return Finding(
        code=code,
        name="example",
        severity=severity,
        message=f"{line.text} is wrong",
        at=line.location,
        shows_as="a crash",
        remedy="mend it",
        cause=cause or f"example@{line.path}:{line.name}",
        fix=fix,
    )


def judged(*rules: Callable[[Declared], Finding | None]) -> Callable[[Snapshot], Report]:
    """Return a judge that asks rules about each line."""

    def judge(seen: Snapshot) -> Report:
        lines = (line for manifest in seen.manifests for line in manifest.declared)
        said = (rule(line) for line in lines for rule in rules)
        findings = tuple(finding for finding in said if finding)
        return Report(envfix="0.1.0", target=seen.target, findings=findings)

    return judge


def removes(name: str) -> Callable[[Declared], Finding | None]:
    return lambda line: found(line, Remove(line=line)) if line.name == name else None


def replaces(name: str, text: str) -> Callable[[Declared], Finding | None]:
    return lambda line: (
        found(line, Replace(line=line, text=text)) if line.text.startswith(name) else None
    )


def complains(
    text: str, severity: Severity = Severity.ERROR
) -> Callable[[Declared], Finding | None]:
    return lambda line: found(line, code="XYZ902", severity=severity) if line.text == text else None


def texts(repair: Repair) -> dict[str, str]:
    return {file.path: file.after for file in repair.files}


def reasons(repair: Repair) -> list[tuple[Reason, str]]:
    return [(left.reason, left.why) for left in repair.left_out]


def test_what_is_healthy_stays_as_it_is() -> None:
    repair = rehearse(snapshot(), SAFE, judge=judged())

    assert (repair.files, repair.made, repair.left_out) == ((), (), ())
    assert repair.before == repair.after


def test_a_fix_is_made_and_what_is_left_is_judged_again() -> None:
    repair = rehearse(snapshot(), SAFE, judge=judged(removes("torch"), complains("scipy")))

    assert texts(repair) == {"requirements.txt": "numpy\nscipy\n"}
    assert [made.fix.title for made in repair.made] == ["mend torch"]
    assert [f.at.subject for f in repair.after.findings] == ["pip scipy"]
    assert (repair.unclosed, repair.caused) == ((), ())


def test_fixes_of_several_files_are_made_together() -> None:
    seen = snapshot(base="torch\n")

    repair = rehearse(seen, SAFE, judge=judged(removes("torch")))

    assert texts(repair) == {"requirements.txt": "numpy\nscipy\n", "base.txt": ""}


def test_what_a_fix_uncovers_is_mended_in_a_further_round() -> None:
    def raised(line: Declared) -> Finding | None:
        better = {"2.1.2": "torch==2.2.0", "2.2.0": "torch==2.3.0"}.get(line.pin, "")
        return found(line, Replace(line=line, text=better), cause=line.pin) if better else None

    repair = rehearse(snapshot(), SAFE, judge=judged(raised), watch=judged())

    (file,) = repair.files
    assert (file.after, len(file.rounds)) == ("numpy\ntorch==2.3.0\nscipy\n", 2)
    text = file.before
    for splices in file.rounds:
        text = apply_splices(text, splices)
    assert text == file.after


def test_an_edit_that_changes_nothing_is_none() -> None:
    repair = rehearse(snapshot(), SAFE, judge=judged(replaces("torch", "torch==2.1.2")))

    assert (repair.files, repair.made) == ((), ())
    assert [reason for reason, _ in reasons(repair)] == [Reason.IN_VAIN]


def test_rounds_come_to_an_end() -> None:
    def longer(line: Declared) -> Finding | None:
        text = f"{line.text}0"
        edits = (Replace(line=line, text=text),)
        return found(line, *edits, cause=line.text) if line.name == "torch" else None

    seen = snapshot()

    assert (
        rehearse(seen, SAFE, judge=judged(longer), watch=judged()).files[0].after.count("0") == 10
    )


def test_a_fix_with_an_edit_that_is_held_back_is_dropped_whole() -> None:
    def half(line: Declared) -> Finding | None:
        lost = Add(path="nowhere.txt", section=Section.PIP, text="x")
        return found(line, Remove(line=line), lost) if line.name == "scipy" else None

    repair = rehearse(snapshot(), SAFE, judge=judged(removes("torch"), half))

    assert texts(repair) == {"requirements.txt": "numpy\nscipy\n"}
    assert reasons(repair) == [(Reason.HELD_BACK, "nowhere.txt is no file of the project")]


def test_why_an_edit_is_held_back_is_said_with_its_file() -> None:
    repair = rehearse(snapshot(), SAFE, judge=judged(replaces("torch", "torch\n--pre")))

    ((reason, why),) = reasons(repair)
    assert reason is Reason.HELD_BACK
    assert why.startswith("requirements.txt: the text ")
    assert repair.files == ()


def test_a_file_that_its_tool_cannot_read_is_left_alone() -> None:
    (manifest,) = snapshot().manifests
    fault = Fault(kind=FaultKind.UNREADABLE, text="", why="not UTF-8 at the byte 0xe9", line=2)
    broken = Manifest(
        path=manifest.path,
        text=manifest.text,
        format=manifest.format,
        declared=manifest.declared,
        faults=(fault,),
    )
    seen = Snapshot(envfix="0", target=snapshot().target, manifests=(broken,))

    repair = rehearse(seen, SAFE, judge=judged(removes("torch")))

    assert reasons(repair) == [(Reason.HELD_BACK, "requirements.txt:2: not UTF-8 at the byte 0xe9")]


@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WARNING])
def test_a_fix_that_brings_something_worse_is_not_made(severity: Severity) -> None:
    rules = removes("scipy"), replaces("torch", "tensor"), complains("tensor", severity)

    repair = rehearse(snapshot(), SAFE, judge=judged(*rules))

    assert texts(repair) == {"requirements.txt": "numpy\ntorch==2.1.2\n"}
    assert reasons(repair) == [
        (Reason.HARMFUL, f"it would bring XYZ902 ({severity}): tensor is wrong")
    ]


def test_what_is_no_more_than_information_is_said_and_stops_no_fix() -> None:
    rules = replaces("torch", "tensor"), complains("tensor", Severity.INFO)

    repair = rehearse(snapshot(), SAFE, judge=judged(*rules))

    assert texts(repair) == {"requirements.txt": "numpy\ntensor\nscipy\n"}
    assert [finding.message for finding in repair.caused] == ["tensor is wrong"]


def test_a_warning_that_becomes_an_error_is_harm() -> None:
    def grows(line: Declared) -> Finding | None:
        severity = Severity.ERROR if line.text == "numpy<2" else Severity.WARNING
        return found(line, severity=severity, code="XYZ902") if line.name == "numpy" else None

    def caps(line: Declared) -> Finding | None:
        edit = Replace(line=line, text="numpy<2")
        return found(line, edit, cause="cap") if line.text == "numpy" else None

    repair = rehearse(snapshot(), SAFE, judge=judged(caps, grows))

    assert [reason for reason, _ in reasons(repair)] == [Reason.HARMFUL]


def test_harm_that_only_several_fixes_do_together_costs_the_last() -> None:
    def judge(seen: Snapshot) -> Report:
        report = judged(removes("torch"), removes("scipy"))(seen)
        (manifest,) = seen.manifests
        lines = manifest.declared
        if len(lines) > 1:
            return report
        alone = found(lines[0], code="XYZ902", severity=Severity.ERROR)
        return Report(envfix="0", target=seen.target, findings=(alone, *report.findings))

    repair = rehearse(snapshot(), SAFE, judge=judge)

    assert texts(repair) == {"requirements.txt": "numpy\nscipy\n"}
    assert [left.fix.title for left in repair.left_out] == ["mend scipy"]


def test_harm_that_each_of_several_fixes_does_costs_all_of_them() -> None:
    def judge(seen: Snapshot) -> Report:
        report = judged(removes("torch"), removes("scipy"))(seen)
        (manifest,) = seen.manifests
        if len(manifest.declared) == 3:
            return report
        less = found(manifest.declared[0], code="XYZ902", severity=Severity.ERROR)
        return Report(envfix="0", target=seen.target, findings=(less, *report.findings))

    repair = rehearse(snapshot(), SAFE, judge=judge)

    assert repair.files == ()
    assert [left.reason for left in repair.left_out] == [Reason.HARMFUL, Reason.HARMFUL]


def test_the_harm_is_seen_that_nobody_asked_about() -> None:
    judge = judged(replaces("torch", "tensor"))

    repair = rehearse(snapshot(), SAFE, judge=judge, watch=judged(complains("tensor")))

    assert [reason for reason, _ in reasons(repair)] == [Reason.HARMFUL]


def test_a_fix_that_leaves_what_it_is_for_is_not_made() -> None:
    def again(line: Declared) -> Finding | None:
        return found(line, Replace(line=line, text="torch>=2")) if line.name == "torch" else None

    repair = rehearse(snapshot(), SAFE, judge=judged(again))

    assert repair.files == ()
    assert reasons(repair) == [(Reason.IN_VAIN, "what it is for would still be found")]


def test_what_a_fix_leaves_of_several_findings_is_said() -> None:
    def twice(line: Declared) -> Finding | None:
        edit = Replace(line=line, text="torch>=2")
        pinned = found(line, edit, cause="pinned")
        return pinned if line.pin else None

    def always(line: Declared) -> Finding | None:
        edit = Replace(line=line, text="torch>=2")
        edits = (edit,) if line.pin else ()
        return found(line, *edits, cause="torch") if line.name == "torch" else None

    repair = rehearse(snapshot(), SAFE, judge=judged(twice, always))

    assert [len(made.findings) for made in repair.made] == [2]
    assert [finding.cause for finding in repair.unclosed] == ["torch"]


def test_a_finding_that_only_moves_to_another_line_is_no_new_one() -> None:
    def by_line(line: Declared) -> Finding | None:
        cause = f"example@{line.path}:{line.line}"
        return found(line, code="XYZ902", cause=cause) if line.name == "scipy" else None

    repair = rehearse(snapshot(), SAFE, judge=judged(removes("torch"), by_line))

    assert texts(repair) == {"requirements.txt": "numpy\nscipy\n"}
    assert repair.caused == ()


@pytest.mark.parametrize(
    ("path", "files", "why"),
    [
        ("../base.txt", (), "which lies outside of the project /project"),
        ("/etc/base.txt", (), "which lies outside of the project /project"),
        ("base.txt", ("requirements.txt",), "which was not asked about"),
    ],
)
def test_a_file_that_is_not_to_be_changed_is_not(path: str, files: Sequence[str], why: str) -> None:
    seen = snapshot(files=tuple(files), **{path.removesuffix(".txt"): "torch\n"})

    repair = rehearse(seen, SAFE, judge=judged(removes("torch")))

    assert texts(repair) == {"requirements.txt": "numpy\nscipy\n"}
    assert reasons(repair) == [(Reason.OUT_OF_BOUNDS, f"it changes {path}, {why}")]


def test_a_line_that_its_tool_refuses_keeps_no_other_from_being_mended() -> None:
    seen = snapshot("torch==2.1.2\nscipy = 1\n")

    repair = rehearse(seen, SAFE, judge=judged(removes("torch")))

    assert texts(repair) == {"requirements.txt": "scipy = 1\n"}
