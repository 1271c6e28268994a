"""What is converted is installed and scanned: no finding; and mixed environments become conda's."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .prefix import install
from .test_scan import all_codes, scan
from .test_script import copied, run
from .wheels import clean_variables

if TYPE_CHECKING:
    from pathlib import Path

    from .channel import Channel

pytestmark = pytest.mark.lab

REQUIREMENTS = "torch==2.3.1\nnumpy\ncupy-cuda12x==13.6.0\nfilelock>=3\n"
#: Each with the CUDA that somebody chooses for it: what is there names two majors.
MIXED = {"majors_mixed": "12.4", "five_faults": "12.4"}


def convert(folder: Path, channel: Channel, *arguments: str) -> dict[str, Any]:
    """Give the JSON of `envfix convert`, run in a folder against the lab's channel alone."""
    command = [sys.executable, "-m", "reconciler", "convert", "--format", "json", *arguments]
    variables = {**clean_variables(), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [*command, "--channel", str(channel.path)],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return {**report, "stderr": done.stderr}


def specs_of(environment: str) -> list[str]:
    """Give what an environment.yml without a pip section asks conda for."""
    lines = environment.partition("dependencies:\n")[2].splitlines()
    return [line.removeprefix("  - ") for line in lines]


def bracketed(spec: str) -> str:
    """Write `pytorch=2.3.1=cuda*` as py-rattler reads it."""
    name, _, rest = spec.partition("=")
    version, _, build = rest.partition("=")
    return f"{name}[version='{version}',build='{build}']" if version and build else spec


def test_a_requirements_file_is_converted_solved_installed_and_found_healthy(
    channel: Channel, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS, "utf-8")

    report = convert(tmp_path, channel, "requirements.txt", "--cuda", "12.4")
    specs = [bracketed(spec) for spec in specs_of(report["environment"])]
    prefix = install(tmp_path / "prefix", specs, channel)
    status, found = scan(tmp_path, prefix)

    assert report["solve"]["status"] == "solved"
    assert [*all_codes(found["findings"])] == []
    assert status == 0


@pytest.fixture(scope="module", params=MIXED)
def turned(
    request: pytest.FixtureRequest, lab: Path, channel: Channel, conda: Path
) -> tuple[Path, Path, str]:
    """A mixed environment, what it was turned into, and the script that did it."""
    before = request.getfixturevalue(request.param)
    prefix = copied(before, lab / f"turned-{request.param}")
    script = lab / f"turn-{request.param}.sh"
    arguments = ("-p", str(prefix), "--cuda", MIXED[request.param], "--script", str(script))
    report = convert(lab, channel, *arguments)
    assert report["solve"]["status"] == "solved", report["solve"]["why"]
    run(script.read_text(), lab, conda)
    return before, prefix, script.read_text()


def test_there_was_something_to_find_before(turned: tuple[Path, Path, str], tmp_path: Path) -> None:
    assert "CUD201" in all_codes(scan(tmp_path, turned[0])[1]["findings"])


def test_a_mixed_environment_is_turned_conda_only_and_found_healthy(
    turned: tuple[Path, Path, str], tmp_path: Path
) -> None:
    status, report = scan(tmp_path, turned[1])

    assert [*all_codes(report["findings"])] == []
    assert status == 0
    assert {build["manager"] for build in report["builds"]} == {"conda"}


def test_what_conda_supplies_now_is_whole_and_for_one_cuda(turned: tuple[Path, Path, str]) -> None:
    python = [str(turned[1] / "bin" / "python")]
    code = "import torch, numpy; print(torch.version.cuda)"

    shown = subprocess.run(
        [*python, "-c", code], env=clean_variables(), capture_output=True, text=True, check=True
    )
    checked = subprocess.run(
        [*python, "-m", "pip", "check"], env=clean_variables(), capture_output=True, check=False
    )

    assert shown.stdout.startswith("12.")
    assert checked.returncode == 0, checked.stdout


def test_a_script_that_was_stopped_may_be_run_again(
    turned: tuple[Path, Path, str], tmp_path: Path, conda: Path
) -> None:
    run(turned[2], tmp_path, conda)

    assert scan(tmp_path, turned[1])[0] == 0


def test_all_that_goes_is_gone_before_anything_comes(turned: tuple[Path, Path, str]) -> None:
    lines = turned[2].splitlines()
    going = [n for n, line in enumerate(lines) if " remove " in line or " uninstall " in line]
    coming = [n for n, line in enumerate(lines) if " install -p" in line or " pip install" in line]
    rehearsal = next(n for n, line in enumerate(lines) if "--dry-run" in line)

    assert rehearsal < min(going)
    assert max(going) < min(coming)
