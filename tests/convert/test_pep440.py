"""A specifier of PEP 440 and what it becomes give the same verdict on the versions of a channel."""

import random

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from reconciler.convert.match_spec import written
from reconciler.convert.pep440 import NotInCondaError, translate
from reconciler.model.conda_constraint import parse_constraint
from reconciler.model.conda_spec import CondaSpec
from reconciler.model.conda_version import parse_version

SUFFIXES = ("a1", "b2", "rc1", ".post1", ".dev0", ".dev1", "a0", ".post0")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "~=", "===")


def release(rng, length):
    return ".".join(str(rng.choice((0, 1, 2, 3, 10, 11, 2024))) for _ in range(length))


def some_specifier(rng, length):
    epoch = rng.choice(("",) * 9 + ("1!",))
    if rng.random() < 0.2:
        return f"{rng.choice(('==', '!='))}{epoch}{release(rng, max(length - 1, 1))}.*"
    suffix = rng.choice(SUFFIXES) if rng.random() < 0.15 else ""
    return f"{rng.choice(OPERATORS)}{epoch}{release(rng, length)}{suffix}"


def some_version(rng, length):
    suffix = rng.choice(SUFFIXES) if rng.random() < 0.4 else ""
    # A suffix stands behind as many numbers as the releases of a project have; conda counts it
    # to the last of them, so that 2.post1 lies above 2.0.11 there.
    numbers = length if suffix else rng.choice((1, 2, 3, 4))
    return str(Version(f"{rng.choice(('',) * 9 + ('1!',))}{release(rng, numbers)}{suffix}"))


def pairs(count):
    rng = random.Random(440)
    while count:
        length = rng.choice((2, 2, 3, 3, 3, 4))
        asked = [some_specifier(rng, length) for _ in range(rng.choice((1, 1, 2)))]
        # No specifier has both: they are two lengths of one project.
        if any(mark in one for one in asked for mark in SUFFIXES) and rng.random() < 0.5:
            continue
        try:
            yield SpecifierSet(",".join(asked)), some_version(rng, length)
        except InvalidSpecifier:
            continue
        count -= 1


def test_both_languages_give_the_same_verdict_on_twenty_thousand_pairs():
    differing = [
        (str(specifiers), version)
        for specifiers, version in pairs(20_000)
        if specifiers.contains(version, prereleases=True)
        != parse_constraint(translate(specifiers).text or "*").allows(parse_version(version))
    ]
    # What conda orders otherwise whatever is written: a suffix on one side, more numbers on the other.
    assert len(differing) <= 10, differing


@pytest.mark.parametrize(
    ("specifiers", "spec"),
    [
        ("", "numpy"),
        ("==1.26.4", "numpy==1.26.4"),
        ("==1.26.*", "numpy=1.26"),
        ("==2.1.2+cu118", "numpy==2.1.2"),
        ("===1.26.4", "numpy==1.26.4"),
        ("~=1.26.1", "numpy~=1.26.1"),
        ("~=2.2.post3", "numpy>=2.2.post3,2.*"),
        ("<2,>=1.20", "numpy>=1.20,<2a0"),
        ("!=1.25.*,>1", "numpy>1,!=1.post.*,!=1.25.*"),
        ("==1!2.0", "numpy==1!2.0"),
        (">=1.0.dev0", "numpy>=1.0a0"),
        ("==1.0-1", "numpy==1.0.post1"),
    ],
)
def test_a_specifier_is_written_as_conda_reads_it(specifiers, spec):
    assert written("numpy", translate(SpecifierSet(specifiers))) == spec
    assert CondaSpec.parse(spec).name == "numpy"


@pytest.mark.parametrize("specifiers", ["", "==1.26.4", "==1.26.*", "<2,>=1.20", "~=1.26.1"])
def test_a_build_stands_behind_every_version(specifiers):
    spec = CondaSpec.parse(written("pytorch", translate(SpecifierSet(specifiers)), "cuda*"))
    plain = CondaSpec.parse(written("pytorch", translate(SpecifierSet(specifiers))))
    assert spec.build == "cuda*"
    assert (spec.version or "*") == (plain.version or spec.version or "*")


def test_what_no_channel_can_have_is_refused_in_words():
    with pytest.raises(NotInCondaError, match="asks for the text 'abc'"):
        translate(SpecifierSet("===abc"))


def test_a_local_label_is_told_and_left_out():
    asked = translate(SpecifierSet("==2.1.2+cu118"))
    assert (asked.exact, asked.labels) == ("2.1.2", ("cu118",))
