"""The solver's tree is shortened, its terms are explained, and whom it blames is known."""

from __future__ import annotations

from reconciler.solve.conflict import blamed, shorten

HEAD = "Cannot solve the request because of: "
WIDE = f"""{HEAD}torchvision * cannot be installed because there are no viable options:
├─ torchvision 0.18.1 would require
│  └─ pytorch ==2.3.1, for which no candidates were found.
├─ torchvision 0.17.0 would require
│  └─ pytorch ==2.2.0, for which no candidates were found.
├─ torchvision 0.15.2 would require
│  └─ pytorch ==2.0.1, for which no candidates were found.
├─ torchvision 0.14.1 would require
│  └─ pytorch ==1.13.1, for which no candidates were found.
└─ torchvision 0.14.0 would require
   └─ pytorch ==1.13.0, for which no candidates were found.
"""
BOTH = f"""{HEAD}The following packages are incompatible
├─ cudatoolkit 11.8.* can be installed with any of the following options:
│  └─ cudatoolkit 11.8.0
└─ cuda-version 12.6.* cannot be installed because there are no viable options:
   └─ cuda-version 12.6 would constrain
      └─ cudatoolkit ==12.6|12.6.*, which conflicts with any installable versions previously reported
"""


def test_of_many_branches_three_are_shown_and_the_rest_is_counted():
    assert shorten(WIDE).splitlines() == [
        "torchvision * cannot be installed because there are no viable options:",
        "├─ torchvision 0.18.1 would require",
        "│  └─ pytorch ==2.3.1, for which no candidates were found.",
        "├─ torchvision 0.17.0 would require",
        "│  └─ pytorch ==2.2.0, for which no candidates were found.",
        "├─ torchvision 0.15.2 would require",
        "│  └─ pytorch ==2.0.1, for which no candidates were found.",
        "└─ ... and 2 more",
    ]


def test_a_tree_of_any_size_is_shown_in_few_lines():
    deep = "\n".join(f"{'   ' * level}└─ a {level} would require" for level in range(200))
    wide = "\n".join(f"No candidates were found for a{n} *." for n in range(200))
    assert len(shorten(f"{HEAD}a * cannot be installed:\n{deep}").splitlines()) < 10
    assert shorten(HEAD + wide).splitlines()[-1] == "... and 184 more lines"


def test_a_small_tree_is_shown_whole():
    assert shorten(BOTH) == BOTH.removeprefix(HEAD).strip()


def test_both_sides_of_a_conflict_are_blamed():
    assert blamed(BOTH, {"cuda-version", "cudatoolkit", "numpy"}) == ("cudatoolkit", "cuda-version")


def test_only_what_was_asked_for_is_blamed():
    assert blamed(WIDE, {"pytorch", "torchvision"}) == ("torchvision",)
    assert blamed(f"{HEAD}No candidates were found for numpy 1.26.3.*.\n", {"numpy"}) == ("numpy",)


def test_each_of_several_trees_has_its_culprit():
    two = f"{WIDE.rstrip()}\ntorchaudio * cannot be installed because there are no viable options:"
    assert blamed(two, {"torchaudio", "torchvision"}) == ("torchvision", "torchaudio")
