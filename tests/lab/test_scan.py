"""``envfix scan`` on true environments, as its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .wheels import clean_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

pytestmark = pytest.mark.lab

HEALTHY = ("conda_gpu", "conda_gpu_of_today", "cpu_by_design", "everyday_wheels", "wheels_venv")


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_environment_has_no_findings(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    status, report = scan(tmp_path, request.getfixturevalue(name))

    assert codes(report["findings"]) == []
    assert status == 0


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_of_a_healthy_environment_is_left_unseen_but_the_driver(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    _, report = scan(tmp_path, request.getfixturevalue(name))

    assert {gap["fact"] for gap in report["gaps"]} <= {"driver"}


def test_the_everyday_wheels_are_many_and_fit_together(everyday_wheels: Path) -> None:
    python = [str(everyday_wheels / "bin" / "python"), "-m", "pip"]
    variables = clean_variables()

    check = subprocess.run([*python, "check"], env=variables, capture_output=True, check=False)
    listed = subprocess.run([*python, "freeze"], env=variables, capture_output=True, check=True)

    assert check.returncode == 0, check.stdout
    assert len(listed.stdout.splitlines()) >= 30


def test_five_faults_together_are_each_found_by_their_own_code(
    five_faults: Path, tmp_path: Path
) -> None:
    status, report = scan(tmp_path, five_faults)

    assert status == 1
    found = sorted(codes(report["findings"]))
    # The NumPy 2 that CuPy brings is more than this PyTorch knows: nobody built that fault in.
    assert found == ["CUD201", "DEC719", "DUP103", "DUP104", "DUP105"]


def test_two_cuda_majors_are_one_finding_with_the_twofold_library_folded_under_it(
    majors_mixed: Path, tmp_path: Path
) -> None:
    status, report = scan(tmp_path, majors_mixed)

    (finding,) = report["findings"]
    assert finding["code"] == "CUD201"
    assert "DUP101" in codes(finding["symptoms"])
    assert status == 1


def test_two_cupys_are_one_finding(cupy_twice: Path, tmp_path: Path) -> None:
    status, report = scan(tmp_path, cupy_twice)

    # nothing here brings the CUDA that CuPy opens, which is another matter
    assert codes(report["findings"]) == ["DUP105", "ELF501"]
    assert status == 1


def test_a_pythonpath_of_another_python_is_found_once(
    cpu_by_design: Path, other_python_site: Path, tmp_path: Path
) -> None:
    status, report = scan(tmp_path, cpu_by_design, PYTHONPATH=str(other_python_site))

    assert list(all_codes(report["findings"])).count("PTH401") == 1
    assert status == 1


def scan(
    project: Path, prefix: Path, *options: str, **variables: str
) -> tuple[int, Mapping[str, Any]]:
    """Scan an environment that is not activated, from a project without manifests.

    It is judged for one driver, whichever the machine that runs the tests has.
    """
    command = [sys.executable, "-m", "reconciler", "scan", str(project), "-p", str(prefix)]
    command += ["--driver", "580.65.06"]
    done = subprocess.run(
        [*command, "--format", "json", *options],
        env=clean_variables(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def codes(findings: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    return [finding["code"] for finding in findings]


def all_codes(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for finding in findings:
        yield finding["code"]
        yield from all_codes(finding.get("symptoms", ()))
