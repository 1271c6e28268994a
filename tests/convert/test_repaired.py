"""Repairs of specs are carried back to the lines that asked for them."""

import pytest

from reconciler.convert.repaired import repaired
from reconciler.model.solution import (
    Attempt,
    ChannelRecord,
    PlatformProof,
    Proof,
    Repair,
    RepairKind,
    Solution,
)

from .conversions import CATALOG, Dropped, Kept, converted


def proof(conversion, changes, platform="linux-64", brought=()):
    """Give a proof that rests on changes: before, after, kind."""
    repairs = tuple(
        Repair(kind=kind, name=name, before=before, after=after, says=f"{name}: changed.")
        for name, before, after, kind in changes
    )
    records = tuple(ChannelRecord(name=name, version=v, build="0") for name, v in brought)
    outcome = Solution(platform=platform, records=records)
    attempt = Attempt(specs=conversion.specs(platform), repairs=repairs, outcome=outcome)
    return PlatformProof(machine=(), proof=Proof(platform=platform, trail=(attempt,)))


def made(files, *changes, brought=(), **wish):
    conversion = converted(files, **wish)
    return repaired(conversion, [proof(conversion, changes, brought=brought)], (), CATALOG)


MINOR, ABSENT, PIP, CUDA = RepairKind.MINOR, RepairKind.ABSENT, RepairKind.PIP, RepairKind.CUDA


def test_without_repairs_a_conversion_is_what_it_was():
    conversion = converted("numpy==1.26.4")
    assert repaired(conversion, [proof(conversion, ())], (), CATALOG) is conversion


def test_a_version_that_gives_way_is_written_as_people_write_it():
    change = ("torch", "pytorch=2.1.2=cuda*", "pytorch 2.* cuda*", MINOR)
    found = made("torch==2.1.2+cu118", change)
    assert "pytorch=2.*=cuda*" in found.specs("linux-64")
    assert found.lines[0].notes[-1] == "torch: changed"


def test_what_moves_to_pip_keeps_its_requirement_and_brings_pip():
    found = made("scipy[test]>=1.9", ("scipy", "scipy>=1.9", None, ABSENT))
    assert found.pip_lines("linux-64") == ("scipy[test]>=1.9",)
    assert found.specs("linux-64") == ("python", "pip")


def test_of_what_moves_to_pip_conda_is_asked_for_nothing_more():
    conversion = converted("tensorflow[and-cuda]")
    first = conversion.lines[0].specs[0]
    found = made("tensorflow[and-cuda]", ("tensorflow", first, None, PIP))
    names = {spec.partition("=")[0] for spec in found.specs("linux-64")}
    assert "tensorflow" not in names
    assert found.pip_lines("linux-64") == ("tensorflow[and-cuda]",)


@pytest.mark.parametrize(
    ("spec", "requirement"), [("pytables>=3.9", "tables>=3.9"), ("numpy=1.26", "numpy==1.26.*")]
)
def test_what_asked_conda_itself_goes_to_pip_under_pip_s_name(spec, requirement):
    name = spec.partition("=")[0].rstrip(">")
    found = made({"environment.yml": f"dependencies: ['{spec}']\n"}, (name, spec, None, ABSENT))
    assert isinstance(found.lines[0], Kept)
    assert found.pip_lines("linux-64") == (requirement,)


@pytest.mark.parametrize("name", ["made-up-foo", "cudnn", "gxx_linux-64"])
def test_what_pip_has_no_known_name_for_is_left_out_and_never_guessed(name):
    found = made({"environment.yml": f"dependencies: ['{name}']\n"}, (name, name, None, ABSENT))
    assert isinstance(found.lines[0], Dropped)
    assert "no project of PyPI is known to be the same" in found.lines[0].reason


def test_a_release_of_cuda_that_gave_way_is_pinned_to_what_was_solved():
    change = ("cuda-version", "cuda-version=12.1", "cuda-version=12", CUDA)
    found = made("six", change, cuda="12.1", brought=[("cuda-version", "12.9")])
    assert (found.cuda.release, found.cuda.specs) == ("12.9", ("cuda-version=12.9",))
    assert found.cuda.because[-1].startswith("no channel has all of it for 12.1, and 12.9 is")


def test_a_repair_of_one_platform_is_for_that_one():
    conversion = converted("numpy==1.26.4", platforms=("linux-64", "win-64"))
    change = ("numpy", "numpy==1.26.4", "numpy=1.26", MINOR)
    proofs = [proof(conversion, ()), proof(conversion, [change], platform="win-64")]
    found = repaired(conversion, proofs, (), CATALOG)
    assert found.specs("linux-64")[-1] == "numpy==1.26.4"
    assert found.specs("win-64")[-1] == "numpy=1.26"


def test_the_python_that_was_solved_is_the_python_that_is_asked_for():
    files = {"pyproject.toml": '[project]\nname = "x"\nrequires-python = "==3.9.1"\n'}
    conversion = converted(files)
    found = made(files, ("python", conversion.python, "python=3.9", MINOR))
    assert found.specs("linux-64") == ("python=3.9",)
