"""What is asked for is solved; else its repairs are, in order, and every attempt is kept."""

from __future__ import annotations

from reconciler import solve
from reconciler.catalog import load
from reconciler.model.solution import ChannelRecord, NoSolution, NotProven, RepairKind, Solution
from reconciler.solve.proof import prove

FORGE = ("conda-forge",)
HELD = ("cuda-version",)


def proven(specs, where, gpu=(), cuda="12.9"):
    machine = solve.target("linux-64", cuda=cuda)
    return solve.prove(specs, FORGE, "linux-64", machine, gpu=gpu, held=HELD, **where)


def test_what_solves_as_it_is_asked_for_is_not_changed(where):
    specs = ("pytorch=2.*=cuda118*", "cuda-version=11.8")
    proof = proven(specs, where, gpu=["pytorch"])
    assert isinstance(proof.outcome, Solution)
    assert (len(proof.trail), proof.repairs, proof.specs) == (1, (), specs)


def test_a_release_without_the_build_gives_way_to_one_that_has_it(where):
    specs = ("pytorch==2.3.1=cuda118*", "cuda-version=11.8")
    proof = proven(specs, where, gpu=["pytorch"])
    assert proof.outcome.record("pytorch").build == "cuda118_py311h6c9cb27_300"
    assert [repair.kind for repair in proof.repairs] == [RepairKind.PATCH]
    assert isinstance(proof.trail[0].outcome, NoSolution)


def test_the_other_side_of_a_conflict_is_changed_before_the_gpu_is_given_up(where):
    specs = ("pytorch=2.*=cuda118*", "numpy>=2.2,<3", "cuda-version=11.8")
    proof = proven(specs, where, gpu=["pytorch"])
    assert proof.outcome.record("pytorch").build.startswith("cuda118")
    assert [(repair.name, repair.after) for repair in proof.repairs] == [("numpy", "numpy==1.26.4")]


def test_without_a_driver_the_cpu_is_let_in_and_that_is_said(where):
    proof = proven(("pytorch=*=cuda*", "python=3.11"), where, gpu=["pytorch"], cuda=None)
    assert proof.outcome.record("pytorch").build.startswith("cpu")
    assert [repair.kind for repair in proof.repairs] == [RepairKind.CPU]
    assert "A build for the CPU may now be chosen" in proof.repairs[0].says


def test_where_nothing_helps_the_conflict_is_the_user_s_own(where):
    specs = ("cuda-version=11.8", "cuda-version=12.9", "six==1.17.0")
    proof = proven(specs, where)
    assert proof.outcome == proof.trail[0].outcome
    assert proof.specs == specs
    assert proof.repairs == ()


def test_of_several_conflicts_the_one_that_no_absence_hides_is_told(where):
    specs = ("made-up", "cuda-version=11.8", "cuda-version=12.9")
    proof = proven(specs, where)
    assert proof.trail[0].outcome.conflict == "No candidates were found for made-up *."
    assert proof.outcome.culprits == ("cuda-version",)


ONE = ChannelRecord(name="numpy", version="1.26.4", build="py311_0")
OTHER = ChannelRecord(name="scipy", version="1.11.4", build="py311_0")
RECORDS = {"numpy": (ONE,), "scipy": (OTHER,)}


def refuse(specs, *, blaming=()):
    return NoSolution(platform="linux-64", conflict=" ".join(specs), culprits=tuple(blaming))


def only(*accepted, brings=()):
    """Make a solver that accepts these sets of specs alone."""

    def ask(specs):
        found = Solution(platform="linux-64", records=tuple(brings))
        return found if tuple(specs) in accepted else refuse(specs, blaming=["numpy", "scipy"])

    return ask


def test_a_repair_that_is_not_needed_is_taken_back():
    ask = only(("numpy=1.26", "scipy=1.11"), ("numpy=1.26", "scipy==1.11.1"))
    specs = ("numpy==1.26.4", "scipy==1.11.1")
    records = {**RECORDS, "scipy": (*RECORDS["scipy"],)}
    proof = prove(specs, "linux-64", ask, lambda _: records)
    assert proof.specs == ("numpy=1.26", "scipy==1.11.1")


def test_what_conda_brings_for_others_is_not_moved_to_pip():
    ask = only(("scipy",), brings=[ONE, OTHER])
    proof = prove(("numpy==1.26.4", "scipy"), "linux-64", ask, lambda _: RECORDS)
    assert isinstance(proof.outcome, NoSolution)
    said = [a.outcome.conflict for a in proof.trail if isinstance(a.outcome, NoSolution)]
    told = "Others bring numpy 1.26.4 py311_0 with conda: pip would install over it."
    assert told in said


def test_a_solution_that_there_are_complaints_about_counts_for_none(where):
    specs = ("pytorch", "torchvision", "torchaudio", "cudatoolkit=11.8")
    channels = ("pytorch", "conda-forge")
    machine = solve.target("linux-64", cuda="12.9")
    judged = {"gpu": ["pytorch"], "catalog": load(), **where}
    proof = solve.prove(specs, channels, "linux-64", machine, **judged)
    assert isinstance(proof.outcome, NoSolution)
    assert proof.outcome.conflict.startswith("pytorch 2.1.0 is built for the CPU")
    assert proof.outcome.culprits == ("pytorch", "torchaudio", "torchvision")


def test_what_a_repair_gave_up_is_not_held_against_its_solution(where):
    machine = solve.target("linux-64", cuda=None)
    specs = ("pytorch=*=cuda*", "python=3.11")
    judged = {"gpu": ["pytorch"], "catalog": load(), **where}
    proof = solve.prove(specs, FORGE, "linux-64", machine, **judged)
    assert [repair.kind for repair in proof.repairs] == [RepairKind.CPU]


def test_whom_a_later_conflict_blames_is_repaired_as_well():
    def ask(specs):
        if specs[0] == "numpy==1.26.4":
            return refuse(specs, blaming=["numpy"])
        if len(specs) > 1:
            return refuse(specs, blaming=["scipy"])
        return Solution(platform="linux-64", records=(ONE,))

    proof = prove(("numpy==1.26.4", "scipy==1.11.4"), "linux-64", ask, lambda _: RECORDS)
    assert [repair.kind for repair in proof.repairs] == [RepairKind.MINOR, RepairKind.PIP]


def test_an_answer_that_fails_to_come_ends_the_search():
    nothing = NotProven(platform="linux-64", why="offline")
    proof = prove(("numpy",), "linux-64", lambda _: nothing, lambda _: RECORDS)
    assert (proof.outcome, len(proof.trail)) == (nothing, 1)


def test_without_the_records_nothing_is_guessed():
    nothing = NotProven(platform="linux-64", why="offline")
    proof = prove(("numpy==1.26.4",), "linux-64", refuse, lambda _: nothing)
    assert len(proof.trail) == 1


def test_a_search_ends():
    specs = ("numpy==1.26.4", "scipy==1.11.4")
    proof = prove(specs, "linux-64", only(), lambda _: RECORDS, most=4)
    assert len(proof.trail) == 4
