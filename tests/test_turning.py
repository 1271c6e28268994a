"""The script of a conversion: what goes, what comes, in which order, and what it refuses."""

from __future__ import annotations

import msgspec
import pytest

from reconciler import catalog, turning
from reconciler.converting import Form, convert_installed
from reconciler.errors import EnvfixError
from reconciler.model.prefix import PixiEnvironment, PrefixState
from reconciler.model.solution import (
    Attempt,
    ChannelRecord,
    NoSolution,
    PlatformProof,
    Proof,
    Solution,
)
from reconciler.output import script
from reconciler.testing import sketch

CATALOG = catalog.load()
MIXED = """\
python: 3.11.7
conda: [python=3.11.7=0, pip=25.3=0, cudatoolkit=11.8.0=h4ba93d1_13, numpy=1.26.4=0]
pip: [torch==2.1.2+cu118, numpy==1.26.4, made-up-foo==1.0, nvidia-nccl-cu11==2.19.3]
libraries: {}
"""
BROUGHT = ("python 3.11.9", "pytorch 2.1.2", "numpy 1.26.4", "cuda-version 11.8", "pip 25.3")


def solution(*brought):
    records = (ChannelRecord(name=n, version=v, build="0") for n, v in map(str.split, brought))
    return Solution(platform="linux-64", records=tuple(records))


def turned(text=MIXED, outcome=None, **changes):
    taken = sketch(text)
    taken = msgspec.structs.replace(taken, **changes)
    outcome = outcome or solution(*BROUGHT)

    def prove(made, _):
        attempt = Attempt(specs=made.specs("linux-64"), outcome=outcome)
        proof = Proof(platform="linux-64", trail=(attempt,))
        return msgspec.structs.replace(made, proofs=(PlatformProof(machine=(), proof=proof),))

    made = convert_installed(taken, CATALOG, Form(cuda="11.8"), (), prove).conversion
    return turning.turn(taken, CATALOG, made), made, taken.target


def commands(*arguments, **options):
    return [" ".join(step.command.argv) for step in turned(*arguments, **options)[0].steps]


def test_conda_is_asked_before_anything_goes_and_all_goes_before_anything_comes():
    found = commands()
    assert "create -p /prefix-rehearsal --yes --dry-run --override-channels" in found[0]
    going = [n for n, line in enumerate(found) if " remove " in line or " uninstall " in line]
    assert going == [*range(1, len(found) - 1)]
    assert found[-1].startswith("conda install -p /prefix --yes --override-channels --channel")


def test_what_pip_has_laid_over_a_package_of_conda_takes_its_record_along():
    found = commands()
    assert found.index("conda remove -p /prefix --yes --force numpy") < found.index(
        "/prefix/bin/python -m pip uninstall --yes numpy"
    )


def test_cuda_that_the_solution_is_without_goes_and_what_pip_alone_has_stays():
    found = commands()
    assert "conda remove -p /prefix --yes --force cudatoolkit" in found
    assert "/prefix/bin/python -m pip uninstall --yes nvidia-nccl-cu11" in found
    assert not any("uninstall" in line and line.endswith("made-up-foo") for line in found)


def test_pip_that_pip_has_laid_over_conda_s_stays_to_do_the_work():
    text = MIXED.replace("pip: [", "pip: [pip==26.0, ")
    assert not any(line.endswith(("--yes pip", "--force pip")) for line in commands(text))


def test_a_second_run_takes_nothing_of_conda_s():
    text = script.render_turning(*turned(), envfix="0.1.0")
    assert (
        "if ! ls /prefix/conda-meta/pytorch-[0-9]*.json >/dev/null 2>&1; then\n"
        "  /prefix/bin/python -m pip uninstall --yes torch\nfi\n"
    ) in text
    assert (
        "if [ -e /prefix/conda-meta/cudatoolkit-11.8.0-h4ba93d1_13.json ]; then\n"
        "  conda remove -p /prefix --yes --force cudatoolkit\nfi\n"
    ) in text


def test_a_venv_stays_and_conda_makes_a_new_environment_beside_it():
    text = "python: 3.11.7\npip: [torch==2.1.2+cu118, made-up-foo==1.0]\nlibraries: {}\n"
    made, _, _ = turned(text)
    argv = [step.command.argv for step in made.steps]
    assert argv[0][:5] == ("conda", "create", "-p", "/prefix-conda", "--yes")
    assert argv[1] == (
        *("/prefix-conda/bin/python", "-m", "pip", "install"),
        "made-up-foo==1.0",
    )
    assert made.notes[0].startswith("/prefix stays as it is")


def test_another_python_makes_a_new_environment_too():
    brought = [line.replace("3.11.9", "3.12.1") for line in BROUGHT]
    assert "create -p /prefix-conda --yes" in commands(outcome=solution(*brought))[0]


def with_wheels(**fields):
    """Give the mixed environment with other fields of some of its wheels."""
    wheels = (
        msgspec.structs.replace(wheel, **fields.get(wheel.key.replace("-", "_"), {}))
        for wheel in sketch(MIXED).distributions
    )
    return {"distributions": tuple(wheels)}


def test_what_is_left_to_pip_keeps_what_it_requires_and_that_is_told():
    needed = {"requires": ("nvidia-nccl-cu11>=2",)}
    needing = with_wheels(made_up_foo=needed, torch=needed)
    made, _, _ = turned(**needing)
    assert not any("nvidia-nccl-cu11" in step.command.argv for step in made.steps)
    (note,) = made.notes
    assert note.startswith("nvidia-nccl-cu11 2.19.3 stays, since what is left to pip requires it")


def test_what_only_goers_require_goes_along():
    needed = {"requires": ("nvidia-nccl-cu11>=2",)}
    found = commands(**with_wheels(torch=needed))
    assert "/prefix/bin/python -m pip uninstall --yes nvidia-nccl-cu11" in found


def test_a_wheel_that_shares_files_with_one_that_goes_is_written_again():
    record = "shared/file.py,,\n"
    sharing = with_wheels(made_up_foo={"record": record}, torch={"record": record})
    found = commands(**sharing)
    assert found[-1] == (
        "/prefix/bin/python -m pip install --force-reinstall --no-deps made-up-foo==1.0"
    )


def test_what_is_not_proven_is_no_ground_to_take_anything_away():
    refused = NoSolution(platform="linux-64", conflict="none")
    with pytest.raises(EnvfixError, match="no script, for it is not proven"):
        turned(outcome=refused)


def test_pixi_s_environments_are_pixi_s_to_change():
    state = PrefixState(pixi=PixiEnvironment(manifest="/project/pixi.toml", environment="default"))
    with pytest.raises(EnvfixError, match="pixi keeps it to its manifest"):
        turned(state=state)


def test_conda_s_own_environment_is_left_alone():
    with pytest.raises(EnvfixError, match="it is conda's own environment"):
        turned(MIXED.replace("conda: [", "conda: [conda=25.1=0, "))


def test_a_frozen_environment_is_left_alone():
    with pytest.raises(EnvfixError, match="conda-meta/frozen says"):
        turned(state=PrefixState(frozen=True))
