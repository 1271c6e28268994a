from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.finding import Finding, Location, Severity
from reconciler.model.fix import Applicability, Command, Fix
from reconciler.model.steps import merge

if TYPE_CHECKING:
    from reconciler.model.fix import Tool
    from reconciler.model.steps import Steps


def command(manager: Tool, doing: str, name: str, *, times: int = 1) -> Command:
    side = "pip" if manager in {"pip", "uv"} else "conda"
    return Command(
        manager=manager,
        argv=(manager, doing, name),
        why=f"{name} is to {'go' if doing == 'remove' else 'come'}",
        destructive=doing == "remove",
        packages=(f"{side}:{name}",),
        times=times,
    )


def finding(
    code: str,
    *commands: Command,
    applicability: Applicability = Applicability.UNSAFE,
    line: int | None = None,
) -> Finding:
    return Finding(
        code=code,
        name="example",
        severity=Severity.ERROR,
        message="something is wrong",
        at=Location(subject="it", line=line),
        shows_as="",
        remedy="",
        cause=code,
        fix=Fix(title="mend it", applicability=applicability, commands=commands),
    )


def lines(steps: Steps) -> list[str]:
    return [" ".join(step.command.argv) for step in steps.steps]


def test_all_that_goes_comes_before_what_is_brought_and_conda_before_pip() -> None:
    steps = merge(
        [
            finding("A", command("pip", "remove", "a"), command("pip", "install", "b")),
            finding("B", command("uv", "remove", "c"), command("conda", "install", "c")),
            finding("C", command("micromamba", "remove", "d")),
        ]
    )

    assert lines(steps) == [
        "micromamba remove d",
        "pip remove a",
        "uv remove c",
        "conda install c",
        "pip install b",
    ]


def test_a_command_of_two_fixes_is_run_once_with_both_reasons() -> None:
    twice = command("pip", "remove", "a", times=2)

    (step,) = merge([finding("A", command("pip", "remove", "a")), finding("B", twice)]).steps

    assert step.codes == ("A", "B")
    assert step.reasons == ("a is to go",)
    assert step.command.times == 2


def test_a_fix_that_brings_back_what_an_earlier_one_removes_is_left_out() -> None:
    steps = merge(
        [
            finding("A", command("pip", "remove", "a"), command("pip", "install", "b")),
            finding("B", command("pip", "install", "a")),
        ]
    )

    assert lines(steps) == ["pip remove a", "pip install b"]
    (left,) = steps.left_out
    assert left.why == "it would undo another fix, since A removes pip a"


def test_a_fix_that_removes_what_an_earlier_one_keeps_is_left_out_whole() -> None:
    steps = merge(
        [
            finding("A", command("pip", "remove", "a"), command("pip", "install", "b")),
            finding("B", command("pip", "remove", "b"), command("pip", "install", "a")),
        ]
    )

    assert [left.finding.code for left in steps.left_out] == ["B"]
    assert steps.left_out[0].why.endswith("A keeps pip b")
    assert [found.code for found in steps.findings] == ["A"]


def test_a_package_that_is_removed_and_installed_again_by_one_fix_is_there_for_another() -> None:
    again = finding("A", command("pip", "remove", "a"), command("pip", "install", "a"))
    steps = merge([again, finding("B", command("pip", "install", "a"))])

    assert lines(steps) == ["pip remove a", "pip install a"]


def test_packages_of_one_name_under_two_managers_are_two() -> None:
    steps = merge(
        [
            finding("A", command("pip", "remove", "six"), command("conda", "install", "six")),
            finding("B", command("conda", "install", "six")),
        ]
    )

    assert lines(steps) == ["pip remove six", "conda install six"]


def test_what_is_left_to_a_person_is_not_among_the_steps() -> None:
    left = finding("A", command("pip", "remove", "a"), applicability=Applicability.DISPLAY)
    choice = finding("B", applicability=Applicability.DISPLAY)

    steps = merge([left, choice])

    assert steps.steps == ()
    assert [out.why for out in steps.left_out] == ["left to you: mend it"] * 2


def test_what_is_to_be_chosen_in_a_file_is_not_of_the_environment() -> None:
    assert merge([finding("A", applicability=Applicability.DISPLAY, line=3)]).left_out == ()
