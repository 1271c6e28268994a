"""Specs without a solution are changed, the least harm first, and each change says what it does."""

from __future__ import annotations

import pytest

from reconciler.model.solution import ChannelRecord, RepairKind
from reconciler.solve.relaxing import Known
from reconciler.solve.repairs import repaired, repairs


def records(name, *versions_and_builds):
    pairs = [text.split() for text in versions_and_builds]
    return tuple(ChannelRecord(name=name, version=v, build=b) for v, b in pairs)


RELEASED = {
    "numpy": records("numpy", "1.25.2 py311_0", "1.26.4 py311_0", "2.0.0 py311_0", "2.3.5 py312_0"),
    "scipy": records("scipy", "1.11.4 py311_0", "1.16.3 py312_0"),
    "pytorch": records("pytorch", "2.1.2 cuda118_py311_0", "2.3.0 cuda118_py311_0", "2.3.1 cpu_0"),
    "cuda-version": records("cuda-version", "11.8 h_3", "12.9 h_3"),
    "made-up": (),
}
KNOWN = Known(released=RELEASED, gpu=frozenset({"pytorch"}), held=frozenset({"cuda-version"}))


def tried(*specs, culprits=()):
    return [repaired(specs, changes) for changes in repairs(specs, culprits, KNOWN)]


def test_a_pin_is_relaxed_to_its_series_then_its_major_then_moved_to_the_next_series_then_to_pip():
    assert tried("numpy==1.26.4", "scipy", culprits=["numpy"]) == [
        ("numpy=1.26", "scipy"),
        ("numpy=1", "scipy"),
        ("numpy==2.0.0", "scipy"),
        ("numpy==2.3.5", "scipy"),
        ("scipy",),
    ]


def test_what_the_records_refute_is_changed_before_anything_is_solved():
    first, *_ = tried("made-up", "numpy==1.26.9", "scipy==1.11.4")
    assert first == ("numpy=1.26", "scipy==1.11.4")


def test_each_that_is_blamed_is_tried_alone_before_all_together():
    sets = tried("numpy==1.26.4", "scipy==1.16.3", culprits=["numpy", "scipy"])
    assert sets[:3] == [
        ("numpy=1.26", "scipy==1.16.3"),
        ("numpy==1.26.4", "scipy=1.16"),
        ("numpy=1.26", "scipy=1.16"),
    ]


def test_those_that_are_not_blamed_come_after():
    sets = tried("numpy==1.26.4", "scipy==1.16.3", culprits=["numpy"])
    touched = [index for index, specs in enumerate(sets) if "scipy==1.16.3" not in specs]
    assert touched
    assert touched[0] > sets.index(("scipy==1.16.3",))


def test_a_version_without_the_build_for_cuda_gives_way_to_the_nearest_that_has_it():
    first, *_ = tried("pytorch==2.3.1=cuda118*", "cuda-version=11.8")
    assert first == ("pytorch 2.3.* cuda118*", "cuda-version=11.8")


def test_the_build_for_cuda_is_let_go_last_and_the_cpu_is_named():
    *_, last = repairs(["pytorch==2.3.0=cuda118*", "numpy"], ["pytorch"], KNOWN)
    (repair,) = last
    assert repair.kind is RepairKind.CPU
    assert repair.after == "pytorch==2.3.0"
    assert repair.says == (
        "pytorch: any build of it instead of cuda118*. A build for the CPU may now be chosen, and "
        "that uses no GPU."
    )


def test_no_repair_before_that_lets_the_cpu_in():
    *before, _ = repairs(["pytorch==2.3.0=cuda118*", "numpy==1.26.4"], ["pytorch"], KNOWN)
    texts = [repair.after for changes in before for repair in changes if repair.name == "pytorch"]
    assert texts
    assert all("cuda118*" in text for text in texts)


def test_the_cuda_that_was_decided_on_is_held_to_its_major():
    sets = tried("cuda-version=12.1", "numpy==1.26.4", culprits=["cuda-version"])
    assert {specs[0] for specs in sets} == {"cuda-version=12.1", "cuda-version=12"}


def test_a_package_for_the_gpu_is_not_moved_to_pip_where_conda_has_it():
    changes = [c for each in repairs(["pytorch=2.3=cuda118*"], ["pytorch"], KNOWN) for c in each]
    assert None not in {change.after for change in changes}


def test_the_build_of_a_day_is_let_go_first():
    first, *_ = repairs(["numpy==1.26.4=py39h1_0"], ["numpy"], KNOWN)
    assert [(c.kind, c.after) for c in first] == [(RepairKind.BUILD, "numpy==1.26.4")]


def test_a_range_is_not_narrowed_but_moved_to_the_nearest_releases_outside():
    assert tried("numpy>=2.1,<2.2", culprits=["numpy"]) == [
        ("numpy==2.0.0",),
        ("numpy==2.3.5",),
        ("numpy==1.26.4",),
        ("numpy==1.25.2",),
        (),
    ]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            "numpy==1.26.9",
            "numpy: any release of 1.26 instead of 1.26.9 alone.",
        ),
        (
            "scipy==2.0",
            "scipy: 1.16.3, the release nearest to 2.0 that can be had.",
        ),
        (
            "made-up>=1",
            "made-up: moved to pip, for none of the channels has a package of that name.",
        ),
    ],
)
def test_a_repair_says_what_it_does(spec, says):
    (repair,) = next(repairs([spec], [], KNOWN))
    assert repair.says == says


def test_what_pip_may_bring_for_a_package_of_the_gpu_is_said():
    known = Known(released={"torchaudio": ()}, gpu=frozenset({"torchaudio"}))
    (repair,) = next(repairs(["torchaudio"], [], known))
    assert repair.says.endswith("What pip installs for it may bring a second CUDA.")


def test_no_set_is_yielded_twice():
    sets = tried("numpy==1.26.4", "scipy==1.16.3", "pytorch=2.3.0=cuda118*", culprits=["numpy"])
    assert len(sets) == len({*sets})


def test_two_specs_of_one_package_are_changed_each_for_itself():
    assert ("pytorch", "pytorch 2.* cuda118*") in tried(
        "pytorch", "pytorch=2.3.0=cuda118*", culprits=["pytorch"]
    )
