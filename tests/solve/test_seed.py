"""From a file to a proof: the seed's own command, as the environment.yml that people write of it."""

from __future__ import annotations

from convert.conversions import CATALOG, converted

from reconciler import solve
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.solution import Solution

SEED = """\
name: gpu
channels: [pytorch, conda-forge]
dependencies:
  - python=3.11
  - pytorch
  - torchvision
  - cudatoolkit=11.8
"""
LINUX = solve.target("linux-64", cuda="12.4")


def test_the_file_of_the_seed_is_converted_to_what_solves_to_cuda_11_8(where):
    made = converted({"environment.yml": SEED})
    specs = made.specs("linux-64")
    asked = [CondaSpec.parse(spec) for spec in specs]
    proof = solve.prove(
        specs,
        made.channels,
        "linux-64",
        LINUX,
        gpu=[spec.name for spec in asked if spec.build],
        held=[CondaSpec.parse(spec).name for spec in made.cuda.specs],
        catalog=CATALOG,
        **where,
    )
    assert isinstance(proof.outcome, Solution)
    assert proof.repairs == ()
    assert proof.outcome.record("pytorch").build == "cuda118_py311h6c9cb27_300"
    assert proof.outcome.record("torchvision").build == "cuda118py311hf53cd17_0"


def test_the_file_as_it_is_written_solves_to_a_pytorch_for_the_cpu(where):
    specs = ("python=3.11", "pytorch", "torchvision", "cudatoolkit=11.8")
    solution = solve.solve(specs, ("pytorch", "conda-forge"), "linux-64", LINUX, **where)
    assert solution.record("pytorch").build == "py3.11_cpu_0"
