"""Specs and channels go in; a solution, the conflict in words, or why there is none comes out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from reconciler.model.conda_spec import InvalidCondaSpec
from reconciler.model.solution import NoSolution, NotProven, Solution, VirtualPackage
from reconciler.solve import child, solve, target
from reconciler.solve.child import SolverMissingError

SEED = ("pytorch", "torchvision", "torchaudio", "cudatoolkit=11.8")
PYTORCH_FIRST = ("pytorch", "conda-forge")
FORGE = ("conda-forge",)
LINUX = target("linux-64", cuda="12.4")


def test_the_seed_s_own_command_solves_to_a_pytorch_for_the_cpu(solved):
    solution = solved(SEED, PYTORCH_FIRST, "linux-64", LINUX)
    assert isinstance(solution, Solution)
    assert solution.record("pytorch").build == "py3.11_cpu_0"
    assert solution.record("cudatoolkit").version == "11.8.0"


def test_the_rewrite_of_the_seed_s_command_solves_to_builds_for_cuda_11_8(solved):
    specs = ("pytorch=2.*=cuda118*", "torchvision=*=cuda118*", "cuda-version=11.8")
    solution = solved(specs, FORGE, "linux-64", LINUX)
    assert isinstance(solution, Solution)
    assert solution.record("pytorch").build == "cuda118_py311h6c9cb27_300"
    assert solution.record("torchvision").build == "cuda118py311hf53cd17_0"
    assert solution.record("cudatoolkit").version == "11.8.0"


def test_a_record_tells_where_it_comes_from(solved, alias):
    solution = solved(["cuda-version=12.9"], FORGE, "linux-64", LINUX)
    (record,) = solution.records
    assert str(record) == "cuda-version 12.9 h4f385c5_3"
    assert (record.build_number, record.subdir) == (3, "noarch")
    assert record.channel == f"{alias}/conda-forge"
    assert record.constrains == ("cudatoolkit 12.9|12.9.*", "__cuda >=12")


def test_what_the_target_lacks_is_not_taken_from_this_machine(solved):
    without = target("linux-64", cuda=None)
    assert isinstance(solved(["pytorch=*=cuda*"], FORGE, "linux-64", without), NoSolution)
    solution = solved(["pytorch", "python=3.11"], FORGE, "linux-64", without)
    assert solution.record("pytorch").build.startswith("cpu")


def test_an_old_driver_of_the_target_is_told_in_the_conflict(solved):
    old = target("linux-64", cuda="11.8")
    refused = solved(["pytorch-gpu", "cuda-version=12.9"], FORGE, "linux-64", old)
    assert isinstance(refused, NoSolution)
    assert "__cuda >=12, which conflicts" in refused.conflict
    assert "the newest CUDA that the target's driver runs" in refused.conflict
    assert refused.culprits == ("cuda-version",)


def test_a_version_that_was_never_built_is_named(solved):
    refused = solved(["numpy=1.26.3", "python=3.11"], FORGE, "linux-64", LINUX)
    assert refused.conflict == "No candidates were found for numpy 1.26.3.*."
    assert refused.culprits == ("numpy",)


def test_each_platform_is_solved_on_its_own(solved):
    windows = target("win-64", cuda="12.4")
    assert isinstance(solved(["tqdm=4.67.1"], FORGE, "win-64", windows), NoSolution)
    assert isinstance(solved(["cuda-version=12.9"], FORGE, "win-64", windows), Solution)


def test_a_channel_named_in_a_spec_is_above_the_priority(solved, alias):
    specs = ["conda-forge::pytorch=*=cuda118*"]
    solution = solved(specs, PYTORCH_FIRST, "linux-64", LINUX)
    assert solution.record("pytorch").channel == f"{alias}/conda-forge"


def test_without_strict_priority_a_later_channel_serves_what_the_first_has(solved):
    specs = ["pytorch=2.*=cuda118*"]
    assert isinstance(solved(specs, PYTORCH_FIRST, "linux-64", LINUX), NoSolution)
    assert isinstance(solved(specs, PYTORCH_FIRST, "linux-64", LINUX, strict=False), Solution)


def test_a_channel_may_be_a_folder(alias, tmp_path):
    folder = f"{alias.removeprefix('file://')}/conda-forge"
    cache = str(tmp_path)
    solution = solve(["cuda-version=12.6"], [folder], "linux-64", LINUX, cache=cache)
    assert isinstance(solution, Solution)


def test_what_is_no_spec_is_refused_in_words(solved):
    with pytest.raises(InvalidCondaSpec, match="bad spec"):
        solved(["bad spec ==="], FORGE, "linux-64", LINUX)


def test_a_folder_that_is_no_channel_proves_nothing(tmp_path):
    answer = solve(["six"], [str(tmp_path)], "linux-64", LINUX, cache=str(tmp_path / "cache"))
    assert isinstance(answer, NotProven)
    assert "repodata.json" in answer.why


def test_a_server_that_refuses_proves_nothing_and_says_so_at_once(tmp_path):
    start = time.monotonic()
    answer = solve(["six"], ["http://127.0.0.1:9/c"], "linux-64", LINUX, cache=str(tmp_path))
    assert answer == NotProven(
        platform="linux-64", why="127.0.0.1 cannot be reached: it refuses connections"
    )
    assert time.monotonic() - start < 5


def test_a_name_that_no_server_bears_proves_nothing(tmp_path):
    channel = "https://conda.invalid/conda-forge"  # RFC 2606: never resolves
    answer = solve(["six"], [channel], "linux-64", LINUX, cache=str(tmp_path))
    assert isinstance(answer, NotProven)
    assert answer.why.startswith("conda.invalid cannot be reached: ")


def test_offline_no_server_is_asked(tmp_path):
    answer = solve(["six"], FORGE, "linux-64", LINUX, offline=True, cache=str(tmp_path))
    assert isinstance(answer, NotProven)
    assert answer.why.startswith(
        "offline, and the repodata of https://conda.anaconda.org/conda-forge is not cached"
    )


def test_offline_a_local_channel_serves(solved):
    answer = solved(["cuda-version=12.9"], FORGE, "linux-64", LINUX, offline=True)
    assert isinstance(answer, Solution)


def test_the_records_of_a_name_are_those_a_solver_may_choose_from(records_of, alias):
    found = records_of(["pytorch", "numpy", "nosuchpackage"], PYTORCH_FIRST, "linux-64")
    assert {record.channel for record in found["pytorch"]} == {f"{alias}/pytorch"}
    assert {record.version for record in found["numpy"]} == {"1.26.4", "2.3.5"}
    assert found["nosuchpackage"] == ()


def test_without_strict_priority_they_are_those_of_every_channel(records_of, alias):
    found = records_of(["pytorch"], PYTORCH_FIRST, "linux-64", strict=False)
    channels = {record.channel for record in found["pytorch"]}
    assert channels == {f"{alias}/pytorch", f"{alias}/conda-forge"}


def test_the_records_of_a_server_out_of_reach_are_not_none(records_of):
    answer = records_of(["pytorch"], ["http://127.0.0.1:9/c"], "linux-64")
    assert isinstance(answer, NotProven)


@pytest.mark.parametrize(
    ("platform", "cuda", "expected"),
    [
        ("linux-64", "12.4", "__unix 0 __linux 4.18 __glibc 2.28 __cuda 12.4 __archspec x86_64"),
        ("linux-aarch64", None, "__unix 0 __linux 4.18 __glibc 2.28 __archspec aarch64"),
        ("win-64", "12.4", "__win 0 __cuda 12.4 __archspec x86_64"),
        ("osx-arm64", "12.4", "__unix 0 __osx 13.0 __archspec m1"),
    ],
)
def test_a_target_has_the_virtual_packages_of_its_platform(platform, cuda, expected):
    packages = target(platform, cuda=cuda)
    texts = [f"{p.name} {p.build if p.name == '__archspec' else p.version}" for p in packages]
    assert " ".join(texts) == expected


def test_the_target_s_c_library_is_the_user_s_to_say():
    assert VirtualPackage("__glibc", "2.17") in target("linux-64", cuda=None, glibc="2.17")


def test_the_absence_of_the_solver_names_the_command_that_adds_it(monkeypatch, solved):
    monkeypatch.setitem(sys.modules, "rattler", None)
    with pytest.raises(SolverMissingError, match=r'-m pip install "envfix-cuda\[solve\]"'):
        solved(["six"], FORGE, "linux-64", LINUX)


def test_another_release_of_the_solver_is_told_from_none(monkeypatch, solved):
    monkeypatch.setattr(child, "MADE_FOR", "0.99")
    with pytest.raises(SolverMissingError, match=r"py-rattler 0\.28\.\d+ is installed, and envfix"):
        solved(["six"], FORGE, "linux-64", LINUX)


def test_the_release_of_the_solver_is_that_of_the_extra():
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))
    (pin,) = project["project"]["optional-dependencies"]["solve"]
    assert pin.startswith(f"py-rattler>={child.MADE_FOR},<")


def test_a_solver_that_dies_proves_nothing(monkeypatch, solved):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    answer = solved(["six"], FORGE, "linux-64", LINUX)
    assert answer == NotProven(platform="linux-64", why="the solver's process ended with status 1")


def test_what_lies_on_pythonpath_does_not_reach_the_solver(monkeypatch, tmp_path, solved):
    (tmp_path / "msgspec.py").write_text("raise SystemExit('not this one')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert isinstance(solved(["six"], FORGE, "linux-64", LINUX), Solution)


def test_envfix_s_own_process_never_loads_the_solver(where):
    code = (
        "import sys; from reconciler.solve import solve, target;"
        "solve(['cuda-version'], ['conda-forge'], 'linux-64', target('linux-64', cuda=None),"
        f"alias={where['alias']!r}, cache={where['cache']!r});"
        "sys.exit('rattler' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_home_without_readable_credentials_is_no_obstacle(solved, monkeypatch, capfd):
    monkeypatch.setenv("HOME", "/dev/null")
    outcome = solved(("six",), ("conda-forge",), "linux-64", target("linux-64", cuda=None))
    assert isinstance(outcome, Solution)
    assert "envfix: no credentials are used: " in capfd.readouterr().err
