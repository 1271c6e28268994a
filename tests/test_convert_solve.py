"""`envfix convert` asks a solver: what it proves, repairs, and cannot prove, in words and in JSON."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_channels import write_channels

from reconciler.cli import cli

ENVS = Path(__file__).parent.parent / "fixtures" / "envs"
SEED = """\
name: gpu
channels: [pytorch, conda-forge]
dependencies:
  - python=3.11  # ours
  - pytorch
  - torchvision
  - torchaudio
  - cudatoolkit=11.8
"""


@pytest.fixture(scope="module")
def channels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channels")
    write_channels(folder)
    return folder


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


@pytest.fixture
def forge(channels):
    return ("--channel", str(channels / "conda-forge"))


def run(*arguments, code=1):
    result = CliRunner().invoke(cli, ["convert", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout if code != 2 else result.output


def flat(text):
    return " ".join(text.replace("#", " ").split())


def test_what_solves_is_proven_with_its_cuda(project, forge):
    (project / "requirements.txt").write_text("torch==2.3.0+cu118\nnumpy<2\n", "utf-8")
    said = run("requirements.txt", *forge)
    assert "Proven for linux-64 (a driver for CUDA 11.8, glibc 2.28): a solver takes it" in said
    assert "pytorch 2.3.0 cuda118_py311h6c9cb27_300 (CUDA 11.8)" in flat(said)
    assert "CUDA's own libraries: cudatoolkit 11.8.0, cudnn 8.9.7.29, nccl" in flat(said)
    assert "no solution" not in said


def test_a_repair_is_told_and_stands_in_the_file(project, forge):
    (project / "requirements.txt").write_text("torch==2.3.1+cu118\nscipy\nnumpy<2\n", "utf-8")
    said = run("requirements.txt", *forge)
    assert "#   pytorch: any release of 2.3 instead of 2.3.1 alone.\n" in said
    assert "scipy stays under pip: none of the channels has a package scipy.\n" in said
    assert "\n  - pytorch=2.3.*=cuda*\n  - numpy<2a0\n  - pip\n  - pip:\n    - scipy\n" in said
    assert "with torch==2.3.0 in a file that PIP_CONSTRAINT names" in flat(said)


def test_what_is_repaired_is_proven_as_it_is_written(project, forge):
    (project / "requirements.txt").write_text("torch==2.3.1+cu118\nnumpy<2\n", "utf-8")
    run("requirements.txt", *forge, "-o", "environment.yml", code=0)
    again = json.loads(run("environment.yml", *forge, "--format", "json"))
    assert again["solve"]["status"] == "solved"
    assert again["solve"]["platforms"]["linux-64"]["repairs"] == []


def test_another_release_of_cuda_is_pinned_as_it_was_solved(project, forge):
    (project / "requirements.txt").write_text("six\n", "utf-8")
    said = run("requirements.txt", "--cuda", "12.4", "--driver", "575.51.03", *forge)
    assert "a driver for CUDA 12.9" in said
    assert "\n  - cuda-version=12.9\n" in said


def test_json_has_what_is_promised_of_the_proof(project, forge):
    (project / "requirements.txt").write_text("torch==2.3.1+cu118\n", "utf-8")
    solve = json.loads(run("requirements.txt", *forge, "--format", "json"))["solve"]
    assert (solve["status"], solve["why"]) == ("solved", "")
    platform = solve["platforms"]["linux-64"]
    assert platform["machine"]["__cuda"] == "11.8"
    assert platform["machine"]["__glibc"] == "2.28"
    torch = next(part for part in platform["cuda"] if part["name"] == "pytorch")
    assert torch["built_for"] == "CUDA 11.8"
    assert [change["name"] for change in platform["repairs"]] == ["pytorch"]
    assert [attempt["status"] for attempt in platform["trail"]] == ["unsolved", "solved"]


def test_a_repair_that_needs_what_no_channel_has_is_no_solution(project, channels):
    shutil.copytree(channels / "conda-forge", project / "conda-forge")
    noarch = project / "conda-forge" / "noarch" / "repodata.json"
    repodata = json.loads(noarch.read_text("utf-8"))
    packages = repodata["packages.conda"].items()
    kept = {name: each for name, each in packages if each["name"] != "pip"}
    noarch.write_text(json.dumps({**repodata, "packages.conda": kept}), "utf-8")
    (project / "requirements.txt").write_text("scipy\nsix\n", "utf-8")
    report = json.loads(run("requirements.txt", "--channel", "conda-forge", "--format", "json"))
    assert report["solve"]["status"] == "unsolved"
    trail = report["solve"]["platforms"]["linux-64"]["trail"]
    assert [attempt["status"] for attempt in trail] == ["unsolved", "solved", "unsolved"]
    assert "pip" in trail[-1]["why"]


def test_each_platform_is_solved_for_itself(project, forge):
    (project / "requirements.txt").write_text("numpy==1.26.4\n", "utf-8")
    platforms = ("--platform", "linux-64,win-64")
    solve = json.loads(run("requirements.txt", *forge, *platforms, "--format", "json"))["solve"]
    assert solve["platforms"].keys() == {"linux-64", "win-64"}
    assert "__cuda" not in solve["platforms"]["linux-64"]["machine"]
    assert solve["platforms"]["win-64"]["status"] == "unsolved"
    assert solve["status"] == "unsolved"


def test_what_has_no_solution_is_told_and_not_written(project, forge):
    text = "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - scipy\n"
    (project / "environment.yml").write_text(text, "utf-8")
    windows = ("environment.yml", *forge, "--platform", "win-64")
    said = run(*windows)
    assert "# It has no solution for win-64 (no GPU):\n#   No candidates were found for" in said
    assert "# In 2 attempts none of these changes helped, alone or together:\n#   scipy: " in said
    assert "environment.yml: not written, for it has no" in run(*windows, "--write", code=2)
    assert (project / "environment.yml").read_text("utf-8") == text
    run(*windows, "--write", "--no-solve", code=0)


def test_the_file_of_the_seed_is_shown_to_be_for_the_cpu_and_solves_to_cuda_11_8(project, channels):
    (project / "environment.yml").write_text(SEED.replace("  - torchaudio\n", ""), "utf-8")
    both = ("--channel", str(channels / "pytorch"), "--channel", str(channels / "conda-forge"))
    said = flat(run("environment.yml", *both))
    assert "As it is written, conda makes this of environment.yml: pytorch 2.1.0 is built" in said
    assert "for the CPU (its build string py3.11_cpu_0): it uses no NVIDIA GPU." in said
    assert "pytorch 2.3.0 cuda118_py311h6c9cb27_300 (CUDA 11.8), torchvision 0.18.0" in said
    assert "- python=3.11 ours - pytorch=*=cuda* - torchvision=*=cuda* - cudatoolkit=11.8" in said


def test_what_extends_pytorch_and_goes_to_pip_is_told_to_bring_a_second_cuda(project, channels):
    (project / "environment.yml").write_text(SEED, "utf-8")
    both = ("--channel", str(channels / "pytorch"), "--channel", str(channels / "conda-forge"))
    said = flat(run("environment.yml", *both, "-v"))
    assert "torchaudio stays under pip: none of the channels has a package torchaudio." in said
    assert "it depends on PyTorch: pip keeps conda's where its version fits, and else" in said
    assert "tried as converted: No candidates were found for torchaudio" in said
    assert "with torch==2.3.0 and torchvision==0.18.0 in a file that PIP_CONSTRAINT names" in said


def test_what_pip_would_install_over_conda_is_told(project, forge):
    own = "numpy @ https://host.invalid/numpy-1.26.4-own.zip"
    (project / "requirements.txt").write_text(f"torch==2.3.0+cu118\n{own}\n", "utf-8")
    said = flat(run("requirements.txt", *forge))
    assert f"conda brings numpy 1.26.4 for others, and pip installs {own} over it" in said


def test_offline_without_a_cache_is_not_proven_and_says_why(project):
    (project / "requirements.txt").write_text("torch==2.3.0+cu118\n", "utf-8")
    said = flat(run("requirements.txt", "--offline"))
    assert "Not proven for linux-64 (a driver for CUDA 11.8, glibc 2.28): offline, and the" in said
    assert "repodata of https://conda.anaconda.org/conda-forge is not cached." in said
    assert "- pytorch=2.3.0=cuda*" in said


def test_a_proof_that_was_asked_for_and_failed_is_no_success(project):
    (project / "requirements.txt").write_text("six\n", "utf-8")
    run("requirements.txt", "--offline", "-o", "one.yml", code=0)
    run("requirements.txt", "--offline", "--solve", "-o", "two.yml", code=1)


def test_without_a_solver_the_command_that_adds_it_is_said(project, forge, monkeypatch):
    monkeypatch.setattr("reconciler.solve.child.MADE_FOR", "0.1")
    (project / "requirements.txt").write_text("six\n", "utf-8")
    said = flat(run("requirements.txt", *forge))
    assert "Not proven: py-rattler 0.28." in said
    assert f'run: {sys.executable} -m pip install "envfix-cuda[solve]".' in said
    assert "--solve: py-rattler 0.28." in run("requirements.txt", *forge, "--solve", code=2)


@pytest.mark.parametrize("command", ["convert", "scan", "check"])
def test_a_cuda_for_a_driver_is_refused_with_what_is_to_be_given(command):
    said = CliRunner().invoke(cli, [command, "a.txt", "--driver", "12.4"])
    assert said.exit_code == 2
    assert "12.4 is a CUDA: give the driver's release" in flat(said.output)
    assert "--cuda 12.4" in flat(said.output)
    assert "CONDA_OVERRIDE_CUDA=12.4" in flat(said.output)


def test_what_is_neither_a_driver_nor_a_cuda_is_refused():
    assert "'new' is no release of a driver" in run("a.txt", "--driver", "new", code=2)


def test_the_same_driver_runs_another_cuda_on_each_system(project, forge):
    (project / "requirements.txt").write_text("torch==2.3.0+cu118\n", "utf-8")
    wanted = ["--driver", "550", "--platform", "linux-64,win-64", "--format", "json"]
    solve = json.loads(run("requirements.txt", *wanted, *forge))["solve"]
    machines = {name: proof["machine"] for name, proof in solve["platforms"].items()}
    assert machines["linux-64"]["__cuda"] == "12.4"
    assert machines["win-64"]["__cuda"] == "12.3"


def test_how_to_solve_goes_with_no_refusal_to():
    assert "it goes with no --no-solve" in run("a.txt", "--offline", "--no-solve", code=2)


def test_credentials_of_a_channel_stay_with_the_user(project):
    (project / "requirements.txt").write_text("six\n", "utf-8")
    secret = "https://me:secret@host.invalid/conda-forge"
    said = run("requirements.txt", "--offline", "--channel", secret)
    assert "secret" not in said
    assert "\n  - https://host.invalid/conda-forge\n" in said
    assert "the credentials of a channel are not copied" in said


def test_a_channel_stands_in_the_file_whether_or_not_it_is_asked(project, forge):
    (project / "requirements.txt").write_text("six\n", "utf-8")
    assert "\nchannels:\n  - file:///" in run("requirements.txt", "--no-solve", *forge)


def test_a_driver_that_is_too_old_for_what_is_asked_is_told(project, forge):
    (project / "requirements.txt").write_text("torch==2.12.0\n", "utf-8")
    said = flat(run("requirements.txt", "--cuda", "12.9", "--driver", "520", *forge))
    assert "a driver for CUDA 11.8" in said
    assert "A build for the CPU may now be chosen, and that uses no GPU." in said


def test_a_script_is_for_an_environment_alone():
    said = "--script changes an environment: it goes with -p or -n alone"
    assert said in run("a.txt", "--script", "turn.sh", code=2)
    assert said in run("-p", ".", "--to", "pip", "--script", "turn.sh", code=2)


def test_the_script_of_an_environment_stands_beside_its_conversion(project, forge):
    prefix = ENVS / "cudatoolkit-idle-beside-torch-wheels" / "prefix"
    run("-p", str(prefix), *forge, "--script", "turn.sh", code=0)
    script = (project / "turn.sh").read_text("utf-8")
    assert " torch\n" in script
    assert script.index("--dry-run") < script.index("uninstall") < script.index("conda install")


def test_no_script_is_written_for_what_is_not_proven(project):
    prefix = ENVS / "cudatoolkit-idle-beside-torch-wheels" / "prefix"
    said = run("-p", str(prefix), "--offline", "--script", "turn.sh", code=2)
    assert "no script, for it is not proven that conda can supply all of it on linux-64" in said
    assert not (project / "turn.sh").exists()
