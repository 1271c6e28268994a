"""The report as annotations: each a command that GitHub understands, at a line of a file."""

from __future__ import annotations

import re

import msgspec
import pytest

from reconciler import pipeline
from reconciler.model.finding import Location, Severity
from reconciler.model.report import Report
from reconciler.output import github
from reconciler.testing import sketch

from .reports import BAD, EMPTY, ESCAPE, finding, report

COMMAND = re.compile(
    r"::(?P<level>error|warning|notice) (?:file=(?P<file>[^,:]+),line=\d+,col=\d+,)?"
    r"title=[^,:]+::(?P<message>.+)"
)
ENVIRONMENT = """\
name: gpu
dependencies:
  - python
  - cudatoolkit=11.8
"""


def lines(said: Report, root: str = "/project") -> list[str]:
    return github.render(said, root=root).splitlines()


@pytest.mark.parametrize("code", BAD)
def test_every_finding_is_one_command(code: str) -> None:
    commands = [line for line in lines(BAD[code]) if line.startswith("::")]

    assert len(commands) == len(BAD[code].findings)
    assert all(COMMAND.fullmatch(command) for command in commands)


def test_what_was_not_looked_at_is_no_annotation() -> None:
    assert all(line.startswith("not seen: ") for line in lines(EMPTY))


def test_odd_letters_are_escaped() -> None:
    said = finding(ESCAPE + "100% a:b,c")
    (line,) = lines(Report(envfix="0", target=EMPTY.target, findings=(said,)))

    assert line.isprintable()
    assert "100%25 a:b,c" in line
    assert COMMAND.fullmatch(line)


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "notice")],
)
def test_a_severity_is_a_level(severity: Severity, level: str) -> None:
    said = report("x", finding("x", severity))

    assert lines(said)[0].startswith(f"::{level} ")


def test_a_path_is_escaped_as_a_property() -> None:
    said = report("x", finding("a,b:c%.yml"))
    said = msgspec.structs.replace(
        said, target=msgspec.structs.replace(said.target, files=("a,b:c%.yml",), project="/project")
    )

    assert lines(said)[0].startswith("::error file=a%2Cb%3Ac%25.yml,line=12,col=5,title=")


def test_a_crash_is_an_error() -> None:
    assert any(
        line.startswith("::error title=envfix%3A XYZ903 has a bug::") for line in lines(report())
    )


def in_environment(subject: str, *files: str) -> Report:
    text = "conda: [cudatoolkit=11.8.0=0]\n" + "".join(
        f"{name}: |\n" + "".join(f"  {line}\n" for line in ENVIRONMENT.splitlines())
        for name in files
    )
    place = Location(subject=subject, path="conda-meta/x.json", in_prefix=True)
    said = msgspec.structs.replace(finding("said"), at=place, related=())
    return msgspec.structs.replace(pipeline.scan(sketch(text)), findings=(said,), gaps=(), skips=())


def test_what_lives_in_an_environment_stands_at_the_line_that_declares_it() -> None:
    (line,) = lines(in_environment("conda cudatoolkit 11.8.0", "environment.yml"))

    assert line.startswith("::error file=environment.yml,line=4,col=5,")
    assert "(This environment is /prefix.)" in line


def test_what_nothing_declares_stands_at_the_head_of_the_main_file() -> None:
    (line,) = lines(in_environment("the variable PATH", "a/environment.yml", "environment.yml"))

    assert line.startswith("::error file=environment.yml,line=1,col=1,")


def test_what_has_no_file_at_all_has_no_place() -> None:
    (line,) = lines(in_environment("the variable PATH"))

    assert line.startswith("::error title=")


@pytest.mark.parametrize(
    ("root", "path"), [("/project", "environment.yml"), ("/", "project/environment.yml")]
)
def test_paths_are_those_of_the_checkout(root: str, path: str) -> None:
    (line,) = lines(in_environment("conda cudatoolkit 11.8.0", "environment.yml"), root)

    assert line.startswith(f"::error file={path},")
