"""The script of commands is run in true environments, and what it was for is gone.

pip is the environment's own. The lab has no conda: py-rattler stands in for it on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .test_scan import all_codes, scan
from .wheels import clean_variables

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.lab

#: By the code that it is found as; the fifth, two cuDNNs on the search paths, is DUP101.
FAULTS = ("CUD201", "DUP101", "DUP103", "DUP104", "DUP105")


@pytest.fixture(scope="module")
def mended(five_faults: Path, lab: Path, conda: Path) -> Path:
    """The environment of the five faults after the script for all of them."""
    prefix = copied(five_faults, lab / "mended")
    run(written(prefix, lab), lab, conda)
    return prefix


@pytest.mark.parametrize("code", FAULTS)
def test_each_of_the_five_faults_is_there_before(
    code: str, five_faults: Path, tmp_path: Path
) -> None:
    assert code in set(all_codes(scan(tmp_path, five_faults)[1]["findings"]))


@pytest.mark.parametrize("code", FAULTS)
def test_each_of_the_five_faults_is_gone_after_the_script(
    code: str, mended: Path, tmp_path: Path
) -> None:
    assert code not in set(all_codes(scan(tmp_path, mended)[1]["findings"]))


def test_the_script_for_the_five_faults_leaves_nothing_to_find_but_numpy_2(
    mended: Path, tmp_path: Path
) -> None:
    # the lab's torch 2.1.2 stands beside a numpy 2.3.5 that cupy has brought, and cupy 13 comes to
    # the NVRTC of torch's wheels only where torch is imported first: nothing of the five
    assert {*all_codes(scan(tmp_path, mended)[1]["findings"])} <= {"DEC719", "ELF501"}


def test_what_the_script_has_kept_is_whole(mended: Path) -> None:
    code = "import torch, cupy, six; print(torch.version.cuda, cupy.__version__, six.__version__)"
    python = [str(mended / "bin" / "python")]

    shown = subprocess.run(
        [*python, "-c", code], env=clean_variables(), capture_output=True, text=True, check=True
    )
    checked = subprocess.run(
        [*python, "-m", "pip", "check"], env=clean_variables(), capture_output=True, check=False
    )

    assert shown.stdout.split() == ["12.1", "13.6.0", "1.17.0"]
    assert checked.returncode == 0, checked.stdout


def test_the_script_may_be_run_again(mended: Path, lab: Path, tmp_path: Path) -> None:
    prefix = copied(mended, tmp_path / "again")

    assert "There is nothing to run." in written(prefix, lab)


@pytest.mark.parametrize("code", ["CUD201", "DUP103", "DUP104", "DUP105"])
def test_the_script_for_one_fault_mends_that_one(
    code: str, five_faults: Path, lab: Path, conda: Path, tmp_path: Path
) -> None:
    prefix = copied(five_faults, tmp_path / "prefix")

    run(written(prefix, lab, code), tmp_path, conda)

    assert code not in set(all_codes(scan(tmp_path, prefix)[1]["findings"]))


def copied(prefix: Path, to: Path) -> Path:
    shutil.copytree(prefix, to, symlinks=True)
    return to


def written(prefix: Path, folder: Path, *codes: str) -> str:
    """Give what `envfix fix --script` writes of an environment, by these codes or all of them."""
    path = folder / f"{prefix.parent.name}-{prefix.name}.sh"
    command = [sys.executable, "-m", "reconciler", "fix", str(folder), "-p", str(prefix)]
    selected = ["--select", ",".join(codes)] if codes else []
    done = subprocess.run(
        [*command, "--script", str(path), *selected],
        env=clean_variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert path.exists(), done.stderr
    return path.read_text()


def run(text: str, folder: Path, conda: Path) -> None:
    """Run a script as a user does, with nothing but the environment and conda to rely on."""
    path = folder / "mend.sh"
    path.write_text(text)
    variables: dict[str, Any] = dict(clean_variables())
    variables["PATH"] = f"{conda}:{variables['PATH']}"
    done = subprocess.run(
        ["sh", str(path)], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
